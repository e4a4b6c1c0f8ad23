"""What people script against: poll, receive, reconcile, process_again."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from inbox.models import Incoming, Mailbox, Message
from tests.factories import make_mailbox
from tests.inbox.channels.test_imap_fetching import make_fetched
from tests.inbox.mails import make_mail
from tests.mail_servers import Dovecot, free_port
from tests.processes import run as run_process

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox() -> Mailbox:
    return make_mailbox("support@desk.example")


def run(*words: Any) -> list[Any]:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_poll_says_what_became_of_each_mail(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    raw = make_mail(message_id="known@customer.example")
    for one in (raw, raw, make_mail(answers="known@customer.example")):
        dovecot.deliver(mailbox.imap_user, one)

    assert run("poll", "--mailbox", mailbox.address, "--json") == [
        {"fetched": 3, "opened": 1, "appended": 1, "refused": 0, "duplicate": 1, "quarantined": 0}
    ]
    assert run("poll", "--json")[0]["fetched"] == 0


def test_poll_of_a_mailbox_that_fails_says_why_and_exits_with_1(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot, imap_password="not it")
    with pytest.raises(CommandError, match="refuses this user name and password") as refused:
        run("poll", "--mailbox", mailbox.address, "--json")
    assert refused.value.returncode == 1


def test_reconcile_exits_with_1_while_a_mail_is_missing(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    dovecot.deliver(mailbox.imap_user, make_mail())

    with pytest.raises(SystemExit) as missing:
        run("reconcile", "--mailbox", mailbox.address, "--json")
    assert missing.value.code == 1

    run("poll", "--json")
    assert run("reconcile", "--json") == [{"on_server": 1, "stored": 1, "missing": 0}]


def test_receive_prints_one_line_for_each_mail(mailbox: Mailbox, tmp_path: Path) -> None:
    raw = make_mail(message_id="known@customer.example")
    for name, content in {"a": raw, "b": make_mail(answers="known@customer.example"), "c": raw}.items():
        (tmp_path / name).write_bytes(content)

    first, second, third = run("receive", "--mailbox", "Support@Desk.example", "--json", *[tmp_path / n for n in "abc"])

    assert (first["state"], first["outcome"]) == ("done", "opened")
    assert (second["outcome"], second["ticket"]) == ("appended", first["ticket"])
    assert (third["outcome"], third["incoming"], third["message"]) == ("duplicate", first["incoming"], first["message"])
    assert Message.objects.count() == 2


def test_receive_reads_standard_input(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(make_mail())))
    (line,) = run("receive", "--mailbox", mailbox.address, "--json")
    assert line["outcome"] == "opened"


def test_receive_refuses_an_unknown_mailbox_with_67(mailbox: Mailbox) -> None:
    with pytest.raises(CommandError, match=r"There is no mailbox nobody@desk\.example") as refused:
        run("receive", "--mailbox", "nobody@desk.example", "-")
    assert refused.value.returncode == 67


def test_receive_refuses_wrong_usage_with_64_and_stores_nothing(mailbox: Mailbox, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(make_mail())
    with pytest.raises(CommandError) as refused:
        run("receive", "--mailbox", mailbox.address, tmp_path / "a", tmp_path / "not there")
    assert refused.value.returncode == 64
    assert not Incoming.objects.exists()


def test_process_again_names_what_is_not_in_quarantine(mailbox: Mailbox) -> None:
    with pytest.raises(CommandError, match="Not in quarantine: 7"):
        run("process_again", 7)


def test_an_mta_hears_what_it_needs_to_know(mailbox: Mailbox, transactional_db: None) -> None:
    taken = run_process("receive", "--mailbox", mailbox.address, "--json", stdin=make_mail())
    unknown = run_process("receive", "--mailbox", "nobody@desk.example", stdin=make_mail())
    misused = run_process("receive", "--mailbox")
    away = run_process(
        "receive",
        "--mailbox",
        mailbox.address,
        stdin=make_mail(),
        DATABASE_URL=f"postgresql://nobody@127.0.0.1:{free_port()}/none",
    )

    assert (taken.returncode, json.loads(taken.stdout)["outcome"]) == (0, "opened")
    assert (unknown.returncode, misused.returncode, away.returncode) == (67, 64, 75)
    assert "There is no mailbox nobody@desk.example" in unknown.stderr
    assert "try again later" in away.stderr
