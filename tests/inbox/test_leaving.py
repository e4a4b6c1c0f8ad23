"""A mail that was written to leave later, and what the desk did between its writing and its leaving."""

from __future__ import annotations

import email.utils
import logging
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from inbox.errors import NotYours, TicketInTrash
from inbox.models import Draft, Message, Outgoing, OutgoingState, Upload
from inbox.replying import send
from people.models import Role, User
from tests.factories import make_contact, make_mailbox, make_message, make_pipeline, make_ticket, make_user
from tests.mail_servers import SmtpServer
from tests.signing_in import signed_in
from tickets.models import Kind, Notification, Pipeline, Property, Ticket

pytestmark = pytest.mark.django_db

NOW = timezone.now()
TOMORROW = NOW + timedelta(days=1)


@pytest.fixture
def agent() -> User:
    return make_user(name="Maija Virtanen", undo_seconds=10)


@pytest.fixture
def ticket(smtp_server: SmtpServer) -> Ticket:
    box = make_mailbox(
        "support@desk.example", smtp_host=smtp_server.host, smtp_port=smtp_server.port, smtp_security="none"
    )
    ticket = make_ticket(contact=make_contact("elina@customer.example"))
    make_message(ticket, mailbox=box)
    return ticket


def write(agent: User, ticket: Ticket, text: str = "We send another.", **more: Any) -> Outgoing:
    draft = Draft(user=agent, ticket=ticket, mode="reply", text=text)
    return send(draft, by=agent, due_at=TOMORROW, overrides=None, now=NOW, **more).outgoing


def close(ticket: Ticket) -> dict[str, Any]:
    Property.objects.create(key="cause", name="Root cause")
    return {"status": ticket.pipeline.first_status(Kind.CLOSED), "properties": {"cause": "Picking"}}


def date_of(smtp_server: SmtpServer) -> datetime:
    [taken] = smtp_server.taken
    return email.utils.parsedate_to_datetime(taken.message["Date"])


def leave(outgoing: Outgoing, at: datetime) -> Ticket:
    outgoing.send_now(now=at)
    outgoing.refresh_from_db()
    assert outgoing.state == OutgoingState.SENT
    return Ticket.objects.get(messages=outgoing.message_id)


def test_a_mail_says_when_it_left_not_when_it_was_to(agent: User, ticket: Ticket, smtp_server: SmtpServer) -> None:
    outgoing = write(agent, ticket)
    written = outgoing.mime.name
    late = TOMORROW + timedelta(hours=3)  # the desk was switched off
    leave(outgoing, late)
    assert abs(date_of(smtp_server) - late) < timedelta(seconds=1)
    assert Message.objects.get(pk=outgoing.message_id).at == late
    assert outgoing.mime.name != written


def test_what_it_was_before_is_not_kept(agent: User, ticket: Ticket, on_commit: Any) -> None:
    outgoing = write(agent, ticket)
    written = outgoing.mime.name
    with on_commit():
        leave(outgoing, TOMORROW)
    assert default_storage.exists(outgoing.mime.name)
    assert not default_storage.exists(written)


def test_a_mail_whose_file_cannot_be_read_again_leaves_as_it_was_written(
    agent: User, ticket: Ticket, smtp_server: SmtpServer, caplog: Any
) -> None:
    upload = Upload.objects.create(
        user=agent, name="chart.pdf", content_type="application/pdf", size=4, file=ContentFile(b"%PDF", "chart.pdf")
    )
    outgoing = write(agent, ticket, uploads=[upload])
    default_storage.delete(outgoing.message.attachments.get().file.name)
    with caplog.at_level(logging.WARNING):
        leave(outgoing, TOMORROW + timedelta(hours=3))
    assert abs(date_of(smtp_server) - TOMORROW) < timedelta(seconds=1)
    assert "chart.pdf" in smtp_server.taken[0].raw.decode()
    assert "it keeps the date of its writing" in caplog.text


def test_what_went_with_it_happens_when_it_leaves(agent: User, ticket: Ticket, smtp_server: SmtpServer) -> None:
    left = leave(write(agent, ticket, **close(ticket)), TOMORROW)
    assert (left.turn, left.properties, left.owner) == (Kind.CLOSED, {"cause": "Picking"}, agent)
    assert left.last_message_at == TOMORROW


