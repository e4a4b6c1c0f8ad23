"""No visitor waits for ever: what has not begun to answer in time is answered with 503.

A thread that waits for a frozen database cannot be stopped. It keeps its place until the database goes on or its
connection breaks; what it then answers goes nowhere.
"""

import asyncio
import io
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from django.utils import translation

from helpdesk.outages import away

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# As long as a statement may take. The test of a mailbox waits for two foreign servers, ten seconds for each.
ANSWER_SECONDS = 30.0
_GIVEN_UP, _BEGUN = "helpdesk.given_up", "helpdesk.begun"


class TimeLimit:
    """Passes a request on to `app`, and answers with `late(scope)` when it has not begun to answer within `seconds`.

    The time that the visitor needs for sending is theirs: it runs again from each piece that arrived. A begun answer is
    never cut. While all `threads` are with requests that were given up, nobody waits for one.
    """

    def __init__(
        self, app: Application, *, threads: int, seconds: float, late: Callable[[Scope], HttpResponse]
    ) -> None:
        self.app = app
        self.threads = threads
        self.seconds = seconds
        self.late = late
        self._given_up: dict[asyncio.Task[None], Scope] = {}  # the loop itself would forget them

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if sum(_BEGUN in stuck for stuck in self._given_up.values()) >= self.threads:
            await _answer(self.late(scope), send)
            return
        request = _Request(receive, send)
        work = asyncio.ensure_future(self.app(scope, request.receive, request.send))
        while not work.done() and not request.answer_began:
            left = request.waited_since + self.seconds - time.monotonic()
            if left > 0 or request.visitor_sends:
                await asyncio.wait({work, request.began}, timeout=max(left, 0.5), return_when=asyncio.FIRST_COMPLETED)
                continue
            scope[_GIVEN_UP] = request.given_up = True
            self._given_up[work] = scope
            work.add_done_callback(self._forget)
            logger.error(
                "No answer within %g seconds, so it is 503: %s %s", self.seconds, scope["method"], scope["path"]
            )
            await _answer(self.late(scope), send)
            return
        await work

    def _forget(self, work: "asyncio.Task[None]") -> None:
        del self._given_up[work]
        if not work.cancelled() and (problem := work.exception()):
            logger.warning("A request that was given up ended: %s: %s", type(problem).__name__, problem)


class _Request:
    """What goes in and out, watched."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self.waited_since = time.monotonic()
        self.visitor_sends = False
        self.began: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.given_up = False

    @property
    def answer_began(self) -> bool:
        return self.began.done()

    async def receive(self) -> MutableMapping[str, Any]:
        self.visitor_sends = True
        try:
            return await self._receive()
        finally:
            self.visitor_sends = False
            self.waited_since = time.monotonic()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if self.given_up:
            return
        if not self.answer_began:
            self.began.set_result(None)
        await self._send(message)


def unless_given_up(pages: Wsgi) -> Wsgi:
    """One who was told that nothing was saved must be right: a request still waiting for a thread is not begun then."""

    def begin(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["asgi.scope"].get(_GIVEN_UP):
            start_response("503 Service Unavailable", [])
            return []
        environ["asgi.scope"][_BEGUN] = True
        return pages(environ, start_response)

    return begin


def too_late(scope: Scope) -> HttpResponse:
    request = ASGIRequest(dict(scope), io.BytesIO())
    with translation.override(translation.get_language_from_request(request)):
        return away(perhaps_saved=True)


async def _answer(response: HttpResponse, send: Send) -> None:
    response["Content-Length"] = str(len(response.content))
    response["X-Content-Type-Options"] = "nosniff"
    response["Connection"] = "close"  # a body that nobody read any more must not be taken for a request
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})
