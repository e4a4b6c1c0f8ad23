"""Writing to a customer, and among ourselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from helpdesk import html as safe_html
from inbox.addressing import Recipients, recipients_for
from inbox.errors import EmptyMessage, MailTooLarge, MayNotReply, TicketInTrash, UploadGone
from inbox.mime.compose import new_message_id, reply_subject
from inbox.models import Attachment, Conversation, Direction, Message, MessageKind, Outgoing, OutgoingRecipient, Upload
from inbox.models.message import id_hash
from inbox.quoting import Quote, quote
from inbox.rendering import references_for, render
from inbox.threading import token_key
from people.models import User
from tickets.models import Ticket

__all__ = ["Recipients", "comment", "recipients_for", "reply"]

_UPLOADED_IMAGE = re.compile(r'<img\b[^>]*?\bsrc="[^"]*?/uploads/([0-9a-f-]{36})/[^"]*"[^>]*>', re.IGNORECASE)
_IMAGE_SOURCE = re.compile(r'\bsrc="[^"]*"', re.IGNORECASE)


@dataclass(frozen=True)
class Body:
    """What somebody wrote in an editor, made safe: both parts, and the files it shows or carries."""

    text: str
    html: str
    inline: dict[UUID, str]
    """Content ids of the images that stand in the text."""
    uploads: list[Upload]

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() and not self.uploads


def reply(
    ticket: Ticket,
    *,
    by: User,
    html: str = "",
    text: str = "",
    uploads: Iterable[Upload | UUID | str] = (),
    form_key: UUID | str | None = None,
    answers: Message | None = None,
    now: datetime | None = None,
) -> Message:
    """Write to the customer: message, outgoing mail and what it does to the ticket, in one transaction.

    With `html` from the editor, `text` is made from it; without it, `html` is made from `text`. An image of an upload
    (`<img src="/uploads/<uuid>/">`) goes into the mail itself, other uploads are attached; the uploads are used up.
    The same `form_key` again gives the message that it wrote the first time. Raises a ReplyError; then nothing is saved.
    """
    now = now or timezone.now()

    def write() -> Message:
        _may_write(ticket, by)
        recipients = recipients_for(ticket, answers)
        body = read_body(by, html, text, uploads, domain=recipients.mailbox.domain)
        if body.is_empty:
            raise EmptyMessage
        message = _write_reply(ticket, recipients, body, by=by, form_key=form_key, now=now)
        attachments = _attach(message, body)
        mail_id, mime = message.message_id, render(message, recipients.mailbox, attachments, by=by)
        _refuse_too_large(len(mime))

        outgoing = Outgoing.objects.create(
            message=message,
            mailbox=recipients.mailbox,
            mail_id=mail_id,
            envelope_from=recipients.mailbox.address,
            mime=default_storage.save(f"sent/{now:%Y/%m/%d}/{message.pk}.eml", ContentFile(mime)),
            due_at=now,
        )
        addresses = dict.fromkeys(entry["address"] for entry in [*message.to, *message.cc, *message.bcc])
        OutgoingRecipient.objects.bulk_create(
            OutgoingRecipient(outgoing=outgoing, address=address) for address in addresses
        )
        ticket.answered(at=now, preview=message.text, by=by, has_attachments=any(not a.inline for a in attachments))
        outgoing.send_later()
        return message

    return _once(form_key, write)


def comment(
    ticket: Ticket,
    *,
    by: User,
    html: str = "",
    text: str = "",
    uploads: Iterable[Upload | UUID | str] = (),
    form_key: UUID | str | None = None,
    now: datetime | None = None,
) -> Message:
    """Write among ourselves. It never becomes a mail, nor part of what a mail quotes. Raises a ReplyError."""
    now = now or timezone.now()

    def write() -> Message:
        body = read_body(by, html, text, uploads, domain="comment.invalid")
        if body.is_empty:
            raise EmptyMessage
        message = Message.objects.create(
            ticket=ticket,
            origin=ticket,
            direction=Direction.INTERNAL,
            kind=MessageKind.COMMENT,
            author=by,
            from_name=by.name,
            text=body.text,
            html=body.html,
            at=now,
            form_key=form_key,
        )
        _attach(message, body)
        return message

    return _once(form_key, write)


def read_body(by: User, html: str, text: str, uploads: Iterable[Upload | UUID | str], *, domain: str) -> Body:
    """Raises UploadGone when a file is not there or is not of `by`."""
    inline: dict[UUID, str] = {}

    def into_mail(match: re.Match[str]) -> str:
        key = UUID(match[1])
        inline[key] = f"{key.hex}@{domain}"
        return _IMAGE_SOURCE.sub(f'src="cid:{inline[key]}"', match[0])

    if html.strip():
        clean = _UPLOADED_IMAGE.sub(into_mail, str(safe_html.clean_editor(html)))
        plain = safe_html.to_text(clean, links=True)
        if not plain.strip() and not inline:
            clean = ""  # an editor leaves empty paragraphs behind
    else:
        plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip("\n")
        clean = str(safe_html.from_text(plain))

    keys = dict.fromkeys([*inline, *(u.pk if isinstance(u, Upload) else _key(u) for u in uploads)])
    found = {upload.pk: upload for upload in Upload.objects.select_for_update().filter(pk__in=keys, user=by)}
    if len(found) < len(keys):
        raise UploadGone
    shown = {key: cid for key, cid in inline.items() if found[key].content_type.startswith("image/")}
    return Body(text=plain, html=clean, inline=shown, uploads=[found[key] for key in keys])


def _once(form_key: UUID | str | None, write: Callable[[], Message]) -> Message:
    """A double click writes once, also when both clicks arrive at the same moment."""

    def written() -> Message | None:
        return Message.objects.filter(form_key=form_key).first() if form_key else None

    if first := written():
        return first
    try:
        with transaction.atomic():
            return write()
    except (IntegrityError, UploadGone):
        # The other click wrote it in between, and used up the uploads.
        if first := written():
            return first
        raise


def _may_write(ticket: Ticket, by: User) -> None:
    if not by.may_reply:
        raise MayNotReply
    ticket.refresh_from_db(fields=["trashed_at"], from_queryset=Ticket.objects.select_for_update())
    if ticket.trashed_at is not None:
        raise TicketInTrash


def _write_reply(
    ticket: Ticket, recipients: Recipients, body: Body, *, by: User, form_key: UUID | str | None, now: datetime
) -> Message:
    answered = recipients.answered
    conversation = (answered.conversation if answered else None) or ticket.conversations.order_by("-created_at").first()
    if conversation is None:
        conversation = Conversation.objects.create(
            ticket=ticket, mailbox=recipients.mailbox, contact=ticket.contact, subject=ticket.name, created_at=now
        )
    quoted = quote(answered) if answered else Quote("", "")
    message = Message(
        ticket=ticket,
        origin=ticket,
        conversation=conversation,
        direction=Direction.OUT,
        kind=MessageKind.EMAIL,
        author=by,
        contact=ticket.contact,
        from_name=recipients.mailbox.name,
        from_address=recipients.mailbox.address,
        to=recipients.to,
        cc=recipients.cc,
        reply_to=[{"name": recipients.mailbox.name, "address": recipients.mailbox.address}],
        subject=reply_subject(answered.subject or ticket.name) if answered else ticket.name,
        text=body.text,
        html=body.html,
        quoted_text=quoted.text,
        quoted_html=quoted.html,
        in_reply_to=answered.message_id if answered else "",
        references=references_for(answered),
        answers=answered,
        at=now,
        sent_at=now,
        form_key=form_key,
    )
    message.save()
    message.message_id = new_message_id(ticket.pk, message.pk, recipients.mailbox.domain, token_key())
    message.message_id_hash = id_hash(message.message_id)
    message.save(update_fields=["message_id", "message_id_hash"])
    return message


def _attach(message: Message, body: Body) -> list[Attachment]:
    attachments = []
    for upload in body.uploads:
        with upload.file.open("rb") as file:
            kept = default_storage.save(f"attachments/{message.at:%Y/%m/%d}/{upload.pk}", file)
        attachments.append(
            Attachment(
                message=message,
                name=upload.name,
                original_name=upload.name,
                content_type=upload.content_type,
                size=upload.size,
                content_id=body.inline.get(upload.pk, ""),
                inline=upload.pk in body.inline,
                file=kept,
            )
        )
        old = upload.file.name
        upload.delete()
        if old:
            transaction.on_commit(_forgetting(old))
    return Attachment.objects.bulk_create(attachments)


def _forgetting(name: str) -> Callable[[], None]:
    return lambda: default_storage.delete(name)


def _refuse_too_large(size: int) -> None:
    limit = settings.HELPDESK_MAX_MAIL_MB
    if size > limit * 1024 * 1024:
        raise MailTooLarge(size / 1024 / 1024, limit)


def _key(text: UUID | str) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise UploadGone from None
