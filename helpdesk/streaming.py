"""The streams behind /events/: one for each browser, on the loop, with one subscription to Redis for all of a process.

A stream holds no thread and no connection to the database. Two threads of their own look up who asks: with one for each,
a thousand browsers that come back at the same moment would start a thousand.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import signal
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio as redis
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from helpdesk import live
from helpdesk.limits import Receive, Scope, Send
from helpdesk.outages import OUTAGES
from helpdesk.sessions import SignedIn, SwitchedOff, still_signed_in, who_is_signed_in

logger = logging.getLogger(__name__)

PING_SECONDS = 15.0
CHECK_SECONDS = 30.0
SEND_SECONDS = 30.0
SIGN_IN_SECONDS = 10.0
MOST_WAITING = 100
MOST_OF_A_USER = 50  # each of 19 kB; where browsers have no locks, a tab that one looks at has its own
# A Redis that says nothing for two of these is given up.
LISTEN_SECONDS = 10.0
THREADS = 2

# What the pages behind a stream are told of itself: something was missed; nothing is heard for now; it is over.
CATCH_UP, DEAF, OVER = "catch-up", "deaf", "over"


def written(kind: str, **detail: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(detail)}\n\n".encode()


@dataclass(eq=False)
class Stream:
    who: SignedIn
    waiting: dict[bytes, None] = field(default_factory=dict)  # in order, each once
    ended: bool = False
    _something: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, event: bytes) -> None:
        """A reader who is too slow is told to catch up in place of everything that waits."""
        if len(self.waiting) >= MOST_WAITING:
            self.waiting.clear()
            event = written(CATCH_UP)
        self.waiting[event] = None
        self._something.set()

    def end(self, why: str = "") -> None:
        if why:
            self.put(written(OVER, why=why))
        self.ended = True
        self._something.set()

    async def next(self) -> bytes:
        """What came since the last time; a comment when nothing did for a while."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._something.wait(), PING_SECONDS)
        self._something.clear()
        events = b"".join(self.waiting)
        self.waiting.clear()
        return events or b": ping\n\n"


