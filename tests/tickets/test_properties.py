"""Properties of tickets: what each kind takes, how they are set, and what a status asks for (SPEC S-32, H-28)."""

from __future__ import annotations

import pytest
from django.utils import timezone

from people.models import Contact
from tests.factories import make_contact, make_ticket, make_user
from tickets.describing import required_fields
from tickets.errors import NameMissing, NoSuchProperty, NotAValue
from tickets.forms import RequiredFields
from tickets.models import Kind, Priority, Property

pytestmark = pytest.mark.django_db


def make_property(key: str = "root_cause", kind: str = "choice", **fields) -> Property:
    fields.setdefault("name", key.replace("_", " ").capitalize())
    if kind in ("choice", "choices"):
        fields.setdefault("options", ["Sizing", "Warehouse", "Courier"])
    made = Property(key=key, kind=kind, **fields)
    made.full_clean()
    made.save()
    return made


TAKEN = [
    ("text", "  two   words\n", "two words"),
    ("text", "", None),
    ("text", None, None),
    ("long_text", "one\r\ntwo", "one\ntwo"),
    ("number", "12", 12),
    ("number", "1 234,50", 1234.5),
    ("number", "−3", -3),
    ("number", 12.5, 12.5),
    ("date", "2026-11-24", "2026-11-24"),
    ("checkbox", "on", True),
    ("checkbox", None, False),
    ("checkbox", False, False),
    ("choice", "Courier", "Courier"),
    ("choices", ["Courier", "Sizing"], ["Sizing", "Courier"]),
    ("choices", [], None),
    ("url", "https://korpi.example/returns?a=1", "https://korpi.example/returns?a=1"),
]
REFUSED = [
    ("number", "twelve"),
    ("number", "nan"),
    ("number", "1e400"),
    ("date", "24.11.2026"),
    ("date", "2026-13-01"),
    ("choice", "Weather"),
    ("choices", ["Sizing", "Weather"]),
    ("url", "javascript:alert(1)"),
    ("url", "korpi.example"),
    ("url", "https://[half"),
    ("text", "x" * 1_001),
]


@pytest.mark.parametrize(("kind", "raw", "stored"), TAKEN)
def test_each_kind_takes_what_people_write_and_gives_its_own_result_back(kind, raw, stored):
    prop = make_property(kind=kind)
    value = prop.clean_value(raw)
    assert value == stored
    assert type(value) is type(stored)
    assert prop.clean_value(value) == value


@pytest.mark.parametrize(("kind", "raw"), REFUSED)
def test_each_kind_says_what_is_wrong(kind, raw):
    with pytest.raises(NotAValue) as problem:
        make_property(kind=kind).clean_value(raw)
    assert str(problem.value).startswith("Root cause: ")


def test_several_at_once_are_one_event_with_names_and_shown_values():
    make_property(), make_property("refund", "number"), make_property("fragile", "checkbox")
    ticket, by = make_ticket(), make_user()
    now = timezone.now()
    changed = ticket.set_properties({"root_cause": "Courier", "refund": "1234.5", "fragile": ""}, by=by, now=now)
    assert changed == ["root_cause", "refund"]
    assert ticket.properties == {"root_cause": "Courier", "refund": 1234.5}
    event = ticket.events.get(kind="properties")
    assert event.actor == by
    assert [(line["name"], line["from"], line["to"]) for line in event.detail["lines"]] == [
        ("Root cause", "", "Courier"),
        ("Refund", "", "1,234.5"),
    ]
    assert ticket.set_properties({"root_cause": "Courier"}, by=by, now=now) == []
    ticket.set_properties({"root_cause": None}, by=by, now=now)
    assert ticket.properties == {"refund": 1234.5}
    assert ticket.events.filter(kind="properties").count() == 2


def test_two_agents_who_set_different_properties_both_keep_theirs():
    make_property(), make_property("refund", "number")
    ticket, by, now = make_ticket(), make_user(), timezone.now()
    mine, theirs = type(ticket).objects.get(pk=ticket.pk), type(ticket).objects.get(pk=ticket.pk)
    mine.set_properties({"root_cause": "Courier"}, by=by, now=now)
    theirs.set_properties({"refund": 5}, by=by, now=now)
    ticket.refresh_from_db()
    assert ticket.properties == {"root_cause": "Courier", "refund": 5}


def test_a_wrong_value_changes_nothing_not_even_the_others():
    make_property(), make_property("refund", "number")
    ticket, by = make_ticket(), make_user()
    with pytest.raises(NotAValue):
        ticket.set_properties(
            {"priority": Priority.HIGH, "root_cause": "Courier", "refund": "x"}, by=by, now=timezone.now()
        )
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.properties) == (Priority.NORMAL, {})
    with pytest.raises(NoSuchProperty):
        ticket.set_properties({"gone": "x"}, by=by, now=timezone.now())


def test_built_in_fields_go_through_their_own_verbs():
    ticket, by = make_ticket(contact=None), make_user()
    elina, olu = make_contact("elina@halla.example"), make_contact(name="Olu Adeyemi")
    values = {"name": "  New   name ", "owner": by.pk, "priority": 3, "contact": [olu.pk, elina], "company": None}
    ticket.set_properties(values, by=by, now=timezone.now())
    ticket.refresh_from_db()
    assert (ticket.name, ticket.owner, ticket.priority, ticket.contact) == ("New name", by, Priority.HIGH, olu)
    assert list(ticket.other_contacts.all()) == [elina]
    kinds = set(ticket.events.values_list("kind", flat=True))
    assert {"owner", "priority", "contact", "properties"} <= kinds
    with pytest.raises(NameMissing):
        ticket.set_properties({"name": "  "}, by=by, now=timezone.now())


def test_a_status_asks_only_for_what_the_ticket_lacks():
    make_property(), make_property("refund", "number")
    ticket, by = make_ticket(), make_user()
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    closed.required = ["owner", "root_cause", "refund", "contact", "gone"]
    closed.save()
    assert [field.key for field in required_fields(closed, ticket)] == ["owner", "root_cause", "refund"]
    ticket.set_properties({"root_cause": "Courier", "refund": 0}, by=by, now=timezone.now())
    assert [field.key for field in required_fields(closed, ticket)] == ["owner"]


def test_the_form_of_a_status_says_in_words_what_is_missing_and_gives_the_values():
    make_property(), make_property("refund", "number")
    ticket, by = make_ticket(contact=None), make_user()
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    closed.required = ["owner", "root_cause", "contact"]
    form = RequiredFields(ticket, closed, {"status": str(closed.pk)})
    assert not form.is_valid()
    assert not form.was_given
    assert form.errors["root_cause"] == ["Choose a value for “Root cause”."]
    given = {"property-owner": by.pk, "property-root_cause": "Courier", "property-contact": ["new@halla.example"]}
    form = RequiredFields(ticket, closed, given)
    assert form.is_valid(), form.errors
    ticket.set_properties(form.values, by=by, now=timezone.now())
    assert ticket.contact == Contact.objects.get(addresses__address="new@halla.example")
    assert ticket.properties == {"root_cause": "Courier"}
    assert not RequiredFields(ticket, closed).fields, "nothing is asked twice"
