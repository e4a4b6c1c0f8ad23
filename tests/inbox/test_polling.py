"""When mailboxes are fetched, and what they say when that fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from helpdesk.registry import health_probes
from inbox import receiving, tasks
from inbox.models import Incoming, Mailbox, Message
from tests.factories import make_mailbox
from tests.inbox.channels.test_imap_fetching import make_fetched
from tests.inbox.mails import make_mail
from tests.mail_servers import Dovecot, free_port
from tests.processes import run

pytestmark = pytest.mark.django_db


def test_a_due_mailbox_is_fetched_and_its_mail_processed(dovecot: Dovecot, on_commit: Any) -> None:
    mailbox = make_fetched(dovecot)
    dovecot.deliver(mailbox.imap_user, make_mail())

    with on_commit():
        tasks.poll_due_mailboxes()

    assert Message.objects.count() == 1
    mailbox.refresh_from_db()
    assert mailbox.fetch_error == ""
    assert mailbox.last_poll_at is not None


def test_a_mailbox_is_due_again_after_its_own_pause(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot, poll_seconds=120)
    now = timezone.now()

    assert Mailbox.objects.take_due(now) == [(mailbox.pk, 120)]
    assert Mailbox.objects.take_due(now + timedelta(seconds=119)) == []
    assert Mailbox.objects.take_due(now + timedelta(seconds=121)) == [(mailbox.pk, 120)]


def test_one_that_is_off_or_only_receives_is_never_fetched(dovecot: Dovecot) -> None:
    make_fetched(dovecot, enabled=False)
    make_mailbox()
    assert Mailbox.objects.take_due(timezone.now()) == []


def test_a_wrong_password_is_said_in_words_tried_ever_more_rarely_and_recovers_alone(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot, imap_password="not it")
    pauses = []
    for failed_before in (0, 1, 4, 9):
        mailbox.failed_polls = failed_before
        before = timezone.now()
        mailbox.fetch()
        assert mailbox.next_poll_at is not None
        pauses.append(round((mailbox.next_poll_at - before).total_seconds() / 60))

    assert pauses == [1, 2, 16, 30]
    assert "refuses this user name and password" in mailbox.fetch_error
    assert "not it" not in mailbox.fetch_error
    assert list(Mailbox.objects.in_error()) == [mailbox]

    mailbox.imap_password = "secret"
    mailbox.save()
    dovecot.deliver(mailbox.imap_user, make_mail())
    assert len(mailbox.fetch().rows) == 1
    assert not Mailbox.objects.in_error().exists()


def test_a_server_that_is_away_and_a_folder_that_is_not_there_are_said_in_words(dovecot: Dovecot) -> None:
    away = make_fetched(dovecot, imap_port=free_port())
    away.fetch()
    assert "takes no connections" in away.fetch_error

    nameless = make_fetched(dovecot, imap_host="no-such-host.invalid", imap_security="ssl")
    nameless.fetch()
    assert "No server with the name no-such-host.invalid" in nameless.fetch_error

    lost = make_fetched(dovecot, imap_folder="Lost and found")
    lost.fetch()
    assert "There is no folder “Lost and found”" in lost.fetch_error

    plain = make_fetched(dovecot, imap_security="ssl")
    plain.fetch()
    assert "does not speak TLS" in plain.fetch_error

    cleartext = make_fetched(dovecot, imap_host="mail.customer.example")
    cleartext.fetch()
    assert "Encryption “none”" in cleartext.fetch_error


def test_a_password_whose_key_is_lost_is_said_on_the_mailbox(dovecot: Dovecot, settings: Any) -> None:
    mailbox = make_fetched(dovecot)
    settings.HELPDESK_ENCRYPTION_KEYS = ["bm90IHRoZSBrZXkgdGhhdCBpdCB3YXMgd3JpdHRlbiA="]

    tasks.poll_mailbox(mailbox.pk)

    assert "cannot be read" in Mailbox.objects.get().fetch_error


def test_the_sweeper_finds_what_the_queue_lost(on_commit: Any) -> None:
    mailbox = make_mailbox()
    lost = receiving.store(mailbox, make_mail(), source="pipe", now=timezone.now())
    fresh = receiving.store(mailbox, make_mail(), source="pipe", now=timezone.now())
    Incoming.objects.filter(pk=lost.pk).update(stored_at=timezone.now() - timedelta(seconds=20))

    with on_commit():
        tasks.sweep()

    lost.refresh_from_db()
    fresh.refresh_from_db()
    assert (lost.state, fresh.state) == ("done", "stored")


def test_health_tells_how_long_mail_waits_and_which_mailboxes_fail() -> None:
    mailbox = make_mailbox(fetch_error="The server is away.")
    make_mailbox()
    waiting = receiving.store(mailbox, make_mail(), source="pipe", now=timezone.now())
    Incoming.objects.filter(pk=waiting.pk).update(stored_at=timezone.now() - timedelta(seconds=90))

    probes = health_probes()
    assert probes["oldest_waiting_incoming_seconds"]() in (89, 90, 91)
    assert probes["mailboxes_in_error"]() == 1


def test_storing_works_while_the_broker_is_away(dovecot: Dovecot, transactional_db: None) -> None:
    mailbox = make_fetched(dovecot)
    dovecot.deliver(mailbox.imap_user, make_mail())

    poll = f"from inbox.tasks import poll_mailbox; poll_mailbox({mailbox.pk})"
    done = run("shell", "-c", poll, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    assert "the sweeper will find it" in done.stderr
    assert Incoming.objects.get().state == "stored"
    mailbox.refresh_from_db()
    assert mailbox.fetch_error == ""
    assert mailbox.last_poll_at is not None
