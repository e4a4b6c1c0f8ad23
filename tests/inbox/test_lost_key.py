"""A desk whose encryption key was lost: everything works but signing in, and the places where one mends it work too."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from helpdesk.secrets import Unreadable
from inbox import tasks
from inbox.channels.imap import checking as imap_checking
from inbox.channels.smtp import checking as smtp_checking
from inbox.models import Incoming, Mailbox, Outgoing, OutgoingState
from inbox.replying import reply
from people.models import Role
from tests.factories import make_message, make_ticket, make_user
from tests.inbox.channels.test_imap_fetching import make_fetched
from tests.inbox.mails import make_mail
from tests.mail_servers import PASSWORD, Dovecot, SmtpServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def old_keys(settings: Any) -> list[str]:
    return list(settings.HELPDESK_ENCRYPTION_KEYS)


@pytest.fixture
def box(dovecot: Dovecot, smtp_server: SmtpServer, old_keys: list[str], settings: Any) -> Mailbox:
    box = make_fetched(
        dovecot,
        smtp_host=smtp_server.host,
        smtp_port=smtp_server.port,
        smtp_security="none",
        smtp_user="support",
        smtp_password=PASSWORD,
    )
    settings.HELPDESK_ENCRYPTION_KEYS = ["bm90IHRoZSBrZXkgdGhhdCBpdCB3YXMgd3JpdHRlbiA="]
    return Mailbox.objects.get(pk=box.pk)


def written(box: Mailbox) -> Outgoing:
    ticket = make_ticket()
    make_message(ticket, mailbox=box)
    return reply(ticket, by=make_user(), text="It is on its way.").outgoing


def test_a_password_is_only_read_where_it_is_asked_for(box: Mailbox) -> None:
    assert box.imap_password
    assert PASSWORD not in repr(box.imap_password)
    with pytest.raises(Unreadable):
        str(box.imap_password)


def test_a_mailbox_can_be_saved_and_keeps_what_it_cannot_read(box: Mailbox, old_keys: list[str], settings: Any) -> None:
    box.name = "Renamed"
    box.save()
    settings.HELPDESK_ENCRYPTION_KEYS = old_keys
    assert str(Mailbox.objects.get(name="Renamed").imap_password) == PASSWORD


@pytest.mark.parametrize(
    "page",
    [
        *(
            "/settings/mailboxes/",
            "/settings/mailboxes/{}/",
            "/admin/inbox/mailbox/",
            "/admin/inbox/mailbox/{}/change/",
        ),
        *("/admin/inbox/incoming/", "/admin/inbox/outgoing/", "/admin/inbox/conversation/"),
        *("/admin/inbox/mailfolder/", "/admin/inbox/fetchgap/"),
    ],
)
def test_the_pages_where_one_looks_and_mends_open(box: Mailbox, client: Client, page: str) -> None:
    written(box)
    receive(box)
    client.force_login(make_user(Role.ADMIN))
    assert client.get(page.format(box.pk)).status_code == 200


def test_the_settings_page_takes_a_new_password(box: Mailbox, client: Client) -> None:
    client.force_login(make_user(Role.ADMIN))
    typed = {
        name: getattr(box, name)
        for name in (
            *("address", "name", "poll_seconds", "imap_host", "imap_port", "imap_security", "imap_user"),
            *("imap_folder", "smtp_host", "smtp_port", "smtp_security", "smtp_user"),
        )
    }
    typed |= {"enabled": "on", "makes_tickets": "on", "imap_password": PASSWORD, "smtp_password": PASSWORD}
    assert client.post(f"/settings/mailboxes/{box.pk}/", typed).status_code == 302
    assert str(Mailbox.objects.get().imap_password) == str(Mailbox.objects.get().smtp_password) == PASSWORD


def receive(box: Mailbox) -> None:
    class Standard:
        buffer = io.BytesIO(make_mail())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", Standard())
        call_command("receive", "--mailbox", box.address)


def test_the_pipe_takes_mail_in(box: Mailbox) -> None:
    receive(box)
    tasks.process_incoming(Incoming.objects.get().pk)
    assert Incoming.objects.get().outcome == "opened"


def test_fetching_says_it_on_the_mailbox(box: Mailbox) -> None:
    tasks.poll_mailbox(box.pk)
    assert "stored password cannot be read" in Mailbox.objects.get().fetch_error
    assert Mailbox.objects.get().failed_polls == 1


def test_sending_waits_and_says_it_on_the_mailbox(box: Mailbox) -> None:
    outgoing = written(box)
    outgoing.send_now()
    assert outgoing.state == OutgoingState.DEFERRED
    assert outgoing.tries == 1
    assert "stored password cannot be read" in Mailbox.objects.get().send_error


def test_the_connection_test_says_it_at_the_sign_in(box: Mailbox) -> None:
    for steps in (imap_checking.check(box), smtp_checking.check(box)):
        assert (steps[-1].name, steps[-1].ok) == ("login", False)
        assert "Enter it again" in steps[-1].message
