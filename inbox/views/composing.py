"""The two forms under a conversation, as they are printed and as they come back."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from inbox.errors import ContactWithoutAddress, InboxError, NobodyToWriteTo, NotAMailAddress, ReplyError
from inbox.models import Direction, Message, Upload
from inbox.rendering import signature_of
from inbox.replying import Recipients, recipients_for
from inbox.timeline import Thread
from people.access import signed_in
from people.models import User
from tickets.models import Ticket


class FileTooLarge(InboxError):
    def __init__(self, name: str) -> None:
        super().__init__(
            _("“%(name)s” is larger than %(limit)d MB, the most that can be attached. Send a link to it instead.")
            % {"name": name, "limit": settings.HELPDESK_MAX_UPLOAD_MB}
        )


@dataclass
class Written:
    """What stands in one of the forms, and what is wrong with it."""

    text: str = ""
    html: str = ""
    form_key: UUID = field(default_factory=uuid.uuid4)
    uploads: list[Upload] = field(default_factory=list)
    error: str = ""


@dataclass
class Composer:
    ticket: Ticket
    user: User
    thread: Thread
    chosen: Message | None = None
    """The message that somebody chose to answer; None: the customer's newest."""
    mode: str = ""
    reply: Written = field(default_factory=Written)
    comment: Written = field(default_factory=Written)
    is_fresh: bool = False
    """What was kept of an unsent text is not wanted any more: it has arrived."""
    recipients: Recipients | None = field(init=False, default=None)
    problem: str = field(init=False, default="")
    """Why nobody can be written to."""
    lacks_address: bool = field(init=False, default=False)
    """Whether that is for want of a contact or of an address, which an admin can give."""

    def __post_init__(self) -> None:
        if not self.may_reply:
            self.mode = "comment"
            return
        self.mode = self.mode or "reply"
        try:
            self.recipients = recipients_for(self.ticket, self.answered)
        except ReplyError as error:
            self.problem = str(error)
            self.lacks_address = isinstance(error, (NobodyToWriteTo, ContactWithoutAddress, NotAMailAddress))

    @property
    def may_reply(self) -> bool:
        return self.user.may_reply

    @property
    def answered(self) -> Message | None:
        """Named in the form, so that a mail that comes while one writes does not change whom one writes to."""
        return self.chosen or self.thread.newest_of_customer

    @property
    def signature(self) -> list[str]:
        """The lines that are added below what one writes, so that nobody adds them twice."""
        if self.recipients is None:
            return []
        return [line for line in signature_of(self.user, self.recipients.mailbox).splitlines() if line.strip()]

    @property
    def offers_reply(self) -> bool:
        """Nothing to write in when nobody can be written to, unless something was written already."""
        return not self.problem or bool(self.reply.error)

    @property
    def reply_draft(self) -> str:
        return f"{self.user.pk}-{self.ticket.pk}-reply"

    @property
    def comment_draft(self) -> str:
        return f"{self.user.pk}-{self.ticket.pk}-comment"


def answered_message(thread: Thread, asked: str) -> Message | None:
    """The message of `thread` that is to be answered, by its number in the address; a comment cannot be."""
    message = thread.message(int(asked)) if asked.isdecimal() and len(asked) < 19 else None
    return message if message and message.direction != Direction.INTERNAL else None


def read_form(request: HttpRequest) -> Written:
    """What was typed and attached. Files of the plain form become uploads, as those of the editor are already."""
    user = signed_in(request)
    written = Written(text=request.POST.get("text", ""), html=request.POST.get("html", ""))
    with suppress(ValueError):  # a form made by hand has none: it is taken once per click
        written.form_key = UUID(request.POST.get("form_key", ""))
    keys = [key for key in request.POST.getlist("upload") if _is_key(key)]
    kept = {str(upload.pk): upload for upload in Upload.objects.filter(user=user, pk__in=keys)}
    missing = len(request.POST.getlist("upload")) - len(kept)
    written.uploads = list(kept.values())
    if missing > 0:
        written.error = _("A file is not here any more. Attach it again.")
    for file in request.FILES.getlist("files"):
        try:
            written.uploads.append(keep_upload(user, file))
        except FileTooLarge as error:
            written.error = str(error)
    return written


def keep_upload(user: User, file: UploadedFile) -> Upload:
    """Raises FileTooLarge."""
    name = (file.name or _("file"))[:255]
    size = file.size or 0
    if size > settings.HELPDESK_MAX_UPLOAD_MB * 1024 * 1024:
        raise FileTooLarge(name)
    content_type = _printable(file.content_type or "")[:255] or "application/octet-stream"
    upload = Upload(user=user, name=name, content_type=content_type, size=size)
    # Under a name of ours: what people call their files is for people.
    upload.file.save(str(upload.pk), file, save=False)
    upload.save()
    return upload


def _printable(text: str) -> str:
    """What a browser says of a file is text from outside: no database takes a NUL, no header a new line."""
    return "".join(letter for letter in text if letter.isprintable())


def _is_key(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
