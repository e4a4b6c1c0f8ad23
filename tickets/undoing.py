"""Putting a ticket back to how it was, as far as nobody changed it since."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from tickets.models.event import EventKind
from tickets.models.pipeline import Kind

if TYPE_CHECKING:
    from tickets.models.ticket import Ticket

# What is put back together, and the events that tell of it.
PARTS = {
    "status": ("status_id", "turn", "turn_since", "closed_at"),
    "owner": ("owner_id",),
    "name": ("name",),
    "priority": ("priority",),
    "team": ("team_id",),
    "contact": ("contact_id", "other_contacts"),
    "company": ("company_id", "other_companies"),
    "preview": ("preview",),
    "last_message_at": ("last_message_at",),
}
EVENTS = {
    EventKind.STATUS: "status",
    EventKind.REOPENED: "status",
    EventKind.OWNER: "owner",
    EventKind.PRIORITY: "priority",
    EventKind.CONTACT: "contact",
    EventKind.COMPANY: "company",
}
_SEVERAL = frozenset(["other_contacts", "other_companies"])
_MOMENTS = frozenset(["turn_since", "closed_at", "last_message_at"])

Snapshot = dict[str, Any]


def as_it_is(ticket: Ticket) -> Snapshot:
    """What `put_back` can put back, in words of JSON."""
    fields = [field for part in PARTS.values() for field in part]
    found = {field: _held(ticket, field) for field in fields}
    return {**found, "properties": dict(ticket.properties), "has_attachments": ticket.has_attachments}


@transaction.atomic
def put_back(
    ticket: Ticket,
    was: Snapshot,
    became: Snapshot,
    events: Iterable[int],
    *,
    messages: int = 0,
    keeping: Collection[str] = (),
) -> set[str]:
    """Make `ticket` what it was before it became what it became; what somebody changed since stays theirs.

    The `events` of what is put back go, and `messages` fewer are counted. `keeping` names parts that stay what they became.
    Says which parts were put back.
    """
    ticket.lock()
    changed, undone = set(), set()
    for part, fields in PARTS.items():
        if part not in keeping and all(_held(ticket, field) == became[field] for field in fields):
            undone.add(part)
            for field in fields:
                if field in _SEVERAL:
                    _put_back_several(ticket, field, was[field])
                else:
                    setattr(ticket, field, _read(field, was[field]))
                    changed.add(field)
    if (
        "status" not in {*undone, *keeping}
        and ticket.turn == Kind.WAITING_ON_US
        and was["turn"] in (Kind.NEW, Kind.WAITING_ON_US)
    ):
        # The contact wrote again meanwhile: they wait since what nobody has answered after all.
        ticket.turn_since = _read("turn_since", was["turn_since"])
        changed.add("turn_since")
    ticket.properties, stands = _properties(ticket.properties, was["properties"], became["properties"])
    ticket.message_count = max(0, ticket.message_count - messages)
    changed |= {"properties", "message_count"}
    ticket.save(update_fields=[field.removesuffix("_id") for field in changed])
    _forget(ticket, events, undone, stands)
    ticket.changed()
    return undone


def hand_on(was: Snapshot, became: Snapshot, undone: Collection[str], later: Snapshot) -> Snapshot:
    """What `later` is to put back, once what led from `was` to `became` is undone but for parts that still stand."""
    found = dict(later)
    for part, fields in PARTS.items():
        if part not in undone and all(later[field] == became[field] for field in fields):
            found.update({field: was[field] for field in fields})
    found["has_attachments"] = later["has_attachments"] and was["has_attachments"]
    return found


def _properties(now: dict[str, Any], was: dict[str, Any], became: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """With each value that is still the one it was given; and the keys of those that are another by now."""
    found, stands = dict(now), set()
    for key in {*was, *became}:
        if was.get(key) == became.get(key):
            continue
        if now.get(key) != became.get(key):
            stands.add(key)
        elif key in was:
            found[key] = was[key]
        else:
            found.pop(key, None)
    return found, stands


def _forget(ticket: Ticket, events: Iterable[int], undone: set[str], stands: set[str]) -> None:
    for event in ticket.events.filter(pk__in=list(events)):
        if event.kind == EventKind.PROPERTIES:
            keys = {line.get("key", "") for line in event.detail.get("lines", [])}
            if keys & stands or (keys & PARTS.keys()) - undone:
                continue
        elif (part := EVENTS.get(EventKind(event.kind))) and part not in undone:
            continue
        event.delete()


def _held(ticket: Ticket, field: str) -> Any:
    if field in _SEVERAL:
        return sorted(getattr(ticket, field).values_list("pk", flat=True))
    return _stored(getattr(ticket, field))


def _put_back_several(ticket: Ticket, field: str, keys: list[int]) -> None:
    others = getattr(ticket, field)
    others.set(others.model.objects.filter(pk__in=keys))  # one that is gone by now stays gone


def _stored(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _read(field: str, stored: Any) -> Any:
    return parse_datetime(stored) if field in _MOMENTS and stored else stored
