#!/usr/bin/python3
"""A live page of a pool of hwsched: its figures and charts, drawn anew as work is assigned.

Open the address that it prints.  For all browsers together there is one
connection: it acts as hwsched_viewer, listens for hwsched_assigned, and reads
by itself every few seconds, as long as somebody watches.  See --help; the
connection is libpq's (PGHOST, PGSERVICE, ...).
"""

import argparse
import datetime
import http.server
import json
import os
import re
import select
import signal
import socket
import socketserver
import sys
import threading
import time

import psycopg

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = {"/": ("page.html", "text/html"), "/page.css": ("page.css", "text/css"), "/page.js": ("page.js", "text/javascript"),
         "/icon.svg": ("icon.svg", "image/svg+xml")}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                               "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store"}
SESSION = "-c role=hwsched_viewer -c default_transaction_read_only=on -c statement_timeout=30s -c timezone=UTC"
WATCHERS = 100  # browsers at once
BEAT = 10  # seconds after which a silent stream says that it is there

# Both return JSON; all that varies is a parameter.
FIGURES = """
WITH history AS (
    SELECT count(*) FILTER (WHERE state = 'completed') AS completed, count(*) FILTER (WHERE state IN ('failed', 'expired')) AS failed
    FROM hwsched.execution_history WHERE pool = %(pool)s AND time >= now() - %(window)s::text::interval),
wait AS (
    SELECT percentile_cont('{0.5,0.9}'::float8[]) WITHIN GROUP (ORDER BY wait_seconds) AS seconds
    FROM hwsched.assignment_history WHERE pool = %(pool)s AND time >= now() - %(window)s::text::interval),
queue AS (SELECT max(extract(epoch FROM greatest(now() - submitted_at, '0'))) AS oldest FROM hwsched.pending WHERE pool = %(pool)s),
heat AS (
    SELECT worker_id || coalesce(' #' || device_no, '') AS hottest, temperature_ratio AS ratio
    FROM hwsched.thermal_states WHERE pool = %(pool)s AND reported_at IS NOT NULL ORDER BY temperature_ratio DESC, worker_id, device_no LIMIT 1)
SELECT json_build_array(
    json_build_array('Workers at work', s.active_workers, format('of %%s; %%s offline, %%s quarantined, %%s draining', s.workers, s.offline_workers, s.quarantined_workers, s.draining_workers)),
    json_build_array('Waiting', s.pending, coalesce('the longest for ' || round(queue.oldest) || ' s', 'nothing waits')),
    json_build_array('Running', s.running, format('%%s assigned and not started', s.assigned)),
    json_build_array('Accelerators in use', round(s.reserved_accelerators::numeric, 1), format('of %%s', s.accelerators)),
    json_build_array('Completed', history.completed, format('within %%s; %%s failed', %(window)s::text, history.failed)),
    json_build_array('Success', coalesce(round(100.0 * history.completed / nullif(history.completed + history.failed, 0), 1) || ' %%', '-'), 'of what ended in that time'),
    json_build_array('Half waited at most', coalesce(round(wait.seconds[1]::numeric, 1) || ' s', '-'), coalesce('nine of ten at most ' || round(wait.seconds[2]::numeric, 1) || ' s', '')),
    json_build_array('Hottest device', coalesce(round(heat.ratio::numeric, 2)::text, '-'), coalesce(heat.hottest || '; 0 is idle, 1 throttles', '')))::text
FROM hwsched.pool_summary s CROSS JOIN history CROSS JOIN wait CROSS JOIN queue LEFT JOIN heat ON true WHERE s.pool = %(pool)s"""
REASONS = """
SELECT coalesce(json_agg(json_build_array(reason, workloads)), '[]')::text
FROM (SELECT reason, workloads FROM hwsched.explain_pending(%(pool)s) ORDER BY workloads DESC, reason LIMIT 10) r"""
CHARTS = """
SELECT chart, json_build_object('spec', hwsched.vega_spec(chart, now() - %(window)s::text::interval, pool => %(pool)s), 'fields', fields)::text
FROM hwsched.chart ORDER BY position"""


def say(text):
    print(time.strftime("%H:%M:%S"), "".join(char if char.isprintable() else "?" for char in text), flush=True)


