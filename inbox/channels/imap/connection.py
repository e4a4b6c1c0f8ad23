"""A connection to the server that a mailbox fetches from, and what its refusals mean in words."""

from __future__ import annotations

import contextlib
import imaplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError

from inbox.channels import tls
from inbox.channels.passwords import PasswordUnreadable, revealed
from inbox.channels.steps import cut
from inbox.models.mailbox import Mailbox, Security

PATIENCE = SocketTimeout(connect=10, read=60)
PATIENCE_WITH_GOODBYE = 3

# What a connection can end with: the network, TLS, the server saying no (IMAPClientError is imaplib's error), or a
# password that we cannot read.
PROBLEMS = (OSError, IMAPClientError, EOFError, UnicodeError, PasswordUnreadable)
# After one of these the connection is of no use any more; after another IMAPClientError it is.
BROKEN = (OSError, imaplib.IMAP4.abort, EOFError)


@dataclass(frozen=True)
class Explained:
    """At which step of inbox.channels.steps it went wrong, a sentence for people, and the server's own words."""

    step: str
    message: str
    said: str = ""


def _log_in(client: IMAPClient, user: str, password: str) -> None:
    if user.isascii() and password.isascii():
        client.login(user, password)
    else:
        client.plain_login(user, password)  # LOGIN knows no letters outside ASCII


class NoSuchFolder(IMAPClientError):
    def __init__(self, problem: Exception, folders: list[str]) -> None:
        super().__init__(str(problem))
        self.folders = folders


@contextmanager
def opened(mailbox: Mailbox, *, patience: SocketTimeout = PATIENCE) -> Iterator[IMAPClient]:
    """Connected, encrypted as the mailbox says and signed in. Raises one of PROBLEMS, see `explain`."""
    client = connected(mailbox, patience=patience)
    try:
        if mailbox.imap_security == Security.STARTTLS:
            client.starttls(tls.context(mailbox.ca_certificate))
        _log_in(client, mailbox.imap_user, revealed(mailbox.imap_password))
        yield client
    except BaseException:
        close(client)
        raise
    with contextlib.suppress(*PROBLEMS):
        client.socket().settimeout(PATIENCE_WITH_GOODBYE)
        client.logout()
    close(client)


def connected(mailbox: Mailbox, *, patience: SocketTimeout = PATIENCE) -> IMAPClient:
    """Connected, and with security SSL encrypted, but not signed in."""
    tls.insist_on_allowed(mailbox.imap_host, mailbox.imap_security)
    with_tls = mailbox.imap_security == Security.SSL
    client = IMAPClient(
        mailbox.imap_host,
        port=mailbox.imap_port,
        ssl=with_tls,
        ssl_context=tls.context(mailbox.ca_certificate) if with_tls else None,
        timeout=patience,
    )
    client.normalise_times = False  # else dates come in local time without saying so
    return client


def select(client: IMAPClient, folder: str) -> dict[bytes, Any]:
    """Open the folder without the right to change it. Raises NoSuchFolder."""
    try:
        state: dict[bytes, Any] = client.select_folder(folder, readonly=True)
    except BROKEN:
        raise
    except IMAPClientError as problem:
        raise NoSuchFolder(problem, [name for _flags, _delimiter, name in client.list_folders()]) from problem
    return state


def close(client: IMAPClient) -> None:
    with contextlib.suppress(*PROBLEMS):
        client.shutdown()


def explain(problem: BaseException, mailbox: Mailbox) -> Explained:
    """What went wrong with the server, and what to do about it."""
    host, words = mailbox.imap_host, {"host": mailbox.imap_host, "port": mailbox.imap_port}
    if isinstance(problem, tls.PlaintextForbidden):
        return Explained("connect", str(problem))
    if isinstance(problem, tls.BadAuthority):
        return Explained("tls", str(problem))
    if isinstance(problem, PasswordUnreadable):
        return Explained("login", str(problem))
    if isinstance(problem, socket.gaierror | UnicodeError):
        return Explained("dns", _("No server with the name %(host)s was found. Check how it is written.") % words)
    if isinstance(problem, ssl.SSLError):
        return Explained("tls", tls.explain(problem, host), cut(problem))
    if isinstance(problem, ConnectionRefusedError):
        return Explained("connect", _("%(host)s takes no connections at port %(port)s. Check the port.") % words)
    if isinstance(problem, TimeoutError):
        return Explained(
            "connect",
            _(
                "%(host)s did not answer in time at port %(port)s. Check port and encryption, and whether a firewall is in "
                "between."
            )
            % words,
        )
    if isinstance(problem, LoginError):
        return _explain_login(problem, words)
    if isinstance(problem, NoSuchFolder):
        return _explain_folder(problem, mailbox)
    said = cut(problem)
    if isinstance(problem, IMAPClientError) and "starttls" in said.lower():
        return Explained("tls", _("%(host)s does not offer STARTTLS at port %(port)s. Choose SSL/TLS.") % words, said)
    if isinstance(problem, OSError | imaplib.IMAP4.abort):
        return Explained("connect", _("The connection with %(host)s was lost. It is tried again.") % words, said)
    return Explained("connect", _("%(host)s refused: %(said)s") % (words | {"said": said}), said)


def _explain_folder(problem: NoSuchFolder, mailbox: Mailbox) -> Explained:
    words = {"folder": mailbox.imap_folder, "folders": ", ".join(problem.folders[:20])}
    sentence = _("There is no folder “%(folder)s” in this mailbox.") % words
    if problem.folders:
        sentence += " " + _("It has: %(folders)s.") % words
    return Explained("folder", sentence, cut(problem))


def _explain_login(problem: LoginError, words: dict[str, object]) -> Explained:
    said = cut(problem)
    if "UNAVAILABLE" in said or "INUSE" in said or "LIMIT" in said:
        return Explained("login", _("%(host)s takes no sign-in at the moment. It is tried again.") % words, said)
    if "PRIVACYREQUIRED" in said or "LOGINDISABLED" in said or "cleartext" in said.lower():
        return Explained(
            "login", _("%(host)s takes passwords only encrypted. Choose STARTTLS or SSL/TLS.") % words, said
        )
    return Explained(
        "login",
        _(
            "%(host)s refuses this user name and password. Check both; some providers want a password made for "
            "programs (an “app password”)."
        )
        % words,
        said,
    )
