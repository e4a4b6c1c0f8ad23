"""A desk of one's own for a test: started as a person would start it, in a state folder of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.mail_servers import free_port

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def open_folder() -> Path:
    """Not pytest's own: that one is closed, and PostgreSQL under root runs as another user. Remove it after."""
    folder = Path(tempfile.mkdtemp(prefix="hd-desk-"))
    folder.chmod(0o755)
    return folder


def environment(state: Path, **more: str) -> dict[str, str]:
    """Nothing of the test run's own servers."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return kept | {"HELPDESK_STATE_DIR": str(state), "HELPDESK_MAIL_ROOM": "off"} | more


def manage(state: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=environment(state, **more),
        capture_output=True,
        text=True,
        timeout=120,
    )


def processes_of(state: Path) -> list[int]:
    """Every process that names the state folder, in its arguments or its environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        try:
            words = (folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes()
            dead = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            continue
        if not dead and str(state).encode() in words:
            found.append(int(folder.name))
    return found


def eventually(question: Callable[[], Any], *, within: float = 20) -> Any:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.1)
    return question()


class RunningDesk:
    def __init__(self, state: Path, **more: str) -> None:
        self.state = state
        self.port = free_port()
        self.log = state.parent / "up.log"
        self.began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(self.port)],
                cwd=CHECKOUT,
                env=environment(state, **{"HELPDESK_MAIL_ROOM": "on", "MAIL_ROOM_PORT": str(free_port())} | more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text()

    def is_ready(self) -> bool:
        return self.process.poll() is not None or f"127.0.0.1:{self.port}" in self.said()

    def get(self, path: str) -> tuple[int, str]:
        """Status 0 when nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read().decode()
        except OSError:
            return 0, ""

    def health(self) -> dict[str, Any]:
        body = self.get("/health/")[1]
        return json.loads(body) if body else {}

    def child(self, part: str) -> int | None:
        """The process of the desk whose arguments hold `part`."""
        for pid in processes_of(self.state):
            if part in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
                return pid
        return None

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)
