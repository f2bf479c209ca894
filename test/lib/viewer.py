#!/usr/bin/python3
"""Reads and tries to change hwsched as a client of psycopg: viewer.py DSN FILE.

FILE has statements, one a line: those that begin with SELECT t::text have to work, and
all others to be refused for want of a privilege.  Prints what is otherwise.
"""

import sys

import psycopg

dsn, file = sys.argv[1:]
read = refused = 0
with psycopg.connect(dsn, autocommit=True) as db, open(file, encoding="utf-8") as statements:
    for statement in map(str.strip, statements):
        try:
            db.execute(statement).fetchall()
            if statement.startswith("SELECT t::text"):
                read += 1
            else:
                print(f"not refused: {statement}")
        except psycopg.errors.InsufficientPrivilege as error:
            refused += 1
            if statement.startswith("SELECT t::text"):
                print(f"{statement}: {error}")
        except psycopg.Error as error:
            print(f"{statement}: {error.sqlstate} {error}")
print(f"read {read}, refused {refused}")
