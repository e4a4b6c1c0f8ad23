"""Nobody waits for ever while the database hangs, and nothing that moves is cut."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from helpdesk.asgi import application, in_threads
from helpdesk.limits import too_late


class Visit:
    """One request to an ASGI program, and what came back."""

    def __init__(self, path: str = "/", *, body: Iterable[bytes] = (), pause: float = 0, cookie: str = "") -> None:
        self.pieces = list(body)
        self.pause = pause
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.text = b""
        self.seconds = 0.0
        self.scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST" if self.pieces else "GET",
            "path": path,
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"accept-language", b"fi"), (b"cookie", cookie.encode())],
        }
        if self.pieces:
            self.scope["headers"].append((b"content-length", str(sum(map(len, self.pieces))).encode()))  # type: ignore[attr-defined]

    async def to(self, program: Any) -> "Visit":
        began = time.monotonic()
        await program(self.scope, self.receive, self.send)
        self.seconds = time.monotonic() - began
        return self

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(self.pause)
        piece = self.pieces.pop(0) if self.pieces else b""
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            assert not self.status, "answered twice"
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.text += message.get("body", b"")


@pytest.fixture
def frozen() -> Iterator[threading.Event]:
    """A database that hangs until it is set."""
    event = threading.Event()
    yield event
    event.set()


def limited(page: Callable[[dict[str, Any]], Iterable[bytes]], *, threads: int = 2, seconds: float = 1.0) -> Any:
    def program(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = page(environ)
        start_response("200 OK", [("content-type", "text/plain")])
        return answer

    return in_threads(program, threads, seconds=seconds, late=too_late)


async def goes_on(program: Any, frozen: threading.Event) -> None:
    """A thread that is still at work when the loop ends could never end itself."""
    frozen.set()
    while program._given_up:
        await asyncio.sleep(0.01)


def test_pages_that_hang_are_answered_and_their_threads_come_back(frozen: threading.Event) -> None:
    begun: list[str] = []

    def page(environ: dict[str, Any]) -> list[bytes]:
        begun.append(environ["PATH_INFO"])
        frozen.wait(20)
        return [b"x" * 100] * 50  # more than fits the queue towards a visitor who is gone

    async def story() -> None:
        program = limited(page)
        first = [Visit(f"/{number}/") for number in range(4)]
        await asyncio.gather(*(visit.to(program) for visit in first))
        assert [visit.status for visit in first] == [503] * 4
        assert max(visit.seconds for visit in first) < 3
        assert b"retry-after" in first[0].headers
        assert "ei vastaa ajoissa" in first[0].text.decode()

        later = await Visit("/later/").to(program)
        assert later.status == 503
        assert later.seconds < 0.5, "all threads hang, so there is nothing to wait for"

        await goes_on(program, frozen)
        again = await Visit("/again/").to(program)
        assert (again.status, len(again.text)) == (200, 5000)
        # Whoever waited for a thread was told 503, and is not done after all.
        assert begun == ["/0/", "/1/", "/again/"]

    asyncio.run(asyncio.wait_for(story(), 30))


def test_a_slow_upload_is_not_cut() -> None:
    async def story() -> None:
        visit = Visit(body=[b"slow "] * 4, pause=0.5)
        await visit.to(limited(lambda environ: [environ["wsgi.input"].read()], seconds=0.8))
        assert (visit.status, visit.text) == (200, b"slow " * 4)
        assert visit.seconds > 1.5

    asyncio.run(story())


def test_a_page_that_hangs_after_its_upload_is_answered(frozen: threading.Event) -> None:
    def page(environ: dict[str, Any]) -> list[bytes]:
        environ["wsgi.input"].read()
        frozen.wait(20)
        return []

    async def story() -> None:
        program = limited(page, seconds=0.5)
        visit = await Visit(body=[b"piece"] * 3, pause=0.1).to(program)
        await goes_on(program, frozen)
        assert visit.status == 503
        assert visit.seconds < 3

    asyncio.run(story())


def test_a_slow_download_is_not_cut() -> None:
    def page(_environ: dict[str, Any]) -> Iterator[bytes]:
        for _ in range(4):
            yield b"slow "
            time.sleep(0.3)

    async def story() -> None:
        visit = await Visit().to(limited(page, seconds=0.5))
        assert (visit.status, visit.text) == (200, b"slow " * 4)

    asyncio.run(story())


def test_health_is_json_for_one_who_is_signed_in_while_redis_hangs(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """No middleware reads the session before."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": address}}
        monkeypatch.setattr("helpdesk.settings.HELPDESK_REDIS_URL", address)
        visit = asyncio.run(Visit("/health/", cookie=f"sessionid={'a' * 32}").to(application))
    assert visit.status == 503
    assert json.loads(visit.text) | {"redis": "down", "worker": "unknown"} == json.loads(visit.text)
    assert visit.seconds < 8


def test_health_is_json_even_when_it_hangs_itself(monkeypatch: pytest.MonkeyPatch, frozen: threading.Event) -> None:
    from helpdesk import asgi

    monkeypatch.setattr(asgi._health, "seconds", 0.5)
    monkeypatch.setattr("helpdesk.health._database", lambda: frozen.wait(20) and "ok")

    async def story() -> None:
        visit = await Visit("/health/").to(application)
        await goes_on(asgi._health, frozen)
        assert visit.status == 503
        assert json.loads(visit.text)["database"] == "unknown"

    asyncio.run(story())
