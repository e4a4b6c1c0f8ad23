"""A server that takes a mail and says nothing: whatever has nothing to do with it goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from helpdesk.embedded import supervisor
from inbox import notices
from inbox.channels.smtp import turns
from inbox.models import Mailbox, Outgoing, OutgoingState
from inbox.models.outgoing import due
from inbox.replying import reply
from tests.factories import make_contact, make_mailbox, make_message, make_ticket, make_user
from tests.mail_servers import SmtpServer
from tickets.models import Notification, NotificationKind

pytestmark = pytest.mark.django_db(transaction=True)


class Hanging(SmtpServer):
    """Says nothing after the final dot until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = threading.Event()

    async def handle_DATA(self, *args: Any) -> str:
        while not self.may_answer.is_set():
            await asyncio.sleep(0.02)
        return await super().handle_DATA(*args)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    server = Hanging()
    server.start()
    yield server
    server.may_answer.set()
    server.stop()


def box_at(server: SmtpServer, address: str) -> Mailbox:
    return make_mailbox(address, smtp_host=server.host, smtp_port=server.port, smtp_security="none")


def written(box: Mailbox) -> Outgoing:
    """Due now, and nobody has been asked to send it yet."""
    ticket = make_ticket(contact=make_contact(f"customer{Outgoing.objects.count()}@customer.example"))
    make_message(ticket, mailbox=box)
    outgoing = reply(ticket, by=make_user(), text="On its way.", now=timezone.now() + timedelta(hours=1)).outgoing
    Outgoing.objects.filter(pk=outgoing.pk).update(due_at=timezone.now())
    return Outgoing.objects.get(pk=outgoing.pk)


def state(outgoing: Outgoing) -> str:
    return Outgoing.objects.get(pk=outgoing.pk).state


def beside(work: Callable[[], Any]) -> threading.Thread:
    """Another slot of the worker, with a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def until(true: Callable[[], bool]) -> None:
    for _ in range(200):
        if true():
            return
        threading.Event().wait(0.05)
    pytest.fail("It did not come about within ten seconds.")


def test_a_hanging_server_takes_no_more_than_its_turns_and_what_waited_goes_when_one_ends(
    hanging: Hanging, smtp_server: SmtpServer
) -> None:
    slow, well = box_at(hanging, "slow@desk.example"), box_at(smtp_server, "well@desk.example")
    mails = [written(slow) for _ in range(turns.AT_ONE_SERVER + 2)]
    senders = [beside(mail.send_now) for mail in mails[: turns.AT_ONE_SERVER]]
    until(lambda: Outgoing.objects.filter(handed_over=True).count() == turns.AT_ONE_SERVER)

    # Their slots are free again at once, and nothing counts as a try.
    late = [beside(mail.send_now) for mail in mails[turns.AT_ONE_SERVER :]]
    for sender in late:
        sender.join(5)
        assert not sender.is_alive(), "it waits for a server that does not answer"
    assert {(state(mail), mail.tries) for mail in mails[turns.AT_ONE_SERVER :]} == {(OutgoingState.QUEUED, 0)}
    other = written(well)
    other.send_now()
    assert state(other) == OutgoingState.SENT

    hanging.may_answer.set()
    for sender in senders:
        sender.join(20)
    until(lambda: {state(mail) for mail in mails} == {OutgoingState.SENT})
    assert len(hanging.taken) == len(mails)


def test_when_every_server_hangs_slots_are_left_for_the_rest(smtp_server: SmtpServer) -> None:
    """As when the network lets nothing out: whatever else there is to do finds a slot."""
    command = supervisor.WORKER
    assert int(command[command.index("--concurrency") + 1]) >= turns.AT_ONCE + 4
    ended, holding = threading.Event(), threading.Semaphore(0)

    def hang(port: int) -> None:
        with turns.turn(Mailbox(smtp_host="127.0.0.1", smtp_port=port)) as ours:
            assert ours
            holding.release()
            ended.wait(20)

    senders = [beside(lambda port=port: hang(port)) for port in range(turns.AT_ONCE)]
    for _ in senders:
        assert holding.acquire(timeout=10)
    outgoing = written(box_at(smtp_server, "well@desk.example"))
    outgoing.send_now()
    assert state(outgoing) == OutgoingState.QUEUED
    ended.set()
    for sender in senders:
        sender.join(10)
    Outgoing.objects.sweep(timezone.now())
    assert state(outgoing) == OutgoingState.SENT


def test_a_turn_ends_with_the_connection_of_whoever_had_it(smtp_server: SmtpServer) -> None:
    """A worker that was killed says no goodbye."""
    box, taken = box_at(smtp_server, "well@desk.example"), []

    def die() -> None:
        held = ExitStack()
        taken.append([held.enter_context(turns.turn(box)), held.pop_all()])  # never left

    for _ in range(turns.AT_ONE_SERVER + 1):
        beside(die).join(10)
    assert [ours for ours, _ in taken] == [True] * (turns.AT_ONE_SERVER + 1)


def test_the_mail_of_one_mailbox_does_not_crowd_that_of_another_out_of_the_sweep(
    smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    many, other = box_at(smtp_server, "many@desk.example"), box_at(smtp_server, "other@desk.example")
    for _ in range(3):
        written(many)
    last = written(other)
    queued: list[int] = []
    monkeypatch.setattr(due, "SWEPT_AT_ONCE", 2)
    monkeypatch.setattr("inbox.tasks.deliver.delay_on_commit", queued.append)
    assert Outgoing.objects.sweep(timezone.now()) == 2
    assert last.pk in queued


def test_notifications_take_no_more_turns_at_a_server_than_mails_do(smtp_server: SmtpServer) -> None:
    ticket = make_ticket()
    make_message(ticket, mailbox=(box := box_at(smtp_server, "support@desk.example")))
    Notification.objects.all().delete()
    now = timezone.now()
    told = [
        Notification.objects.create(
            user=make_user(), ticket=ticket, kind=NotificationKind.ASSIGNMENT, at=now, mail_due_at=now
        )
        for _ in range(3)
    ]
    ended, holding = threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        with turns.turn(box):
            holding.release()
            ended.wait(20)

    senders = [beside(hang) for _ in range(turns.AT_ONE_SERVER)]
    for _ in senders:
        assert holding.acquire(timeout=10)
    assert not notices.mail(told[0].pk)
    assert Notification.objects.to_mail(timezone.now()).count() == 3, "it is due still"
    assert smtp_server.taken == []
    ended.set()
    for sender in senders:
        sender.join(10)
    assert notices.mail(told[0].pk)
    # The one that had its turn sees to those that found none.
    until(lambda: len(smtp_server.taken) == 3)
