#!/usr/bin/python3
"""The cockpit of hwsched: a web page to look at pools and to act in them.

Open the address that it prints, and log in with a role of the database: you see
and may do there what that role may.  With --guest whoever comes looks on, with
this program's own login, as hwsched_viewer.  See --help; where the server is says
--dsn, or libpq's environment (PGHOST, PGSERVICE, ...).
"""

import argparse
import os
import signal
import sys
import threading
import time

import psycopg

from server import Server
from session import Sessions


def say(text):
    print(time.strftime("%H:%M:%S"), "".join(char if char.isprintable() else "?" for char in text), flush=True)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dsn", default="", help="connection string of libpq; its user and password serve guests and the proxy only")
    parser.add_argument("--guest", action="store_true", help="let those look who have not logged in, as hwsched_viewer")
    parser.add_argument("--proxy-user", metavar="HEADER", help="a proxy has logged the user in and names the role in this header; "
                        "the login of --dsn must be allowed to SET ROLE to it")
    parser.add_argument("--proxy-secret", metavar="FILE", help="file with the secret that the proxy sends as X-Cockpit-Secret")
    parser.add_argument("--secure", action="store_true", help="browsers reach this page by https alone")
    parser.add_argument("--every", type=float, default=5, help="seconds between two looks without being called (default: %(default)s)")
    parser.add_argument("--idle", type=float, default=8, help="hours after which an unused login ends (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8737, help="port to listen on; 0: any (default: %(default)s)")
    parser.add_argument("--name", action="append", default=[], help="another host name that browsers may use for it")
    given = parser.parse_args()
    if bool(given.proxy_user) != bool(given.proxy_secret):
        parser.error("--proxy-user and --proxy-secret go together")
    return given


def main():
    sys.stdout.reconfigure(errors="backslashreplace")
    given = options()
    try:
        sessions = Sessions(given, say)
        server = Server(given, sessions)
    except (psycopg.Error, OSError) as error:
        sys.exit(f"cockpit: {str(error).strip()}")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    say(f"http://{f'[{given.host}]' if ':' in given.host else given.host}:{server.server_port}/")
    server.serve_forever()
    sessions.close()
    server.server_close()
    # Threads that wait for a browser or a query hold up nothing.
    os._exit(0)


if __name__ == "__main__":
    main()
