"""The process that holds the embedded servers of one state folder as long as anyone uses them.

Users hold a shared lock (see `sharing`). The keeper waits for that lock alone: it gets it when the last user is gone,
however that one ended, and then stops the servers. When the keeper itself is killed, the kernel stops them.
"""

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
from pathlib import Path

from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.places import Places
from helpdesk.embedded.postgres import Postgres
from helpdesk.embedded.valkey import Valkey

# A server that dies more often than this within a minute is not started again.
MOST_RESTARTS = 5


def main(state: str, durable: str) -> None:
    places = Places(Path(state))
    alone = (places.state / "keeper.lock").open("a")
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(0)  # another keeper was quicker, and will do

    ready = places.state / "keeper.ready"
    ready.unlink(missing_ok=True)
    unused = threading.Event()
    for name in (signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: unused.set())

    users = (places.state / "users.lock").open("a")
    servers: list[Postgres | Valkey] = []
    try:
        for kind in (Postgres, Valkey):
            servers.append(kind(places, durable=durable == "durable"))
        for server in servers:
            server.launch()
        for server in servers:
            server.wait_ready()
        ready.write_text(str(os.getpid()))
        _say("ready")
        threading.Thread(target=_wait_for_last_user, args=(users, unused), daemon=True).start()
        _watch(servers, unused)
    except CannotStart as problem:
        _say(str(problem))
        sys.exit(1)
    except OSError as problem:
        _say(f"The embedded servers cannot use {state}: {problem}.")
        sys.exit(1)
    finally:
        ready.unlink(missing_ok=True)
        for server in reversed(servers):
            server.stop()
        # In this order: whoever waits for the users' lock must find no keeper.
        alone.close()
        os._exit(0) if unused.is_set() else None


def _wait_for_last_user(users: object, unused: threading.Event) -> None:
    fcntl.flock(users, fcntl.LOCK_EX)  # type: ignore[arg-type]
    unused.set()


def _watch(servers: list[Postgres | Valkey], unused: threading.Event) -> None:
    """Start a server again that died under its users, until all users are gone."""
    deaths: list[float] = []
    while not unused.wait(0.25):
        for server in servers:
            if server.process is None or server.process.poll() is None:
                continue
            deaths = [moment for moment in deaths if moment > time.monotonic() - 60] + [time.monotonic()]
            if len(deaths) > MOST_RESTARTS:
                raise CannotStart(f"{server.name} keeps dying. Its own words are in {server.log}.")
            print(f"{server.name} ended with {server.process.returncode} and is started again.", file=sys.stderr)
            server.launch()
            server.wait_ready()


def _say(sentence: str) -> None:
    """To the command that started us, while it listens."""
    with contextlib.suppress(OSError):
        print(sentence, flush=True)
        os.close(1)
        os.open(os.devnull, os.O_WRONLY)


if __name__ == "__main__":
    main(*sys.argv[1:])
