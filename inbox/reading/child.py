"""The process that reads mails: `python -m inbox.reading.child <bytes of memory>`, jobs on stdin, answers on stdout.

It knows no settings, no database and no secrets. A job that outlasts its time ends it: by its parent, and, should the
parent be gone, by its own alarm.
"""

from __future__ import annotations

import dataclasses
import os
import resource
import select
import signal
import struct
import sys
from typing import BinaryIO

from helpdesk.html import clean, count_remote_images
from inbox.mime import automatic, bounces, quotes
from inbox.mime.parse import parse, parse_headers
from inbox.reading.values import Reading, pack

IDLE_SECONDS = 60
MAILS = 500  # then a fresh process, so that what libraries leave behind does not pile up
BEGUN, DONE, NO_MEMORY, FAILED = b"B", b"D", b"M", b"F"
JOB = struct.Struct("!?dQ")  # headers only?, seconds, length
LENGTH = struct.Struct("!Q")


def read(raw: bytes, *, headers_only: bool) -> Reading:
    mail = parse_headers(raw) if headers_only else parse(raw)
    text, quoted_text = quotes.split(mail.text)
    new_html, old_html = quotes.split_html(mail.html) if mail.html else ("", "")
    html, quoted_html = str(clean(new_html)), str(clean(old_html))
    kind = automatic.kind(mail)
    return Reading(
        mail=dataclasses.replace(mail, text="", html=""),
        text=text,
        quoted_text=quoted_text,
        html=html,
        quoted_html=quoted_html,
        remote_images=count_remote_images(html) + count_remote_images(quoted_html),
        automatic=str(kind) if kind else "",
        bounce=bounces.read(mail),
    )


def main() -> None:
    limit = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    jobs = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    for _ in range(MAILS):
        if not select.select([jobs], [], [], IDLE_SECONDS)[0]:
            return
        head = jobs.read(JOB.size)
        if len(head) < JOB.size:
            return
        headers_only, seconds, length = JOB.unpack(head)
        signal.setitimer(signal.ITIMER_REAL, seconds + 5)
        _say(answers, BEGUN)
        try:
            frames = pack(read(jobs.read(length), headers_only=headers_only))
        except MemoryError:
            _say(answers, NO_MEMORY)
            return
        except Exception as problem:
            _say(answers, FAILED, f"{type(problem).__name__}: {problem}".encode("utf-8", "replace")[:2_000])
            return
        _say(answers, DONE, *frames)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _say(answers: BinaryIO, kind: bytes, *frames: bytes) -> None:
    try:
        answers.write(kind + LENGTH.pack(len(frames)))
        for frame in frames:
            answers.write(LENGTH.pack(len(frame)))
            answers.write(frame)
        answers.flush()
    except BrokenPipeError:
        os._exit(0)  # nobody waits for it any more


if __name__ == "__main__":
    main()