def test_a_mail_leaves_though_the_desk_gave_up_the_property_that_went_with_it(
    agent: User, ticket: Ticket, smtp_server: SmtpServer, caplog: Any
) -> None:
    outgoing = write(agent, ticket, **close(ticket))
    Property.objects.all().delete()
    with caplog.at_level(logging.WARNING):
        left = leave(outgoing, TOMORROW)
    assert len(smtp_server.taken) == 1
    assert (left.turn, left.properties, left.owner) == (Kind.WAITING_ON_CONTACT, {}, agent), "answered, no more"
    assert left.message_count == 2
    assert "did not take what was to go with it" in caplog.text


def test_of_a_ticket_that_is_in_another_pipeline_by_now_only_the_status_is_left_out(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    outgoing = write(agent, ticket, **close(ticket))
    elsewhere = make_pipeline("Returns")
    Ticket.objects.update(pipeline=elsewhere, status=elsewhere.first_status(Kind.NEW))
    left = leave(outgoing, TOMORROW)
    assert left.status == elsewhere.first_status(Kind.WAITING_ON_CONTACT)
    assert left.properties == {"cause": "Picking"}


def test_a_status_that_is_gone_by_now_leaves_the_pipeline_to_itself(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    wanted = close(ticket)
    outgoing = write(agent, ticket, **wanted)
    Pipeline.objects.get().statuses.filter(pk=wanted["status"].pk).delete()
    left = leave(outgoing, TOMORROW)
    assert (left.turn, left.properties) == (Kind.WAITING_ON_CONTACT, {"cause": "Picking"})


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        ("asks", "it asks for Refund first"),
        ("gone", "not among the statuses of the ticket's pipeline any more"),
        ("properties", "what was filled in with it cannot be set any more"),
    ],
)
def test_of_a_status_that_cannot_be_set_when_a_mail_leaves_its_writer_hears_and_the_history_tells(
    agent: User, ticket: Ticket, smtp_server: SmtpServer, meanwhile: str, why: str
) -> None:
    wanted = close(ticket)
    outgoing = write(agent, ticket, **wanted)
    if meanwhile == "asks":
        Property.objects.create(key="refund", name="Refund")
        ticket.pipeline.statuses.filter(pk=wanted["status"].pk).update(required=["refund"])
    elif meanwhile == "gone":
        ticket.pipeline.statuses.filter(pk=wanted["status"].pk).delete()
    else:
        Property.objects.all().delete()
    left = leave(outgoing, TOMORROW)
    assert left.turn == Kind.WAITING_ON_CONTACT, "it was answered all the same"
    told = Notification.objects.get(user=agent, kind="sending")
    assert told.anchor == f"e{left.events.latest('pk').pk}"
    browser = signed_in(agent)
    page = browser.get(f"/tickets/{ticket.number}/").content.decode()
    assert "was to set could not be set: <b>Closed</b>" in page
    assert why in page
    bell = browser.get("/notifications/").content.decode()
    assert "A mail was sent, but its status could not be set" in bell
    assert "A mail was not sent" not in bell


def test_of_a_status_that_is_set_when_a_mail_leaves_nobody_hears(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    leave(write(agent, ticket, **close(ticket)), TOMORROW)
    assert not Notification.objects.filter(kind="sending").exists()


def test_only_its_writer_lets_a_mail_go_before_its_time(agent: User, ticket: Ticket, smtp_server: SmtpServer) -> None:
    outgoing = write(agent, ticket)
    with pytest.raises(NotYours):
        outgoing.let_go(by=make_user(Role.ADMIN), now=NOW)
    outgoing.send_now(now=NOW)
    assert smtp_server.taken == []
    assert outgoing.let_go(by=agent, now=NOW)
    leave(outgoing, NOW)
    assert not outgoing.let_go(by=agent, now=NOW), "it has left"


def test_from_a_ticket_in_the_trash_nothing_is_let_go(agent: User, ticket: Ticket) -> None:
    outgoing = write(agent, ticket)
    ticket.trash(by=None, now=NOW)
    fresh = Outgoing.objects.get()
    with pytest.raises(TicketInTrash):
        fresh.let_go(by=agent, now=NOW)
    assert Outgoing.objects.get().due_at == outgoing.due_at
