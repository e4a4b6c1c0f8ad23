"""What a newcomer finds after the first `make run`."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from inbox.models import Attachment, Conversation, Incoming, Mailbox, Message, Outgoing, RoomMail
from library.models import Snippet
from people.models import Role, User
from tests.factories import make_user
from tickets.describing import required_fields
from tickets.models import Kind, Ticket


def load_demo(says: StringIO | None = None) -> str:
    said = StringIO()
    call_command("load_demo", stdout=said, stderr=says or StringIO())
    return said.getvalue()


def test_it_says_that_it_puts_demo_data_in_only_when_it_does(db: None, settings: Any) -> None:
    settings.HELPDESK_MAIL_ROOM = True
    meanwhile = StringIO()
    load_demo(meanwhile)
    assert meanwhile.getvalue() == "Putting in demo data …\n"
    meanwhile = StringIO()
    load_demo(meanwhile)
    assert meanwhile.getvalue() == ""


@pytest.fixture
def demo(db: None, settings: Any) -> str:
    settings.HELPDESK_MAIL_ROOM = True
    return load_demo()


def test_the_demo_is_a_desk_in_the_middle_of_its_work(demo: str, client: Client) -> None:
    roles = [user.role for user in User.objects.all()]
    assert [roles.count(role) for role in (Role.ADMIN, Role.AGENT, Role.COLLABORATOR)] == [1, 3, 1]
    assert Mailbox.objects.filter(uses_mail_room=True, imap_host="").count() == 2
    assert Ticket.objects.count() == 14

    # every mail went the way of real mail, and every answer has left
    assert not Incoming.objects.exclude(state="done", outcome__in=["opened", "appended"]).exists()
    assert not Outgoing.objects.exclude(state="sent").exists()
    assert Conversation.objects.count() == 13

    # one was made by hand, in a pipeline that asks for something before a ticket is closed
    by_hand = Ticket.objects.get(source="manual")
    assert (by_hand.conversations.count(), by_hand.properties) == (0, {"product": "Suvanto 45"})
    assert [field.key for field in required_fields(by_hand.pipeline.first_status(Kind.CLOSED), by_hand)] == [
        "root_cause"
    ]

    assert {snippet.shortcut: snippet.owner for snippet in Snippet.objects.all()}["swap"] is None
    assert set(Ticket.objects.values_list("turn", flat=True)) == set(Kind)
    assert Ticket.objects.filter(owner=None).exists()
    assert Ticket.objects.filter(priority=4).exists()
    assert set(Attachment.objects.values_list("content_type", flat=True)) >= {
        "application/pdf",
        "image/png",
        "text/csv",
    }
    assert Attachment.objects.filter(inline=True, content_type="image/png").exists()
    assert Message.objects.filter(remote_images__gt=0).exists()
    assert Message.objects.filter(direction="internal").exists()
    assert Ticket.objects.filter(company=None).exists()
    now = timezone.now()
    assert not Ticket.objects.filter(last_message_at__gt=now).exists()
    assert RoomMail.objects.count() == Incoming.objects.count() + Outgoing.objects.count()

    # whoever reads what it says can sign in
    password = demo.partition("password: ")[2].split()[0]
    client.post("/login/", {"username": "aino@korpi.example", "password": password})
    assert client.get("/mail-room/").status_code == 200
    assert "FOR TRIAL ONLY" in demo


def test_a_customers_answer_lies_in_one_thread_with_ours(demo: str) -> None:
    mails = RoomMail.objects.of("elina.saarinen@luukku.example").filter(subject__contains="Wrong size")
    assert len({mail.thread_id for mail in mails}) == 1
    assert len(mails) == 3


def test_a_desk_that_has_users_is_left_alone(db: None, settings: Any) -> None:
    settings.HELPDESK_MAIL_ROOM = True
    make_user()
    meanwhile = StringIO()
    assert "no demo data" in load_demo(meanwhile)
    assert meanwhile.getvalue() == ""
    assert not Ticket.objects.exists()
    assert not Mailbox.objects.exists()


def test_without_a_mail_room_there_is_no_demo_and_in_production_it_is_refused(db: None, settings: Any) -> None:
    settings.HELPDESK_MAIL_ROOM = settings.HELPDESK_PRODUCTION = False
    assert "create_user" in load_demo()
    settings.HELPDESK_PRODUCTION = True
    with pytest.raises(CommandError):
        load_demo()
    assert not User.objects.exists()
