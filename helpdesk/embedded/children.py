"""A process of the help desk that is started again when it dies."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from helpdesk.embedded.freshness import CHECKOUT
from helpdesk.embedded.processes import dying_with_parent

# Dying more often than this within a minute is no accident.
MOST_DEATHS = 5


class GivingUp(Exception):
    """A process keeps dying, and starting it again does not help."""


class Child:
    def __init__(
        self,
        name: str,
        arguments: list[str],
        environment: dict[str, str],
        *,
        keeps: Sequence[int] = (),
        needed: bool = True,
        excused: Callable[[float], bool] = lambda _age: False,
    ) -> None:
        """`arguments` are for Python; `keeps` are open files that the process inherits.

        The rest goes on without one that is not `needed`. A death that is `excused`, asked with the
        seconds it lived, does not count towards giving up; one by a signal always does.
        """
        self.name = name
        self.arguments = arguments
        self.environment = environment
        self.keeps = keeps
        self.needed = needed
        self.excused = excused
        self.process: subprocess.Popen[bytes] | None = None
        self._deaths: list[float] = []
        self._again_at = self._began = 0.0

    def start(self) -> None:
        """Call from the main thread. The process dies with us, also when we are killed."""
        self._began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, *self.arguments],
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=self.keeps,
            start_new_session=True,
            # Nothing is lost by kill -9 in this house, and a polite signal could be waited out.
            preexec_fn=dying_with_parent(signal.SIGKILL),
        )
        threading.Thread(target=self._repeat_output, args=(self.process,), daemon=True).start()

    def see_to_it(self) -> None:
        """Start it again when it has died. Raises GivingUp."""
        now = time.monotonic()
        if self._again_at:
            if now >= self._again_at:
                self._again_at = 0.0
                self.start()
            return
        if self.process is None or self.process.poll() is None:
            return
        if self.process.returncode > 0 and self.excused(now - self._began):
            _print(f"The {self.name} ended because its queue was away, and is started again.")
            self._again_at = now + 1
            return
        self._deaths = [moment for moment in self._deaths if moment > now - 60] + [now]
        if len(self._deaths) > MOST_DEATHS and not self.needed:
            _print(f"The {self.name} keeps dying and is left off. Its last words stand above.")
            self.process = None
            return
        if len(self._deaths) > MOST_DEATHS:
            raise GivingUp(f"The {self.name} keeps dying, so everything is stopped. Its last words stand above.")
        _print(f"The {self.name} ended ({_how(self.process.returncode)}) and is started again.")
        self._again_at = now + 0.2 * (2 ** (len(self._deaths) - 1))

    def ask_to_end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def make_end(self, *, within: float) -> None:
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(within)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # and what it may have started
        self.process.wait()

    def _repeat_output(self, process: subprocess.Popen[bytes]) -> None:
        for line in process.stdout or ():
            _print(f"{self.name:>9} | {line.decode(errors='replace').rstrip()}")


def _how(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"status {status}"


def _print(line: str) -> None:
    with contextlib.suppress(OSError):
        print(line, flush=True)
