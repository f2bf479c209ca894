"""The server of HTTP: files, queries, actions, and a stream of events.

Reading:  GET /api/session, GET /api/query/NAME?parameter=..., GET /events
Writing:  POST /api/login, /api/logout, /api/sql/NAME (what it would do), /api/act/NAME

A request that writes is JSON from this very page and carries the token that only
this page can read; see guard().
"""

import hmac
import http.cookies
import http.server
import json
import os
import re
import socket
import socketserver
import sys
import threading
from urllib.parse import parse_qsl, urlsplit

import psycopg

from events import encode
from session import Refused
from statements import ACTIONS, ADMIN, COORDINATOR, QUERIES

STATIC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "static")
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FILES = {f"/{name}": KINDS[os.path.splitext(name)[1]] for name in os.listdir(STATIC) if os.path.splitext(name)[1] in KINDS}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                               "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store"}
COOKIE = "cockpit"
WATCHERS = 200  # streams at once
BEAT = 10  # seconds after which a silent stream says that it is there
BODY = 1 << 20  # bytes of a request at most

WHO = """
SELECT json_build_object(
  'user', current_user, 'coordinator', pg_has_role(current_user, %(coordinator)s, 'USAGE') AND NOT pg_is_in_recovery(),
  'admin', pg_has_role(current_user, %(admin)s, 'USAGE') AND NOT pg_is_in_recovery(), 'server', current_database(),
  'version', (SELECT extversion FROM pg_extension WHERE extname = 'hwsched'),
  'pools', (SELECT coalesce(json_agg(pool ORDER BY pool), '[]') FROM hwsched.pool_summary))::text"""


class Problem(Exception):
    """What is answered instead: a status of HTTP and words."""

    def __init__(self, status, text, **more):
        super().__init__(text)
        self.status, self.body = status, {"error": text, **more}


def database_problem(error):
    """Returns what an error of the database is to a browser."""
    diag = error.diag
    if error.sqlstate is None or error.sqlstate[:2] in ("08", "57") and error.sqlstate != "57014":
        return Problem(503, str(error).strip().partition("\n")[0] or "The database is away.")
    status = {"42501": 403, "P0002": 404, "57014": 504, "25006": 403}.get(error.sqlstate, 422)
    return Problem(status, diag.message_primary or str(error), sqlstate=error.sqlstate, detail=diag.message_detail, hint=diag.message_hint)


