"""A sender that is killed at any moment: no answer is lost, and no customer gets one twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from inbox.models import Outgoing, OutgoingState
from inbox.replying import reply
from tests.factories import make_contact, make_mailbox, make_message, make_ticket, make_user
from tests.mail_servers import SmtpServer

CHECKOUT = Path(__file__).resolve().parent.parent.parent
MAILS = 24
KILLS = 10

# A worker as the program has it: the sweep finds what is due, and each task sends one. It never ends by itself.
WORKER = """
import sys, time
from django.conf import settings
from django.db import connection
import django
django.setup()
settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = sys.argv[1]
settings.STORAGES["default"]["OPTIONS"]["location"] = sys.argv[2]
from django.utils import timezone
from helpdesk.celery import app
app.conf.task_always_eager = True
from inbox.models import Outgoing
print("ready", flush=True)
sys.stdin.readline()
while True:
    Outgoing.objects.sweep(timezone.now())
    time.sleep(0.01)
"""


class SlowSmtp(SmtpServer):
    """Takes its time at every step, so that a kill hits each of them. What it took, it took before it answers."""

    async def handle_MAIL(self, server: Any, *args: Any) -> str:
        await _pause()
        return await super().handle_MAIL(server, *args)

    async def handle_RCPT(self, server: Any, *args: Any) -> str:
        await _pause()
        return await super().handle_RCPT(server, *args)

    async def handle_DATA(self, server: Any, *args: Any) -> str:
        await _pause()
        answer = await super().handle_DATA(server, *args)
        await _pause()
        return answer


async def _pause() -> None:
    import asyncio

    await asyncio.sleep(random.uniform(0, 0.1))


def start_worker(files: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(connection.settings_dict["NAME"]), files],
        cwd=CHECKOUT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "helpdesk.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def work(worker: subprocess.Popen[str]) -> None:
    assert worker.stdin is not None
    worker.stdin.write("go\n")
    worker.stdin.flush()


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_senders_killed_at_random_lose_nothing_and_send_nothing_twice(settings: Any) -> None:
    server = SlowSmtp()
    server.start()
    box = make_mailbox(smtp_host=server.host, smtp_port=server.port, smtp_security="none")
    agent = make_user()
    later = timezone.now() + timedelta(days=1)
    for number in range(MAILS):
        ticket = make_ticket(contact=make_contact(f"customer{number}@customer.example"))
        make_message(ticket, mailbox=box)
        reply(ticket, by=agent, text=f"Answer {number}", now=later)  # due later, so that it is not sent right here
    Outgoing.objects.update(due_at=timezone.now())
    files = str(settings.STORAGES["default"]["OPTIONS"]["location"])

    workers = [start_worker(files) for _ in range(KILLS + 1)]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers[:-1]:
            work(worker)
            time.sleep(random.uniform(0.1, 0.6))
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            # What it had claimed is given up at once, as it would be after half a minute.
            Outgoing.objects.filter(state=OutgoingState.SENDING).update(lease_until=timezone.now())
        work(workers[-1])
        deadline = time.monotonic() + 60
        while Outgoing.objects.filter(state__in=["queued", "sending", "deferred"]).exists():
            assert time.monotonic() < deadline, dict(Counter(Outgoing.objects.values_list("state", flat=True)))
            time.sleep(0.05)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        server.stop()

    taken = Counter(mail.message["Message-ID"].strip("<>") for mail in server.taken)
    assert max(taken.values()) == 1
    ended = dict(Outgoing.objects.values_list("mail_id", "state"))
    assert set(ended.values()) <= {OutgoingState.SENT, OutgoingState.UNKNOWN}
    assert {mail_id for mail_id, state in ended.items() if state == OutgoingState.SENT} <= set(taken)
    assert set(taken) <= set(ended)
