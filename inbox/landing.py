"""A mail that was read becomes a message: on its ticket, or on a new one. All of it in one transaction, or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from helpdesk.storage import kept_with_commit
from inbox import notice_answers, reading, refusing, releasing, threading, undoing
from inbox.errors import LeaseLost
from inbox.mime.automatic import Kind as AutomaticKind
from inbox.mime.lists import list_address
from inbox.mime.parse import ParsedAttachment, ParsedMail
from inbox.models import Attachment, Conversation, Direction, Incoming, Mailbox, Message, MessageKind
from inbox.models.message import Address, id_hash
from inbox.reading import Reading
from inbox.threading import Place
from people.models import Contact
from people.models.contact import normalised
from tickets import notifying
from tickets.models import LinkKind, Pipeline, Source, Ticket

# Said by a machine while a person is away, or about a delivery: kept on the ticket, changes nothing there.
QUIET = {AutomaticKind.AUTO_REPLY, AutomaticKind.BOUNCE, AutomaticKind.DELIVERY_REPORT}
UNREADABLE = "unreadable"  # in Message.automatic: stands for a mail that nobody could read
_HEADER_BYTES = 256 * 1024


def land(incoming: Incoming, read: Reading, *, now: datetime) -> None:
    """Make it a message, or write down why it becomes none. Raises LeaseLost when another worker has the mail."""
    with kept_with_commit() as files, transaction.atomic():
        threading.lock(read.mail, f"{incoming.mailbox_id}:{incoming.content_hash}")
        original = _original_of(incoming)
        if original:
            incoming.finish("duplicate", duplicate_of=original)
            return
        if notice_answers.take(
            incoming, read, lambda message: _attach(message, read.mail.attachments, files, now), now=now
        ):
            return
        is_ours = _is_ours(read.mail)
        refusal = refusing.refuse(incoming, read, is_ours=is_ours)
        if refusal:
            incoming.finish(f"refused:{refusal}")
            return

        at = min(incoming.received_at, now)
        quiet = read.automatic in QUIET
        place = threading.find(read.mail, incoming.mailbox, at=at, quiet=quiet, is_ours=is_ours)
        imitated = refusing.imitated(read) if is_ours else None
        if imitated:
            place = Place(refers_to=(imitated.ticket, LinkKind.CHECK) if imitated.ticket else None)
        if place.conversation and place.conversation.ticket is None:
            # Somebody may be making a ticket of it right now, and would not see this message.
            rows = Conversation.objects.select_for_update(no_key=True, of=("self",))
            place.conversation.refresh_from_db(fields=["ticket"], from_queryset=rows)
        if place.conversation:
            twin = _twin_of(incoming, read.mail, place.conversation)
            if twin:
                incoming.finish("duplicate", duplicate_of=twin)
                return
        contact = _contact(read.mail)
        notice = _notice_of(incoming)
        conversation = place.conversation or _begin(incoming.mailbox, contact, read.mail.subject, at, notice)
        message = _write(incoming, read, conversation, place, contact, at, notice)
        _attach(message, read.mail.attachments, files, now)
        _tell_ticket(message, conversation.ticket, read.mail, quiet=quiet and place.conversation is not None)
        if place.conversation and conversation.ticket and not quiet:
            notifying.written_on(conversation.ticket, anchor=f"m{message.pk}", actor=None, now=now)
        if place.refers_to and conversation.ticket:
            _link(conversation.ticket, *place.refers_to, now=now)
        incoming.finish("appended" if place.conversation else "opened")


def land_unreadable(incoming: Incoming, error: str, *, now: datetime) -> None:
    """Put it in quarantine, and open a plain ticket with the original, so that no customer is met with silence."""
    try:
        with kept_with_commit() as files, transaction.atomic():
            if not Message.objects.filter(incoming=incoming).exists():
                _open_notice(incoming, files, now)
            incoming.quarantine(error)
    except (LeaseLost, OperationalError, InterfaceError):
        raise
    except Exception as problem:
        # Even the notice could not be written. The row still says what happened, and the next mail goes on.
        incoming.quarantine(f"{error}\n{type(problem).__name__}: {problem}")


def _open_notice(incoming: Incoming, files: list[str], now: datetime) -> None:
    at = min(incoming.received_at, now)
    try:
        raw = incoming.raw_bytes()
    except OSError:
        raw = b""
    mail = _header_only(raw)
    attachments = [ParsedAttachment("original.eml", "message/rfc822", "", inline=False, data=raw)] if raw else []
    contact = _contact(mail)
    name = _("This mail could not be read")
    conversation = _begin(incoming.mailbox, contact, name, at, None)
    text = _("A mail came in that this program could not read. The original is attached as it came.")
    if mail.subject:
        text += "\n\n" + _("Its subject: %(subject)s") % {"subject": mail.subject}
    read = Reading(mail=mail, text=text, automatic=UNREADABLE)
    message = _write(incoming, read, conversation, Place(), contact, at, None)
    _attach(message, attachments, files, now)
    if conversation.ticket:
        conversation.ticket.heard(at=at, preview=text, has_attachments=bool(attachments))


def _header_only(raw: bytes) -> ParsedMail:
    """Who sent it and about what, if that much can be read."""
    try:
        return reading.read(raw[:_HEADER_BYTES], headers_only=True, seconds=5).mail
    except (reading.Unreadable, OSError):
        return ParsedMail()


def _notice_of(incoming: Incoming) -> Message | None:
    """The message that says that it could not be read, where it was in quarantine before."""
    if not incoming.error:
        return None
    return Message.objects.filter(incoming=incoming).select_related("ticket", "conversation__ticket").first()


def _is_ours(mail: ParsedMail) -> bool:
    sender = normalised(mail.from_address)
    return bool(sender) and Mailbox.objects.filter(address=sender).exists()


def _original_of(incoming: Incoming) -> Incoming | None:
    """The first of the same mails in this mailbox, if that is not this one: several UIDs or a pipe brought it again."""
    same = Incoming.objects.filter(mailbox=incoming.mailbox_id, content_hash=incoming.content_hash, duplicate_of=None)
    return same.filter(pk__lt=incoming.pk).order_by("pk").first()


def _twin_of(incoming: Incoming, mail: ParsedMail, conversation: Conversation) -> Incoming | None:
    """The same mail on the same ticket, which another mailbox of ours got too."""
    if not mail.message_id or conversation.ticket is None:
        return None
    there = Message.objects.with_message_id(mail.message_id).filter(
        ticket=conversation.ticket, incoming__content_hash=incoming.content_hash
    )
    twin = there.exclude(incoming=incoming).select_related("incoming").first()
    return twin.incoming if twin else None


def _contact(mail: ParsedMail) -> Contact | None:
    address = normalised(mail.from_address)
    if not address or len(address) > 320:
        return None
    return Contact.objects.for_address(address, mail.from_name)


def _begin(
    mailbox: Mailbox, contact: Contact | None, subject: str, at: datetime, notice: Message | None
) -> Conversation:
    """A new conversation, with a ticket if this mailbox makes them; that of the notice if the mail had one so far."""
    name = subject.strip()
    if notice and notice.conversation:
        conversation = notice.conversation
        conversation.contact, conversation.subject = contact, name[:998]
        conversation.save(update_fields=["contact", "subject"])
        if conversation.ticket:
            conversation.ticket.reread(name=name, contact=contact)
        return conversation
    ticket = _open_ticket(mailbox, contact, name, at) if mailbox.makes_tickets else None
    return Conversation.objects.create(
        ticket=ticket, mailbox=mailbox, contact=contact, subject=name[:998], created_at=at
    )


def _open_ticket(mailbox: Mailbox, contact: Contact | None, name: str, at: datetime) -> Ticket:
    pipeline = mailbox.pipeline or Pipeline.first()
    status = mailbox.status if mailbox.status and mailbox.status.pipeline_id == pipeline.pk else None
    owner = mailbox.owner if mailbox.owner and mailbox.owner.may_reply else None
    return Ticket.objects.begin(
        name,
        pipeline=pipeline,
        status=status,
        source=Source.EMAIL,
        contact=contact,
        owner=owner,
        team=mailbox.team,
        now=at,
    )


def _write(
    incoming: Incoming,
    read: Reading,
    conversation: Conversation,
    place: Place,
    contact: Contact | None,
    at: datetime,
    notice: Message | None,
) -> Message:
    mail = read.mail
    message = notice or Message(incoming=incoming)
    if notice and notice.ticket and notice.ticket_id != conversation.ticket_id:
        # It turned out to belong to another ticket: the one that said it could not be read has served.
        notice.ticket.trash(by=None, now=at)
    message.ticket = message.origin = conversation.ticket
    message.conversation = conversation
    message.direction, message.kind = Direction.IN, MessageKind.EMAIL
    message.contact = contact
    message.from_name, message.from_address = mail.from_name[:300], mail.from_address[:320]
    message.sender_doubtful = mail.sender_doubtful
    message.to, message.cc, message.reply_to = _people(mail.to), _people(mail.cc), _people(mail.reply_to)
    message.list_address = list_address(mail)
    message.subject = mail.subject
    message.text, message.quoted_text = read.text, read.quoted_text
    message.html, message.quoted_html = read.html, read.quoted_html
    message.remote_images = read.remote_images
    message.message_id, message.message_id_hash = mail.message_id, id_hash(mail.message_id)
    message.in_reply_to = mail.in_reply_to
    message.references = _references(mail)
    message.answers = place.answers
    if place.conversation and conversation.ticket:
        message.third_party = releasing.is_third_party(
            mail.from_address, conversation.ticket, place.answers, doubtful=mail.sender_doubtful
        )
    message.automatic = read.automatic
    message.at, message.sent_at = at, mail.date
    if incoming.headers_only:
        message.text = _too_large(incoming)
    message.save()
    if notice:
        notice.attachments.all().delete()
    return message


def _references(mail: ParsedMail) -> list[str]:
    """The thread as RFC 5322 means it: the last one is what this mail answers, also where the sender left it out."""
    if mail.in_reply_to and mail.in_reply_to not in mail.references:
        return [*mail.references, mail.in_reply_to]
    return list(mail.references)


def _people(people: Sequence[tuple[str, str]]) -> list[Address]:
    return [Address(name=name, address=address) for name, address in people]


def _too_large(incoming: Incoming) -> str:
    where = (
        _("The whole mail is in the mailbox on the mail server.")
        if incoming.source == "imap"
        else _("The whole mail can be downloaded as the original.")
    )
    return (
        _("This mail has %(size)d MB, and mails of more than %(most)d MB are not opened here.")
        % {"size": incoming.size // (1024 * 1024), "most": settings.HELPDESK_MAX_MAIL_MB}
        + " "
        + where
    )


def _attach(message: Message, attachments: Sequence[ParsedAttachment], files: list[str], now: datetime) -> None:
    rows = []
    for one in attachments:
        name = default_storage.save(f"attachments/{now:%Y/%m/%d}/{uuid.uuid4().hex}", ContentFile(one.data))
        files.append(name)
        rows.append(
            Attachment(
                message=message,
                name=one.name[:255],
                original_name=one.original_name,
                content_type=one.content_type[:255],
                size=len(one.data),
                content_id=one.content_id,
                inline=one.inline,
                file=name,
            )
        )
    Attachment.objects.bulk_create(rows)


def _tell_ticket(message: Message, ticket: Ticket | None, mail: ParsedMail, *, quiet: bool) -> None:
    if ticket is None:
        return
    has_attachments = any(not one.inline for one in mail.attachments)
    if quiet:
        ticket.noted(at=message.at, has_attachments=has_attachments)
    elif message.third_party:
        ticket.heard_from_third(at=message.at, has_attachments=has_attachments)
    else:
        ticket.heard(at=message.at, preview=message.text, has_attachments=has_attachments)
        undoing.contact_wrote_first(ticket, now=message.at)


def _link(ticket: Ticket, other: Ticket, kind: LinkKind, *, now: datetime) -> None:
    if ticket.pk != other.pk:
        ticket.link_to(other, kind, now=now)
