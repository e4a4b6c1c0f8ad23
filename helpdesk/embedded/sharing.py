"""How commands share the embedded servers: the first starts them, the last one to leave ends them."""

import fcntl
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.places import Places

CHECKOUT = Path(__file__).resolve().parent.parent.parent


class Share:
    """A share in the servers of `state`. It ends with `leave()` or with the process, even by kill -9."""

    def __init__(self, state: Path, *, durable: bool = True) -> None:
        self.state = state
        self.durable = durable
        self.keeper: subprocess.Popen[bytes] | None = None
        self._held: IO[str] | None = None

    def take(self) -> None:
        """Come back when the servers answer. Raises CannotStart."""
        self.begin()
        self.wait_ready()

    def begin(self) -> None:
        """Hold the share and start a keeper when there is none, without waiting for the servers."""
        try:
            Places(self.state).make_state()
            self._held = (self.state / "users.lock").open("a")
        except OSError as problem:
            raise CannotStart(f"The state folder {self.state} cannot be written: {problem.strerror}.") from problem
        fcntl.flock(self._held, fcntl.LOCK_SH)  # waits while a keeper is just stopping the servers
        if not self.keeper_lives():
            self._start_keeper()

    def wait_ready(self, *, within: float = 90) -> None:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self._is_ready():
                return
            if self.keeper is not None and self.keeper.poll() is not None and not self.keeper_lives():
                raise CannotStart(self._last_words())
            if self.keeper is None and not self.keeper_lives():
                self._start_keeper()
            time.sleep(0.02)
        raise CannotStart(f"The embedded servers did not start within {within:.0f} seconds. Logs are in {self.state}.")

    def keeper_lives(self) -> bool:
        with (self.state / "keeper.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def leave(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def _is_ready(self) -> bool:
        """The file must be of a keeper that lives: a killed one leaves it behind."""
        try:
            pid = (self.state / "keeper.ready").read_text()
        except OSError:
            return False
        return Path(f"/proc/{pid}").exists() and self.keeper_lives()

    def _start_keeper(self) -> None:
        with (self.state / "keeper.log").open("ab") as log:
            self.keeper = subprocess.Popen(
                [sys.executable, "-m", "helpdesk.embedded.keeper", self.state, "durable" if self.durable else "fast"],
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def _last_words(self) -> str:
        words = self.keeper.stdout.read().decode().strip() if self.keeper and self.keeper.stdout else ""
        return words or f"The embedded servers could not be started. See {self.state / 'keeper.log'}."
