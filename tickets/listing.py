"""What one page of a list of tickets shows: rows in groups by whose turn it is, and where the next page begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models

from helpdesk import paging
from helpdesk.numbers import as_number
from people.models import User
from tickets.counting import Count, counted
from tickets.models import Kind, Ticket, View, views_for
from tickets.models.ticket import Cursor

PAGE = 50
MOST_SHOWN = 500


def written(cursor: Cursor) -> str:
    """A cursor as it stands in an address: turn, microseconds since 1970, number."""
    turn, since, number = cursor
    return f"{turn}-{paging.written(since, number)}"


def read(text: str) -> Cursor | None:
    """The cursor of an address; None when it is none of ours."""
    first, _dash, rest = text.partition("-")
    turn, place = as_number(first), paging.read(rest)
    return None if turn is None or place is None else (turn, *place)


@dataclass(frozen=True)
class Row:
    ticket: Ticket
    group: Group | None
    """The group that begins with this row, None within one."""


@dataclass(frozen=True)
class Group:
    kind: Kind
    count: Count


@dataclass
class Listing:
    """A page of `view`, of `size` rows beyond `after`. `before` is how many rows stand on the page above it already."""

    view: View
    user: User
    after: Cursor | None = None
    size: int = PAGE
    before: int = 0
    start: Cursor | None = field(default=None)
    """Where the list as a whole begins, when that is not the top."""

    @cached_property
    def rows(self) -> list[Row]:
        rows = []
        turn = self.after[0] if self.after and self.before else None
        for ticket in self._tickets[: self.size]:
            begins = ticket.turn != turn
            turn = ticket.turn
            rows.append(Row(ticket, Group(Kind(turn), self.counts[_group_key(Kind(turn))]) if begins else None))
        return rows

    @property
    def is_empty(self) -> bool:
        """Asked without counting, which `rows` does for their groups."""
        return not self._tickets

    def reaching(self, opened: Ticket) -> Listing:
        """This list, begun at `opened` when that is one of its tickets and stands further down than this page."""
        # Not by way of `rows`, whose groups would count everything twice.
        if not self.next or opened.turn not in self.view.kinds or opened in self._tickets[: self.size]:
            return self
        turn, since, number = opened.cursor
        just_before = turn, since, number + 1 if self.view.newest_first else number - 1
        there = Listing(self.view, self.user, after=just_before, start=just_before, size=self.size)
        return there if there._tickets[:1] == [opened] else self

    @property
    def next(self) -> str:
        """The cursor of the next page, "" on the last one."""
        return written(self._tickets[self.size - 1].cursor) if len(self._tickets) > self.size else ""

    @property
    def shown(self) -> int:
        return self.before + len(self.rows)

    @property
    def start_cursor(self) -> str:
        return written(self.start) if self.start else ""

    @property
    def count(self) -> Count:
        return self.counts[_view_key(self.view)]

    @property
    def views(self) -> Iterator[tuple[View, Count]]:
        for view in views_for(self.user):
            yield view, self.counts[_view_key(view)]

    @cached_property
    def counts(self) -> dict[str, Count]:
        """Of every view and of every group of this one, in one query."""
        return self._count({})

    def counts_with(self, **others: models.QuerySet[Any]) -> dict[str, Count]:
        """How many each of `others` finds, asked together with the list's own `counts`."""
        self.counts = self._count(others)
        return {name: self.counts[name] for name in others}

    def _count(self, others: dict[str, models.QuerySet[Any]]) -> dict[str, Count]:
        groups = {_group_key(kind): self.view.tickets(self.user, [kind]) for kind in self.view.kinds}
        views = {_view_key(view): view.tickets(self.user) for view in views_for(self.user) if view != self.view}
        counts = counted({**groups, **views, **others})
        counts[_view_key(self.view)] = Count.sum(counts[group] for group in groups)
        return counts

    @cached_property
    def _tickets(self) -> list[Ticket]:
        tickets = self.view.tickets(self.user).for_list(self.user)
        if self.after:
            tickets = tickets.beyond(self.after, newest_first=self.view.newest_first)
        return list(tickets.by_turn(newest_first=self.view.newest_first)[: self.size + 1])


def _view_key(view: View) -> str:
    return f"view_{view.key}"


def _group_key(kind: Kind) -> str:
    return f"turn_{kind.value}"