class Hub:
    """Hears what is published and passes it on to the streams that it is for."""

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self.hears = False
        self._tasks: list[asyncio.Task[None]] = []
        self._looking: set[asyncio.Task[None]] = set()  # the loop itself would forget them
        self._threads = ThreadPoolExecutor(THREADS, "live")

    def join(self, stream: Stream) -> None:
        if not self._tasks or any(task.done() for task in self._tasks):
            self._begin()
        self.streams.add(stream)
        stream.put(written(CATCH_UP if self.hears else DEAF))

    def leave(self, stream: Stream) -> None:
        self.streams.discard(stream)

    def close(self) -> None:
        """The server stops: everybody goes at once, and nobody makes it wait."""
        for stream in list(self.streams):
            stream.end("stopping")
        for task in self._tasks:
            task.cancel()

    async def in_thread(self, function: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def _begin(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._set_hearing(False)
        self._tasks = [asyncio.ensure_future(self._listen()), asyncio.ensure_future(self._check_all())]
        _before_the_server_stops(self.close)

    async def _listen(self) -> None:
        pause = 0.0
        while True:
            try:
                # The client would subscribe again by itself, and nobody would know that something was missed meanwhile.
                client = redis.from_url(settings.HELPDESK_REDIS_URL, retry=Retry(NoBackoff(), 0))
                async with client, client.pubsub() as listening:
                    await asyncio.wait_for(listening.subscribe(live.channel(settings.HELPDESK_REDIS_URL)), 5)
                    await asyncio.wait_for(listening.get_message(timeout=5), 6)
                    pause = 0.0
                    self._set_hearing(True)
                    await self._hear(listening)
            except (RedisError, OSError, TimeoutError) as problem:
                if self.hears or not pause:
                    logger.warning("Pages hear nothing until Redis is back: %s", problem or type(problem).__name__)
                self._set_hearing(False)
                pause = min(pause * 2 or 0.25, 5.0)
                await asyncio.sleep(pause)

    async def _hear(self, listening: Any) -> None:
        silent = False
        while True:
            message = await listening.get_message(timeout=LISTEN_SECONDS)
            if message is None:
                if silent:
                    raise RedisError("it does not answer")
                silent = True
                await asyncio.wait_for(listening.ping(), 5)
                continue
            silent = False
            if message["type"] == "message":
                try:
                    self.deliver(json.loads(message["data"]))
                except (ValueError, KeyError, TypeError) as problem:
                    logger.warning("Something was published that is none of our notices: %s", type(problem).__name__)

    def _set_hearing(self, hears: bool) -> None:
        if hears == self.hears:
            return
        self.hears = hears
        for stream in list(self.streams):
            stream.put(written(CATCH_UP if hears else DEAF))

    def deliver(self, letter: dict[str, Any]) -> None:
        to, notice = letter["to"], dict(letter["notice"])
        kind = notice.pop("kind")
        reached = [stream for stream in list(self.streams) if not stream.who.addresses.isdisjoint(to)]
        if kind == live.ENDED:
            for stream in reached:
                if notice.get("session", stream.who.session) == stream.who.session:
                    stream.end("signed out")
        elif kind == live.ACCESS:
            looking = asyncio.ensure_future(self._look_again(reached))
            self._looking.add(looking)
            looking.add_done_callback(self._looking.discard)
        else:
            event = written(kind, **notice)
            for stream in reached:
                stream.put(event)

    async def _check_all(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            await self._check(list(self.streams))

    async def _look_again(self, streams: list[Stream]) -> None:
        await self._check(streams)
        for stream in streams:
            if not stream.ended:
                stream.put(written(CATCH_UP))

    async def _check(self, streams: list[Stream]) -> None:
        """End the streams of those who are signed in no more, and learn anew what the others may hear."""
        if not streams:
            return
        try:
            found = await self.in_thread(lambda: still_signed_in([stream.who for stream in streams]))
        except OUTAGES as problem:
            logger.warning("Who is signed in could not be looked up: %s", type(problem).__name__)
            return
        for stream in streams:
            who = found.get(stream.who.session)
            if who is None:
                stream.end("signed out")
            else:
                stream.who = who


def _before_the_server_stops(close: Callable[[], None]) -> None:
    """uvicorn waits for open answers and tells nobody that it does, so its signals pass through here first."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if getattr(before, "of_the_hub", False) or not callable(before):
            continue

        def stop(caught: int, frame: Any, before: Any = before) -> None:
            loop.call_soon_threadsafe(close)
            before(caught, frame)

        stop.of_the_hub = True  # type: ignore[attr-defined]
        with contextlib.suppress(ValueError):  # not in the main thread, as in tests
            signal.signal(number, stop)


hub = Hub()

_AWAY: tuple[type[BaseException], ...] = (*OUTAGES, TimeoutError)


async def events(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer GET /events/ with a stream. Without a session 401, from another page's script 403, at once.

    Somebody whose account was switched off is told so, in a header: signing in again would not help them.
    """
    refused = _refused(request := ASGIRequest(dict(scope), io.BytesIO()))
    if refused:
        await _answer(send, refused)
        return
    try:
        looking = hub.in_thread(lambda: who_is_signed_in(request))
        who = await asyncio.wait_for(looking, SIGN_IN_SECONDS)
    except SwitchedOff:
        await _answer(send, 401, (b"x-signed-out", b"switched off"))
        return
    except _AWAY:
        await _answer(send, 503, (b"retry-after", b"5"))
        return
    if who is None:
        await _answer(send, 401)
        return
    if Counter(stream.who.user for stream in hub.streams)[who.user] >= MOST_OF_A_USER:
        await _answer(send, 429, (b"retry-after", b"30"))
        return
    await _stream(Stream(who), receive, send)


async def _stream(stream: Stream, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no"), *_ALWAYS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    hub.join(stream)
    gone = asyncio.ensure_future(_gone(receive))
    gone.add_done_callback(lambda _gone: stream.end())
    try:
        while not (stream.ended and not stream.waiting):
            body = await stream.next()
            if gone.done():
                break
            await asyncio.wait_for(send({"type": "http.response.body", "body": body, "more_body": True}), SEND_SECONDS)
        await asyncio.wait_for(send({"type": "http.response.body", "body": b""}), SEND_SECONDS)
    except TimeoutError:
        logger.info("A stream of user %d was dropped: nobody reads it", stream.who.user)
    finally:
        hub.leave(stream)
        gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


_ALWAYS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


def _refused(request: ASGIRequest) -> int:
    """The status of a refusal, 0 for none."""
    if request.method != "GET":
        return 405
    try:
        own = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return 400
    site, origin = request.headers.get("Sec-Fetch-Site", "same-origin"), request.headers.get("Origin", own)
    foreign = site not in ("same-origin", "none") or origin not in (own, *settings.CSRF_TRUSTED_ORIGINS)
    return 403 if foreign else 0


async def _answer(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    headers = (*headers, (b"content-length", b"0"), *_ALWAYS)
    if status == 405:
        headers = ((b"allow", b"GET"), *headers)
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": b""})
