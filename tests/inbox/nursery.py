"""Starts workers of the desk that can be killed: it has everything loaded and forks one for each line on its input.

    poll 3           fetches mailbox 3, again and again
    work             processes what waits, again and again
    send             sends what is due, again and again
    receive 3 FILE   takes FILE in for mailbox 3, once, as an MTA's pipe does

It answers with the process id. They find their work in the database alone, as if the queue lost every task. Leases are
short, so that what a dead worker held is free again within a test.
"""

# ruff: noqa: E402, T201  (Django must be set up before models are imported; it answers on its output)

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "helpdesk.settings"

import django

django.setup()

from django.utils import timezone

from inbox import receiving
from inbox.channels.imap import fetching  # noqa: F401  (loaded before the fork)
from inbox.models import Incoming, Mailbox, Outgoing, incoming, mailbox
from inbox.models.outgoing import lease

incoming.LEASE = mailbox.LEASE = lease.LEASE = timedelta(seconds=3)
lease.RENEWED_EVERY = 1.0
incoming.MOST_TRIES = 50  # the killings are not the mails' fault


def poll(mailbox_id: str) -> None:
    Mailbox.objects.get(pk=mailbox_id).fetch()


def work() -> None:
    for pk in Incoming.objects.waiting(timezone.now()).order_by("pk").values_list("pk", flat=True)[:20]:
        receiving.process(pk)


def send() -> None:
    now = timezone.now()
    Outgoing.objects.sweep(now)
    for one in Outgoing.objects.due(now).order_by("pk")[:20]:
        one.send_now()


def again_and_again(step: Callable[..., None], *words: str) -> None:
    while True:
        step(*words)
        time.sleep(0.02)


def receive(mailbox_id: str, path: str) -> None:
    receiving.store(Mailbox.objects.get(pk=mailbox_id), Path(path).read_bytes(), source="pipe", now=timezone.now())


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for line in sys.stdin:
        role, *words = line.split()
        pid = os.fork()
        if pid == 0:
            try:
                if role == "receive":
                    receive(*words)
                else:
                    again_and_again({"poll": poll, "work": work, "send": send}[role], *words[: role == "poll"])
            except BaseException as problem:
                print(f"{role}: {type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
