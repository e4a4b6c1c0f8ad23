"""What a ticket says of itself: its built-in fields and the desk's own properties, by their keys, asked for and set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from people.models import Company, Contact, Team, User
from people.picking import people_made
from tickets.associating import set_companies, set_contacts
from tickets.errors import NameMissing, NoSuchProperty
from tickets.models.event import EventKind
from tickets.models.property import Property, PropertyKind

if TYPE_CHECKING:
    from tickets.models import Status, Ticket


@dataclass(frozen=True)
class Field:
    """Something that can be said of a ticket. `kind` is a PropertyKind, or for a built-in field its key.

    Label and help text are words, which may be translated only when they are printed.
    """

    key: str
    label: Any
    kind: str
    options: list[str] = field(default_factory=list)
    help_text: Any = ""
    property: Property | None = None
    is_required: bool = False

    def is_empty(self, value: Any) -> bool:
        """Whether `value` says nothing. A box that must be ticked asks for a yes; the number 0 is a value."""
        return value in (None, "", []) or (value is False and self.kind == PropertyKind.CHECKBOX)


# In the order in which a form shows them until somebody orders it. A description is the first comment, for the team.
BUILT_IN = {
    each.key: each
    for each in (
        Field("name", _("Ticket name"), "name", help_text=_("What the customer needs, in a few words")),
        Field("pipeline", _("Pipeline"), "pipeline"),
        Field("status", _("Status"), "status"),
        Field("priority", _("Priority"), "priority"),
        Field("owner", _("Owner"), "owner"),
        Field("team", _("Team"), "team"),
        Field("description", _("Description"), "description", help_text=_("Only your team sees this")),
        Field("contact", _("Contact"), "contact"),
        Field("company", _("Company"), "company"),
        Field("message", _("First message"), "message"),
    )
}
# What a status may ask for: those that a ticket can lack, not those that every ticket has by its nature.
CAN_BE_ASKED = ("name", "priority", "owner", "team", "contact", "company")


def field_of(one: Property, *, is_required: bool = False) -> Field:
    return Field(
        one.key,
        one.name,
        one.kind,
        options=list(one.options),
        help_text=one.help_text,
        property=one,
        is_required=is_required,
    )


def fields_for(keys: Iterable[str], *, required: bool = False) -> list[Field]:
    """The fields of these keys in their order. Keys of properties that are gone are left out."""
    keys = [key for key in dict.fromkeys(keys) if "\x00" not in key]
    properties = {
        each.key: each for each in Property.objects.filter(key__in=[key for key in keys if key not in BUILT_IN])
    }
    found = []
    for key in keys:
        if key in BUILT_IN:
            builtin = BUILT_IN[key]
            found.append(Field(key, builtin.label, builtin.kind, help_text=builtin.help_text, is_required=required))
        elif key in properties:
            found.append(field_of(properties[key], is_required=required))
    return found


def required_fields(status: Status, ticket: Ticket | None) -> list[Field]:
    """What `status` asks for on entering and `ticket` lacks. Without a ticket yet: all that the status asks for."""
    return required_by_status([status], ticket)[status.pk]


def required_by_status(statuses: Iterable[Status], ticket: Ticket | None) -> dict[int, list[Field]]:
    """The same for several, by number, in one query."""
    keys = {status.pk: list(dict.fromkeys(status.required)) for status in statuses}
    fields = {each.key: each for each in fields_for(chain.from_iterable(keys.values()), required=True)}
    lacked = {key for key, each in fields.items() if ticket is None or _lacks(ticket, each)}
    return {pk: [fields[key] for key in asked if key in lacked] for pk, asked in keys.items()}


def _lacks(ticket: Ticket, wanted: Field) -> bool:
    if wanted.property:
        return wanted.is_empty(ticket.properties.get(wanted.key))
    if wanted.key == "name":
        return not ticket.name.strip()
    if wanted.key in ("owner", "team", "contact", "company"):
        return getattr(ticket, f"{wanted.key}_id") is None
    return False


@transaction.atomic
def set_properties(ticket: Ticket, values: Mapping[str, Any], *, by: User | None, now: datetime) -> list[str]:
    """Set what `values` names by key, and say which keys changed. The rest of the ticket stays as it is.

    Built-in keys: name (str), priority, owner, team (one or None), contact, company (one, several with the primary
    first, or None; a NewContact is made). Others are properties, None takes a value away; all of them together make one event. Raises
    NotAValue, NoSuchProperty and what the verbs of the built-in fields raise; then nothing is changed.
    """
    ticket.lock()
    changed = [key for key in values if key in BUILT_IN and _set_built_in(ticket, key, values[key], by=by, now=now)]
    own = {key: value for key, value in values.items() if key not in BUILT_IN}
    properties = {each.key: each for each in Property.objects.filter(key__in=own)}
    if unknown := next((key for key in own if key not in properties), None):
        raise NoSuchProperty(unknown)

    lines = []
    stored = dict(ticket.properties)
    for key, raw in own.items():
        value, was = properties[key].clean_value(raw), stored.get(key)
        if value == was and type(value) is type(was):
            continue
        if not value and not was and properties[key].kind == PropertyKind.CHECKBOX:
            continue  # never ticked, and still not
        if value is None:
            stored.pop(key, None)
        else:
            stored[key] = value
        lines.append(
            {
                "key": key,
                "name": properties[key].name,
                "from": properties[key].shown(was),
                "to": properties[key].shown(value),
            }
        )
    if lines:
        ticket.properties = stored
        ticket.save(update_fields=["properties"])
        ticket.record(EventKind.PROPERTIES, by=by, now=now, lines=lines)
    return [*changed, *(line["key"] for line in lines)]


def _set_built_in(ticket: Ticket, key: str, value: Any, *, by: User | None, now: datetime) -> bool:
    from tickets.models.ticket import Priority

    was = (ticket.name, ticket.priority, ticket.owner_id, ticket.team_id)
    if key == "name":
        rename(ticket, str(value or ""), by=by, now=now)
    elif key == "priority" and value:
        ticket.prioritise(Priority(int(value)), by=by, now=now)
    elif key == "owner":
        ticket.assign(value if isinstance(value, User) else User.objects.filter(pk=value).first(), by=by, now=now)
    elif key == "team":
        _give_to(ticket, value if isinstance(value, Team) else Team.objects.filter(pk=value).first(), by=by, now=now)
    elif key == "contact":
        return set_contacts(ticket, _several(Contact, value), by=by, now=now)
    elif key == "company":
        return set_companies(ticket, _several(Company, value), by=by, now=now)
    return was != (ticket.name, ticket.priority, ticket.owner_id, ticket.team_id)


def _several(model: Any, value: Any) -> list[Any]:
    values = value if isinstance(value, (list, tuple)) else [value] if value else []
    keys = [int(each.pk if isinstance(each, models.Model) else each) for each in people_made(values)]
    found = model.objects.in_bulk(keys)
    return [found[key] for key in keys if key in found]


def rename(ticket: Ticket, name: str, *, by: User | None, now: datetime) -> None:
    """Raises NameMissing."""
    name = " ".join(name.replace("\x00", "").split())[:300]
    if not name:
        raise NameMissing
    if name == ticket.name:
        return
    was, ticket.name = ticket.name, name
    ticket.save(update_fields=["name"])
    line = {"key": "name", "name": str(BUILT_IN["name"].label), "from": was, "to": name}
    ticket.record(EventKind.PROPERTIES, by=by, now=now, lines=[line])


def _give_to(ticket: Ticket, team: Team | None, *, by: User | None, now: datetime) -> None:
    if ticket.team_id == (team.pk if team else None):
        return
    was, ticket.team = ticket.team, team
    ticket.save(update_fields=["team"])
    line = {
        "key": "team",
        "name": str(BUILT_IN["team"].label),
        "from": was.name if was else "",
        "to": team.name if team else "",
    }
    ticket.record(EventKind.PROPERTIES, by=by, now=now, lines=[line])
