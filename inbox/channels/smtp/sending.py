"""One try to hand a mail to its server, step by step, so that what may be tried again is known from where it ended."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from inbox.addressing import OwnAddresses
from inbox.channels import tls
from inbox.channels.passwords import PasswordUnreadable
from inbox.channels.smtp.connection import PATIENCE, opened
from inbox.channels.steps import cut
from inbox.mime.compose import check_address
from inbox.models.outgoing import Outgoing, RecipientState, said_of_unknown

# RFC 5321, 4.5.3.2.6: a server may work on a mail for ten minutes before it answers the final dot.
PATIENCE_AFTER_DOT = 600

_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
# The account may not send as this address: no mail of it would pass, and no customer is to blame.
_ACCOUNT_CODES = {421, 530, 534, 535, 538, 553}
_ACCOUNT_WORDS = re.compile(r"\b5\.7\.\d+|SendAsDenied", re.IGNORECASE)
_SEND_AS = re.compile(r"\b5\.7\.60\b|SendAsDenied", re.IGNORECASE)


@dataclass
class Outcome:
    """How a try went: what became of each address it was about, and what to tell people."""

    recipients: dict[str, tuple[RecipientState, str]] = field(default_factory=dict)
    answer: str = ""
    unknown: bool = False
    account_fault: bool = False
    reached_server: bool = False

    def all_of(self, addresses: list[str], state: RecipientState, answer: str) -> Outcome:
        self.recipients.update(dict.fromkeys(addresses, (state, answer)))
        self.answer = answer
        return self


class ClaimLost(Exception):
    """Somebody else decides about this mail by now: the server must not get it from us."""


def send(outgoing: Outgoing) -> Outcome:
    """Try once to send to whoever has not got it. Network trouble is an outcome, not an exception."""
    outcome = Outcome()
    left = _sendable(outgoing, outcome)
    if not left:
        return outcome
    mailbox = outgoing.mailbox
    if not mailbox.enabled:
        return outcome.all_of(left, RecipientState.DEFERRED, _("The mailbox is switched off."))
    try:
        with outgoing.mime.open("rb") as file:
            mime = file.read()
    except FileNotFoundError:
        return outcome.all_of(left, RecipientState.REFUSED, _("The file of this mail is gone. Write the reply again."))

    try:
        with opened(mailbox) as smtp:
            outcome.reached_server = True
            _Dialogue(smtp, outgoing, outcome).send(left, mime)
    except ClaimLost:
        return outcome
    except smtplib.SMTPAuthenticationError as problem:
        return _account(outcome, left, _("The server refused the user name or password."), _said(problem))
    except smtplib.SMTPNotSupportedError as problem:
        return _account(outcome, left, _("The server offers no encryption or login here."), cut(problem))
    except smtplib.SMTPResponseException as problem:
        return _account(outcome, left, _("The server refused the connection."), _said(problem))
    except ssl.SSLError as problem:
        return _account(outcome, left, tls.explain(problem, mailbox.smtp_host), "")
    except (tls.PlaintextForbidden, tls.BadAuthority, PasswordUnreadable) as problem:
        return _account(outcome, left, str(problem), "")
    except (OSError, smtplib.SMTPException, UnicodeError) as problem:
        unsettled = [address for address in left if address not in outcome.recipients]
        if outcome.reached_server:
            words = _("The connection broke before the mail was handed over. %(reason)s") % {"reason": cut(problem)}
            return outcome.all_of(unsettled, RecipientState.DEFERRED, words)
        return _account(outcome, left, _("The server for sending cannot be reached."), cut(problem))
    return outcome


class _Dialogue:
    def __init__(self, smtp: smtplib.SMTP, outgoing: Outgoing, outcome: Outcome) -> None:
        self._smtp = smtp
        self._outgoing = outgoing
        self._outcome = outcome

    def send(self, addresses: list[str], mime: bytes) -> None:
        """After the final dot only an answer of the server says what became of the mail; without one it is unknown."""
        self._smtp.ehlo_or_helo_if_needed()
        if not self._fits(addresses, mime) or not self._mail(addresses, mime):
            return
        accepted = [address for address in addresses if self._rcpt(address)]
        if not accepted:
            return
        if self._data(accepted, mime):
            self._final_dot(accepted)

    def _fits(self, addresses: list[str], mime: bytes) -> bool:
        announced = self._smtp.esmtp_features.get("size", "")
        limit = int(announced) if announced.isdecimal() else 0
        if not limit or len(mime) <= limit:
            return True
        words = _("The mail is %(size).1f MB, and the server takes at most %(limit).1f MB. Send it with fewer files.")
        self._outcome.all_of(
            addresses, RecipientState.REFUSED, words % {"size": len(mime) / 2**20, "limit": limit / 2**20}
        )
        return False

    def _mail(self, addresses: list[str], mime: bytes) -> bool:
        # Never body=8bitmime: what inbox.mime.compose makes is ASCII throughout.
        options = [f"size={len(mime)}"] if self._smtp.has_extn("size") else []
        code, said = self._smtp.mail(check_address(self._outgoing.envelope_from), options)
        if code == 250:
            return True
        words = _words(code, said)
        if code in _ACCOUNT_CODES or (code >= 500 and _ACCOUNT_WORDS.search(words)):
            _account(self._outcome, addresses, _("The server does not let this mailbox send."), words)
        else:
            self._refused(addresses, code, words)
        return False

    def _rcpt(self, address: str) -> bool:
        code, said = self._smtp.rcpt(check_address(address))
        if code in (250, 251):
            return True
        self._refused([address], code, f"{address}: {_words(code, said)}")
        return False

    def _data(self, addresses: list[str], mime: bytes) -> bool:
        code, said = self._smtp.docmd("DATA")
        if code != 354:
            self._refused(addresses, code, _words(code, said))
            return False
        lines = _LINE_END.sub(b"\r\n", mime)
        body = _LEADING_DOT.sub(b"..", lines)
        self._smtp.send(body if body.endswith(b"\r\n") else body + b"\r\n")
        return True

    def _final_dot(self, addresses: list[str]) -> None:
        if not self._outgoing.hand_over():
            raise ClaimLost
        earlier = self._outcome.answer
        try:
            if self._smtp.sock is not None:
                self._smtp.sock.settimeout(PATIENCE_AFTER_DOT)
            self._smtp.send(b".\r\n")
            code, said = self._smtp.getreply()
            if self._smtp.sock is not None:
                self._smtp.sock.settimeout(PATIENCE)
        except (OSError, smtplib.SMTPException) as problem:
            self._smtp.close()
            self._unknown(_("The connection ended before the server answered."), cut(problem))
            return
        words = _words(code, said)
        if 200 <= code < 300:
            self._outcome.recipients.update(dict.fromkeys(addresses, (RecipientState.ACCEPTED, words)))
            # What the server said to those it did not take matters more than that it took the others.
            self._outcome.answer = earlier or words
        elif code >= 400:
            if _SEND_AS.search(words):
                _account(self._outcome, addresses, _("The server does not let this mailbox send."), words)
            else:
                self._refused(addresses, code, words)
        else:
            self._unknown(_("The server gave an answer that says neither yes nor no."), words)

    def _refused(self, addresses: list[str], code: int, words: str) -> None:
        # smtplib says -1 when an answer could not be read; before the final dot nothing is lost by trying again.
        state = RecipientState.REFUSED if code >= 500 else RecipientState.DEFERRED
        self._outcome.recipients.update(dict.fromkeys(addresses, (state, words)))
        self._outcome.answer = "\n".join(filter(None, [self._outcome.answer, words]))

    def _unknown(self, reason: str, words: str) -> None:
        self._outcome.unknown = True
        self._outcome.answer = said_of_unknown(reason, words)


def _sendable(outgoing: Outgoing, outcome: Outcome) -> list[str]:
    """Who is still to get it. One of our own mailboxes never does: the mail would come in again."""
    left = outgoing.recipients.filter(state__in=[RecipientState.PENDING, RecipientState.DEFERRED])
    addresses = list(left.order_by("pk").values_list("address", flat=True))
    own = OwnAddresses()
    ours = [address for address in addresses if address in own]
    if ours:
        outcome.all_of(ours, RecipientState.REFUSED, _("This is a mailbox of the help desk itself."))
    return [address for address in addresses if address not in outcome.recipients]


def _account(outcome: Outcome, addresses: list[str], sentence: str, words: str) -> Outcome:
    """Not this mail but the account is at fault: it waits, and the mailbox shows why."""
    outcome.account_fault = True
    return outcome.all_of(addresses, RecipientState.DEFERRED, " ".join(filter(None, [sentence, words])))


def _words(code: int, said: bytes) -> str:
    return cut(f"{code} {said.decode('utf-8', 'replace')}")


def _said(problem: smtplib.SMTPResponseException) -> str:
    said = problem.smtp_error
    return _words(problem.smtp_code, said if isinstance(said, bytes) else str(said).encode())
