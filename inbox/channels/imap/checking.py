"""A connection test of the server that a mailbox is fetched from."""

from __future__ import annotations

import contextlib

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from imapclient import IMAPClient
from imapclient.exceptions import CapabilityError, IMAPClientError

from inbox.channels import tls
from inbox.channels.passwords import PasswordUnreadable, revealed
from inbox.channels.reaching import IMAP, PATIENCE, encrypted, failed_tls, reach
from inbox.channels.steps import Step, all_well, cut
from inbox.models.mailbox import Mailbox, Security

MOST_FOLDERS_NAMED = 12


def check(mailbox: Mailbox) -> list[Step]:
    """DNS, connect, TLS, login, folder; ends with the first that fails. Empty for one that is not fetched.

    Changes nothing on the server and needs no saved mailbox.
    """
    if not mailbox.imap_host:
        return []
    steps = reach(IMAP, mailbox.imap_host, mailbox.imap_port, mailbox.imap_security, mailbox.ca_certificate)
    if not all_well(steps):
        return steps
    client: IMAPClient | None = None
    try:
        client = _client(mailbox)
        for step in (_start_tls, _log_in, _open_folder):
            if found := step(client, mailbox):
                steps.append(found)
                if not found.ok:
                    break
    except (OSError, IMAPClientError) as problem:
        message = _("%(host)s ended the connection. Try again.") % {"host": mailbox.imap_host}
        steps.append(Step("connect", False, message, cut(problem)))
    finally:
        if client is not None:
            with contextlib.suppress(OSError, IMAPClientError):
                client.logout()
    return steps


def _client(mailbox: Mailbox) -> IMAPClient:
    encrypted_from_start = mailbox.imap_security == Security.SSL
    return IMAPClient(
        mailbox.imap_host,
        mailbox.imap_port,
        ssl=encrypted_from_start,
        ssl_context=tls.context(mailbox.ca_certificate) if encrypted_from_start else None,
        timeout=PATIENCE,
    )


def _start_tls(client: IMAPClient, mailbox: Mailbox) -> Step | None:
    if mailbox.imap_security != Security.STARTTLS:
        return None
    try:
        client.starttls(tls.context(mailbox.ca_certificate))
    except (CapabilityError, IMAPClientError) as problem:
        message = _("%(host)s offers no STARTTLS. Choose SSL/TLS and its port.") % {"host": mailbox.imap_host}
        return Step("tls", False, message, cut(problem))
    except OSError as problem:
        return failed_tls(problem, mailbox.imap_host, mailbox.imap_port)
    return encrypted(client.socket())


def _log_in(client: IMAPClient, mailbox: Mailbox) -> Step:
    try:
        password = revealed(mailbox.imap_password)
    except PasswordUnreadable as problem:
        return Step("login", False, str(problem))
    try:
        client.login(mailbox.imap_user, password)
    except IMAPClientError as problem:
        return Step("login", False, _why_refused(str(problem), client), _without(password, cut(problem)))
    except UnicodeError:
        message = _("IMAP takes no letters outside ASCII in user names and passwords. Use an app password.")
        return Step("login", False, message)
    return Step("login", True, _("Signed in as %(user)s.") % {"user": mailbox.imap_user})


def _why_refused(words: str, client: IMAPClient) -> str:
    words = words.upper()
    with contextlib.suppress(OSError, IMAPClientError):
        if "PRIVACYREQUIRED" in words or "LOGINDISABLED" in words or client.has_capability("LOGINDISABLED"):
            return _("The server takes passwords only over an encrypted connection. Choose STARTTLS or SSL/TLS.")
    if "UNAVAILABLE" in words or "INUSE" in words or "LIMIT" in words:
        return _("The server cannot check passwords at the moment. Try again in some minutes.")
    return _(
        "The server refused this user name or password. If the account uses two-step sign-in, create an app password."
    )


def _open_folder(client: IMAPClient, mailbox: Mailbox) -> Step:
    folder = mailbox.imap_folder
    try:
        answer = client.select_folder(folder, readonly=True)
    except IMAPClientError as problem:
        names = [str(name) for _flags, _delimiter, name in client.list_folders()][:MOST_FOLDERS_NAMED]
        message = _("There is no folder “%(folder)s” in this account. It has: %(names)s.")
        return Step("folder", False, message % {"folder": folder, "names": cut(", ".join(names))}, cut(problem))
    count = int(answer.get(b"EXISTS", 0))
    message = ngettext("%(folder)s holds %(count)d mail.", "%(folder)s holds %(count)d mails.", count)
    return Step("folder", True, message % {"folder": folder, "count": count})


def _without(secret: str, words: str) -> str:
    """Some servers repeat the command that they refuse."""
    return words.replace(secret, "••••••") if secret else words
