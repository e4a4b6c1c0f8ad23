"""`connect_mailbox`, as an administrator's script calls it."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inbox.models import Mailbox
from people.models import AuditEntry, Role
from tests.certificates import Authority
from tests.factories import make_mailbox, make_pipeline, make_team, make_user
from tests.mail_servers import PASSWORD, Dovecot, SmtpServer, free_port
from tickets.models import Kind

pytestmark = pytest.mark.django_db


@pytest.fixture
def connect(dovecot: Dovecot, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command as one would on a command line, and gives what it printed."""

    def run(*more: str, address: str = "Support@desk.example", secret: str = PASSWORD, imap: bool = True) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{secret}\n"))
        servers = ["--smtp-host", "127.0.0.1", "--smtp-port", str(smtp_server.port), "--smtp-security", "none"]
        if imap:
            servers += ["--imap-host", "127.0.0.1", "--imap-port", str(dovecot.port), "--imap-security", "none"]
            servers += ["--imap-user", "connect"]
        out = io.StringIO()
        try:
            call_command("connect_mailbox", address, *servers, "--secret-stdin", *more, stdout=out)
        finally:
            run.printed = out.getvalue()  # type: ignore[attr-defined]
        return out.getvalue()

    return run


def test_it_tries_both_servers_and_saves(connect: Any) -> None:
    printed = connect("--smtp-user", "connect")
    box = Mailbox.objects.get()
    assert "support@desk.example is connected" in printed
    assert "SMTP ok" in printed
    assert (box.address, box.name, box.imap_password, box.smtp_password) == (
        "support@desk.example", "support", PASSWORD, PASSWORD,
    )  # fmt: skip
    assert box.folders.get().uidvalidity is not None
    assert PASSWORD not in printed + str(AuditEntry.objects.get().changes)


def test_everything_else_can_be_said_too(connect: Any, tmp_path: Path) -> None:
    pipeline, team, owner = make_pipeline("Returns"), make_team("Helpers"), make_user(Role.AGENT)
    ca = tmp_path / "ca.pem"
    ca.write_text(Authority().pem)
    connect(
        "--name", "Korpi Returns", "--signature", "Korpi Oy", "--pipeline", "Returns", "--status", "Waiting on us",
        "--team", "Helpers", "--owner", owner.email.upper(), "--folder", "INBOX", "--poll-seconds", "120",
        "--ca-file", str(ca), "--import-since", "2026-01-31",
    )  # fmt: skip
    box = Mailbox.objects.get()
    assert (box.name, box.signature, box.poll_seconds) == ("Korpi Returns", "Korpi Oy", 120)
    assert (box.pipeline, box.status.kind, box.team, box.owner) == (pipeline, Kind.WAITING_ON_US, team, owner)
    assert (box.import_since, box.import_all) == (datetime(2026, 1, 31, tzinfo=UTC), False)
    assert "BEGIN CERTIFICATE" in box.ca_certificate


def test_import_all(connect: Any) -> None:
    connect("--import-since", "all")
    assert Mailbox.objects.get().import_all


def test_a_refusal_says_which_server_said_what_and_saves_nothing(connect: Any, smtp_server: SmtpServer) -> None:
    with pytest.raises(CommandError) as refused:
        connect(secret="not-the-one")
    assert refused.value.returncode == 1
    assert "IMAP server 127.0.0.1: The server refused this user name or password" in str(refused.value)
    assert "AUTHENTICATIONFAILED" in str(refused.value)
    smtp_server.answer_to["mail"] = lambda _: "553 5.7.1 Not yours"
    with pytest.raises(CommandError, match=r"SMTP server 127\.0\.0\.1: .*It said: 553 5\.7\.1 Not yours"):
        connect()
    assert not Mailbox.objects.exists()
    assert not AuditEntry.objects.exists()


def test_json_tells_every_step(connect: Any, smtp_server: SmtpServer) -> None:
    result = json.loads(connect("--json"))
    assert result["saved"] is True
    assert result["mailbox"] == Mailbox.objects.get().pk
    assert [step["step"] for step in result["imap"]] == ["dns", "connect", "login", "folder"]
    assert [step["step"] for step in result["smtp"]] == ["dns", "connect", "may send"]
    with pytest.raises(CommandError):
        connect("--json", "--folder", "Nowhere")
    failed = json.loads(connect.printed)
    assert (failed["saved"], failed["imap"][-1]["ok"]) == (False, False)


def test_a_mailbox_without_imap_asks_for_no_password_it_does_not_need(connect: Any) -> None:
    connect("--no-imap", imap=False, secret="")
    box = Mailbox.objects.get()
    assert not box.fetches
    assert (box.imap_user, box.imap_password, box.smtp_password) == ("", "", "")


def test_connecting_again_changes_what_is_there(connect: Any) -> None:
    box = make_mailbox("support@desk.example", name="Korpi Support", signature="Kept", fetch_error="wrong password")
    connect()
    box.refresh_from_db()
    assert (box.imap_user, box.name, box.signature, box.fetch_error) == ("connect", "Korpi Support", "Kept", "")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--no-imap"], "either --imap-host, or --no-imap"),
        (["--import-since", "yesterday"], "now, all or a date"),
        (["--import-since", "2026-02-31"], "now, all or a date"),
        (["--pipeline", "Nowhere"], "no pipeline “Nowhere”"),
        (["--owner", "nobody@desk.example"], "no user “nobody@desk.example”"),
        (["--ca-file", "/nowhere"], "cannot be read"),
        (["--imap-host", "mail.example"], "imap_security"),
        (["--imap-port", str(free_port())], "Nothing listens"),
    ],
)
def test_what_cannot_be_is_said_and_not_saved(connect: Any, more: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        connect(*more)
    assert not Mailbox.objects.exists()


def test_an_empty_standard_input_is_no_password(connect: Any) -> None:
    with pytest.raises(CommandError, match="held no password"):
        connect(secret="")
