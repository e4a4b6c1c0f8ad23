"""pg_dump and pg_restore for the database of the settings, embedded or not."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from helpdesk.embedded.binaries import postgres_programs
from helpdesk.embedded.errors import CannotStart
from helpdesk.settings import PLACES


def dump(database: dict[str, Any], to: Path) -> None:
    """The whole database in PostgreSQL's custom format. Raises CannotStart with pg_dump's words."""
    _run("pg_dump", database, ["--format=custom", "--no-owner", "--no-privileges", "--file", str(to)])


def restore(database: dict[str, Any], dumped: Path) -> None:
    """In one transaction: all of it or nothing. Tables that are there are dropped first."""
    arguments = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    _run("pg_restore", database, [*arguments, "--dbname", str(database["NAME"]), str(dumped)])


def _run(program: str, database: dict[str, Any], arguments: list[str]) -> None:
    if program == "pg_dump":
        arguments = [*arguments, str(database["NAME"])]
    done = subprocess.run(
        [_find(program, database), *arguments],
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"} | _login(database),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise CannotStart(f"{program} failed: {done.stderr.strip() or f'status {done.returncode}'}")


def _find(program: str, database: dict[str, Any]) -> str:
    """For a server of the system the system's own, since a newer pg_restore says what an older server does not know.

    The embedded server listens at a folder of ours and has the wheel's.
    """
    system = shutil.which(program)
    if system and database["HOST"] != str(PLACES.postgres_socket_folder):
        return system
    try:
        return str(postgres_programs() / program)
    except CannotStart:
        raise CannotStart(f"{program} was not found: install PostgreSQL's client programs.") from None


def _login(database: dict[str, Any]) -> dict[str, str]:
    """By the environment, where other users of the machine cannot read the password."""
    options = database.get("OPTIONS", {})
    values = {
        "PGHOST": database["HOST"],
        "PGPORT": database["PORT"],
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGSSLMODE": options.get("sslmode"),
        "PGSSLROOTCERT": options.get("sslrootcert"),
    }
    return {name: str(value) for name, value in values.items() if value}
