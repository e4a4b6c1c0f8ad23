"""How soon a page hears of a mail, and what a thousand pages that hear nothing cost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import resource
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone

from helpdesk import live
from helpdesk.sessions import SessionStore
from helpdesk.streaming import MOST_OF_A_USER
from inbox import receiving
from inbox.benchmarks.browsing import AGENT, Browser, CannotMeasure, agent, web
from inbox.benchmarks.figures import Report, machine
from inbox.benchmarks.ingest import a_mail, a_mailbox, seen_after
from people.models import Role, User
from tickets.models import Ticket

MAILS = 40
CALLS = 20
PATIENCE = 20.0


@dataclass
class Ear:
    """An open stream: what it heard, and when."""

    heard: list[tuple[float, bytes]] = field(default_factory=list)

    def when(self, words: bytes) -> float | None:
        return next((at for at, line in self.heard if words in line), None)


class Ears:
    """Streams by the hundred, read in one thread."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.open: list[Ear] = []
        self._loop = asyncio.new_event_loop()
        self._tasks: list[asyncio.Task[None]] = []
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def listen(self, session: str) -> Ear:
        """Raises CannotMeasure."""
        return asyncio.run_coroutine_threadsafe(self._listen(session), self._loop).result(PATIENCE)

    def close(self) -> None:
        async def end() -> None:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _listen(self, session: str) -> Ear:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        cookie = f"{settings.SESSION_COOKIE_NAME}={session}"
        writer.write(f"GET /events/ HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nCookie: {cookie}\r\n\r\n".encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise CannotMeasure(f"A stream was answered with {status.decode().strip()!r}.")
        ear = Ear()
        self.open.append(ear)
        self._tasks.append(asyncio.ensure_future(self._read(reader, writer, ear)))
        return ear

    @staticmethod
    async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ear: Ear) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    ear.heard.append((time.perf_counter(), line))


def measure(*, url: str | None, streams: int) -> Report:
    """Raises CannotMeasure."""
    logging.getLogger("inbox").setLevel(logging.WARNING)
    report = Report("live", setting={"tickets": Ticket.objects.count(), "streams": streams} | machine())
    _allow_files(streams)
    with agent() as (user, password), a_mailbox(owner=user) as mailbox, _others(streams) as others, web(url) as site:
        browser = Browser(site.url)
        ears, sessions = Ears(site.url), [_session_of(one) for one in (user, *others)]
        try:
            mine = ears.listen(sessions[0])
            before = _memory(site.pid)
            for number in range(streams):
                ears.listen(sessions[1 + number // MOST_OF_A_USER])
            time.sleep(1)
            after = _memory(site.pid)
            each = None if before is None or after is None or not streams else (after - before) / streams
            report.add("memory of an idle stream", each, "kB", f"{streams} streams, resident memory of the web process")

            browser.sign_in(user.email, password)
            told, seen = [], []
            for _ in range(MAILS):
                subject = f"Benchmark {secrets.token_hex(8)}"
                begun = time.perf_counter()
                incoming = receiving.store(mailbox, a_mail(mailbox, subject), source="pipe", now=timezone.now())
                receiving.process(incoming.pk)
                incoming.refresh_from_db()
                ticket = incoming.message.ticket_id if incoming.message else None
                told.append(_wait_for(mine, f'"ticket": {ticket}}}'.encode()) - begun)
                if (listed := seen_after(browser, subject, since=begun)) is not None:
                    seen.append(listed)
            report.add_times("mail accepted, heard at a second agent's stream", told)
            report.add_times("mail accepted, in the list fetched then", seen)

            spread = [_call_all(ears) for _ in range(CALLS)]
            report.add_times(f"a notice, heard by all {streams + 1} streams", spread)
        finally:
            ears.close()
            browser.post("/logout/")
            browser.close()
            for one in (user, *others):
                live.ended(one.pk)
            for session in sessions:
                SessionStore(session).delete()
    return report


def _call_all(ears: Ears) -> float:
    """Seconds until the last one heard it."""
    call = secrets.token_hex(6)
    words = json.dumps({"call": call})[1:-1].encode()
    begun = time.perf_counter()
    live.publish("benchmark", users=_listeners(), call=call)
    end = begun + PATIENCE
    while time.perf_counter() < end:
        times = [ear.when(words) for ear in ears.open]
        if None not in times:
            return max(time for time in times if time is not None) - begun
        time.sleep(0.005)
    raise CannotMeasure(f"Of {len(ears.open)} streams not all heard a notice within {PATIENCE:g} seconds.")


def _listeners() -> list[int]:
    return list(User.objects.filter(email__startswith=f"{AGENT}-").values_list("pk", flat=True))


def _wait_for(ear: Ear, words: bytes) -> float:
    end = time.perf_counter() + PATIENCE
    while time.perf_counter() < end:
        if (at := ear.when(words)) is not None:
            return at
        time.sleep(0.001)
    raise CannotMeasure(f"A stream did not hear of a mail within {PATIENCE:g} seconds. Is it this database's desk?")


@contextlib.contextmanager
def _others(streams: int) -> Iterator[list[User]]:
    """As many agents as these streams need, who see no tickets but their own."""
    name = secrets.token_hex(4)
    made = User.objects.bulk_create(
        User(
            email=f"{AGENT}-{name}-{number}@desk.example",
            name="Benchmark",
            role=Role.AGENT,
            ticket_access="own",
            sees_unassigned=False,
        )
        for number in range(-(-streams // MOST_OF_A_USER))
    )
    try:
        yield made
    finally:
        User.objects.filter(pk__in=[user.pk for user in made]).delete()


def _session_of(user: User) -> str:
    """As signing in leaves one. It ends with the user."""
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.set_expiry(600)
    store.create()
    return str(store.session_key)


def _allow_files(streams: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * streams + 200
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise CannotMeasure(f"{streams} streams need {wanted} open files, and {hard} are allowed (ulimit -n).")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _memory(pid: int | None) -> int | None:
    """Resident, in kB."""
    if pid is None:
        return None
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return None
