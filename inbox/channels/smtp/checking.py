"""A connection test of the server that sends for a mailbox."""

from __future__ import annotations

import contextlib
import smtplib

from django.utils.translation import gettext as _

from inbox.channels.passwords import PasswordUnreadable, revealed
from inbox.channels.reaching import PATIENCE, SMTP, encrypted, failed_tls, reach
from inbox.channels.smtp.connection import Server, connected, server_of, started_tls
from inbox.channels.steps import Step, all_well, cut
from inbox.models.mailbox import Mailbox, Security


def check(mailbox: Mailbox) -> list[Step]:
    """DNS, connect, TLS, login, may send; ends with the first that fails. Empty for one that does not send.

    No mail is sent: the server is asked whether it would take one from the mailbox to itself, and then told to forget it.
    """
    server = server_of(mailbox)
    if not server.host:
        return []
    steps = reach(SMTP, server.host, server.port, server.security, mailbox.ca_certificate)
    if not all_well(steps):
        return steps
    smtp: smtplib.SMTP | None = None
    try:
        smtp = connected(server, ca_certificate=mailbox.ca_certificate, name=mailbox.domain, timeout=PATIENCE)
        for step in (_start_tls, _log_in, _may_send):
            if found := step(smtp, server, mailbox):
                steps.append(found)
                if not found.ok:
                    break
    except (OSError, smtplib.SMTPException) as problem:
        message = _("%(host)s ended the connection. Try again.") % {"host": server.host}
        steps.append(Step("connect", False, message, cut(problem)))
    finally:
        if smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()
    return steps


def _start_tls(smtp: smtplib.SMTP, server: Server, mailbox: Mailbox) -> Step | None:
    if server.security != Security.STARTTLS:
        return None
    try:
        started_tls(smtp, ca_certificate=mailbox.ca_certificate)
    except smtplib.SMTPException as problem:
        message = _("%(host)s offers no STARTTLS. Choose SSL/TLS and its port.") % {"host": server.host}
        return Step("tls", False, message, cut(problem))
    except OSError as problem:
        return failed_tls(problem, server.host, server.port)
    return encrypted(smtp.sock)


def _log_in(smtp: smtplib.SMTP, server: Server, mailbox: Mailbox) -> Step | None:
    if not server.user:
        return None
    try:
        password = revealed(server.password)
    except PasswordUnreadable as problem:
        return Step("login", False, str(problem))
    try:
        smtp.login(server.user, password)
    except smtplib.SMTPAuthenticationError as problem:
        message = _(
            "The server refused this user name or password. If the account uses two-step sign-in, create an app "
            "password."
        )
        return Step("login", False, message, _said(problem.smtp_code, problem.smtp_error, hiding=password))
    except smtplib.SMTPNotSupportedError:
        message = (
            _("The server takes passwords only over an encrypted connection. Choose STARTTLS or SSL/TLS.")
            if server.security == Security.NONE
            else _("The server offers no login at this port. Leave the SMTP user empty, or use the port for sending.")
        )
        return Step("login", False, message)
    except UnicodeError:
        message = _("SMTP takes no letters outside ASCII in user names and passwords. Use an app password.")
        return Step("login", False, message)
    except smtplib.SMTPResponseException as problem:
        message = _("The server cannot check passwords at the moment. Try again in some minutes.")
        return Step("login", False, message, _said(problem.smtp_code, problem.smtp_error))
    return Step("login", True, _("Signed in as %(user)s.") % {"user": server.user})


def _may_send(smtp: smtplib.SMTP, server: Server, mailbox: Mailbox) -> Step:
    smtp.ehlo_or_helo_if_needed()
    words = {"address": mailbox.address}
    code, said = smtp.mail(mailbox.address)
    if code != 250:
        if code in (530, 550, 553, 554) and not server.user:
            message = _("The server wants a login before it sends for %(address)s. Enter an SMTP user.")
        else:
            message = _("This account may not send as %(address)s. Allow it on the server, or use another account.")
        return Step("may send", False, message % words, _said(code, said))
    code, said = smtp.rcpt(mailbox.address)
    smtp.rset()
    if code not in (250, 251):
        if code >= 500:
            message = _("The server does not take mail for %(address)s from this account.")
        else:
            message = _("The server would not take a mail for %(address)s at the moment. Try again in some minutes.")
        return Step("may send", False, message % words, _said(code, said))
    return Step("may send", True, _("%(address)s may send here.") % words)


def _said(code: int, words: bytes | str, *, hiding: str = "") -> str:
    """Some servers repeat the command that they refuse, so a secret is taken out of their words."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    if hiding:
        text = text.replace(hiding, "••••••")
    return cut(f"{code} {text}")
