"""Where the embedded servers keep their data, and at which address they answer.

All of it follows from the state folder, so every process finds the servers without asking another one.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

POSTGRES_MAJOR = 18

# The kernel takes 107 bytes for the path of a socket; PostgreSQL adds "/.s.PGSQL.5432".
_LONGEST_SOCKET_FOLDER = 85

# What another user (PostgreSQL never runs as root) could not reach under a closed home lies here.
OPEN_FOLDER = Path("/var/lib/helpdesk-embedded")


@dataclass(frozen=True)
class Places:
    """The files of one state folder."""

    state: Path

    def make_state(self) -> None:
        """As open as its parent, whatever the umask: where PostgreSQL's data lie depends on it."""
        if not self.state.exists():
            self.state.mkdir(mode=0o755, parents=True, exist_ok=True)
            if os.geteuid() == 0:
                self.state.chmod(0o755)

    @property
    def postgres_data(self) -> Path:
        """Named by major version: a newer PostgreSQL cannot read an older one's files."""
        here = self.state / f"pg{POSTGRES_MAJOR}"
        outside = OPEN_FOLDER / f"{self._fingerprint}-pg{POSTGRES_MAJOR}"
        # Data stay where they were first put: a folder that is opened or closed later must not hide them.
        for place in (here, outside):
            if (place / "PG_VERSION").exists():
                return place
        return outside if os.geteuid() == 0 and not others_can_reach(self.state) else here

    @property
    def postgres_socket_folder(self) -> Path:
        return self._socket_folder(self.postgres_data, "pg")

    @property
    def valkey_data(self) -> Path:
        return self.state / "valkey"

    @property
    def valkey_socket(self) -> Path:
        return self._socket_folder(self.valkey_data, "valkey") / "valkey.sock"

    @property
    def database_url(self) -> str:
        return f"postgresql://helpdesk@/helpdesk?host={quote(str(self.postgres_socket_folder), safe='')}"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.valkey_socket}?db=0"

    @property
    def _fingerprint(self) -> str:
        return hashlib.sha256(f"{os.geteuid()}:{self.state}".encode()).hexdigest()[:12]

    def _socket_folder(self, data: Path, name: str) -> Path:
        """The data folder itself, or a short one when its path is too long for a socket."""
        if len(os.fsencode(data)) <= _LONGEST_SOCKET_FOLDER:
            return data
        return Path("/tmp") / f"helpdesk-{self._fingerprint}-{name}"  # noqa: S108 (a start checks whose it is)


def others_can_reach(path: Path) -> bool:
    """True when any user of this machine may walk into `path`; a missing folder counts by its nearest parent."""
    existing = [folder for folder in (path, *path.parents) if folder.exists()]
    return all(folder.stat().st_mode & 0o001 for folder in existing)
