"""What somebody wrote in an editor, made safe and kept once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from helpdesk import html as safe_html
from helpdesk.numbers import as_key
from helpdesk.storage import delete_after_commit
from inbox.errors import SentOtherwise, UploadGone
from inbox.models import Attachment, Message, Upload
from inbox.models.message import Address
from people.models import User
from people.models.contact import normalised

UPLOADED = re.compile(r"/uploads/([0-9a-f-]{36})/", re.IGNORECASE)


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
        uploaded = UPLOADED.search(source)
        if uploaded is None:
            return source
        key = _key(uploaded[1])
        inline[key] = f"{key.hex}@{domain}"
        return f"cid:{inline[key]}"

    plain, clean = _parts(html, text, into_mail)
    if not plain.strip() and not inline:
        clean = "" if html.strip() else clean  # an editor leaves empty paragraphs behind

    keys = dict.fromkeys([*inline, *(u.pk if isinstance(u, Upload) else _key(u) for u in uploads)])
    found = {upload.pk: upload for upload in Upload.objects.select_for_update().filter(pk__in=keys, user=by)}
    if len(found) < len(keys):
        raise UploadGone
    shown = {key: cid for key, cid in inline.items() if found[key].content_type.startswith("image/")}
    return Body(text=plain, html=clean, inline=shown, uploads=[found[key] for key in keys])


def once(form_key: UUID | str | None, write: Callable[[], Message], *, is_same: Callable[[Message], bool]) -> Message:
    """A double click writes once, also when both clicks arrive at the same moment.

    Raises SentOtherwise when what was written under that key is not the same: it would be lost, and called sent.
    """

    def written() -> Message | None:
        found = Message.objects.filter(form_key=form_key).first() if form_key else None
        if found is not None and not is_same(found):
            raise SentOtherwise(with_files=found.attachments.exists())
        return found

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


def says(
    message: Message,
    html: str,
    text: str,
    uploads: Iterable[Upload | UUID | str] = (),
    *,
    to: Iterable[Address] | None = None,
) -> bool:
    """Whether `message` was written with these words and files, and went `to` these; None: to whom it came from by itself.

    Its uploads are used up by then, so they are known by the files that they became. One that a plain form brought
    anew is the same by name and size.
    """
    if _parts(html, text, lambda source: source)[0] != message.text:
        return False
    if to is not None:
        went_to = (*message.to, *message.cc, *message.bcc)
        if {normalised(one["address"]) for one in to} != {normalised(one["address"]) for one in went_to}:
            return False
    used = _used(Attachment.objects.filter(message=message))
    files = [*uploads, *UPLOADED.findall(html)]
    keys = {one.pk if isinstance(one, Upload) else _key(one) for one in files}
    brought = {one.pk: (one.name, one.size) for one in files if isinstance(one, Upload) and one.pk not in used}
    left = Counter((file.name, file.size) for key, file in used.items() if key not in keys)
    return keys <= used.keys() | brought.keys() and left == Counter(brought.values())


def used_up_by(form_key: UUID, by: User) -> set[UUID]:
    """The uploads that went with what `by` sent by that form."""
    return set(_used(Attachment.objects.filter(message__form_key=form_key, message__author=by)))


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


def _parts(html: str, text: str, into_mail: Callable[[str], str]) -> tuple[str, str]:
    """As text and as safe HTML, whose images are where `into_mail` says."""
    if html.strip():
        clean = str(safe_html.with_sources(safe_html.clean_editor(html), into_mail))
        return safe_html.to_text(clean, links=True), clean
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip("\n")
    return plain, str(safe_html.from_text(plain))


def _used(attachments: Iterable[Attachment]) -> dict[UUID, Attachment]:
    """By the uploads that they were, which `attach` names their files after; a file that was forwarded was none."""
    found = {}
    for file in attachments:
        with suppress(ValueError):
            found[UUID(str(file.file.name).rpartition("/")[2])] = file
    return found


def _key(text: UUID | str) -> UUID:
    key = as_key(str(text))
    if key is None:
        raise UploadGone
    return key
