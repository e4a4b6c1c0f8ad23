"""What the foot of a reply offers beside Send, and how it comes back: a status, a later time, the next ticket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode

from helpdesk.numbers import as_number
from inbox.checking import NAMES, Check
from inbox.errors import NoSuchTime, ReplyError, WrongStatus
from people.models import User
from tickets.describing import required_by_status
from tickets.errors import PropertiesMissing
from tickets.forms import RequiredFields, StatusForm
from tickets.models import Status, Ticket

REMEMBERED = "then_next"
"""The cookie that says whether Send opens the next ticket."""
MORNING = time(8)
_OWN = frozenset(["status", "due", "due_own", "due_status", "cancel_if_answered", "next"])


@dataclass(frozen=True)
class Choice:
    """A status to send with."""

    status: Status
    is_current: bool
    is_usual: bool
    """What the pipeline does by itself."""
    asks: int
    """So many things are asked before it."""
    is_quick: bool
    """Has a key of its own."""


def choices(ticket: Ticket) -> list[Choice]:
    """Exactly the statuses of the ticket's pipeline (SPEC S-31)."""
    statuses = list(ticket.pipeline.statuses.all())
    usual = ticket.status_after_answer()
    asked = required_by_status(statuses, ticket)
    quick = next((one for one in statuses if one.closes), None)
    return [
        Choice(
            one,
            is_current=one.pk == ticket.status_id,
            is_usual=one == usual and one.pk != ticket.status_id,
            asks=len(asked[one.pk]) if one.pk != ticket.status_id else 0,
            is_quick=one == quick,
        )
        for one in statuses
    ]


@dataclass
class Wish:
    """What was chosen beside the text."""

    status: Status | None = None
    asked: RequiredFields | None = None
    """What the status asks for, as it came back."""
    due_at: datetime | None = None
    cancel_if_answered: bool = False
    overrides: frozenset[str] = frozenset()
    opens_next: bool = False
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def properties(self) -> dict[str, Any]:
        return self.asked.values if self.asked else {}

    def insisting_on(self, checks: Iterable[Check]) -> str:
        """The same wish, for a button that says that the checks are wrong."""
        return urlencode({**self.raw, "override": [check.name for check in checks]}, doseq=True)

    @property
    def again(self) -> str:
        """The same wish, for a button elsewhere in the page that sends the same form."""
        return urlencode({**self.raw, "override": sorted(self.overrides)}, doseq=True)

    def with_status(self, status: Status) -> str:
        raw = {
            name: value for name, value in self.raw.items() if name in ("due", "due_own", "cancel_if_answered", "next")
        }
        return urlencode({**raw, "status": status.pk, "override": sorted(self.overrides)}, doseq=True)


def read_wish(request: HttpRequest, ticket: Ticket, now: datetime) -> Wish:
    """Raises a ReplyError with what is wrong. What the status asks for is looked at by `missing`."""
    post = lists = QueryDict(request.POST["anyway"]) if "anyway" in request.POST else request.POST
    wish = Wish(raw={name: lists.getlist(name) for name in lists if name in _OWN or name.startswith("property-")})
    wish.overrides = frozenset(lists.getlist("override")) & frozenset(NAMES)
    wish.opens_next = "next" in post
    wish.due_at = _due(post, now)
    wish.cancel_if_answered = wish.due_at is not None and "cancel_if_answered" in post
    # A mail that leaves later has a choice of its own for what it does then.
    status = post.get("status") or (post.get("due_status") if wish.due_at else "")
    if status:
        form = StatusForm(ticket, {"status": status})
        if not form.is_valid():
            raise WrongStatus(" ".join(str(error) for errors in form.errors.values() for error in errors))
        wish.status = form.cleaned_data["status"]
        if wish.status.pk != ticket.status_id:
            wish.asked = RequiredFields(ticket, wish.status, request.POST)
            if not wish.asked.was_given:
                wish.asked = RequiredFields(ticket, wish.status, lists)
    return wish


def missing(wish: Wish, user: User) -> RequiredFields | None:
    """The form to show for what the chosen status asks and was not given; None when there is nothing left to ask."""
    if wish.asked is None or wish.asked.is_valid():
        return None
    assert wish.status is not None  # noqa: S101 - it asks
    form = wish.asked if wish.asked.was_given else RequiredFields(wish.asked.ticket, wish.status)
    return _sent_with_reply(form, user)


def ask_again(ticket: Ticket, error: PropertiesMissing, user: User) -> RequiredFields:
    """For what somebody else took away meanwhile."""
    return _sent_with_reply(RequiredFields(ticket, error.status), user)


def _sent_with_reply(form: RequiredFields, user: User) -> RequiredFields:
    """Its fields stand in a dialog elsewhere in the page, and belong to the form of the reply."""
    form.initial["owner"] = user.pk  # who answers what nobody owns takes it, unless they say otherwise
    for one in form.fields.values():
        one.widget.attrs["form"] = "reply-form"
    return form


def _due(post: Mapping[str, str], now: datetime) -> datetime | None:
    """A word for a usual time, or a moment in the zone of whoever asks."""
    asked = post.get("due", "")
    if not asked:
        return None
    today = timezone.localtime(now)
    if asked == "tomorrow":
        return _at(today + timedelta(days=1))
    if asked == "monday":
        return _at(next_monday(today))
    if asked == "own":
        asked = post.get("due_own", "")
    try:
        moment = parse_datetime(asked)
    except ValueError:
        moment = None
    if moment is None:
        raise NoSuchTime
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    return moment.astimezone(UTC)  # of an hour that the clock leaves out, the one that it shows instead


@dataclass(frozen=True)
class LaterTimes:
    """What the dialog of Send later offers, as it reads now."""

    tomorrow: datetime
    monday: datetime
    earliest: datetime
    error: str = ""
    """Why what was asked for cannot be; then it is asked again, with the rest as it was chosen."""
    asks: bool = False
    """The dialog stands open."""
    chosen: datetime | None = None
    """Of a mail that was to leave then, and whose form is printed again."""
    own: str = ""
    status: int | None = None
    cancels: bool = True


def later_times(now: datetime) -> LaterTimes:
    today = timezone.localtime(now)
    return LaterTimes(_at(today + timedelta(days=1)), _at(next_monday(today)), today + timedelta(minutes=1))


def later_again(post: QueryDict, now: datetime, error: ReplyError | None = None, *, asks: bool = False) -> LaterTimes:
    """With everything that was chosen, for a form that is printed again; `error` is what is wrong with the time."""
    chosen = None
    if error is None:
        with suppress(NoSuchTime):
            chosen = _due(post, now)
    return replace(
        later_times(now),
        error=str(error or ""),
        asks=asks or error is not None,
        chosen=chosen,
        own=timezone.localtime(chosen).strftime("%Y-%m-%dT%H:%M") if chosen else post.get("due_own", ""),
        status=as_number(post.get("due_status", "")),
        cancels="cancel_if_answered" in post,
    )


def next_monday(today: datetime) -> datetime:
    return today + timedelta(days=7 - today.weekday())


def _at(day: datetime) -> datetime:
    return timezone.make_aware(datetime.combine(day.date(), MORNING))
