"""What becomes of an unsent text: saved while one types, thrown away, taken back, and made of a message again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.urls import reverse

from helpdesk.live import publish
from inbox.addressing import answered_by
from inbox.errors import AlreadySent, AnotherBegun, NewerDraft
from inbox.models import Attachment, Draft, DraftMode, MailKind, Message, MessageKind, Outgoing, Upload
from inbox.quoting import quote
from people.models import User
from tickets.counting import MOST_COUNTED, Count
from tickets.models import Ticket

KEPT = timedelta(days=30)
"""So long a draft that was thrown away can be taken back."""

_SHOWN_IMAGE = re.compile(r'\bsrc="cid:([^"]*)"', re.IGNORECASE)

CONTENT = ("kind", "mailbox_id", "to", "cc", "bcc", "subject", "quoted_html", "forwarded", "html", "text")


@dataclass
class Written:
    """What stands in one of the editors, as a form brought it or as it was kept, and what is wrong with it."""

    draft: Draft = field(default_factory=Draft)
    """With the values of the form; not saved."""
    uploads: list[Upload] = field(default_factory=list)
    spent: list[UUID] = field(default_factory=list)
    """Uploads that are used up: they went with what this same form has sent already."""
    chosen: bool = False
    """Somebody chose the message that is answered; otherwise it is the customer's newest, whichever that will be."""
    based_on: int = 0
    """The version of the draft that this was typed over; 0 when there was none."""
    error: str = ""

    @property
    def html(self) -> str:
        return self.draft.html

    @property
    def text(self) -> str:
        return self.draft.text

    @property
    def form_key(self) -> UUID:
        return self.draft.form_key

    @property
    def files(self) -> list[Upload]:
        """Those that are not seen in the text."""
        return [upload for upload in self.uploads if str(upload.pk) not in self.draft.html]

    @property
    def attached(self) -> list[Upload | UUID]:
        """Everything that the form holds, also when it comes again."""
        return [*self.uploads, *self.spent]

    @property
    def saved_at(self) -> str:
        """When it was kept, for the line beside it; nothing when it was not."""
        return self.draft.saved_at if self.draft.pk else ""

    @property
    def is_empty(self) -> bool:
        """Nothing that somebody would miss. A forward needs no words of one's own, only somebody to go to."""
        forwards = self.draft.kind == MailKind.FORWARD and bool(self.draft.to)
        return self.draft.is_blank and not self.uploads and not forwards

    @classmethod
    def kept(cls, draft: Draft) -> Written:
        """What was saved, to be printed again."""
        return cls(draft, list(draft.uploads.all()), chosen=draft.answers_id is not None, based_on=draft.version)


def save(written: Written, now: datetime) -> Draft:
    """Keep it, or forget it when it is empty. The draft that comes back says which version it is now (0: none is kept).

    Raises NewerDraft when somebody (the same person, elsewhere) saved another text since the version this one was typed
    over, and AlreadySent when this form was sent meanwhile; nothing is saved then. Saving the same again changes nothing.
    """
    try:
        with transaction.atomic():
            return _save(written, now)
    except IntegrityError:
        # Two tabs began at the same moment, and the other one was first.
        with transaction.atomic():
            return _save(written, now)


def discard(draft: Draft, now: datetime) -> None:
    """Throw it away; for a month it can be taken back."""
    Draft.objects.filter(pk=draft.pk, deleted_at=None).update(deleted_at=now)
    draft.deleted_at = now
    _tell(draft, 0)


def restore(draft: Draft) -> None:
    """Take back what was thrown away. Raises NewerDraft when another text was begun in its place."""
    begun = Draft.objects.live(draft.user, draft.ticket, draft.mode)
    if begun is not None and begun.pk != draft.pk:
        raise NewerDraft(begun)
    draft.deleted_at = None
    draft.save(update_fields=["deleted_at"])
    _tell(draft, draft.version)


def used_up(written_or_draft: Written | Draft) -> Draft | None:
    """It was sent: the draft is gone, and comes back once. One that was changed elsewhere meanwhile stays a text of its own.

    To be called in the transaction that writes the message.
    """
    if isinstance(written_or_draft, Written):
        draft, based_on = written_or_draft.draft, written_or_draft.based_on
    else:
        draft, based_on = written_or_draft, written_or_draft.version
    live = Draft.objects.select_for_update().live(draft.user, draft.ticket, draft.mode)
    if live is None:
        return None
    if live.version > based_on and _body(live) != _body(draft):
        # Under a new key, or it would count as sent.
        Draft.objects.filter(pk=live.pk).update(form_key=Draft().form_key)
        return live
    live.delete()
    _tell(draft, 0)
    return live


def from_message(message: Message, *, by: User, now: datetime) -> Draft:
    """Turn a message of ours back into a draft of `by`: text, pictures, files, recipients, subject and history.

    Its files are copied, so the message may stay or go; it is left to the caller. Raises AnotherBegun when the same person
    is writing something else there by now: two texts for two audiences never become one.
    """
    if message.ticket is None:
        raise ValueError("a message without a ticket has no editor")
    mode = DraftMode.COMMENT if message.is_internal else DraftMode.REPLY
    try:
        with transaction.atomic():
            return _from_message(message, message.ticket, mode, by, now)
    except IntegrityError as error:  # begun in this moment
        raise AnotherBegun from error


def has_begun(user: User, ticket: Ticket, mode: DraftMode = DraftMode.REPLY) -> bool:
    """Whether the user is writing something there that they would miss."""
    return _is_begun(Draft.objects.live(user, ticket, mode))


