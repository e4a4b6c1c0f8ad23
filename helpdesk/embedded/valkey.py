"""The embedded Valkey: queue, cache and live events, by a socket only."""

import contextlib
import os
import signal
import socket
import subprocess

from helpdesk.embedded.binaries import valkey_server
from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.places import Places
from helpdesk.embedded.processes import dying_with_parent, end, has_died, wait_until


class Valkey:
    name = "Valkey"

    def __init__(self, places: Places, *, durable: bool = True) -> None:
        self.durable = durable
        self.program = valkey_server()
        self.data = places.valkey_data
        self.socket = places.valkey_socket
        self.log = places.state / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Call from the main thread."""
        for folder in {self.data, self.socket.parent}:
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                raise CannotStart(f"{folder} belongs to another user: remove it, or choose another HELPDESK_STATE_DIR.")
        self.socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes" if self.durable else "no",
            "save": "",
            "maxmemory-policy": "noeviction",
            "databases": "64",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, *(part for name, value in options.items() for part in (f"--{name}", value))],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dying_with_parent(signal.SIGTERM),
            )

    def wait_ready(self) -> None:
        if not wait_until(lambda: has_died(self.process) or self._answers(), within=30) or has_died(self.process):
            raise CannotStart(f"The embedded Valkey did not start. Its own words are in {self.log}.")

    def stop(self) -> None:
        end(self.process, signal.SIGTERM, within=10)
        if self.socket.parent != self.data:
            with contextlib.suppress(OSError):  # the server was killed and left something in it
                self.socket.parent.rmdir()

    def _answers(self) -> bool:
        """While it still reads its file it answers -LOADING, which is not yet +PONG."""
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(2)
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(64).startswith(b"+PONG")
        except OSError:
            return False
