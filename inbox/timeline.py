"""What one reads of a ticket: its messages and what happened to it, in one order, each ready to be printed.

Of a long conversation only what is shown is read whole (`inbox.folding`); of the others a few small fields.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Q, Subquery

from inbox.addressing import newest_of_customer
from inbox.addressing.desk import NEWEST_FIRST
from inbox.folding import MORE, Folding
from inbox.models import Direction, Message, TrustedSender
from inbox.said import Said
from people.models import User
from tickets.models import Event, EventKind, Ticket

__all__ = ["Said", "Thread"]

FOLDED_FROM = 4
"""So many events in a row are folded to one line."""

MOST_UNREAD = 50
"""So many messages that one has not read are all there at once; of more, the newest of them."""

BESIDE = 2
"""A message that one came for stands among so many before and after it."""

# Enough to tell which are shown, which is answered by default, and whether anything is printed differently now.
_SMALL = (
    "pk ticket_id at direction automatic author_id third_party released_at edited_at deleted_at "
    "outgoing__state outgoing__tries outgoing__due_at"
).split()


@dataclass(frozen=True)
class Happened:
    """Events that follow each other without a message between them."""

    events: list[Event]

    @property
    def is_folded(self) -> bool:
        return len(self.events) >= FOLDED_FROM


@dataclass(frozen=True)
class NewMark:
    """Stands before the first message that came since the reader last looked."""


@dataclass(frozen=True)
class Gap:
    """Stands for messages that are not shown, and for what happened between them."""

    hidden: int
    before: int
    """The number of the message that follows it."""
    with_more: str
    """What to ask for to see the newest of them too."""

    @property
    def more(self) -> int:
        """So many come then; 0 when that would be all."""
        return MORE if self.hidden > MORE else 0


Entry = Said | Happened | NewMark | Gap


class Thread:
    """Everything said and done on a ticket, read when it is asked for.

    `looked_at` is when its reader last looked, None for the first time. `shown` is what they unfolded
    (`Folding.as_text`); `linked` is the number of a message that they came for. `reader` decides whose remote images
    are shown at once: without one, nobody's. Where it is not `printed`, no more messages are read than are asked for.
    """

    def __init__(
        self,
        ticket: Ticket,
        looked_at: datetime | None = None,
        answered_id: int | None = None,
        *,
        reader: User | None = None,
        shown: str = "",
        linked: int = 0,
        printed: bool = True,
    ) -> None:
        self.ticket = ticket
        self.looked_at = looked_at
        self.answered_id = answered_id
        self.reader = reader
        self.shown = shown
        self.linked = linked
        self.printed = printed

    @property
    def version(self) -> str:
        """Changes with anything that the thread prints, so that one who has it need not fetch it again."""
        parts = [*map(str, self._rows)] or [str(event.pk) for event in self.events]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    @property
    def refresh_seconds(self) -> int:
        """How soon to look again without being told: who just sent waits for the word that it went. 0: not at all."""
        outgoing = [getattr(message, "outgoing", None) for message in self.messages]
        return 2 if any(mail and mail.is_leaving for mail in outgoing) else 0

    @property
    def count(self) -> int:
        return len(self._rows)

    @property
    def last(self) -> Message | None:
        return self.messages[-1] if self.messages else None

    @property
    def last_id(self) -> int:
        """Of the newest message, without reading it; 0 when there is none."""
        return int(self._rows[-1]["pk"]) if self._rows else 0

    @cached_property
    def newest_of_customer(self) -> Message | None:
        # The newest alone decides, but for mails of machines and of others: all are looked at only when there is no other.
        theirs = [row for row in self._rows if row["direction"] == Direction.IN]
        for rows in (theirs[-NEWEST_FIRST:], theirs):
            newest = newest_of_customer([_small(row) for row in rows])
            if newest and (not newest.automatic or rows is theirs):
                return self.message(newest.pk)
        return None

    @cached_property
    def messages(self) -> list[Message]:
        """Those that are shown, oldest first."""
        return self._read([self._rows[place]["pk"] for place in self.folding.shown])

    def message(self, pk: int) -> Message | None:
        """Any message of the ticket, shown or not."""
        place = next((place for place, row in enumerate(self._rows) if row["pk"] == pk), None)
        if place is None:
            return None
        messages = self.messages if self.printed and place in self.folding.shown else self._read([pk])
        return next((message for message in messages if message.pk == pk), None)

    @cached_property
    def folding(self) -> Folding:
        wanted = set(self._unread[-MOST_UNREAD:])
        for place, row in enumerate(self._rows):
            if row["pk"] == self.linked:
                wanted.update(range(place - BESIDE, place + BESIDE + 1))
        return Folding([row["pk"] for row in self._rows], wanted, self.shown)

    @property
    def is_folded(self) -> bool:
        return bool(self.folding.gaps)

    @cached_property
    def events(self) -> list[Event]:
        """What happened, but for what happened among messages that are not shown."""
        among = Q()
        for gap in self.folding.gaps:
            among |= Q(at__gte=self._rows[gap[0]]["at"], at__lte=self._rows[gap[-1]]["at"])
        events = self.ticket.events.select_related("actor")
        return list(events.exclude(among) if among else events)

    def entries(self) -> Iterator[Entry]:
        timeline: list[tuple[_Place, Message | Event | Gap | NewMark]] = [
            *((_place_of_event(event), event) for event in self.events),
            *((_place_of(message.at, message.pk, _MESSAGE), message) for message in self.messages),
            *((self._place_of_row(gap[0], _GAP), self._gap(gap)) for gap in self.folding.gaps),
        ]
        if self._unread:
            hiding = next((gap for gap in self.folding.gaps if self._unread[0] in gap), None)
            timeline.append((self._place_of_row(hiding[0] if hiding else self._unread[0], _MARK), NewMark()))
        timeline.sort(key=itemgetter(0))
        for is_event, run in groupby((entry for _place, entry in timeline), key=lambda entry: isinstance(entry, Event)):
            if is_event:
                yield Happened([event for event in run if isinstance(event, Event)])
                continue
            for entry in run:
                if isinstance(entry, Message):
                    yield self._said(entry)
                elif not isinstance(entry, Event):
                    yield entry

    def _said(self, message: Message) -> Said:
        return Said(
            message,
            is_latest=message.pk == self.last_id,
            is_answered=message.pk == self.answered_id,
            shows_images=not message.sender_doubtful and message.from_address.lower() in self._trusted,
        )

    def _gap(self, gap: range) -> Gap:
        return Gap(hidden=len(gap), before=self._rows[gap[-1] + 1]["pk"], with_more=self.folding.with_more(gap))

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        """A few small fields of every message, in order; each also tells the ticket's newest event."""
        newest = Event.objects.filter(ticket=self.ticket.pk).order_by("-pk").values("pk")[:1]
        return list(self.ticket.messages.order_by("at", "pk").annotate(event=Subquery(newest)).values(*_SMALL, "event"))

    @cached_property
    def _unread(self) -> list[int]:
        """Places of what others wrote since the reader last looked; nothing is unread the first time."""
        looked_at, own = self.looked_at, self.reader.pk if self.reader else None
        if looked_at is None:
            return []
        return [
            place
            for place, row in enumerate(self._rows)
            if row["at"] > looked_at and (row["direction"] == Direction.IN or own not in (None, row["author_id"]))
        ]

    @cached_property
    def _trusted(self) -> frozenset[str]:
        """Senders of what is shown whose remote images the reader wants to see."""
        if self.reader is None or not any(message.remote_images for message in self.messages):
            return frozenset()
        return TrustedSender.objects.among(self.reader, (message.from_address for message in self.messages))

    def _read(self, keys: list[int]) -> list[Message]:
        said = self.ticket.messages
        found = said.for_thread() if self.printed else said.select_related("contact", "conversation__mailbox")
        messages = list(found.filter(pk__in=keys).order_by("at", "pk"))
        for message in messages:
            message.ticket = self.ticket
        return messages

    def _place_of_row(self, place: int, rank: int) -> _Place:
        row = self._rows[place]
        return _place_of(row["at"], row["pk"], rank)


_Place = tuple[datetime, int, int, int]
_MARK, _GAP, _MESSAGE = range(3)


def _small(row: dict[str, Any]) -> Message:
    return Message(**{name: row[name] for name in ("pk", "ticket_id", "at", "direction", "automatic", "third_party")})


def _place_of(at: datetime, pk: int, rank: int) -> _Place:
    return at, 1, pk, rank


def _place_of_event(event: Event) -> _Place:
    """A ticket is created by its first message and changed by its others: told in that order when the moment is one."""
    return event.at, 0 if event.kind == EventKind.CREATED else 2, event.pk, 0
