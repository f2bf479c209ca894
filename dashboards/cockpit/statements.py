"""All SQL that the cockpit sends: queries/*.sql to look, and ACTIONS.

A parameter is text, %(name)s; one that a request does not give is NULL.  Nothing
that a browser sends ever becomes part of a statement.
"""

import os
import re
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
PARAMETER = re.compile(r"%\((\w+)\)s")

Query = namedtuple("Query", "sql names")
# may: the role whose members may.  required: what a request has to give.
Action = namedtuple("Action", "may sql required names")


def names_in(sql):
    return frozenset(PARAMETER.findall(sql))


def read_queries():
    queries = {}
    for file in sorted(os.listdir(os.path.join(HERE, "queries"))):
        with open(os.path.join(HERE, "queries", file), encoding="utf-8") as lines:
            sql = lines.read().strip().rstrip(";")
        queries[file.removesuffix(".sql")] = Query(sql, names_in(sql))
    return queries


def action(may, call, *optional):
    sql = f"SELECT hwsched.{call}"
    return Action(may, sql, names_in(sql) - set(optional), names_in(sql))


COORDINATOR, ADMIN = "hwsched_coordinator", "hwsched_admin"
ACTIONS = {
    "cancel": action(COORDINATOR, "cancel(%(workload)s, %(pool)s)"),
    "cancel_many": action(COORDINATOR, "cancel_many(%(filter)s::jsonb, %(pool)s)"),
    "retry": action(COORDINATOR, "retry_dead(%(workload)s, %(pool)s)"),
    "retry_many": action(COORDINATOR, "retry_many(%(filter)s::jsonb, %(pool)s)"),
    "priority": action(COORDINATOR, "alter_workload(%(workload)s, jsonb_build_object('priority', %(priority)s::int), %(reason)s, %(pool)s)", "reason"),
    "apply_suggestion": action(COORDINATOR, "apply_suggestion(%(workload)s, %(change)s::jsonb, %(pool)s)"),
    "drain_worker": action(COORDINATOR, "drain_worker(%(worker)s, %(pool)s)"),
    "resume_worker": action(COORDINATOR, "resume_worker(%(worker)s, %(pool)s)"),
    "drain_device": action(COORDINATOR, "drain_device(%(worker)s, %(device)s::int, %(pool)s)"),
    "resume_device": action(COORDINATOR, "resume_device(%(worker)s, %(device)s::int, %(pool)s)"),
    "pause": action(COORDINATOR, "pause_pool(%(pool)s)"),
    "resume": action(COORDINATOR, "resume_pool(%(pool)s)"),
    "apply_settings": action(ADMIN, "alter_pool(%(pool)s, %(settings)s::jsonb, %(reason)s)", "reason"),
    "rollback_settings": action(ADMIN, "rollback_settings(%(version)s::bigint, %(pool)s)"),
}
QUERIES = read_queries()
