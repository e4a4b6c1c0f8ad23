"""A connection test against a real SMTP server, and what it says when something is wrong."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from inbox.channels.smtp.checking import check
from inbox.channels.steps import Step
from inbox.models import Mailbox
from tests.certificates import Authority, self_signed
from tests.mail_servers import PASSWORD, SmtpServer, free_port

Secure = Callable[..., int]


def mailbox(port: int, **fields: Any) -> Mailbox:
    fields = {"address": "support@desk.example", "smtp_host": "127.0.0.1", "smtp_security": "none"} | fields
    return Mailbox(smtp_port=port, **fields)


def names(steps: list[Step]) -> list[str]:
    return [step.name if step.ok else f"not {step.name}" for step in steps]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence of a server that waits for TLS is noticed sooner than in life."""
    monkeypatch.setattr("inbox.channels.reaching.PATIENCE_WITH_GREETING", 0.5)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    """Starts an SMTP server with this certificate, with TLS from the start or by STARTTLS; gives its port."""
    running: list[Controller] = []

    def start(files: tuple[Path, Path], *, from_start: bool) -> int:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*files)
        server, port = SmtpServer(), free_port()
        kind = {"ssl_context": context} if from_start else {"tls_context": context, "require_starttls": True}
        controller = Controller(
            server,
            hostname="127.0.0.1",
            port=port,
            authenticator=server._authenticate,
            auth_require_tls=False,
            ready_timeout=10,
            **kind,
        )
        with contextlib.suppress(ssl.SSLError):  # its own look at itself trusts no such certificate; it runs
            controller.start()
        running.append(controller)
        return port

    yield start
    for controller in running:
        controller.stop(no_assert=True)


def test_all_well_with_a_login_and_no_mail_is_sent(smtp_server: SmtpServer) -> None:
    steps = check(mailbox(smtp_server.port, smtp_user="support", smtp_password=PASSWORD))
    assert names(steps) == ["dns", "connect", "login", "may send"]
    assert smtp_server.taken == []


def test_a_mailbox_that_does_not_send_has_nothing_to_check() -> None:
    assert check(mailbox(25, smtp_host="")) == []


def test_a_wrong_password(smtp_server: SmtpServer) -> None:
    steps = check(mailbox(smtp_server.port, smtp_user="support", smtp_password="not-the-one"))
    assert names(steps) == ["dns", "connect", "not login"]
    assert "refused this user name or password" in steps[-1].message
    assert steps[-1].said.startswith("535")
    assert "not-the-one" not in repr(steps)


def test_an_address_that_the_account_may_not_use(smtp_server: SmtpServer) -> None:
    smtp_server.answer_to["mail"] = lambda _: "553 5.7.1 Sender address rejected: not owned by user"
    steps = check(mailbox(smtp_server.port, smtp_user="support", smtp_password=PASSWORD))
    assert names(steps)[-1] == "not may send"
    assert "may not send as support@desk.example" in steps[-1].message
    assert "not owned by user" in steps[-1].said


def test_a_server_that_wants_a_login(smtp_server: SmtpServer) -> None:
    smtp_server.answer_to["mail"] = lambda _: "530 5.7.0 Authentication required"
    steps = check(mailbox(smtp_server.port))
    assert "wants a login" in steps[-1].message


def test_a_server_that_does_not_know_the_address(smtp_server: SmtpServer) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: "550 5.7.1 Relaying denied"
    steps = check(mailbox(smtp_server.port))
    assert names(steps)[-1] == "not may send"
    assert "Relaying denied" in steps[-1].said


def test_a_port_where_nothing_listens() -> None:
    steps = check(mailbox(free_port()))
    assert names(steps) == ["dns", "not connect"]
    assert "Nothing listens" in steps[-1].message


def test_starttls_and_tls_on_a_plain_server(smtp_server: SmtpServer) -> None:
    steps = check(mailbox(smtp_server.port, smtp_security="starttls"))
    assert "offers no STARTTLS" in steps[-1].message
    steps = check(mailbox(smtp_server.port, smtp_security="ssl"))
    assert "does not speak TLS" in steps[-1].message


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_tls_with_a_private_ca(secure: Secure, tmp_path: Path, security: str) -> None:
    authority = Authority()
    port = secure(authority.issue(tmp_path), from_start=security == "ssl")
    good = {"smtp_host": "localhost", "smtp_security": security, "ca_certificate": authority.pem}
    assert names(check(mailbox(port, **good, smtp_user="u", smtp_password=PASSWORD))) == [
        "dns", "connect", "tls", "login", "may send",
    ]  # fmt: skip
    steps = check(mailbox(port, **(good | {"ca_certificate": ""})))
    assert names(steps)[-1] == "not tls"
    assert "authority that is not known" in steps[-1].message


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_self_signed_certificate_is_refused_unless_it_is_given(secure: Secure, tmp_path: Path, security: str) -> None:
    files = self_signed(tmp_path)
    port = secure(files, from_start=security == "ssl")
    box = mailbox(port, smtp_host="localhost", smtp_security=security)
    assert "self-signed" in check(box)[-1].message
    box.ca_certificate = files[0].read_text()
    assert names(check(box))[-1] == "may send"


def test_a_port_that_speaks_tls_from_the_start(secure: Secure, tmp_path: Path) -> None:
    port = secure(self_signed(tmp_path), from_start=True)
    steps = check(mailbox(port, smtp_security="starttls"))
    assert "speaks TLS from the start" in steps[-1].message
