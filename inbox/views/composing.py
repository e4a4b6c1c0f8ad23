"""The two forms under a conversation, as they are printed and as they come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.numbers import as_key, as_number
from inbox.addressing import Recipients, read_addresses
from inbox.addressing.desk import MOST_KEPT, MOST_RECIPIENTS
from inbox.drafting import Written
from inbox.errors import FarTooManyRecipients, FileTooLarge, TooMuchUnsent
from inbox.models import Direction, Draft, DraftMode, Mailbox, MailKind, Message, Upload
from inbox.models.message import Address
from inbox.rendering import signature_of
from inbox.timeline import Thread
from inbox.views.head import Head
from inbox.views.sending import Choice, LaterTimes, choices, later_times
from inbox.writing import UPLOADED, used_up_by
from people.access import signed_in
from people.models import User
from tickets.models import Ticket

__all__ = [
    "Composer",
    "Written",
    "answered_message",
    "keep_upload",
    "read_draft",
    "read_form",
]

MOST_SAVES = 2**31 - 2
MOST_UNSENT_MB = 500
"""Of one person's files on their way into messages."""


@dataclass
class Composer:
    ticket: Ticket
    user: User
    thread: Thread
    chosen: Message | None = None
    """The message that somebody chose to answer; None: the one of the draft, or the customer's newest."""
    mode: str = ""
    reply: Written = field(default_factory=Written)
    """What was refused and is printed again; else what was kept of an unsent text takes its place."""
    comment: Written = field(default_factory=Written)
    is_fresh: bool = False
    resumes: bool = True
    """Also answers what the draft answers. Not when somebody just chose the newest message instead."""
    blind: list[str] = field(default_factory=list)
    """Whom the comment names although they do not see the ticket."""
    kind: str = ""
    """Of the mail, as somebody asked for it."""
    later_again: LaterTimes | None = None
    """Of a mail that was to leave later, and is printed again."""
    head: Head | None = field(init=False, default=None)
    """Of the reply; None for whoever may not write one."""

    def __post_init__(self) -> None:
        self._take_up_drafts()
        if not self.may_reply:
            self.mode = "comment"
            return
        only_comment = self.comment.draft.pk and not self.reply.draft.pk
        self.mode = self.mode or ("comment" if only_comment else "reply")
        if self.resumes and self.chosen is None and self.reply.chosen:
            self.chosen = self.reply.draft.answers
        self.head = Head(self.ticket, self.user, self._addressed(), self.answered, self.chosen is not None)

    def _addressed(self) -> Draft:
        """What is kept of whom it goes to; nothing of that, where another message was chosen or another kind of mail."""
        draft = self.reply.draft
        elsewhere = self.chosen is not None and not self.reply.error and draft.answers_id != self.chosen.pk
        if not elsewhere and (not self.kind or self.kind == draft.kind):
            return draft
        return Draft(user=self.user, ticket=self.ticket, mode=DraftMode.REPLY, kind=self.kind, mailbox=draft.mailbox)

    def _take_up_drafts(self) -> None:
        for draft in Draft.objects.filter(user=self.user, ticket=self.ticket).unsent().for_composer():
            if draft.mode == DraftMode.REPLY and not self.reply.error:
                self.reply = Written.kept(draft)
            elif draft.mode == DraftMode.COMMENT and not self.comment.error:
                self.comment = Written.kept(draft)

    @property
    def may_reply(self) -> bool:
        return self.user.may_reply and not self.lacks_contact

    @property
    def lacks_contact(self) -> bool:
        """Nobody wrote and nobody is named: until a contact is added there is nobody to reply to (SPEC S-13)."""
        return (
            self.ticket.contact_id is None
            and self.thread.newest_of_customer is None
            and not (self.reply.error or self.reply.draft.pk)
        )

    @property
    def recipients(self) -> Recipients | None:
        return self.head.recipients if self.head else None

    @property
    def problem(self) -> str:
        """Why nobody can be written to."""
        return self.head.problem if self.head else ""

    @property
    def _is_writable(self) -> bool:
        return self.head is not None and self.head.is_writable

    @property
    def answered(self) -> Message | None:
        """Named in the form, so that a mail that comes while one writes does not change whom one writes to."""
        return self.chosen or self.thread.newest_of_customer

    @property
    def begun_after(self) -> int:
        """The newest message there is, for a text that begins now."""
        return self.thread.last_id

    @property
    def signature(self) -> list[str]:
        """The lines that are added below what one writes, so that nobody adds them twice."""
        return signature_lines(self.user, self.recipients.mailbox if self.recipients else None)

    @cached_property
    def choices(self) -> list[Choice]:
        """The statuses to send with."""
        return choices(self.ticket)

    @property
    def later(self) -> LaterTimes:
        return self.later_again or later_times(timezone.now())

    @property
    def offers_reply(self) -> bool:
        """Nothing to write in when nobody can be written to, unless something was written already."""
        return not self.problem or bool(self.reply.error) or bool(self.reply.draft.pk) or self._is_writable

    @property
    def reply_draft(self) -> str:
        return kept_as(self.user, self.ticket, DraftMode.REPLY)

    @property
    def comment_draft(self) -> str:
        return kept_as(self.user, self.ticket, DraftMode.COMMENT)


def kept_as(user: User, ticket: Ticket, mode: DraftMode) -> str:
    """Under which name the browser keeps what was typed and not sent."""
    return f"{user.pk}-{ticket.pk}-{mode.value}"


def signature_lines(user: User, mailbox: Mailbox | None) -> list[str]:
    return [line for line in signature_of(user, mailbox).splitlines() if line.strip()] if mailbox else []


