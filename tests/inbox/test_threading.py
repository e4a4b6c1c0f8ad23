"""A mail finds its conversation, or opens one of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inbox import receiving, threading
from inbox.mime.compose import reply_address
from inbox.models import Mailbox, Message
from inbox.replying import reply
from tests.factories import make_mailbox, make_user
from tests.inbox.mails import land, make_mail, new_id, take_in
from tickets.models import Kind, Reopening, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox() -> Mailbox:
    return make_mailbox("support@desk.example")


@pytest.fixture
def agent() -> Any:
    return make_user(name="Kirsi Laine")


def ticket_of(message: Message) -> Ticket:
    assert message.ticket is not None
    return Ticket.objects.get(pk=message.ticket.pk)


def close(ticket: Ticket, *, days_ago: int = 0) -> None:
    ticket.move_to(ticket.pipeline.first_status(Kind.CLOSED), by=None, now=timezone.now() - timedelta(days=days_ago))


def test_an_answer_to_our_answer_lands_on_its_ticket_and_waits_for_us(mailbox: Mailbox, agent: Any) -> None:
    first = land(mailbox, make_mail(message_id=new_id()))
    ours = reply(ticket_of(first), by=agent, text="We send you an M.")
    assert ticket_of(first).turn == Kind.WAITING_ON_CONTACT

    answer = land(mailbox, make_mail("Thank you!", answers=ours.message_id, subject="Re: Wrong size delivered"))

    assert answer.ticket == first.ticket
    assert answer.answers == ours
    assert ticket_of(first).turn == Kind.WAITING_ON_US


def test_references_are_enough_when_in_reply_to_is_of_a_stranger(mailbox: Mailbox, agent: Any) -> None:
    first = land(mailbox, make_mail())
    ours = reply(ticket_of(first), by=agent, text="We send you an M.")

    answer = land(
        mailbox, make_mail(answers="lost@outlook.example", references=f"{ours.message_id} lost@outlook.example")
    )

    assert answer.ticket == first.ticket


def test_in_reply_to_is_enough_when_references_are_of_a_stranger(mailbox: Mailbox, agent: Any) -> None:
    first = land(mailbox, make_mail())
    ours = reply(ticket_of(first), by=agent, text="We send you an M.")

    answer = land(mailbox, make_mail(answers=ours.message_id, references="apple@mail.example"))

    assert answer.ticket == first.ticket


def test_the_address_with_a_token_is_enough_when_every_id_is_lost(mailbox: Mailbox) -> None:
    first = land(mailbox, make_mail())
    to = reply_address(mailbox.address, ticket_of(first).pk, threading.token_key())

    assert land(mailbox, make_mail("Thank you!", to=to)).ticket == first.ticket


def test_a_forged_token_opens_a_ticket(mailbox: Mailbox) -> None:
    first = land(mailbox, make_mail())
    to = reply_address(mailbox.address, ticket_of(first).pk, b"another key")

    assert land(mailbox, make_mail("Thank you!", to=to)).ticket != first.ticket


def test_the_same_subject_alone_opens_a_ticket(mailbox: Mailbox) -> None:
    first = land(mailbox, make_mail(subject="Order 7"))

    second = land(mailbox, make_mail(subject=f"Re: Order 7 [#{ticket_of(first).pk}]"))

    assert second.ticket != first.ticket


def test_a_stranger_who_knows_an_id_gets_a_ticket_that_is_linked_to_be_checked(mailbox: Mailbox) -> None:
    first = land(mailbox, make_mail(message_id="known@customer.example"))

    second = land(mailbox, make_mail(sender="mallory@elsewhere.example", answers="known@customer.example"))

    assert second.ticket != first.ticket
    link = ticket_of(second).links.get()
    assert (link.other, link.kind) == (first.ticket, "check")
    assert ticket_of(first).message_count == 1


@pytest.mark.parametrize("of", ["agent", "mailbox"])
def test_a_name_of_ours_that_failed_has_no_part_in_anything(mailbox: Mailbox, agent: Any, of: str) -> None:
    first = land(mailbox, make_mail(message_id="known@customer.example"))
    reply(ticket_of(first), by=agent, text="We send another.")
    sender = {"agent": agent.email, "mailbox": mailbox.address}[of]

    second = land(
        mailbox,
        make_mail(
            sender=sender, answers="known@customer.example", Authentication_Results="mx.desk.example; dmarc=fail"
        ),
    )

    assert second.ticket != first.ticket
    assert ticket_of(second).links.get().kind == "check"


def test_a_colleague_at_the_same_company_may_answer(mailbox: Mailbox) -> None:
    first = land(mailbox, make_mail(message_id="known@customer.example"))

    second = land(mailbox, make_mail(sender="juha@customer.example", answers="known@customer.example"))

    assert second.ticket == first.ticket


def test_an_address_at_the_same_free_mail_service_is_a_stranger(mailbox: Mailbox) -> None:
    first = land(mailbox, make_mail(sender="elina@gmail.com", message_id="known@gmail.com"))

    second = land(mailbox, make_mail(sender="mallory@gmail.com", answers="known@gmail.com"))

    assert second.ticket != first.ticket


def test_somebody_in_copy_may_answer_the_customer_before_we_do(mailbox: Mailbox) -> None:
    first = land(mailbox, make_mail(message_id="known@customer.example", Cc="Juha <juha@partner.example>"))

    second = land(mailbox, make_mail(sender="juha@partner.example", answers="known@customer.example"))

    assert second.ticket == first.ticket


def test_an_agent_who_answers_from_elsewhere_keeps_the_thread_and_is_not_taken_for_the_customer(
    mailbox: Mailbox, agent: Any
) -> None:
    first = land(mailbox, make_mail(message_id="known@customer.example"))

    by_outlook = land(
        mailbox, make_mail(sender=agent.email, answers="known@customer.example", message_id="o@desk.example")
    )
    last = land(mailbox, make_mail(answers="o@desk.example", references="known@customer.example o@desk.example"))

    assert by_outlook.ticket == last.ticket == first.ticket
    assert by_outlook.author is None
    assert by_outlook.contact != first.contact


def test_an_answer_that_comes_before_what_it_answers_shares_its_ticket(mailbox: Mailbox) -> None:
    answer = land(mailbox, make_mail("And the colour is wrong.", answers="late@customer.example"))

    late = land(mailbox, make_mail(message_id="late@customer.example"))

    assert late.ticket == answer.ticket


def test_two_answers_at_once_to_a_thread_that_nobody_knows_open_one_ticket(
    mailbox: Mailbox, transactional_db: None
) -> None:
    from threading import Thread

    from django.db import connection

    rows = [
        receiving.store(
            mailbox, make_mail(f"Part {n}", answers="root@customer.example"), source="pipe", now=timezone.now()
        )
        for n in range(4)
    ]

    def work(pk: int) -> None:
        receiving.process(pk)
        connection.close()

    workers = [Thread(target=work, args=(row.pk,)) for row in rows]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    land(mailbox, make_mail(message_id="root@customer.example"))
    assert Message.objects.count() == 5
    assert Ticket.objects.count() == 1


def test_a_forward_to_another_team_opens_a_ticket_there(mailbox: Mailbox) -> None:
    sales = make_mailbox("sales@desk.example")
    first = land(mailbox, make_mail(message_id="known@customer.example"))

    forward = land(sales, make_mail(subject="VL: Wrong size", to=sales.address, answers="known@customer.example"))

    assert forward.ticket != first.ticket


def test_an_answer_that_was_sent_to_another_team_lands_on_its_ticket(mailbox: Mailbox) -> None:
    sales = make_mailbox("sales@desk.example")
    first = land(mailbox, make_mail(message_id="known@customer.example"))

    answer = land(sales, make_mail(to=sales.address, answers="known@customer.example"))

    assert answer.ticket == first.ticket


def test_one_mail_to_two_teams_is_a_ticket_in_each_and_the_answer_to_both_is_one_message(
    mailbox: Mailbox, agent: Any
) -> None:
    sales = make_mailbox("sales@desk.example")
    raw = make_mail(to="support@desk.example, sales@desk.example")
    here, there = land(mailbox, raw), land(sales, raw)
    assert here.ticket != there.ticket

    ours = reply(ticket_of(here), by=agent, text="We send you an M.")
    answer = make_mail(to="support@desk.example, sales@desk.example", answers=ours.message_id)
    outcomes = [take_in(box, answer).outcome for box in (mailbox, sales)]

    assert outcomes == ["appended", "duplicate"]


def test_two_teams_write_to_each_other_and_each_keeps_its_own_ticket(mailbox: Mailbox, agent: Any) -> None:
    sales = make_mailbox("sales@desk.example")
    first = land(mailbox, make_mail(sender="sales@desk.example", to="support@desk.example"))

    assert ticket_of(first).contact is not None
    assert first.ticket == land(mailbox, make_mail(sender="sales@desk.example", answers=first.message_id)).ticket
    assert sales.conversations.count() == 0


def test_an_answer_reopens_a_ticket_that_was_closed_lately(mailbox: Mailbox) -> None:
    first = land(mailbox, make_mail(message_id="known@customer.example"))
    close(ticket_of(first), days_ago=3)

    answer = land(mailbox, make_mail("It broke again.", answers="known@customer.example"))

    assert answer.ticket == first.ticket
    assert ticket_of(first).turn == Kind.WAITING_ON_US


def test_an_answer_to_a_ticket_closed_long_ago_opens_one_that_follows_up(mailbox: Mailbox) -> None:
    first = land(mailbox, make_mail(message_id="known@customer.example"))
    close(ticket_of(first), days_ago=31)

    answer = land(mailbox, make_mail("It broke again.", answers="known@customer.example"))
    another = land(mailbox, make_mail("Please hurry.", answers="known@customer.example"))

    assert answer.ticket != first.ticket
    assert another.ticket == answer.ticket
    link = ticket_of(answer).links.get()
    assert (link.other, link.kind) == (first.ticket, "follow_up")
    assert ticket_of(first).turn == Kind.CLOSED


def test_a_pipeline_may_say_that_answers_never_reopen(mailbox: Mailbox) -> None:
    first = land(mailbox, make_mail(message_id="known@customer.example"))
    pipeline = ticket_of(first).pipeline
    pipeline.reopening = Reopening.NEVER
    pipeline.save()
    close(ticket_of(first))

    assert land(mailbox, make_mail(answers="known@customer.example")).ticket != first.ticket


def test_an_answer_to_a_ticket_in_the_trash_opens_one_that_follows_up(mailbox: Mailbox, agent: Any) -> None:
    first = land(mailbox, make_mail(message_id="known@customer.example"))
    ticket_of(first).trash(by=make_user("admin"), now=timezone.now())

    assert land(mailbox, make_mail(answers="known@customer.example")).ticket != first.ticket
