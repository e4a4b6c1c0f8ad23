"""What somebody wrote in an editor, made safe and kept once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from helpdesk import html as safe_html
from helpdesk.storage import delete_after_commit
from inbox.errors import UploadGone
from inbox.models import Attachment, Message, Upload
from people.models import User

_UPLOADED = re.compile(r"/uploads/([0-9a-f-]{36})/", re.IGNORECASE)


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


def read_body(by: User, html: str, text: str, uploads: Iterable[Upload | UUID | str], *, domain: str) -> Body:
    """Raises UploadGone when a file is not there or is not of `by`."""
    inline: dict[UUID, str] = {}

    def into_mail(source: str) -> str:
        uploaded = _UPLOADED.search(source)
        if uploaded is None:
            return source
        key = _key(uploaded[1])
        inline[key] = f"{key.hex}@{domain}"
        return f"cid:{inline[key]}"

    if html.strip():
        clean = str(safe_html.with_sources(safe_html.clean_editor(html), into_mail))
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


def once(form_key: UUID | str | None, write: Callable[[], Message]) -> Message:
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


def attach(message: Message, body: Body) -> list[Attachment]:
    """Make the uploads of `body` the message's attachments; they are used up."""
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
            delete_after_commit(old)
    return Attachment.objects.bulk_create(attachments)


def _key(text: UUID | str) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise UploadGone from None