def count_of(user: User) -> Count:
    """How many drafts the user finds in the Drafts view."""
    return Count(Draft.objects.visible_to(user).unsent()[:MOST_COUNTED].count())


def purge(now: datetime) -> int:
    """Forget for good what was thrown away a month ago, with its files. Returns how many."""
    return Draft.objects.filter(deleted_at__lt=now - KEPT).delete()[1].get(Draft._meta.label, 0)


def _save(written: Written, now: datetime) -> Draft:
    draft = written.draft
    live = Draft.objects.select_for_update().live(draft.user, draft.ticket, draft.mode)
    sent = Message.objects.filter(form_key__in={draft.form_key, live.form_key if live else draft.form_key})
    sent_keys = set(sent.values_list("form_key", flat=True))
    if draft.form_key in sent_keys:
        raise AlreadySent
    if live is not None and live.form_key in sent_keys:  # saved while it was being sent
        live.delete()
        live = None
    if live is not None and live.version != written.based_on:
        if _same(live, written):
            return live
        raise NewerDraft(live)
    if written.is_empty:
        if live is not None:
            live.delete()
            _tell(draft, 0)
        draft.version = 0
        return draft
    if live is not None and _same(live, written):
        return live

    kept = live or Draft(user=draft.user, ticket=draft.ticket, mode=draft.mode, version=written.based_on)
    for name in CONTENT:
        setattr(kept, name, getattr(draft, name))
    kept.answers = draft.answers if written.chosen else None
    kept.form_key = draft.form_key
    kept.begun_after = draft.begun_after
    kept.updated_at = now
    kept.version += 1
    kept.save()
    if live is not None and set(live.uploads.all()) != set(written.uploads):
        kept.uploads.set(written.uploads)
    elif live is None and written.uploads:
        kept.uploads.add(*written.uploads)
    _tell(kept, kept.version, counted=live is not None)
    return kept


def _same(live: Draft, written: Written) -> bool:
    draft = written.draft
    answers = draft.answers_id if written.chosen else None
    return (
        all(getattr(live, name) == getattr(draft, name) for name in CONTENT)
        and live.answers_id == answers
        and set(live.uploads.all()) == set(written.uploads)
    )


def _is_begun(draft: Draft | None) -> bool:
    return draft is not None and not Written.kept(draft).is_empty


def _from_message(message: Message, ticket: Ticket, mode: DraftMode, by: User, now: datetime) -> Draft:
    begun = Draft.objects.select_for_update().live(by, ticket, mode)
    if _is_begun(begun):
        raise AnotherBegun
    uploads: dict[int, Upload] = {}
    html = message.html
    for attachment in message.attachments.all():
        uploads[attachment.pk] = upload = _as_upload(attachment, by)
        if attachment.content_id:
            html = _showing(html, attachment.content_id, upload)
    draft = begun or Draft(user=by, ticket=ticket, mode=mode, version=0)
    draft.html, draft.text = html, "" if html else message.text
    draft.form_key = Draft().form_key
    draft.version += 1
    draft.updated_at = now
    draft.replaces = None
    if mode == DraftMode.REPLY:
        _address_as(draft, message, ticket)
    earlier = ticket.messages.filter(pk__lt=message.pk).order_by("-pk").values_list("pk", flat=True)
    draft.begun_after = earlier.first()
    draft.save()
    draft.uploads.add(*uploads.values())
    _tell(draft, draft.version)
    return draft


def _body(draft: Draft) -> tuple[str, str]:
    return draft.html, draft.text


def _address_as(draft: Draft, message: Message, ticket: Ticket) -> None:
    draft.to, draft.cc, draft.bcc = message.to, message.cc, message.bcc
    draft.subject = message.subject
    # What was forwarded of the answered message is among the files by now.
    draft.forwarded = [] if message.kind == MessageKind.FORWARD else None
    newest = answered_by(ticket, None)
    # Named only where it is not the one that an answer goes to anyway.
    draft.answers = message.answers if message.answers_id != (newest.pk if newest else None) else None
    draft.kind = _kind_of(message)
    draft.mailbox = message.conversation.mailbox if message.conversation else None
    usual = quote(message.answers).html if message.answers and draft.kind != MailKind.FORWARD else None
    draft.quoted_html = None if message.quoted_html == usual else message.quoted_html


def _kind_of(message: Message) -> MailKind:
    """As what it was written; of what stays in the conversation nobody remembers it."""
    outgoing = Outgoing.objects.filter(message=message).only("before").first()
    if outgoing is not None and (kind := outgoing.before.get("kind")):
        return MailKind(kind)
    if message.kind == MessageKind.FORWARD:
        return MailKind.FORWARD
    return MailKind.REPLY_ALL if message.cc else MailKind.REPLY


def _as_upload(attachment: Attachment, by: User) -> Upload:
    upload = Upload(user=by, name=attachment.name, content_type=attachment.content_type, size=attachment.size)
    with attachment.file.open("rb") as file:
        upload.file.save(str(upload.pk), File(file), save=False)
    upload.save()
    return upload


def _showing(html: str, content_id: str, upload: Upload) -> str:
    address = reverse("inbox:upload", args=[upload.pk])
    return _SHOWN_IMAGE.sub(lambda match: f'src="{address}"' if match[1] == content_id else match[0], html)


def _tell(draft: Draft, version: int, *, counted: bool = False) -> None:
    """The other windows of the same person, and nobody else's; with how many drafts there are, unless that is the same."""
    detail = {} if counted else {"drafts": str(count_of(draft.user))}
    publish("draft", ticket=draft.ticket_id, users=[draft.user_id], mode=draft.mode, version=version, **detail)
