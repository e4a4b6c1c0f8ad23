"""`manage.py up`: the whole help desk as one program, until Ctrl-C.

It imports no Django: a second start shall be quick, and its own share of the memory small.
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from helpdesk.embedded import freshness
from helpdesk.embedded.alone import migrate
from helpdesk.embedded.children import Child, GivingUp
from helpdesk.embedded.errors import CannotStart
from helpdesk.embedded.processes import PR_SET_PDEATHSIG
from helpdesk.embedded.sharing import Share

WEB = ["-m", "uvicorn", "helpdesk.asgi:application", "--lifespan", "off", "--no-proxy-headers", "--no-access-log"]
WEB += ["--timeout-graceful-shutdown", "3", "--log-level", "warning"]
WORKER = ["-m", "celery", "--quiet", "-A", "helpdesk", "worker", "--pool", "threads", "--concurrency", "14"]
WORKER += ["--without-gossip", "--without-mingle", "--loglevel", "warning"]
SCHEDULER = ["-m", "celery", "--quiet", "-A", "helpdesk.scheduler", "beat", "--pidfile", "", "--loglevel", "warning"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="Address to listen at. Default: 127.0.0.1")
    parser.add_argument("--port", default=8000, type=int, help="Port of the pages. Default: 8000")
    parser.add_argument("--end-with-parent", action="store_true", help="Also end when the program that started it ends")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="manage.py up")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    return up(options.host, options.port, end_with_parent=options.end_with_parent)


def up(host: str, port: int, *, end_with_parent: bool = False) -> int:
    """The exit status: 0 when it was told to stop, 1 when it could not start or go on."""
    from helpdesk import settings  # ends the program when a setting is wrong

    try:
        Desk(settings, host, port, end_with_parent=end_with_parent).run()
    except (CannotStart, GivingUp) as problem:
        say(str(problem), to=sys.stderr)
        return 1
    return 0


class Desk:
    def __init__(self, settings: Any, host: str, port: int, *, end_with_parent: bool) -> None:
        self.settings = settings
        self.state: Path = settings.HELPDESK_STATE_DIR
        self.host, self.port = host, port
        self.embedded = settings.HELPDESK_EMBEDDED_DATABASE or settings.HELPDESK_EMBEDDED_REDIS
        self.share = Share(self.state)
        self.environment = dict(os.environ, PYTHONUNBUFFERED="1")
        self.children: list[Child] = []
        self._has_mail_room: bool = settings.HELPDESK_MAIL_ROOM
        self.stopping = threading.Event()
        self.began = time.monotonic()
        if end_with_parent:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    def run(self) -> None:
        lock = self._only_one()
        listener = self._listen()
        self._settle_mail_room()
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, lambda *_: self.stopping.set())
        try:
            (self.state / "address").write_text(f"{self.address}\n")
            if self.embedded:
                self.share.begin()
            self._prepare()
            if not self.stopping.is_set():
                self._start(listener)
                self._watch()
        finally:
            self._stop()
            lock.close()

    @property
    def address(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def _only_one(self) -> IO[str]:
        try:
            self.settings.PLACES.make_state()
            lock = (self.state / "up.lock").open("a")
        except OSError as problem:
            raise CannotStart(f"The state folder {self.state} cannot be written: {problem.strerror}.") from problem
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            address = self.settings.HELPDESK_PUBLIC_URL
            raise CannotStart(
                f"The help desk already runs on the state folder {self.state}: open {address}. "
                "To run another one beside it, set HELPDESK_STATE_DIR to another folder and choose another port."
            ) from None
        return lock

    def _listen(self) -> socket.socket:
        """Held by us, so that a web process that is started again finds its port and the waiting visitors."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # uvicorn does not for a socket that it is handed; each answer would wait 40 ms for the browser's receipt.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((self.host, self.port))
        except (OSError, OverflowError) as problem:
            reason = getattr(problem, "strerror", None) or str(problem)
            raise CannotStart(
                f"Port {self.port} on {self.host} cannot be used ({reason}). Choose another one: make run PORT=8001"
            ) from None
        listener.listen(256)
        listener.set_inheritable(True)
        return listener

    def _prepare(self) -> None:
        """Tables, collected files and demo data, each only when something changed."""
        collected = freshness.static_collected(self.settings.STATIC_ROOT)
        collecting = None
        if not collected.is_fresh() and not self.settings.DEBUG:
            say("Collecting the static files …")
            collecting = self._command("collectstatic", "--noinput", "--verbosity", "0")
        migrated = freshness.migrated(self.settings.PLACES)
        if not self.settings.HELPDESK_EMBEDDED_DATABASE:
            self._wait_for_servers()
            self._finish(self._command("migrate", "--verbosity", "0"), "The database could not be brought up to date")
        elif not migrated.is_fresh():
            self._wait_for_servers()
            say("Bringing the database up to date …")
            migrate(migrated)
        if collecting:
            self._finish(collecting, "The static files could not be collected")
            collected.set()
        self._load_demo()

    def _load_demo(self) -> None:
        """Only into a database of our own, only once. What it says, the logins, is kept for the next starts.

        The demo's customers write through the mail room, so without one there is no demo.
        """
        logins = self.state / "demo-logins.txt"
        loaded = freshness.demo_loaded(self.settings.PLACES)
        wanted = self.settings.HELPDESK_EMBEDDED_DATABASE and self.settings.HELPDESK_MAIL_ROOM
        if wanted and not loaded.is_fresh() and freshness.has_command("load_demo"):
            self._wait_for_servers()
            loading = self._command("load_demo", stdout=subprocess.PIPE)
            said = loading.stdout.read().decode() if loading.stdout else ""
            self._finish(loading, "The demo data could not be put in")
            logins.write_text(said)
            logins.chmod(0o600)
            loaded.set()

    def _wait_for_servers(self) -> None:
        if self.embedded:
            self.share.wait_ready()

    def _command(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=freshness.CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            **options,
        )

    def _finish(self, command: subprocess.Popen[bytes], problem: str) -> None:
        if command.wait():
            raise CannotStart(f"{problem}; the reason stands above.")

    def _start(self, listener: socket.socket) -> None:
        queues = ",".join(self.settings.HELPDESK_QUEUES)
        if not self._has_mail_room:
            self.environment["HELPDESK_MAIL_ROOM"] = "off"
        web = Child("web", [*WEB, "--fd", str(listener.fileno())], self.environment, keeps=[listener.fileno()])
        self.children = [
            web,
            Child("worker", [*WORKER, "--queues", queues], self.environment, excused=_queue_was_away),
            Child("scheduler", SCHEDULER, self.environment, excused=_queue_was_away),
        ]
        if self._has_mail_room and freshness.has_command("mail_room"):
            self.children.append(Child("mail room", ["manage.py", "mail_room"], self.environment, needed=False))
        web.start()
        self._wait_for_servers()
        self._wait_for_page()
        for child in self.children[1:]:
            if not self.stopping.is_set():
                child.start()
        self._welcome()

    def _settle_mail_room(self) -> None:
        """A second desk on one machine goes without a mail room, unless it was asked for."""
        if not self._has_mail_room:
            return
        port = self.settings.MAIL_ROOM_PORT
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as problem:
                sentence = f"Port {port} of the mail room cannot be used ({problem.strerror})"
                if os.environ.get("HELPDESK_MAIL_ROOM") or os.environ.get("MAIL_ROOM_PORT"):
                    raise CannotStart(f"{sentence}. Set MAIL_ROOM_PORT to another one.") from None
                say(f"{sentence}, so the mail room stays off. Set MAIL_ROOM_PORT to another one to have it.")
                self._has_mail_room = False

    def _wait_for_page(self) -> None:
        """Until the web process answers anything at all, or dies."""
        while not self.stopping.is_set():
            self.children[0].see_to_it()
            try:
                host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
                with socket.create_connection((host, self.port), timeout=1) as page:
                    page.sendall(b"GET /health/ HTTP/1.0\r\nHost: localhost\r\n\r\n")
                    page.settimeout(1)
                    if page.recv(5) == b"HTTP/":
                        return
            except OSError:
                time.sleep(0.05)

    def _welcome(self) -> None:
        if self.stopping.is_set():
            return
        say(f"The help desk runs at {self.address} (ready in {time.monotonic() - self.began:.1f} s). Ctrl-C ends it.")
        logins = self.state / "demo-logins.txt"
        if self.settings.HELPDESK_EMBEDDED_DATABASE and logins.exists():
            say(logins.read_text().rstrip())

    def _watch(self) -> None:
        """Start again what dies, saying so; GivingUp when one keeps dying."""
        next_look = 0.0
        while not self.stopping.wait(0.2):
            for child in self.children:
                child.see_to_it()
            if self.embedded and time.monotonic() > next_look:
                next_look = time.monotonic() + 2
                self._see_to_servers()

    def _see_to_servers(self) -> None:
        if self.share.keeper:
            self.share.keeper.poll()  # buries it
        if not self.share.keeper_lives():
            say("The embedded servers ended and are started again.")
            self.share.begin()

    def _stop(self) -> None:
        if self.children:
            say("Stopping …")
        for child in self.children:
            child.ask_to_end()
        deadline = time.monotonic() + 10
        for child in self.children:
            child.make_end(within=max(0.1, deadline - time.monotonic()))
        keeper = self.share.keeper
        self.share.leave()
        if keeper is not None:
            try:
                keeper.wait(20)
            except subprocess.TimeoutExpired:
                say("The embedded servers are still in use by another command, and end with it.")


def _queue_was_away(age: float) -> bool:
    """Not one that is only as young as the whole desk: the child must have outlived it."""
    from helpdesk.alive import redis_was_away

    return redis_was_away(seconds=min(10, int(age)))


def say(sentence: str, *, to: IO[str] | None = None) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone; the desk goes when it is told to
        print(sentence, file=to or sys.stdout, flush=True)
