"""A ticket made by hand, and the form that asks for it: which fields, in which order, which of them required."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from people.models import AuditEntry, User
from people.picking import people_made
from tickets.describing import BUILT_IN, Field, field_of, fields_for
from tickets.errors import NameMissing
from tickets.models import CreationField, Property, Source, Ticket

# Without them there is no ticket: they stand on every form.
ALWAYS = ("name", "pipeline", "status")
NEVER_REQUIRED = ("message",)
AS_IT_COMES = ("name", "pipeline", "status", "priority", "owner", "description", "contact", "company", "message")


def creation_layout() -> list[Field]:
    """The fields of the create form as the desk arranged them, or as the form comes."""
    rows = list(CreationField.objects.all())
    if not rows:
        return _required(fields_for(AS_IT_COMES), set(ALWAYS))
    required = {row.key for row in rows if row.is_required} | set(ALWAYS)
    keys = [row.key for row in rows]
    return _required(fields_for([*(key for key in ALWAYS if key not in keys), *keys]), required)


def fields_left_out(layout: Sequence[Field]) -> list[Field]:
    """What could be added to `layout`."""
    used = {each.key for each in layout}
    own = [field_of(each) for each in Property.objects.all()]
    return [each for each in [*BUILT_IN.values(), *own] if each.key not in used]


@transaction.atomic
def arrange_creation(keys: Sequence[str], required: set[str], *, by: User) -> list[Field]:
    """Put the create form in this order, for everyone. What every ticket needs stays on it; unknown keys are left out.

    Written to the audit log when it changes anything.
    """
    was = [_line(each) for each in creation_layout()]
    keys = [*(key for key in ALWAYS if key not in keys), *dict.fromkeys(keys)]
    known = [each.key for each in fields_for(keys)]
    CreationField.objects.all().delete()
    CreationField.objects.bulk_create(
        CreationField(
            key=key,
            position=position,
            is_required=key in ALWAYS or (key in required and key not in NEVER_REQUIRED),
        )
        for position, key in enumerate(known)
    )
    layout = creation_layout()
    now = [_line(each) for each in layout]
    if was != now:
        AuditEntry.objects.create(by=by, what="create form changed", changes={"fields": [was, now]})
    return layout


@transaction.atomic
def create_by_hand(
    values: Mapping[str, Any], *, by: User, now: datetime, form_key: UUID | None = None
) -> tuple[Ticket, bool]:
    """The ticket of these cleaned values by key, and whether it was made now: the same `form_key` makes one ticket.

    It has no conversation, contact or not (SPEC S-12). Raises NameMissing, StatusNotInPipeline and NotAValue.
    """
    if form_key and (made := Ticket.objects.filter(form_key=form_key, created_by=by).first()):
        return made, False
    name = " ".join(str(values.get("name") or "").replace("\x00", "").split())
    if not name:
        raise NameMissing
    contacts, companies = people_made(values.get("contact") or []), list(values.get("company") or [])
    ticket = Ticket.objects.begin(
        name,
        pipeline=values["pipeline"],
        status=values["status"],
        source=Source.MANUAL,
        contact=contacts[0] if contacts else None,
        owner=values.get("owner"),
        team=values.get("team"),
        by=by,
        now=now,
    )
    ticket.form_key = form_key
    ticket.priority = values.get("priority") or ticket.priority
    if companies:
        ticket.company = companies[0]
    ticket.properties = {
        each.key: value
        for each in Property.objects.filter(key__in=[key for key in values if key not in BUILT_IN])
        if (value := each.clean_value(values[each.key])) not in (None, False)
    }
    ticket.save(update_fields=["form_key", "priority", "company", "properties"])
    ticket.other_contacts.set(contacts[1:])
    ticket.other_companies.set(companies[1:])
    return ticket, True


def _required(fields: list[Field], required: set[str]) -> list[Field]:
    return [
        Field(each.key, each.label, each.kind, each.options, each.help_text, each.property, each.key in required)
        for each in fields
    ]


def _line(field: Field) -> str:
    return f"{field.key} (required)" if field.is_required else field.key