class Handler(http.server.BaseHTTPRequestHandler):
    server_version, sys_version = "hwsched", ""
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds that a browser may take to read or to ask

    def log_message(self, *_):
        pass

    def answer(self, status, kind, body=None, **more):
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        for name, value in {**HEADERS, **more}.items():
            self.send_header(name.replace("_", "-"), value)
        if body is None or self.unread:
            self.send_header("Connection", "close")
            self.close_connection = True
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body is not None and self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, value, status=200, **more):
        self.answer(status, "application/json", (value if isinstance(value, str) else json.dumps(value)).encode(), **more)

    def do_GET(self):
        self.handle_safely(self.get)

    def do_HEAD(self):
        self.handle_safely(self.get)

    def do_POST(self):
        self.handle_safely(self.post)

    def handle_safely(self, what):
        """Answers, also when it cannot; what is left unread of a request ends the connection."""
        self.unread = self.command == "POST"
        try:
            # Another name in here is another site's page that asks in a browser's name.
            if re.sub(r":\d+$", "", self.headers.get("Host", "")).lower() not in self.server.names:
                raise Problem(421, "This is not the name of this page; see --name.")
            what(urlsplit(self.path))
        except Problem as problem:
            self.answer_json(problem.body, problem.status)
        except Refused as refused:
            self.answer_json({"error": str(refused)}, 401)
        except psycopg.Error as error:
            problem = database_problem(error)
            self.answer_json(problem.body, problem.status)

    def token(self):
        try:
            morsel = http.cookies.SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        except http.cookies.CookieError:
            morsel = None
        return morsel.value if morsel else ""

    def session(self):
        session = self.server.sessions.find(self.token(), self.headers)
        if session is None:
            raise Problem(401, "Log in first.", login=self.server.sessions.secret is None)
        return session

    def get(self, url):
        if url.path in FILES or url.path == "/":
            name = "/index.html" if url.path == "/" else url.path
            with open(os.path.join(STATIC, name[1:]), "rb") as file:
                self.answer(200, FILES[name], file.read())
        elif url.path == "/api/session":
            session = self.session()
            with session.connection() as db:
                who = json.loads(db.execute(WHO, {"coordinator": COORDINATOR, "admin": ADMIN}).fetchone()[0])
            if session is self.server.sessions.guest:
                who.update(guest=True, coordinator=False, admin=False)
            self.answer_json({**who, "csrf": session.csrf, "every": self.server.every})
        elif url.path.startswith("/api/query/"):
            self.query(url.path.removeprefix("/api/query/"), dict(parse_qsl(url.query, keep_blank_values=True)))
        elif url.path == "/events" and self.command == "GET":
            self.stream(self.session().listener)
        else:
            raise Problem(404, "There is no such page.")

    def query(self, name, given):
        query = QUERIES.get(name)
        if query is None:
            raise Problem(404, "There is no such query.")
        unknown = given.keys() - query.names
        if unknown or any("\0" in value for value in given.values()):
            raise Problem(400, f"unknown parameter: {min(unknown)}" if unknown else "a parameter contains a zero")
        with self.session().connection() as db, db.transaction():
            db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # not indented: the rows stand in the answer as PostgreSQL writes them
            rows = db.execute(f"SELECT coalesce(json_agg(q), '[]')::text FROM (\n{query.sql}\n) q", {key: given.get(key) for key in query.names}).fetchone()[0]
        self.answer_json(rows)

    def body(self):
        """Returns the object that was sent, having made sure that it is from our own page."""
        if self.headers.get_content_type() != "application/json":
            raise Problem(415, "Send JSON.")
        origin = self.headers.get("Origin")
        if self.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin" or origin and urlsplit(origin).netloc != self.headers.get("Host"):
            raise Problem(403, "Another site's page asks.")
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            length = -1
        if not 0 <= length <= BODY:
            raise Problem(413, "That is too much.")
        try:
            text = self.rfile.read(length)
            self.unread = False
            body = json.loads(text)
        except ValueError:
            body = None
        if not isinstance(body, dict) or not all(value is None or isinstance(value, str) and "\0" not in value for value in body.values()):
            raise Problem(400, "Send an object of texts.")
        return body

    def guard(self):
        """Returns the session of a request that writes: one with the token that only our own page reads."""
        session = self.session()
        if not hmac.compare_digest(self.headers.get("X-CSRF-Token", "").encode(), session.csrf.encode()):
            raise Problem(403, "This does not come from the page; load it again.")
        return session

    def post(self, url):
        given = self.body()
        secure = "; Secure" if self.server.secure else ""
        if url.path == "/api/login" and self.server.sessions.secret is None:
            token = self.server.sessions.login(given.get("user") or "", given.get("password") or "")
            self.server.sessions.logout(self.token())
            self.answer_json({}, Set_Cookie=f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/{secure}")
        elif url.path == "/api/logout":
            self.guard()
            self.server.sessions.logout(self.token())
            self.answer_json({}, Set_Cookie=f"{COOKIE}=; Max-Age=0; HttpOnly; SameSite=Strict; Path=/{secure}")
        elif url.path.startswith(("/api/sql/", "/api/act/")):
            self.act(self.guard(), url.path.removeprefix("/api/")[:3], url.path.removeprefix("/api/")[4:], given)
        else:
            raise Problem(404, "There is no such page.")

    def act(self, session, how, name, given):
        action = ACTIONS.get(name)
        if action is None:
            raise Problem(404, "There is no such action.")
        wrong = sorted((given.keys() - action.names) | {key for key in action.required if given.get(key) is None})
        if wrong:
            raise Problem(400, f"wrong or missing: {wrong[0]}")
        wanted = {key: given.get(key) for key in action.names}
        with session.connection() as db:
            if how == "sql":
                self.answer_json({"sql": psycopg.ClientCursor(db).mogrify(action.sql, wanted) + ";"})
            elif session is self.server.sessions.guest:
                raise Problem(403, "A guest looks and does not act: log in.")
            else:
                value = db.execute(action.sql, wanted).fetchone()[0]
                self.answer_json({"value": None if value is None else str(value)})

    def stream(self, listener):
        with self.server.counted:
            if self.server.watchers >= WATCHERS:
                raise Problem(503, "Too many watch already.")
            self.server.watchers += 1
        listener.watch(1)
        try:
            self.answer(200, "text/event-stream")
            number = listener.number
            if listener.away:
                self.wfile.write(encode([(number, "away", {"why": listener.away})]).encode())
            while (events := listener.since(number, BEAT)) is not None:
                number = max([number, *(event[0] for event in events)])
                self.wfile.write(encode(events).encode())
        except OSError:
            self.close_connection = True
        finally:
            listener.watch(-1)
            with self.server.counted:
                self.server.watchers -= 1


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, given, sessions):
        self.address_family = socket.getaddrinfo(given.host, given.port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((given.host, given.port), Handler)
        self.names = {"localhost", "127.0.0.1", "[::1]", given.host.lower(), *(name.lower() for name in given.name)}
        self.sessions, self.every, self.secure = sessions, given.every, given.secure
        self.watchers, self.counted = 0, threading.Lock()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
