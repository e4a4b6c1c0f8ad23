"""The servers for one `manage.py` command: those of a running `make run`, else started for its duration."""

import fcntl
import subprocess
import sys

from helpdesk import settings
from helpdesk.embedded import freshness
from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.sharing import Share

# These look at no data, so they do not wait for servers.
WITHOUT_SERVERS = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "startapp",
    "startproject",
    "up",
    "version",
}
# These make or look at the tables themselves.
ON_ANY_TABLES = {"makemigrations", "migrate", "restore", "showmigrations", "sqlmigrate", "squashmigrations", "test"}


def take_servers_for(arguments: list[str]) -> Share | None:
    """The share must be kept until the command is done. Ends the program with a sentence when they cannot start."""
    command = arguments[1] if len(arguments) > 1 else "help"
    external = not (settings.HELPDESK_EMBEDDED_DATABASE or settings.HELPDESK_EMBEDDED_REDIS)
    if (
        external
        or command in WITHOUT_SERVERS
        or command.startswith("-")
        or {"--help", "-h", "--version"} & {*arguments}
    ):
        return None
    share = Share(settings.HELPDESK_STATE_DIR)
    try:
        share.take()
        if settings.HELPDESK_EMBEDDED_DATABASE:
            _see_to_tables(command)
    except CannotStart as problem:
        raise SystemExit(str(problem)) from None
    return share


def _see_to_tables(command: str) -> None:
    """A first command on an empty database makes the tables; one after an update brings them up to date."""
    stamp = freshness.migrated(settings.PLACES)
    if command in ("migrate", "restore"):
        stamp.clear()
    if command in ON_ANY_TABLES or stamp.is_fresh():
        return
    with (settings.HELPDESK_STATE_DIR / "migrate.lock").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not stamp.is_fresh():
            migrate(stamp)


def migrate(stamp: freshness.Stamp) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=freshness.CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )
    if done.returncode:
        raise CannotStart("The database could not be brought up to date; the reason stands above.")
    stamp.set()
