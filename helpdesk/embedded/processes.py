"""Child processes that never outlive the process that started them."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1


def dying_with_parent(death: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends `death` to the child when its parent is gone, even after kill -9.

    The kernel watches the thread that forked, so children are started from the main thread only.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, death)
        if os.getppid() != parent:  # it went before we could ask
            os._exit(1)

    return prepare


def end(process: subprocess.Popen[bytes] | None, how: signal.Signals, *, within: float) -> None:
    """Ask, wait `within` seconds, then kill the process and all it started."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_running(pid: int, command_part: str) -> bool | None:
    """True: such a process works. None: it is dead and not yet buried (a zombie). False: there is none."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, IndexError):
        return False
    if state == "Z":
        return None
    return command_part.encode() in command


def has_died(process: subprocess.Popen[bytes] | None) -> bool:
    """False for one that was never started."""
    return process is not None and process.poll() is not None


def wait_until(answer: Callable[[], bool], *, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if answer():
            return True
        time.sleep(0.02)
    return False
