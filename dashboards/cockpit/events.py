"""What has happened: one thread and one connection a session listen for all its browsers."""

import json
import select
import socket
import threading
import time

import psycopg

CHANNELS = ("hwsched_assigned", "hwsched_changed", "hwsched_scaling")


class Listener:
    """Listens while somebody watches.  news counts what it has told; events are (number, name, data)."""

    def __init__(self, connect, every):
        self.connect, self.every = connect, every
        self.changed, self.watchers, self.stopped, self.thread = threading.Condition(), 0, False, None
        self.number, self.events, self.away = 0, [], None
        self.bell, self.ringer = socket.socketpair()

    def watch(self, by):
        with self.changed:
            self.watchers += by
            if self.watchers and not (self.thread and self.thread.is_alive()) and not self.stopped:
                self.thread = threading.Thread(target=self.run, daemon=True)
                self.thread.start()
        if by < 0:
            self.ring()

    def ring(self):
        try:
            self.ringer.send(b".")
        except OSError:
            pass

    def stop(self):
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
        self.ring()

    def tell(self, name, data):
        with self.changed:
            self.number += 1
            self.events = [*self.events[-99:], (self.number, name, data)]
            self.changed.notify_all()

    def since(self, number, seconds):
        """Waits for what was told after a number; returns it, nothing when it takes longer, None when all is over."""
        with self.changed:
            self.changed.wait_for(lambda: self.number > number or self.stopped, seconds)
            return None if self.stopped else [event for event in self.events if event[0] > number]

    def run(self):
        while self.watchers and not self.stopped:
            try:
                with self.connect() as db:
                    if self.away:
                        self.away = None
                        self.tell("back", {})
                    self.follow(db)
            except psycopg.Error as error:
                why = str(error).strip().partition("\n")[0]
                if why != self.away:
                    self.away = why
                    self.tell("away", {"why": why})
                time.sleep(1)

    def follow(self, db):
        # A standby cannot listen: there, the clock alone tells.
        if not db.execute("SELECT pg_is_in_recovery()").fetchone()[0]:
            for channel in CHANNELS:
                db.execute(f"LISTEN {channel}")
        while self.watchers and not self.stopped:
            ready, _, _ = select.select([self.bell, db], [], [], self.every)
            if self.bell in ready:
                self.bell.recv(4096)
            if db in ready:
                db.pgconn.consume_input()
            pools = set()
            while notification := db.pgconn.notifies():
                pools.add(notification.extra.decode(errors="replace"))
            if pools:
                self.tell("changed", {"pools": sorted(pools)})
                # what comes within this time is told at once
                time.sleep(0.3)
            elif not ready:
                db.execute("SELECT")
                self.tell("tick", {})


def encode(events):
    """Returns events as a browser's EventSource reads them; a comment says that the stream is there."""
    return "".join(f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n" for number, name, data in events) or ":\n\n"