def answered_message(thread: Thread, asked: str) -> Message | None:
    """The message of `thread` that is to be answered, by its number in the address; a comment cannot be."""
    number = as_number(asked)
    message = thread.message(number) if number else None
    return message if message and message.direction != Direction.INTERNAL else None


def read_draft(request: HttpRequest, ticket: Ticket, mode: str) -> Written:
    """What one of the forms of a ticket holds, over what was kept of it; nothing is saved.

    Recipients are taken as they were typed: whether mail can go there is asked when it is sent.
    """
    post, user = request.POST, signed_in(request)
    draft = Draft.objects.filter(user=user, ticket=ticket, mode=mode).unsent().first()
    draft = draft or Draft(user=user, ticket=ticket, mode=mode, version=0)
    draft.user, draft.ticket = user, ticket  # at hand: no need to ask for them again
    written = _read_body(request, draft)
    version = as_number(post.get("draft_version", "")) or 0
    written.based_on = draft.version = version if version <= MOST_SAVES else 0
    draft.begun_after = as_number(post.get("begun_after", "")) or None
    if mode == DraftMode.COMMENT:
        return written

    draft.kind = post.get("kind", "") if post.get("kind") in MailKind.values else ""
    mailbox = post.get("mailbox_plain") or post.get("mailbox", "")
    draft.mailbox = Mailbox.objects.filter(pk=as_number(mailbox) or 0).first() if mailbox else None
    draft.subject = _line(post.get("subject", ""))
    typed = "recipients" in post
    draft.to = draft.cc = draft.bcc = None
    if typed:
        written.error = _read_recipients(request, draft) or written.error
    draft.quoted_html = _lines(post.get("quoted_html", "")) or None
    if typed and "quotes" not in post:
        draft.quoted_html = ""
    if draft.kind == MailKind.FORWARD and typed:
        draft.forwarded = list(filter(None, map(as_number, post.getlist("forwarded"))))
    asked = post.get("answers", "")
    answered = ticket.messages.exclude(direction=Direction.INTERNAL).select_related("conversation__mailbox")
    draft.answers = answered.filter(pk=as_number(asked) or 0).first() if asked else None
    written.chosen = "chosen" in post and draft.answers is not None
    if asked and draft.answers is None:
        written.error = _("The message that you answer is not here any more. Your text is kept; check whom it goes to.")
    return written


def read_form(request: HttpRequest) -> Written:
    """What was typed and attached, apart from any ticket."""
    return _read_body(request, Draft())


def _read_body(request: HttpRequest, draft: Draft) -> Written:
    """Files of the plain form become uploads, as those of the editor are already; so do pictures in the text."""
    user = signed_in(request)
    draft.text, draft.html = _lines(request.POST.get("text", "")), _lines(request.POST.get("html", ""))
    draft.form_key = as_key(request.POST.get("form_key", "")) or Draft().form_key  # made by hand: taken once per click
    written = Written(draft)
    asked = {key for key in map(as_key, request.POST.getlist("upload")) if key}
    shown = {key for key in map(as_key, UPLOADED.findall(draft.html)) if key}
    if asked or shown:
        written.uploads = list(Upload.objects.filter(user=user, pk__in=asked | shown))
    missing = (asked | shown) - {upload.pk for upload in written.uploads}
    if missing:
        written.spent = sorted(missing & used_up_by(draft.form_key, user))
    if (missing & asked).difference(written.spent) or len(asked) < len(request.POST.getlist("upload")):
        written.error = _("A file is not here any more. Attach it again.")
    for file in request.FILES.getlist("files"):
        try:
            written.uploads.append(keep_upload(user, file))
        except FileTooLarge as error:
            written.error = str(error)
    return written


def keep_upload(user: User, file: UploadedFile) -> Upload:
    """Raises FileTooLarge, and TooMuchUnsent when theirs fill the place of one person: a message takes its files along."""
    name = (file.name or _("file"))[:255]
    size = file.size or 0
    if size > settings.HELPDESK_MAX_UPLOAD_MB * 1024 * 1024:
        raise FileTooLarge(name)
    unsent = Upload.objects.filter(user=user).aggregate(size=Sum("size", default=0))["size"]
    if unsent + size > MOST_UNSENT_MB * 1024 * 1024:
        raise TooMuchUnsent(MOST_UNSENT_MB)
    content_type = _printable(file.content_type or "")[:255] or "application/octet-stream"
    upload = Upload(user=user, name=name, content_type=content_type, size=size)
    # Under a name of ours: what people call their files is for people.
    upload.file.save(str(upload.pk), file, save=False)
    upload.save()
    return upload


def _printable(text: str) -> str:
    """What a browser says of a file is text from outside: no database takes a NUL, no header a new line."""
    return "".join(letter for letter in text if letter.isprintable())


def _read_recipients(request: HttpRequest, draft: Draft) -> str:
    """What is wrong with how many they are; all that are kept fit on a page."""
    room, problem = MOST_KEPT, ""
    for name in ("to", "cc", "bcc"):
        entries = list(islice(_addresses(request, name), room + 1))
        if len(entries) > room:
            problem = str(FarTooManyRecipients(MOST_RECIPIENTS, MOST_KEPT))
        setattr(draft, name, entries[:room])
        room -= len(entries[:room])
    return problem


def _addresses(request: HttpRequest, name: str) -> Iterator[Address]:
    return (entry for typed in request.POST.getlist(name) for entry in read_addresses(_lines(typed)))


def _lines(text: str) -> str:
    """As it was typed: a form sends every line end as two signs, and no database takes a NUL."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def _line(text: str) -> str:
    return " ".join(_lines(text).split())
