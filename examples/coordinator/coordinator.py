#!/usr/bin/python3
"""A coordinator of hwsched: submits the workloads of a JSON file and follows them until all are closed.

The file is an array of requirements; see jobs.json.  Started again with the
same file while some of it is open, it goes on following.  The exit status is 1
if any workload is cancelled or dead.  The connection is libpq's (PGHOST, ...).
"""

import argparse
import json
import select
import sys
import time
import uuid

import psycopg
from psycopg.types.json import Jsonb

# Where each stands; where and how long it ran is told by its last assignment.
OUTCOMES = """SELECT w.workload_id, w.state::text, a.worker_id, a.attempt,
    extract(epoch FROM coalesce(w.closed_at, now()) - w.submitted_at)::float8,
    extract(epoch FROM a.finished_at - a.started_at)::float8, a.error
FROM hwsched.workload AS w
LEFT JOIN LATERAL (
    SELECT * FROM hwsched.assignment AS b
    WHERE b.pool = w.pool AND b.workload_id = w.workload_id AND b.run = w.run ORDER BY b.assignment_id DESC LIMIT 1) AS a ON true
WHERE w.pool = %s AND w.workload_id = ANY (%s) ORDER BY w.workload_id"""


class Coordinator:
    def __init__(self, options):
        self.options, self.db, self.began = options, None, None
        with open(options.jobs, encoding="utf-8") as file:
            # An id of its own for each, so that asking twice does not submit twice.
            self.jobs = [{"test_id": str(uuid.uuid4()), **job} for job in json.load(file)]
        self.ids = [job["test_id"] for job in self.jobs]

    def connect(self):
        self.db = psycopg.connect(self.options.dsn, autocommit=True, application_name="coordinator")
        self.db.execute("LISTEN hwsched_changed")
        if self.began is None:
            self.began = self.db.execute("SELECT now()").fetchone()[0]

    def submit(self):
        """Submits what is not open; not again what was committed before the connection broke."""
        (known,) = self.db.execute(
            "SELECT count(*) FROM hwsched.submission WHERE pool = %s AND workload_id = ANY (%s) AND submitted_at >= %s",
            (self.options.pool, self.ids, self.began)).fetchone()
        if not known:
            (new,) = self.db.execute("SELECT hwsched.submit_many(%s, %s, 'skip')", (Jsonb(self.jobs), self.options.pool)).fetchone()
            print(f"submitted {new} workloads, following {len(self.jobs)}", flush=True)

    def dispatch(self):
        """Does what a job of pg_cron does elsewhere: places the queue, takes lost work back."""
        self.db.execute("SELECT hwsched.assign_pending(pool => %s)", (self.options.pool,))
        self.db.execute("SELECT hwsched.maintain(%s)", (self.options.pool,))

    def wait(self):
        """Waits until something is closed, and not for ever: a notification may be missed."""
        if self.db is None or self.db.closed:
            time.sleep(self.options.every)
        elif select.select([self.db], [], [], self.options.every)[0]:
            try:
                self.db.pgconn.consume_input()
                while self.db.pgconn.notifies():
                    pass
            except psycopg.OperationalError:
                # the next look says so and connects again
                self.db.close()

    def outcomes(self):
        return self.db.execute(OUTCOMES, (self.options.pool, self.ids)).fetchall()

    def run(self):
        """Returns the outcomes once all are closed, however often the connection breaks."""
        submitted, last = False, None
        while True:
            try:
                if self.db is None or self.db.closed:
                    self.connect()
                if not submitted:
                    self.submit()
                    submitted = True
                if self.options.dispatch:
                    self.dispatch()
                rows = self.outcomes()
                states = [row[1] for row in rows]
                counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
                if counts != last:
                    print(time.strftime("%H:%M:%S"), counts, flush=True)
                    last = counts
                if not {"pending", "assigned", "running"} & set(states):
                    return rows
            except psycopg.OperationalError as error:
                print(f"connection: {str(error).splitlines()[0]}", flush=True)
                if self.db:
                    self.db.close()
            self.wait()


def clean(text):
    return "".join(char if char.isprintable() else "?" for char in text.split("\n", 1)[0])


def table(rows):
    """Prints the outcomes, a line each.  What others have named is not to play with the terminal."""
    rows = [[clean(value) if isinstance(value, str) else value for value in row] for row in rows]
    width = max([8, *(len(row[0]) for row in rows)])
    print(f"{'workload':{width}}  {'outcome':9}  {'worker':16}  attempt  in all s  ran s  error")
    for workload, state, worker, attempt, total, ran, error in rows:
        times = f"{total:8.1f}  {'' if ran is None else format(ran, '.1f'):>5}"
        reason = (error or "") if state != "completed" else ""
        print(f"{workload:{width}}  {state:9}  {worker or '':16}  {attempt or '':7}  {times}  {reason}".rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", help="the JSON file")
    parser.add_argument("--dsn", default="", help="connection string of libpq")
    parser.add_argument("--pool", default="default")
    parser.add_argument("--dispatch", action="store_true", help="also assign and maintain, where no cron job does")
    parser.add_argument("--every", type=float, default=1, help="seconds between two looks without being told")
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        rows = Coordinator(parser.parse_args()).run()
    except (psycopg.Error, OSError, ValueError) as error:
        sys.exit(f"coordinator: {error}")
    table(rows)
    sys.exit(any(row[1] != "completed" for row in rows))


if __name__ == "__main__":
    main()
