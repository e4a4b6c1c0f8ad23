"""Sending what was written: message, outgoing mail and what both do to the ticket, in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from inbox import drafting, releasing
from inbox.addressing import Recipients, recipients_of
from inbox.addressing.subject import usual_subject
from inbox.errors import (
    EmptyMessage,
    MailTooLarge,
    StillAside,
)
from inbox.mime.compose import new_message_id
from inbox.models import (
    Attachment,
    Conversation,
    Direction,
    Draft,
    DraftMode,
    MailKind,
    Message,
    MessageKind,
    Outgoing,
    OutgoingRecipient,
    OutgoingState,
    Upload,
)
from inbox.models.message import id_hash
from inbox.models.outgoing import FAILED
from inbox.quoting import Quote, history
from inbox.rendering import references_for, render
from inbox.replying.applying import apply_to_ticket
from inbox.replying.insisting import insist, may_write
from inbox.threading import token_key
from inbox.writing import Body, attach, once, read_body, says
from people.models import User
from people.models.contact import normalised
from people.picking import people_made
from tickets.models import EventKind, Status, Ticket
from tickets.undoing import as_it_is


def send(
    draft: Draft,
    *,
    by: User,
    uploads: Iterable[Upload | UUID | str] = (),
    status: Status | None = None,
    properties: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    cancel_if_answered: bool = False,
    overrides: Collection[str] | None = frozenset(),
    now: datetime | None = None,
) -> Message:
    """Send what stands in `draft` (saved or not) with `uploads`, which are used up; the draft is gone.

    The mail is held while `by` may undo it, or until `due_at`. `status` and `properties` (by key, see
    `Ticket.set_properties`) go with it, at once or for a mail that leaves later when it leaves. `overrides` names the
    checks (`inbox.checking`) that `by` insists on; None: nothing is checked, for programs. The same form key again gives
    the message that it wrote first.

    Raises a ReplyError, CheckFailed and SentOtherwise among them, or a TicketError, PropertiesMissing among them; then nothing is saved.
    """
    now, files = now or timezone.now(), list(uploads)

    def write() -> Message:
        return _Sending(draft, by, now).write(
            files, status, dict(properties or {}), due_at, cancel_if_answered, overrides
        )

    def is_same(message: Message) -> bool:
        return says(message, draft.html, draft.text, files, to=draft.addressed)

    return once(draft.form_key, write, is_same=is_same)


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
    """The short way for programs: an answer to `answers`, or to the newest message, to whom it comes from by itself.

    It is sent without looking for mistakes, but for an empty one. Raises a ReplyError; then nothing is saved.
    """
    draft = Draft(user=by, ticket=ticket, mode=DraftMode.REPLY, answers=answers, html=html, text=text)
    if form_key is not None:
        draft.form_key = form_key if isinstance(form_key, UUID) else UUID(form_key)
    return send(draft, by=by, uploads=uploads, overrides=None, now=now)


class _Sending:
    """One try to send a draft, inside its transaction."""

    def __init__(self, draft: Draft, by: User, now: datetime) -> None:
        self.draft, self.by, self.now = draft, by, now
        self.ticket = draft.ticket

    def write(
        self,
        uploads: Iterable[Upload | UUID | str],
        status: Status | None,
        properties: dict[str, Any],
        due_at: datetime | None,
        cancel_if_answered: bool,
        overrides: Collection[str] | None,
    ) -> Message:
        may_write(self.ticket, self.by, self.now, due_at)
        recipients = recipients_of(self.draft, by=self.by)
        body = read_body(self.by, self.draft.html, self.draft.text, uploads, domain=recipients.mailbox.domain)
        if overrides is None and body.is_empty and recipients.kind != MailKind.FORWARD:
            raise EmptyMessage
        quoted = history(recipients.kind, recipients.answered, self.draft.quoted_html)
        self._keep_aside(recipients, quoted)
        insisted = []
        if overrides is not None:
            has_files = bool(body.uploads or self._chosen_files(recipients))
            insisted = insist(self.draft, body, recipients, overrides, has_files=has_files)
        if status is not None:
            self.ticket.insist_on(status, properties)

        message = self._write_message(recipients, body, quoted, due_at or self.now)
        attachments = [*attach(message, body), *self._forward_files(message, recipients)]
        mime = render(message, recipients.mailbox, attachments, by=self.by)
        _refuse_too_large(len(mime))
        outgoing = self._write_outgoing(message, recipients, mime, due_at)
        if due_at is not None:
            outgoing.cancel_if_answered = cancel_if_answered
            outgoing.on_leaving = {"status": status.pk if status else None, "properties": _stored(properties)}
            outgoing.on_leaving["name"] = status.name if status else ""  # to be told by, should it be gone by then

        last_event = self.ticket.events.order_by("-pk").values_list("pk", flat=True).first() or 0
        if insisted:
            self.ticket.record(EventKind.SENT_ANYWAY, by=self.by, now=self.now, checks=insisted, message=message.pk)
        if due_at is None:
            was = as_it_is(self.ticket)
            has_attachments = any(not file.inline for file in attachments)
            apply_to_ticket(message, by=self.by, has_attachments=has_attachments, status=status, properties=properties)
            outgoing.before = {"was": was, "became": as_it_is(self.ticket)}
        else:
            self.ticket.changed()
        events = self.ticket.events.filter(pk__gt=last_event)
        outgoing.before["events"] = list(events.values_list("pk", flat=True))
        outgoing.before["chose"] = [*(["status"] if status else []), *(["owner"] if "owner" in properties else [])]
        outgoing.before["kind"] = recipients.kind.value  # a reply to which somebody was copied is no reply to all
        outgoing.save(update_fields=["before", "on_leaving", "cancel_if_answered"])
        self._replace(message, drafting.used_up(self.draft))
        outgoing.send_later()
        return message

    def _replace(self, message: Message, kept: Draft | None) -> None:
        """It was written anew for one that did not arrive. The first to do so is the one that people are led to."""
        replaced = self.draft.replaces_id or (kept.replaces_id if kept else None)
        if replaced:
            written_before = Outgoing.objects.filter(message=replaced, message__ticket=self.ticket)
            written_before = written_before.filter(state__in=[*FAILED, OutgoingState.CANCELLED])
            written_before.filter(replaced_by=None).update(replaced_by=message)

    def _write_message(self, recipients: Recipients, body: Body, quoted: Quote, at: datetime) -> Message:
        answered, box = recipients.answered, recipients.mailbox
        is_forward = recipients.kind == MailKind.FORWARD
        goes_aside = is_forward or self._goes_aside(recipients)
        message = Message(
            ticket=self.ticket,
            origin=self.ticket,
            conversation=self._conversation(recipients),
            direction=Direction.OUT,
            kind=MessageKind.FORWARD if goes_aside else MessageKind.EMAIL,
            author=self.by,
            contact=None if goes_aside else self.ticket.contact,
            from_name=box.name,
            from_address=box.address,
            to=recipients.to,
            cc=recipients.cc,
            bcc=recipients.bcc,
            reply_to=[{"name": box.name, "address": box.address}],
            subject=self._subject(recipients),
            text=body.text,
            html=body.html,
            quoted_text=quoted.text,
            quoted_html=quoted.html,
            # A forward begins a thread of its own, with somebody who has not seen the customer's.
            in_reply_to=answered.message_id if answered and not is_forward else "",
            references=[] if is_forward else references_for(answered),
            answers=answered,
            at=at,
            sent_at=at,
            form_key=self.draft.form_key,
        )
        message.save()
        message.message_id = new_message_id(self.ticket.pk, message.pk, box.domain, token_key())
        message.message_id_hash = id_hash(message.message_id)
        message.save(update_fields=["message_id", "message_id_hash"])
        return message

    def _goes_aside(self, recipients: Recipients) -> bool:
        """Whether it answers somebody whom we had forwarded to, and does not go to the contact as well."""
        answered = recipients.answered
        if answered is None or not (answered.third_party or answered.kind == MessageKind.FORWARD):
            return False
        return not self._reaches_contact(recipients)

    def _reaches_contact(self, recipients: Recipients) -> bool:
        known = releasing.addresses_of_contacts(self.ticket)
        addresses = (*recipients.to, *recipients.cc, *recipients.bcc)
        return any(normalised(entry["address"]) in known for entry in addresses)

    def _keep_aside(self, recipients: Recipients, quoted: Quote) -> None:
        """Raises StillAside when the customer would get words or files that a third party and we wrote each other."""
        if recipients.answered is None or not (quoted.text or self._chosen_files(recipients)):
            return
        addresses = [entry["address"] for entry in (*recipients.to, *recipients.cc, *recipients.bcc)]
        if kept := releasing.kept_from(recipients.answered, addresses, self.ticket):
            raise StillAside(kept[0])

    def _conversation(self, recipients: Recipients) -> Conversation:
        answered = recipients.answered
        conversation = answered.conversation if answered else None
        conversation = conversation or self.ticket.conversations.order_by("-created_at").first()
        return conversation or Conversation.objects.create(
            ticket=self.ticket,
            mailbox=recipients.mailbox,
            contact=self.ticket.contact,
            subject=self.ticket.name,
            created_at=self.now,
        )

    def _subject(self, recipients: Recipients) -> str:
        named = " ".join(self.draft.subject.split())
        return named or usual_subject(recipients.kind, recipients.answered, self.ticket)

    def _chosen_files(self, recipients: Recipients) -> list[Attachment]:
        """Those of the message that is forwarded which are to go along."""
        if recipients.kind != MailKind.FORWARD or recipients.answered is None:
            return []
        return [file for file in recipients.answered.attachments.all() if self.draft.takes_along(file)]

    def _forward_files(self, message: Message, recipients: Recipients) -> list[Attachment]:
        copies = []
        for file in self._chosen_files(recipients):
            with file.file.open("rb") as content:
                kept = default_storage.save(f"attachments/{message.at:%Y/%m/%d}/{message.pk}-{file.pk}", content)
            copies.append(
                Attachment(
                    message=message,
                    name=file.name,
                    original_name=file.original_name,
                    content_type=file.content_type,
                    size=file.size,
                    file=kept,
                )
            )
        return Attachment.objects.bulk_create(copies)

    def _write_outgoing(
        self, message: Message, recipients: Recipients, mime: bytes, due_at: datetime | None
    ) -> Outgoing:
        held = timedelta(seconds=self.by.undo_seconds)
        outgoing = Outgoing.objects.create(
            message=message,
            mailbox=recipients.mailbox,
            state=OutgoingState.HELD if due_at or held else OutgoingState.QUEUED,
            mail_id=message.message_id,
            envelope_from=recipients.mailbox.address,
            mime=default_storage.save(f"sent/{self.now:%Y/%m/%d}/{message.pk}.eml", ContentFile(mime)),
            due_at=due_at or self.now + held,
            scheduled=due_at is not None,
        )
        addresses = dict.fromkeys(entry["address"] for entry in (*message.to, *message.cc, *message.bcc))
        OutgoingRecipient.objects.bulk_create(
            OutgoingRecipient(outgoing=outgoing, address=address) for address in addresses
        )
        return outgoing


def _stored(properties: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON holds them: a thing by its key. A contact who is not here yet is made."""
    return {key: _plain(value) for key, value in properties.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in people_made(value)]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return getattr(value, "pk", value)


def _refuse_too_large(size: int) -> None:
    limit = settings.HELPDESK_MAX_MAIL_MB
    if size > limit * 1024 * 1024:
        raise MailTooLarge(size / 1024 / 1024, limit)
