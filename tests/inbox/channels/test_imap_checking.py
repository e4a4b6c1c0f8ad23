"""A connection test against a real IMAP server, and what it says when something is wrong."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inbox.channels.imap.checking import check
from inbox.channels.steps import Step
from inbox.models import Mailbox
from tests.certificates import Authority, self_signed
from tests.mail_servers import PASSWORD, Dovecot, free_port


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence of a server that waits for TLS is noticed sooner than in life."""
    monkeypatch.setattr("inbox.channels.reaching.PATIENCE_WITH_GREETING", 0.5)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def secure(dovecot: Dovecot, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    server = Dovecot(dovecot.program, authority.issue(tmp_path_factory.mktemp("good")))
    server.start()
    yield server
    server.stop()


def mailbox(server: Dovecot | None = None, **fields: Any) -> Mailbox:
    fields = {
        "address": "support@desk.example",
        "imap_host": "127.0.0.1",
        "imap_port": server.port if server else 0,
        "imap_security": "none",
        "imap_user": "support",
        "imap_password": PASSWORD,
    } | fields
    return Mailbox(**fields)


def names(steps: list[Step]) -> list[str]:
    return [step.name if step.ok else f"not {step.name}" for step in steps]


def answering(greeting: bytes) -> int:
    """A server that says this to everybody, and nothing more."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            client, _ = listener.accept()
            if greeting:
                client.sendall(greeting)
            else:
                client.close()

    threading.Thread(target=run, daemon=True).start()
    return int(listener.getsockname()[1])


def test_all_well_over_plain_starttls_and_tls(dovecot: Dovecot, secure: Dovecot, authority: Authority) -> None:
    dovecot.deliver("support", b"Subject: hi\r\n\r\nhello\r\n")
    steps = check(mailbox(dovecot))
    assert names(steps) == ["dns", "connect", "login", "folder"]
    assert "INBOX holds" in steps[-1].message
    named = {"imap_host": "localhost", "ca_certificate": authority.pem}
    assert names(check(mailbox(secure, **named, imap_security="starttls"))) == [
        "dns", "connect", "tls", "login", "folder",
    ]  # fmt: skip
    assert names(check(mailbox(secure, **named, imap_security="ssl", imap_port=secure.tls_port))) == [
        "dns", "connect", "tls", "login", "folder",
    ]  # fmt: skip


def test_a_mailbox_that_is_not_fetched_has_nothing_to_check() -> None:
    assert check(mailbox(imap_host="")) == []


def test_a_name_that_nobody_has() -> None:
    [step] = check(mailbox(imap_host="no-such-server.invalid"))
    assert (step.name, step.ok) == ("dns", False)
    assert "no-such-server.invalid" in step.message


def test_a_wrong_password(dovecot: Dovecot) -> None:
    steps = check(mailbox(dovecot, imap_password="not-the-one"))
    assert names(steps) == ["dns", "connect", "not login"]
    assert "refused this user name or password" in steps[-1].message
    assert steps[-1].said.startswith("[AUTHENTICATIONFAILED]")
    assert "not-the-one" not in repr(steps)


def test_an_unknown_folder_is_told_with_those_that_exist(dovecot: Dovecot) -> None:
    steps = check(mailbox(dovecot, imap_folder="Tickets"))
    assert names(steps)[-1] == "not folder"
    assert "no folder “Tickets”" in steps[-1].message
    assert "INBOX" in steps[-1].message


def test_a_port_where_nothing_listens() -> None:
    steps = check(mailbox(imap_port=free_port()))
    assert names(steps) == ["dns", "not connect"]
    assert "Nothing listens" in steps[-1].message


def test_a_port_of_another_kind_of_server() -> None:
    steps = check(mailbox(imap_port=answering(b"220 mail.example ESMTP\r\n")))
    assert names(steps) == ["dns", "not connect"]
    assert "not that of an IMAP server" in steps[-1].message
    assert steps[-1].said == "220 mail.example ESMTP"


def test_a_server_that_turns_us_away() -> None:
    steps = check(mailbox(imap_port=answering(b"* BYE too many connections\r\n")))
    assert "turned us away" in steps[-1].message


def test_tls_on_a_plain_port_and_the_reverse(dovecot: Dovecot, secure: Dovecot) -> None:
    steps = check(mailbox(dovecot, imap_security="ssl"))
    assert names(steps) == ["dns", "connect", "not tls"]
    assert "does not speak TLS" in steps[-1].message
    for security in ("none", "starttls"):
        steps = check(mailbox(secure, imap_security=security, imap_port=secure.tls_port))
        assert names(steps) == ["dns", "not connect"]
        assert "speaks TLS from the start" in steps[-1].message


def test_starttls_where_it_is_not_offered(dovecot: Dovecot) -> None:
    steps = check(mailbox(dovecot, imap_security="starttls"))
    assert names(steps) == ["dns", "connect", "not tls"]
    assert "offers no STARTTLS" in steps[-1].message


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("self-signed", "self-signed certificate"),
        ("expired", "has expired"),
        ("wrong name", "not for localhost"),
        ("unknown authority", "authority that is not known"),
    ],
)
def test_each_fault_of_a_certificate_has_its_own_sentence(
    dovecot: Dovecot, authority: Authority, tmp_path: Path, fault: str, sentence: str
) -> None:
    certificate = {
        "self-signed": lambda: self_signed(tmp_path),
        "expired": lambda: authority.issue(tmp_path, expired=True),
        "wrong name": lambda: authority.issue(tmp_path, "mail.elsewhere.example"),
        "unknown authority": lambda: Authority().issue(tmp_path),
    }[fault]()
    server = Dovecot(dovecot.program, certificate)
    server.start()
    trusted = authority.pem if fault != "self-signed" else ""
    try:
        for security, port in (("ssl", server.tls_port), ("starttls", server.port)):
            named = {"imap_host": "localhost", "imap_port": port, "imap_security": security}
            steps = check(mailbox(server, **named, ca_certificate=trusted))
            assert names(steps) == ["dns", "connect", "not tls"]
            assert sentence in steps[-1].message
    finally:
        server.stop()


def test_a_private_ca_that_is_none(secure: Dovecot) -> None:
    steps = check(mailbox(secure, imap_security="ssl", imap_port=secure.tls_port, ca_certificate="my CA"))
    assert "private CA cannot be read" in steps[-1].message


def test_security_none_is_for_this_machine_only(settings: Any) -> None:
    steps = check(mailbox(imap_host="192.0.2.1", imap_port=143))
    assert names(steps) == ["dns", "not connect"]
    assert "STARTTLS" in steps[-1].message


def test_a_servers_words_are_one_short_line() -> None:
    steps = check(mailbox(imap_port=answering(b"HTTP/1.1 \x1b[31m400" + b"<b>" * 500 + b"\r\n")))
    assert "\x1b" not in steps[-1].said
    assert len(steps[-1].said) < 320
