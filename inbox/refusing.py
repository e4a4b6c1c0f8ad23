"""Mail that becomes no message, each with the name that stands on its row as `refused:<name>`.

Little is refused: only what says nothing that a person wrote. Everything else lands, marked where a machine wrote it.
"""

from __future__ import annotations

import re
from enum import StrEnum

from inbox.errors import InboxError
from inbox.mime.automatic import Kind
from inbox.mime.bounces import Bounce
from inbox.mime.parse import ParsedMail
from inbox.models import Incoming, Message, Outgoing, OutgoingState
from inbox.reading import Reading
from inbox.threading import instance
from people.models.contact import normalised


class Refusal(StrEnum):
    OWN_COPY = "own_copy"  # what we sent ourselves, seen in our own mailbox
    LOOP = "loop"  # an automatic mail of ours that came back
    BOUNCE = "bounce"  # noted on the mail that bounced
    REPORT = "report"  # a receipt, a complaint or a statistic: written by a machine for machines


class StillSending(InboxError):
    """The bounce was faster than the end of the sending; it is looked at again in a moment."""

    def __init__(self) -> None:
        super().__init__("The mail that it reports on is still being sent.")


def refuse(incoming: Incoming, reading: Reading, *, is_ours: bool) -> Refusal | None:
    """Why this mail becomes no message, None when it does. What a refusal changes elsewhere is changed here.

    `is_ours`: its sender is one of our mailboxes.
    """
    if is_ours and _is_own_copy(incoming, reading):
        return Refusal.OWN_COPY
    if _is_loop(incoming, reading):
        return Refusal.LOOP
    if reading.bounce and _note_bounce(reading.bounce, reading.mail):
        return Refusal.BOUNCE
    if reading.automatic in (Kind.READ_RECEIPT, Kind.FEEDBACK_REPORT, Kind.DMARC_REPORT):
        return Refusal.REPORT
    if reading.automatic == Kind.DELIVERY_REPORT and _sent(reading.mail.returned_headers.get("message-id", "")):
        return Refusal.REPORT
    return None


def imitated(reading: Reading) -> Message | None:
    """The message whose sender and name it bears, saying something else: whoever got that mail can write so."""
    outgoing = _named(reading)
    return outgoing.message if outgoing and not _says_the_same(reading, outgoing.message) else None


def _is_own_copy(incoming: Incoming, reading: Reading) -> bool:
    outgoing = _named(reading)
    if outgoing is None or not _says_the_same(reading, outgoing.message):
        return False
    # Else one team wrote to the other.
    return outgoing.mailbox_id == incoming.mailbox_id or not _was_sent_to(outgoing, incoming.mailbox.address)


def _named(reading: Reading) -> Outgoing | None:
    """The mail of ours that it says it is."""
    mail = reading.mail
    # A provider may have given it another Message-ID; ours stands in a header of our own too.
    outgoing = _sent(mail.message_id) or _sent(mail.headers.get("x-desk-message", ""))
    return outgoing if outgoing and normalised(mail.from_address) == outgoing.mailbox.address else None


def _says_the_same(reading: Reading, message: Message) -> bool:
    """A server on the way may wrap lines and add its own to subject and text, so ours have to be in there somewhere."""
    said = _letters(reading.text + reading.quoted_text)
    return _letters(message.subject) in _letters(reading.mail.subject) and _letters(message.text) in said


def _is_loop(incoming: Incoming, reading: Reading) -> bool:
    mail = reading.mail
    if mail.headers.get("x-desk-instance", "").strip() != instance():
        return False
    return bool(mail.auto_submitted) or normalised(mail.from_address) == incoming.mailbox.address


def _note_bounce(bounce: Bounce, mail: ParsedMail) -> bool:
    """Mark the mail that came back. False when it is none of ours, or went to nobody whom the report names: it lands."""
    outgoing = _sent(bounce.message_id)
    if outgoing is None:
        return False
    failed = {normalised(address) for address in [*bounce.recipients, *_forwarded(mail)]}
    hit = [one for one in outgoing.recipients.all() if normalised(one.address) in failed]
    if not hit:
        return False
    if outgoing.state == OutgoingState.SENDING:
        raise StillSending
    answer = " ".join(part for part in (bounce.status, bounce.diagnostic) if part)[:1_000]
    outgoing.bounced(hit, answer)
    return True


def _forwarded(mail: ParsedMail) -> list[str]:
    """Whom we wrote to, where their server sent it on to an address that failed (RFC 3464, 2.3.1)."""
    failed = (block for block in mail.delivery_status if block.get("action", "").strip().lower().startswith("failed"))
    return [block.get("original-recipient", "").rpartition(";")[2].strip("<> ") for block in failed]


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text)


def _sent(message_id: str) -> Outgoing | None:
    message_id = message_id.strip().strip("<>")
    return (
        Outgoing.objects.select_related("mailbox", "message").filter(mail_id=message_id).first() if message_id else None
    )


def _was_sent_to(outgoing: Outgoing, address: str) -> bool:
    return any(normalised(one.address) == address for one in outgoing.recipients.all())
