#!/usr/bin/python3
"""A worker of hwsched: registers this machine, takes work, runs its command, says how it went.

The command is custom_properties.command of the requirements, a list of
arguments that no shell sees.  What the server says is to stop is killed.  What
is to yield gets SIGTERM, and the next run finds the end of its output in
HWSCHED_NOTE.
SIGTERM drains: what runs is finished, then the worker exits.  See --help; the
connection is libpq's (PGHOST, PGSERVICE, ...).
"""

import argparse
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

import psycopg
from psycopg.types.json import Jsonb

import hardware

TAIL = 4000  # bytes of a command's output that are kept
NEXT = """SELECT a.assignment_id, a.workload_id, a.attempt, a.shard_no, a.device_nos,
    extract(epoch FROM a.lease_until - now())::float8, hwsched.requirements(a.assignment_id, %(pool)s)
FROM hwsched.next(%(worker)s, %(finished)s, %(free)s, results => %(results)s, pool => %(pool)s) AS a"""


SIGNALS = {number.value: number.name for number in signal.Signals}


def say(text):
    """Prints a line.  What others have named, and what commands say, is not to play with the terminal."""
    print(time.strftime("%H:%M:%S"), "".join(char if char.isprintable() else "?" for char in text), flush=True)


class Job:
    """A command that runs for an assignment, in a process group of its own."""

    def __init__(self, row, asked):
        self.id, self.workload, attempt, shard, devices, self.lease, requirements = row
        self.began, self.renewed, self.error, self.yields = time.monotonic(), asked, None, False
        self.timeout = requirements["timeout"]
        self.output = tempfile.TemporaryFile()
        command = (requirements.get("custom_properties") or {}).get("command")
        # What the work is to find: itself, and no other GPUs than those it was given.
        environment = {**os.environ, "HWSCHED_WORKLOAD_ID": self.workload, "HWSCHED_ATTEMPT": str(attempt),
                       "HWSCHED_SHARD_NO": str(shard), "HWSCHED_NOTE": json.dumps(requirements.get("note")),
                       "CUDA_VISIBLE_DEVICES": ",".join(str(no - 1) for no in devices if no)}
        try:
            if not (command and isinstance(command, list) and all(isinstance(word, str) for word in command)):
                raise ValueError("custom_properties.command is no list of arguments")
            # It dies with the worker: whoever takes the work over must not meet it.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command], start_new_session=True, env=environment,
                stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)
        except (OSError, ValueError) as error:
            self.process, self.error = None, str(error)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """Kills the command and all that it left running."""
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()

    def stop(self):
        """Asks the command to come to an end, as it yields."""
        if not self.yields and self.running():
            self.yields = True
            os.killpg(self.process.pid, signal.SIGTERM)

    def ended(self):
        """Returns whether it has, having seen to its timeout."""
        if self.running():
            if time.monotonic() - self.began < self.timeout:
                return False
            self.error = f"timeout: killed after {self.timeout:g} s"
        self.kill()
        return True

    def result(self):
        """Returns the result, and the error or None."""
        self.output.seek(max(0, self.output.seek(0, os.SEEK_END) - TAIL))
        output = self.output.read().decode(errors="replace").replace("\0", "\ufffd")
        code = self.process.returncode if self.process else None
        if code and not self.error:
            how = f"exit status {code}" if code > 0 else f"killed by {SIGNALS.get(-code, -code)}"
            self.error = f"{how}: {output[-1000:].strip()}"
        return {"exit_status": code, "output": output, "seconds": round(time.monotonic() - self.began, 3)}, self.error


