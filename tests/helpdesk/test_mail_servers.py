"""The servers that other tests stand on do what those tests take for granted."""

import smtplib
from typing import Any

import pytest


def test_a_mail_delivered_to_dovecot_lies_in_that_inbox_only(dovecot: Any) -> None:
    dovecot.deliver("anna@example.com", b"Subject: one\r\n\r\nHello\r\n")
    found = {user: dovecot.login(user).select("INBOX")[1][0] for user in ("anna@example.com", "ben@example.com")}
    assert found == {"anna@example.com": b"1", "ben@example.com": b"0"}


def test_the_smtp_server_refuses_one_recipient_as_told_and_takes_the_other(smtp_server: Any) -> None:
    smtp_server.answer_to["rcpt"] = lambda address: "550 no such user" if address.startswith("gone") else None
    with smtplib.SMTP(smtp_server.host, smtp_server.port, timeout=5) as client:
        refused = client.sendmail("desk@example.com", ["gone@example.com", "here@example.com"], b"Subject: x\r\n\r\ny")
    assert refused == {"gone@example.com": (550, b"no such user")}
    assert smtp_server.taken[0].recipients == ["here@example.com"]


def test_a_connection_lost_after_the_mail_looks_like_that(smtp_server: Any) -> None:
    smtp_server.cut_after_data = True
    with pytest.raises(smtplib.SMTPServerDisconnected):
        smtplib.SMTP(smtp_server.host, smtp_server.port, timeout=5).sendmail("a@b.c", ["d@e.f"], b"Subject: x\r\n\r\ny")
    assert len(smtp_server.taken) == 1
