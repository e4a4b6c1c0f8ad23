"""The embedded PostgreSQL: made, started, stopped. Only by a socket in a folder that its owner alone may open."""

import contextlib
import os
import pwd
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from helpdesk.embedded.binaries import postgres_programs
from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.places import Places
from helpdesk.embedded.processes import dying_with_parent, end, has_died, is_running, wait_until

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class Postgres:
    name = "PostgreSQL"

    def __init__(self, places: Places, *, durable: bool = True) -> None:
        """With `durable` off nothing survives a power cut: for tests."""
        self.durable = durable
        self.programs = postgres_programs()
        self.data = places.postgres_data
        self.socket_folder = places.postgres_socket_folder
        self.log = places.state / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root.
        self.owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.as_owner: dict[str, Any] = (
            {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []} if self.owner else {}
        )

    def launch(self) -> None:
        """Make the database if there is none, clear what a killed start left, and start. Call from the main thread."""
        if not (self.data / "PG_VERSION").exists():
            self._make()
        self._private_folder(self.socket_folder)
        self._end_predecessor()
        options = {
            "listen_addresses": "",
            "max_connections": "100",
            "shared_buffers": "64MB",
            "unix_socket_permissions": "0700",
            "max_worker_processes": "4",
            "jit": "off",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(self.programs / "postgres"),
                    *("-D", str(self.data), "-k", str(self.socket_folder)),
                    *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
                ],
                env=ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dying_with_parent(signal.SIGINT),
                **self.as_owner,
            )

    def wait_ready(self) -> None:
        if not wait_until(lambda: has_died(self.process) or self._is_ready(), within=60) or has_died(self.process):
            raise CannotStart(f"The embedded PostgreSQL did not start. Its own words are in {self.log}.")

    def stop(self) -> None:
        end(self.process, signal.SIGINT, within=15)
        if self.socket_folder != self.data:
            with contextlib.suppress(OSError):  # the server was killed and left something in it
                self.socket_folder.rmdir()

    def _is_ready(self) -> bool:
        """A file left by a killed server says ready too, so it must name our process."""
        lines = self._pid_file()
        return (
            self.process is not None
            and len(lines) >= 8
            and lines[0] == str(self.process.pid)
            and lines[7].strip() == "ready"
        )

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _make(self) -> None:
        """initdb into a draft folder, then one rename: a start that is killed here leaves no half database."""
        draft = self.data.with_name(f"{self.data.name}.draft")
        if draft.exists():
            subprocess.run(["rm", "-rf", "--", draft], check=True)
        if self.data.exists():
            if any(self.data.iterdir()):
                raise CannotStart(f"{self.data} is not empty and holds no PostgreSQL database: move it away.")
            self.data.rmdir()
        if not self.data.parent.exists():
            self.data.parent.mkdir(mode=0o755, parents=True)
            self.data.parent.chmod(0o755)
        self._private_folder(draft)
        # A locale of PostgreSQL's own, so that the order of an index never depends on the machine.
        initdb = [self.programs / "initdb", "-D", draft, "-U", "helpdesk", "--auth=trust", "-E", "UTF8", "--locale=C"]
        initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        self._run(initdb if self.durable else [*initdb, "--no-sync"])
        single = [self.programs / "postgres", "--single", "-D", draft, "postgres"]
        self._run(single, typed=b"create database helpdesk;\n")
        draft.rename(self.data)

    def _run(self, command: list[Any], *, typed: bytes = b"") -> None:
        done = subprocess.run(command, env=ENVIRONMENT, cwd="/", input=typed, capture_output=True, **self.as_owner)
        with self.log.open("ab") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode:
            raise CannotStart(f"The embedded PostgreSQL could not be set up. Its own words are in {self.log}.")

    def _private_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = self.owner.pw_uid if self.owner else os.geteuid()
        if self.owner and folder.stat().st_uid == 0:
            os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)
        if folder.is_symlink() or folder.stat().st_uid != owner:
            raise CannotStart(f"{folder} belongs to another user: remove it, or choose another HELPDESK_STATE_DIR.")
        folder.chmod(0o700)

    def _end_predecessor(self) -> None:
        """A server whose starter was killed may still be stopping, and holds the data until it is gone."""
        lines = self._pid_file()
        if not lines or not lines[0].isdecimal():
            return
        pid, deadline = int(lines[0]), time.monotonic() + 15
        while time.monotonic() < deadline:
            running = is_running(pid, str(self.data))
            if running is False:
                return
            if running:
                os.kill(pid, signal.SIGINT)
            time.sleep(0.1)