class Worker:
    def __init__(self, options):
        self.options, self.jobs, self.load, self.db = options, {}, hardware.Load(), None
        # Another life of this worker is told by it to know nothing of what runs here.
        self.incarnation = str(uuid.uuid4())
        self.draining, self.called, self.reported = False, False, 0.0
        # A signal wakes the loop up by a byte in here, a child's end too.
        self.bell, self.ringer = socket.socketpair()
        self.ringer.setblocking(False)
        signal.set_wakeup_fd(self.ringer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self.drain)
        signal.signal(signal.SIGINT, self.drain)

    def drain(self, *_):
        self.draining = True

    def connect(self):
        self.db = psycopg.connect(self.options.dsn, autocommit=True, application_name=f"worker {self.options.name}")
        self.call("register_worker", self.options.name,
                  Jsonb({**hardware.capabilities(self.options.slots), "incarnation": self.incarnation}))
        self.db.execute("LISTEN hwsched_assigned")
        self.reported = 0.0
        say(f"registered as {self.options.name}")

    def call(self, function, *arguments):
        """Calls a function of hwsched, the pool last.  Returns whether the state allowed it."""
        try:
            self.db.execute(f"SELECT hwsched.{function}({', '.join(['%s'] * (len(arguments) + 1))})", (*arguments, self.options.pool))
            return True
        except (psycopg.errors.ObjectNotInPrerequisiteState, psycopg.errors.NoDataFound) as error:
            say(f"{function}: {error.diag.message_primary}")
            return False

    def drop(self, job, outcome):
        say(f"{job.workload}: {outcome}")
        del self.jobs[job.id]

    def fail(self, job, result, error):
        # Forgotten only once the server has answered; who asks twice is told the state.
        known = self.call("fail", job.id, error, Jsonb(result))
        self.drop(job, error if known else "result dropped")

    def beat(self):
        """Says what runs here, which renews its leases, and stops what the server no longer wants."""
        asked = time.monotonic()
        stops = self.db.execute("SELECT assignment_id, action, reason FROM hwsched.heartbeat(%s, %s::bigint[], %s)",
                                (self.options.name, list(self.jobs), self.options.pool)).fetchall()
        for job in self.jobs.values():
            job.renewed = asked
        for assignment, action, reason in stops:
            if action == "yield":
                self.jobs[assignment].stop()
            else:
                self.abandon(self.jobs[assignment], f"stopped: {reason}")

    def abandon(self, job, reason):
        """Kills a command whose work may run elsewhere, and drops its result."""
        job.kill()
        self.drop(job, reason)

    def step(self, finished):
        """Completes what is finished and starts what comes next."""
        asked = time.monotonic()
        arguments = {"worker": self.options.name, "pool": self.options.pool, "finished": [job.id for job, _ in finished],
                     "results": Jsonb({job.id: result for job, result in finished}),
                     "free": self.options.slots - len(self.jobs) + len(finished)}
        try:
            rows = self.db.execute(NEXT, arguments).fetchall()
        except psycopg.errors.ObjectNotInPrerequisiteState as error:
            say(f"next: {error.diag.message_primary}")
            self.beat()  # which drops the lost ones; the others are for the next step
            return
        for job, _ in finished:
            self.drop(job, "completed")
        for row in rows:
            job = Job(row, asked)
            self.jobs[job.id] = job
            say(f"{job.workload}: started, attempt {row[2]}")

    def tick(self):
        """Does what is due."""
        if self.db is None or self.db.closed:
            self.connect()
        finished = []
        for job in list(self.jobs.values()):
            if job.ended():
                result, error = job.result()
                if job.yields:
                    self.drop(job, "yielded" if self.call("yield_work", job.id, Jsonb(result)) else "result dropped")
                elif error:
                    self.fail(job, result, error)
                else:
                    finished.append((job, result))
        # What was placed here may be placed where something runs that is to yield.
        if self.called and self.jobs or any(time.monotonic() - job.renewed > job.lease / 3 for job in self.jobs.values()):
            self.beat()
            finished = [(job, result) for job, result in finished if job.id in self.jobs]
        self.called = False
        if time.monotonic() - self.reported >= self.options.report:
            self.call("update_load", self.options.name, Jsonb(self.load.report(len(self.jobs))))
            self.reported = time.monotonic()
        if not self.draining and len(self.jobs) - len(finished) < self.options.slots:
            self.step(finished)
        else:
            for job, result in finished:
                self.drop(job, "completed" if self.call("complete", job.id, Jsonb(result)) else "result dropped")

    def sleep(self):
        """Waits for a notification, the end of a command or a signal, and not for ever."""
        due = [min(job.began + job.timeout, job.renewed + job.lease / 3) - time.monotonic() for job in self.jobs.values()]
        sources = [self.bell] if self.db is None or self.db.closed else [self.bell, self.db]
        ready, _, _ = select.select(sources, [], [], max(0.05, min([self.options.poll, *due])))
        if self.bell in ready:
            self.bell.recv(4096)
        if self.db in ready:
            try:
                self.db.pgconn.consume_input()
                while self.db.pgconn.notifies():
                    self.called = True
            except psycopg.OperationalError:
                self.db.close()

    def run(self):
        while self.jobs or not self.draining:
            try:
                self.tick()
            except psycopg.OperationalError as error:
                say(f"connection: {str(error).splitlines()[0]}")
                if self.db:
                    self.db.close()
            # While the server is away, the clock says whose the work is.
            for job in list(self.jobs.values()):
                if time.monotonic() - job.renewed > job.lease and (job.running() or self.draining):
                    self.abandon(job, "the lease is lost")
            self.sleep()
        say("drained")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dsn", default="", help="connection string of libpq")
    parser.add_argument("--pool", default="default")
    parser.add_argument("--name", default=socket.gethostname(), help="the worker's id")
    parser.add_argument("--slots", type=int, default=len(os.sched_getaffinity(0)), help="commands that run at once")
    parser.add_argument("--poll", type=float, default=5, help="seconds between two looks for work without being called")
    parser.add_argument("--report", type=float, default=10, help="seconds between two reports of the load")
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        Worker(parser.parse_args()).run()
    except psycopg.Error as error:
        sys.exit(f"worker: {error}")


if __name__ == "__main__":
    main()
