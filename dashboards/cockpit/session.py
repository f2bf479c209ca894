"""Sessions: who looks, with which rights, over which connections.

A session is a role of the database.  Its password is kept in memory, for the
connections that it opens later, and nowhere else.
"""

import contextlib
import hmac
import secrets
import threading
import time

import psycopg
from psycopg import conninfo

from events import Listener

CONNECTIONS = 4  # of one session at once
RESTS = 60  # seconds after which an idle connection is closed
TRIES = 5  # failed logins a minute, of all together, that are answered at once
SESSIONS = 1000
OPTIONS = "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s -c timezone=UTC -c client_min_messages=warning"


class Refused(Exception):
    """A login that is not let in."""


class Session:
    """Connections with the rights of one role."""

    def __init__(self, dsn, options, every):
        self.dsn, self.options = dsn, options
        self.csrf = secrets.token_urlsafe(32)
        self.used = time.monotonic()
        self.idle, self.lock, self.slots = [], threading.Lock(), threading.BoundedSemaphore(CONNECTIONS)
        with self.connection() as db:
            self.role = db.execute("SELECT current_user").fetchone()[0]
        self.listener = Listener(self.connect, every)

    def connect(self):
        return psycopg.connect(self.dsn, autocommit=True, connect_timeout=10, application_name="cockpit", options=self.options, prepare_threshold=None)

    @contextlib.contextmanager
    def connection(self):
        """Lends a connection; one that has failed is not used again."""
        if not self.slots.acquire(timeout=30):
            raise psycopg.OperationalError("all connections of this session are busy")
        try:
            with self.lock:
                now = time.monotonic()
                stale = [db for since, db in self.idle if now - since > RESTS]
                self.idle = [(since, db) for since, db in self.idle if now - since <= RESTS]
                db = self.idle.pop()[1] if self.idle else None
            for old in stale:
                old.close()
            if db is None:
                db = self.connect()
            try:
                yield db
            finally:
                if db.closed or db.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                    db.close()
                else:
                    with self.lock:
                        self.idle.append((time.monotonic(), db))
        finally:
            self.slots.release()

    def close(self):
        self.listener.stop()
        with self.lock:
            for _, db in self.idle:
                db.close()
            self.idle = []


class Sessions:
    """All sessions, by the token that a browser's cookie holds."""

    def __init__(self, given, say):
        self.given, self.say = given, say
        self.by_token, self.by_role, self.failures, self.lock = {}, {}, [], threading.Lock()
        self.secret = None
        if given.proxy_secret:
            with open(given.proxy_secret, encoding="utf-8") as file:
                self.secret = file.read().strip()
            if len(self.secret) < 16:
                raise OSError(f"{given.proxy_secret}: a secret has 16 characters or more")
        self.guest = Session(given.dsn, OPTIONS + " -c role=hwsched_viewer -c default_transaction_read_only=on", given.every) if given.guest else None

    def login(self, user, password):
        """Returns the token of a new session."""
        with self.lock:
            self.failures = [at for at in self.failures if at > time.monotonic() - 60]
            many = len(self.failures) >= TRIES
        if many:
            time.sleep(2)
        if not user:
            raise Refused("Who are you?")
        # An empty password must not fall back to the password of the DSN, of PGPASSWORD or of a file.
        dsn = conninfo.make_conninfo(self.given.dsn, user=user, password=password or " ", passfile="/dev/null")
        try:
            session = Session(dsn, OPTIONS, self.given.every)
        except psycopg.OperationalError as error:
            with self.lock:
                self.failures.append(time.monotonic())
            self.say(f"login of {user!r} refused")
            raise Refused(str(error).strip().splitlines()[-1] if error.sqlstate is None else "The database refuses this login.") from None
        token = secrets.token_urlsafe(32)
        with self.lock:
            old = [key for key, s in self.by_token.items() if s.used < time.monotonic() - 3600 * self.given.idle]
            if len(self.by_token) - len(old) >= SESSIONS:
                old.append(min(self.by_token, key=lambda key: self.by_token[key].used))
            ended = [self.by_token.pop(key) for key in old]
            self.by_token[token] = session
        for s in ended:
            s.close()
        self.say(f"login of {session.role!r}")
        return token

    def logout(self, token):
        with self.lock:
            session = self.by_token.pop(token, None)
        if session:
            session.close()

    def find(self, token, headers):
        """Returns the session that a request belongs to, or None."""
        if self.secret:
            user = headers.get(self.given.proxy_user)
            return self.of_proxy(user) if user and hmac.compare_digest(headers.get("X-Cockpit-Secret", "").encode(), self.secret.encode()) else None
        with self.lock:
            session = self.by_token.get(token)
        if session and session.used < time.monotonic() - 3600 * self.given.idle:
            self.logout(token)
            session = None
        if session:
            session.used = time.monotonic()
        return session or self.guest

    def of_proxy(self, user):
        with self.lock:
            session = self.by_role.get(user)
        if not session:
            # -c takes a backslash before a space or a backslash
            role = user.replace("\\", "\\\\").replace(" ", "\\ ")
            session = Session(self.given.dsn, f"{OPTIONS} -c role={role}", self.given.every)
            with self.lock:
                session = self.by_role.setdefault(user, session)
        return session

    def close(self):
        for session in [*self.by_token.values(), *self.by_role.values(), *([self.guest] if self.guest else [])]:
            session.close()
