"""The parent's side of reading: keeps children warm, gives each a mail and a time, and ends those that outlast it."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

from django.conf import settings

from inbox.reading.values import Reading, TooMuchMemory, TooMuchTime, Unreadable, unpack

SECONDS = 20.0
KEPT_IDLE = 2
AT_ONCE = 4
readers = threading.BoundedSemaphore(AT_ONCE)
"""A worker has many slots, most of them to wait for other servers. Each reading process takes a processor and memory."""
COMMAND = [sys.executable, "-m", "inbox.reading.child"]
_CHECKOUT = Path(__file__).resolve().parent.parent.parent
_CHUNK = 256 * 1024


class _Gone(Exception):
    """The child ended; `begun` tells whether it had started on the mail."""

    def __init__(self, *, begun: bool, status: int | None) -> None:
        self.begun = begun
        self.status = status


def read(raw: bytes, *, headers_only: bool = False, seconds: float | None = None) -> Reading:
    """What the mail says. Raises Unreadable when it hangs, takes too much memory or kills its reader."""
    seconds = SECONDS if seconds is None else seconds
    for attempt in range(3):
        child = _pool.take()
        try:
            reading = child.read(raw, headers_only=headers_only, seconds=seconds)
        except _Gone as gone:
            child.end()
            if gone.begun:
                raise Unreadable(f"The process that read it was ended ({_why(gone.status)}).") from None
            if attempt == 2:
                # Says nothing about the mail: no process can be started here.
                raise OSError("The process that reads mails does not start.") from None
            continue
        except BaseException:
            child.end()
            raise
        _pool.give_back(child)
        return reading
    raise AssertionError


class _Child:
    """One reading process and the bytes that are on their way to and from it."""

    def __init__(self) -> None:
        # A mail of the permitted size must fit several times: raw, decoded, answered.
        memory = (512 + 8 * settings.HELPDESK_MAX_MAIL_MB) * 1024 * 1024
        self.process = subprocess.Popen(
            [*COMMAND, str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_CHECKOUT,
            # No secrets: foreign bytes are read there.
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            # Ctrl-C in a terminal is for the worker; its children end when their input does.
            start_new_session=True,
            bufsize=0,
        )
        pipes = (self.process.stdin, self.process.stdout)
        self.jobs, self.answers = (pipe.fileno() for pipe in pipes if pipe)
        os.set_blocking(self.jobs, False)
        os.set_blocking(self.answers, False)
        self.got = bytearray()

    def read(self, raw: bytes, *, headers_only: bool, seconds: float) -> Reading:
        from inbox.reading import child

        deadline = time.monotonic() + seconds
        self._write(child.JOB.pack(headers_only, seconds, len(raw)), deadline, seconds)
        self._write(raw, deadline, seconds)
        kind, frames = self._answer(deadline, seconds)
        if kind == child.BEGUN:
            kind, frames = self._answer(deadline, seconds, begun=True)
        if kind == child.DONE:
            return unpack(frames)
        self.end()
        if kind == child.NO_MEMORY:
            raise TooMuchMemory
        raise Unreadable(f"Reading it failed: {bytes(frames[0]).decode('utf-8', 'replace')}")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def lives(self) -> bool:
        return self.process.poll() is None

    def _write(self, content: bytes, deadline: float, seconds: float) -> None:
        view = memoryview(content)
        while view:
            self._wait(self.jobs, select.POLLOUT, deadline, seconds)
            try:
                view = view[os.write(self.jobs, view[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._gone() from None

    def _answer(self, deadline: float, seconds: float, *, begun: bool = False) -> tuple[bytes, list[bytes]]:
        from inbox.reading.child import LENGTH

        kind = self._take(1, deadline, seconds, begun=begun)
        (count,) = LENGTH.unpack(self._take(LENGTH.size, deadline, seconds, begun=begun))
        frames = []
        for _ in range(count):
            (length,) = LENGTH.unpack(self._take(LENGTH.size, deadline, seconds, begun=begun))
            frames.append(self._take(length, deadline, seconds, begun=begun))
        return kind, frames

    def _take(self, length: int, deadline: float, seconds: float, *, begun: bool) -> bytes:
        while len(self.got) < length:
            self._wait(self.answers, select.POLLIN, deadline, seconds)
            try:
                chunk = os.read(self.answers, _CHUNK)
            except BlockingIOError:
                continue
            if not chunk:
                raise _Gone(begun=begun, status=self._status())
            self.got += chunk
        taken = bytes(self.got[:length])
        del self.got[:length]
        return taken

    def _wait(self, descriptor: int, event: int, deadline: float, seconds: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TooMuchTime(seconds)

    def _gone(self) -> _Gone:
        """While a mail is written to it: whether it had begun stands in what it said."""
        from inbox.reading.child import BEGUN

        with contextlib.suppress(BlockingIOError):
            self.got += os.read(self.answers, _CHUNK)
        return _Gone(begun=bytes(self.got[:1]) == BEGUN, status=self._status())

    def _status(self) -> int | None:
        try:
            return self.process.wait(1)
        except subprocess.TimeoutExpired:
            return None


class _Pool:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._owner = os.getpid()

    def take(self) -> _Child:
        with self._lock:
            if self._owner != os.getpid():
                # Forked since: those children belong to our parent.
                self._idle, self._owner = [], os.getpid()
            while self._idle:
                child = self._idle.pop()
                if child.lives():
                    return child
                child.end()
        return _Child()

    def give_back(self, child: _Child) -> None:
        with self._lock:
            if len(self._idle) < KEPT_IDLE:
                self._idle.append(child)
                return
        child.end()


def _why(status: int | None) -> str:
    if status is None:
        return "no reason given"
    return f"signal {-status}" if status < 0 else f"status {status}"


_pool = _Pool()