class Reader(threading.Thread):
    """Reads what the page shows, for all who watch.  parts is never changed but replaced: name -> JSON."""

    def __init__(self, options):
        super().__init__(daemon=True)
        self.options, self.parts, self.watchers, self.stopped, self.called = options, {}, 0, False, False
        self.changed, self.runtime = threading.Condition(), b""
        # A byte in here wakes the thread up.
        self.bell, self.ringer = socket.socketpair()
        self.ringer.setblocking(False)
        self.db = self.connect()

    def connect(self):
        db = psycopg.connect(self.options.dsn, autocommit=True, connect_timeout=10, application_name="live page", options=SESSION)
        try:
            db.execute("SELECT FROM hwsched.pool_settings(%s)", (self.options.pool,))
            db.execute("SELECT %s::interval", (self.options.window,))
            self.runtime = (db.execute("SELECT hwsched_internal.vega_runtime()").fetchone()[0] or "").encode()
            # A standby cannot listen: there, the page goes by the clock alone.
            if not db.execute("SELECT pg_is_in_recovery()").fetchone()[0]:
                # One that comes in the middle of a query is told to the handler alone.
                db.add_notify_handler(self.hear)
                db.execute("LISTEN hwsched_assigned")
        except psycopg.Error:
            db.close()
            raise
        return db

    def ring(self):
        try:
            self.ringer.send(b".")
        except BlockingIOError:
            pass

    def watch(self, by):
        with self.changed:
            self.watchers += by
        self.ring()

    def publish(self, **parts):
        with self.changed:
            self.parts = {**self.parts, **parts}
            self.changed.notify_all()

    def state(self, error=None):
        return json.dumps({"pool": self.options.pool, "window": self.options.window, "error": error,
                           "at": datetime.datetime.now(datetime.timezone.utc).strftime("%H:%M:%S")})

    def read(self):
        """Reads all of it, as it is at one moment."""
        wanted = {"pool": self.options.pool, "window": self.options.window}
        with self.db.transaction():
            self.db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # knows whether there still is such a pool
            reasons = self.db.execute(REASONS, wanted).fetchone()[0]
            self.publish(state=self.state(), figures=self.db.execute(FIGURES, wanted).fetchone()[0], reasons=reasons)
            self.publish(**{f"chart {name}": chart for name, chart in self.db.execute(CHARTS, wanted)})

    def hear(self, notification):
        self.called |= notification.payload == self.options.pool

    def take_in(self):
        """Takes in what has come between queries."""
        self.db.pgconn.consume_input()
        while notification := self.db.pgconn.notifies():
            self.called |= notification.extra == self.options.pool.encode()

    def follow(self):
        """Reads when called, soon but never for more than a fifth of the time, and else by the clock."""
        soonest = latest = time.monotonic()
        while not self.stopped:
            now, watched = time.monotonic(), self.watchers > 0
            if watched and now >= (soonest if self.called else latest):
                self.called = False
                self.read()
                cost = time.monotonic() - now
                soonest = now + cost + max(0.5, 4 * cost)
                latest = max(soonest, now + cost + self.options.every)
                continue
            self.take_in()
            ready, _, _ = select.select([self.bell, self.db], [], [], max(0, (soonest if self.called else latest) - now) if watched else None)
            if self.bell in ready:
                self.bell.recv(4096)
                self.called |= not watched

    def run(self):
        while not self.stopped:
            try:
                if self.db is None:
                    self.db = self.connect()
                    say("connected again")
                self.follow()
            except psycopg.Error as error:
                why = str(error).strip().partition("\n")[0]
                say(why)
                self.publish(state=self.state(why))
            if self.db is not None:
                self.db.close()
                self.db = None
            if not self.stopped:
                time.sleep(1)

    def stop(self):
        self.stopped = True
        with self.changed:
            self.changed.notify_all()
        self.ring()
        self.join(5)


class Handler(http.server.BaseHTTPRequestHandler):
    server_version, sys_version = "hwsched", ""
    timeout = 60  # seconds that a browser may take to read or to ask

    def log_message(self, *_):
        pass

    def answer(self, status, kind, body=None):
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body is not None and self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        reader = self.server.reader
        # Another name in here is another site's page that asks in a browser's name.
        if re.sub(r":\d+$", "", self.headers.get("Host", "")).lower() not in self.server.names:
            self.answer(421, "text/plain", b"This is not the name of this page; see --name.\n")
        elif self.path == "/vega.js":
            self.answer(200, "text/javascript", reader.runtime)
        elif self.path == "/events" and reader.watchers >= WATCHERS:
            self.answer(503, "text/plain", b"Too many watch already.\n")
        elif self.path == "/events" and self.command == "GET":
            self.stream(reader)
        elif self.path in FILES:
            name, kind = FILES[self.path]
            with open(os.path.join(HERE, name), "rb") as file:
                self.answer(200, kind, file.read())
        else:
            self.answer(404, "text/plain", b"There is no such page.\n")

    do_HEAD = do_GET

    def stream(self, reader):
        """Sends the parts, and each again when it has changed."""
        sent = {}
        reader.watch(1)
        try:
            self.answer(200, "text/event-stream")
            while not reader.stopped:
                with reader.changed:
                    reader.changed.wait_for(lambda: reader.parts is not sent or reader.stopped, BEAT)
                    parts = reader.parts
                news = [f'data: {{"part": {json.dumps(name)}, "value": {value}}}\n\n' for name, value in parts.items() if sent.get(name) != value]
                sent = parts
                self.wfile.write("".join(news or [":\n\n"]).encode())
        except OSError:
            pass
        finally:
            reader.watch(-1)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, options):
        self.address_family = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((options.host, options.port), Handler)
        self.names = {"localhost", "127.0.0.1", "[::1]", options.host.lower(), *(name.lower() for name in options.name)}
        self.reader = Reader(options)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dsn", default="", help="connection string of libpq; the login is a member of hwsched_viewer")
    parser.add_argument("--pool", default="default")
    parser.add_argument("--window", default="1 hour", help="how far back the page looks (default: %(default)s)")
    parser.add_argument("--every", type=float, default=5, help="seconds between two looks without being called (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s); there is no password")
    parser.add_argument("--port", type=int, default=8737, help="port to listen on; 0: any (default: %(default)s)")
    parser.add_argument("--name", action="append", default=[], help="another host name that browsers may use for it")
    sys.stdout.reconfigure(errors="backslashreplace")
    options = parser.parse_args()
    try:
        server = Server(options)
    except (psycopg.Error, OSError) as error:
        sys.exit(f"live: {str(error).strip()}")
    # A reader that is gone leaves nothing to serve.
    threading.excepthook = lambda failure: (sys.excepthook(*failure[:3]), os.kill(os.getpid(), signal.SIGTERM))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.reader.start()
    say(f"pool {options.pool}: http://{f'[{options.host}]' if ':' in options.host else options.host}:{server.server_port}/")
    server.serve_forever()
    server.reader.stop()
    server.server_close()


if __name__ == "__main__":
    main()
