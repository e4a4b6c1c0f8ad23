"""What one reads of a ticket: its messages and what happened to it, in one order, each ready to be printed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import groupby

from django.urls import reverse
from django.utils.safestring import SafeString

from helpdesk import html as safe_html
from inbox.addressing import newest_of_customer
from inbox.models import Attachment, Direction, Message, Outgoing
from tickets.models import Event, EventKind, Ticket

# HTML made of these alone looks right among our own words. Anything else is a page of its own, in a frame.
_PLAIN_TAGS = frozenset("p div br b strong i em u s a ul ol li blockquote pre code span wbr hr".split())
_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)([^>]*)>")
_LOOKS = re.compile(r"\b(style|bgcolor|background|color|face|size|width|height)\s*=", re.IGNORECASE)

FOLDED_FROM = 4
"""So many events in a row are folded to one line."""

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

    @property
    def kind(self) -> str:
        if self.message.is_internal:
            return "comment"
        return "agent" if self.message.direction == Direction.OUT else "customer"

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
    def inline_urls(self) -> dict[str, str]:
        """Where its inline images are, by content id."""
        return {
            file.content_id: reverse("inbox:attachment", args=[file.pk])
            for file in self.message.attachments.all()
            if file.content_id
        }


@dataclass(frozen=True)
class Happened:
    """Events that follow each other without a message between them."""

    events: list[Event]

    @property
    def is_folded(self) -> bool:
        return len(self.events) >= FOLDED_FROM

    @property
    def others(self) -> int:
        return len(self.events) - 1


@dataclass(frozen=True)
class NewMark:
    """Stands before the first message that came since the reader last looked."""


Entry = Said | Happened | NewMark


@dataclass
class Thread:
    """Everything said and done on a ticket. `looked_at` is when its reader last looked, None for the first time."""

    ticket: Ticket
    looked_at: datetime | None = None
    answered_id: int | None = None
    messages: list[Message] = field(init=False)
    events: list[Event] = field(init=False)

    def __post_init__(self) -> None:
        self.messages = list(self.ticket.messages.for_thread())
        for message in self.messages:
            message.ticket = self.ticket
        self.events = list(self.ticket.events.select_related("actor"))

    @property
    def version(self) -> str:
        """Changes with anything that the thread prints, so that one who has it need not fetch it again."""
        parts = [f"{message.pk}{self._state(message)}" for message in self.messages]
        parts += [f"e{event.pk}" for event in self.events]
        return hashlib.sha256(",".join(parts).encode()).hexdigest()[:16]

    @property
    def refresh_seconds(self) -> int:
        """How soon to look again: one who just sent waits for the word that it went."""
        outgoing = [getattr(message, "outgoing", None) for message in self.messages]
        return 2 if any(mail and mail.is_leaving for mail in outgoing) else 10

    @property
    def last(self) -> Message | None:
        return self.messages[-1] if self.messages else None

    @property
    def newest_of_customer(self) -> Message | None:
        return newest_of_customer(self.messages)

    def message(self, pk: int) -> Message | None:
        return next((message for message in self.messages if message.pk == pk), None)

    def entries(self) -> Iterator[Entry]:
        latest = self.last.pk if self.last else None
        marked = self.looked_at is None
        timeline: list[Message | Event] = sorted([*self.events, *self.messages], key=_place)
        for is_event, run in groupby(timeline, key=lambda entry: isinstance(entry, Event)):
            if is_event:
                yield Happened([event for event in run if isinstance(event, Event)])
                continue
            for message in (entry for entry in run if isinstance(entry, Message)):
                if not marked and self.looked_at and message.direction == Direction.IN and message.at > self.looked_at:
                    marked = True
                    yield NewMark()
                yield Said(message, message.pk == latest, message.pk == self.answered_id)

    @staticmethod
    def _state(message: Message) -> str:
        outgoing = getattr(message, "outgoing", None)
        return f"{outgoing.state}{outgoing.tries}" if outgoing else ""


def _place(entry: Message | Event) -> tuple[datetime, int, int]:
    """A ticket is created by its first message and changed by its others: told in that order when the moment is one."""
    created = isinstance(entry, Event) and entry.kind == EventKind.CREATED
    return entry.at, 0 if created else 1 if isinstance(entry, Message) else 2, entry.pk
