"""A message as the conversation prints it: whose it is, which of its words stand in the page, which in a frame."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from django.urls import reverse
from django.utils.safestring import SafeString

from helpdesk import html as safe_html
from inbox.models import Attachment, Direction, Message, MessageKind, Outgoing
from tickets.models import Status

# HTML made of these alone looks right among our own words. Anything else is a page of its own, in a frame.
_PLAIN_TAGS = frozenset("p div br b strong i em u s a ul ol li blockquote pre code span wbr hr".split())
_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)([^>]*)>")
_LOOKS = re.compile(r"\b(style|bgcolor|background|color|face|size|width|height)\s*=", re.IGNORECASE)

MOST_SHOWN = 100_000
"""A message of more characters than these does not stand whole among the others."""

MOST_FILES = 50
"""So many attachments of a message are seen at once."""


def needs_frame(clean_html: str) -> bool:
    """Whether cleaned HTML brings looks of its own: tables, colours, sizes, images from elsewhere."""
    return any(_has_looks(name.lower(), rest) for name, rest in _TAG.findall(clean_html))


def _has_looks(tag: str, attributes: str) -> bool:
    if tag == "img":  # a photo that came with the mail
        return "data-remote-src" in attributes or "style=" in attributes
    return tag not in _PLAIN_TAGS or bool(_LOOKS.search(attributes))


@dataclass(frozen=True)
class Said:
    """A message, ready to be printed."""

    message: Message
    is_latest: bool = False
    is_answered: bool = False
    shows_images: bool = False
    """Remote ones too: the reader trusts who sent it."""

    @property
    def kind(self) -> str:
        if self.message.is_internal or self.is_withheld:
            return "comment"
        return "agent" if self.message.direction == Direction.OUT else "customer"

    @property
    def is_withheld(self) -> bool:
        """The answer of somebody whom a forward went to: among ourselves until an agent releases it."""
        return self.message.third_party and self.message.released_at is None

    @property
    def is_framed(self) -> bool:
        """What we wrote ourselves stands in the page; a mail with looks of its own or of great length gets a frame."""
        html = self.message.html
        return len(html) > MOST_SHOWN or (bool(html) and not self.message.author_id and needs_frame(html))

    @property
    def is_cut(self) -> bool:
        """There is more to read on a page of its own."""
        return not self.message.html and len(self.message.text) > MOST_SHOWN

    @property
    def body(self) -> SafeString:
        if self.message.html:
            return safe_html.resolve_cids(self.message.html, self.inline_urls)
        return safe_html.from_text(self.message.text[:MOST_SHOWN])

    @property
    def has_quoted(self) -> bool:
        return bool(self.message.quoted_text or self.message.quoted_html)

    @property
    def quoted_is_framed(self) -> bool:
        html, text = self.message.quoted_html, self.message.quoted_text
        return len(html or text) > MOST_SHOWN or needs_frame(html)

    @property
    def quoted(self) -> SafeString:
        if self.message.quoted_html:
            return safe_html.resolve_cids(self.message.quoted_html, self.inline_urls)
        return safe_html.from_text(self.message.quoted_text)

    @cached_property
    def files(self) -> list[Attachment]:
        """The attachments that are not seen in the text already."""
        text = self.message.html + self.message.quoted_html
        return [file for file in self.message.attachments.all() if not (file.inline and "cid:" in text)]

    @property
    def files_size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def first_files(self) -> list[Attachment]:
        return self.files[:MOST_FILES]

    @property
    def more_files(self) -> list[Attachment]:
        return self.files[MOST_FILES:]

    @cached_property
    def outgoing(self) -> Outgoing | None:
        return getattr(self.message, "outgoing", None)

    @property
    def is_pending(self) -> bool:
        return self.outgoing is not None and self.outgoing.is_pending

    @property
    def is_failed(self) -> bool:
        return self.outgoing is not None and self.outgoing.is_failed

    @property
    def is_cancelled(self) -> bool:
        return self.outgoing is not None and self.outgoing.is_cancelled

    @property
    def status_then(self) -> Status | None:
        """Where a mail that is sent later puts its ticket when it leaves: as its writer chose, or as the pipeline does."""
        ticket, outgoing = self.message.ticket, self.outgoing
        if ticket is None or outgoing is None or not outgoing.is_scheduled:
            return None
        if chosen := outgoing.on_leaving.get("status"):
            return next((one for one in ticket.pipeline.statuses.all() if one.pk == chosen), None)
        return None if self.message.kind == MessageKind.FORWARD else ticket.status_after_answer()

    @property
    def inline_urls(self) -> dict[str, str]:
        """Where its inline images are, by content id."""
        return {
            file.content_id: reverse("inbox:attachment", args=[file.pk])
            for file in self.message.attachments.all()
            if file.content_id
        }
