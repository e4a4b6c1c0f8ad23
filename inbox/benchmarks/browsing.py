"""One client and the real web process: pages over HTTP as a browser would ask for them, without its drawing."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

from django.conf import settings

from people.models import Membership, Role, User

AGENT = "benchmark"
_IMPORT = re.compile(r'(?:^|[;\n}])\s*(?:import|export)\s*(?:[\w$*{}\s,]+\bfrom\s*)?["\']([^"\']+\.m?js)["\']')
_IMPORT_LATER = re.compile(r'\bimport\(\s*["\']([^"\']+\.m?js)["\']')


class CannotMeasure(Exception):
    """`str()` says what is missing."""


@dataclass
class Answer:
    status: int
    seconds: float
    body: bytes
    size: int
    """Bytes of the body as they came over the wire."""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class Browser:
    """Keeps cookies and its one connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.url = url.rstrip("/")
        self._connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=30)
        self._cookies: dict[str, str] = {}
        self._files: dict[str, Answer] = {}

    def get(self, path: str, *, fragment: bool = False) -> Answer:
        return self._ask("GET", path, headers={"HX-Request": "true"} if fragment else {})

    def file(self, path: str) -> Answer:
        """Fetched once, as names that change with the content are."""
        if path not in self._files:
            self._files[path] = self.get(path)
        return self._files[path]

    def post(self, path: str, *, fragment: bool = False, **words: str) -> Answer:
        words["csrfmiddlewaretoken"] = self._cookies.get("csrftoken", "")
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"{self.url}{path}"}
        if fragment:
            headers["HX-Request"] = "true"
        return self._ask("POST", path, urlencode(words).encode(), headers)

    def sign_in(self, email: str, password: str) -> None:
        """Raises CannotMeasure."""
        self.get("/login/")
        answer = self.post("/login/", username=email, password=password)
        if answer.status != 302:
            raise CannotMeasure(f"Signing in at {self.url} was answered with {answer.status}. Is it this database's?")

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        sent = {"Accept-Encoding": "gzip", "Origin": self.url} | (headers or {})
        if self._cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        begun = time.perf_counter()
        self._connection.request(method, path, body, sent)
        response = self._connection.getresponse()
        raw = response.read()
        seconds = time.perf_counter() - begun
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _is, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        unpacked = gzip.decompress(raw) if response.headers.get("Content-Encoding") == "gzip" else raw
        return Answer(response.status, seconds, unpacked, len(raw), {k.lower(): v for k, v in response.headers.items()})


@dataclass(frozen=True)
class Web:
    url: str
    pid: int | None = None
    """Of a web process of our own, whose processor time can be told."""


@contextlib.contextmanager
def web(url: str | None) -> Iterator[Web]:
    """What is measured: `url`, or a web process of our own for as long as it lasts. Raises CannotMeasure."""
    if url:
        yield Web(url)
        return
    with socket.socket() as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as the supervisor does
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        listener.set_inheritable(True)
        command = [sys.executable, "-m", "uvicorn", "helpdesk.asgi:application", "--fd", str(listener.fileno())]
        command += ["--lifespan", "off", "--no-proxy-headers", "--no-access-log", "--log-level", "warning"]
        environment = {**os.environ, "HELPDESK_STATE_DIR": str(settings.HELPDESK_STATE_DIR)}
        process = subprocess.Popen(command, pass_fds=[listener.fileno()], cwd=settings.BASE_DIR, env=environment)
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            _wait_for(address, process)
            yield Web(address, process.pid)
        finally:
            process.terminate()
            process.wait(10)


@contextlib.contextmanager
def agent() -> Iterator[tuple[User, str]]:
    """An agent of our own, for as long as it lasts, and the password."""
    password = secrets.token_urlsafe(16)
    name = f"{AGENT}-{secrets.token_hex(4)}"
    user: User = User.objects.create_user(f"{name}@desk.example", "Benchmark", Role.AGENT, password)
    try:
        yield user, password
    finally:
        Membership.objects.filter(user=user).delete()
        user.delete()


@dataclass
class FirstLoad:
    """Bytes over the wire, by path."""

    page: dict[str, int] = field(default_factory=dict)
    editor: dict[str, int] = field(default_factory=dict)


def first_load(browser: Browser, path: str) -> FirstLoad:
    """Everything that a browser fetches for a page it has never seen, and what the editor adds to it.

    Followed as a browser would: style sheets, scripts and what they import, icons, and the fonts that the page preloads
    (other fonts only come when a letter needs them). What a script of the page imports when it is needed counts to the
    editor; what the editor imports only when somebody asks for it (the dialog of a snippet) counts to neither.
    """
    load = FirstLoad()
    page = browser.get(path)
    load.page[path] = page.size
    wanted = [
        match[1]
        for tag in re.findall(r"<(?:link|script|use|img)\b[^>]*>", page.text)
        if (match := re.search(r'\b(?:href|src)="([^"#]+)', tag)) and not match[1].startswith(("data:", "blob:"))
    ]
    later: list[str] = []
    _follow(browser, load.page, wanted, later)
    _follow(browser, load.editor, [one for one in later if one not in load.page], [], also=load.page)
    return load


def _follow(
    browser: Browser, found: dict[str, int], wanted: list[str], later: list[str], also: dict[str, int] | None = None
) -> None:
    while wanted:
        path = wanted.pop()
        if path in found or path in (also or {}) or "/static/" not in path:
            continue
        answer = browser.file(path)
        if answer.status != 200:
            raise CannotMeasure(f"{path} was answered with {answer.status}.")
        found[path] = answer.size
        if path.endswith(".js"):
            imports = _IMPORT.findall(answer.text)
            wanted += [urljoin(path, one) for one in imports]
            later += [urljoin(path, one) for one in _IMPORT_LATER.findall(answer.text)]
        elif path.endswith(".css"):
            wanted += [urljoin(path, one) for one in re.findall(r'@import\s+(?:url\()?["\']?([^"\')]+)', answer.text)]


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise CannotMeasure("The web process did not start; the reason stands above.")
        with contextlib.suppress(OSError, http.client.HTTPException):
            browser = Browser(address)
            try:
                if browser.get("/login/").status < 500:
                    return
            finally:
                browser.close()
        time.sleep(0.1)
    raise CannotMeasure("The web process did not answer within 20 seconds.")
