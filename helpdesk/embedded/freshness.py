"""What has to be done again before a start, found out without importing Django."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from helpdesk.embedded.places import Places

CHECKOUT = Path(__file__).resolve().parent.parent.parent


class Stamp:
    """A file that holds the fingerprint of what was last done."""

    def __init__(self, file: Path, fingerprint: str) -> None:
        self.file = file
        self.fingerprint = fingerprint

    def is_fresh(self) -> bool:
        try:
            return self.file.read_text() == self.fingerprint
        except OSError:
            return False

    def set(self) -> None:
        self.file.write_text(self.fingerprint)

    def clear(self) -> None:
        self.file.unlink(missing_ok=True)


def migrated(places: Places) -> Stamp:
    """Lies in the database's own folder, so it goes when the data goes."""
    migrations = sorted(CHECKOUT.glob("*/migrations/*.py"))
    contents = [f"{file.relative_to(CHECKOUT)}:{file.read_text()}" for file in migrations]
    return Stamp(places.postgres_data / "helpdesk-migrated", _fingerprint([*contents, _lock()]))


def demo_loaded(places: Places) -> Stamp:
    return Stamp(places.postgres_data / "helpdesk-demo", "loaded")


def static_collected(root: Path) -> Stamp:
    files = sorted(file for file in (CHECKOUT / "static").rglob("*") if file.is_file())
    seen = [f"{file.relative_to(CHECKOUT)}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in files]
    return Stamp(root / ".fingerprint", _fingerprint([*seen, _lock()]))


def has_command(name: str) -> bool:
    return any(CHECKOUT.glob(f"*/management/commands/{name}.py"))


def _lock() -> str:
    """Django and the packages have migrations and files of their own."""
    return (CHECKOUT / "requirements.lock").read_text()


def _fingerprint(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
