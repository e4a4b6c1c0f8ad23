from __future__ import annotations

import pytest

from library.placeholders import NAMES, fill, first_name, unresolved, values_for
from tests.factories import make_contact, make_mailbox, make_ticket, make_user

ELINA = {"contact.first_name": "Elina", "ticket.number": "7"}


@pytest.mark.parametrize(
    ("html", "filled"),
    [
        ("Hi {{ contact.first_name }},", "Hi Elina,"),
        ("Hi {{contact.first_name}},", "Hi Elina,"),
        ("Hi {{&nbsp;contact.first_name\xa0}},", "Hi Elina,"),
        ("Hi {{ Contact.First_Name }},", "Hi Elina,"),
        ("Hi {{ contact.first_name|there }},", "Hi Elina,"),
        ("At {{ company.name|your company }}", "At your company"),
        ("At {{ company.name| }}", "At {{ company.name| }}"),
        ("At {{ company.name }}", "At {{ company.name }}"),
        ("{{ user.password }} {{ settings.SECRET_KEY|x }}", "{{ user.password }} {{ settings.SECRET_KEY|x }}"),
        ("{% load x %}{{ contact.first_name.upper }}", "{% load x %}{{ contact.first_name.upper }}"),
        ("{{ contact.<b>first_name</b> }}", "{{ contact.<b>first_name</b> }}"),
        ("#{{ ticket.number }}#{{ ticket.number }}", "#7#7"),
    ],
)
def test_a_name_from_the_list_is_replaced_and_nothing_else_is_read(html, filled):
    assert fill(html, ELINA) == filled


def test_a_value_is_text_and_is_not_filled_in_turn():
    evil = {"contact.name": "<script>1</script> {{ agent.email }}", "agent.email": "aino@desk.example"}

    assert fill("{{ contact.name }}", evil) == "&lt;script&gt;1&lt;/script&gt; {{ agent.email }}"


def test_for_the_editor_each_is_marked():
    assert fill("Hi {{ contact.first_name }}", ELINA, mark=True) == (
        'Hi <span data-filled="contact.first_name">Elina</span>'
    )


@pytest.mark.parametrize(
    ("html", "filled"),
    [
        ('<a href="https://x.example/?q={{ contact.name }}">y</a>', '<a href="https://x.example/?q=a%22%3E%3Cb%3E%20%26c">y</a>'),
        ('<a href="https://x.example/{{%20contact.name%20}}/">y</a>', '<a href="https://x.example/a%22%3E%3Cb%3E%20%26c/">y</a>'),
        ('<a href="https://x.example/%7B%7Bcontact.name%7D%7D">y</a>', '<a href="https://x.example/a%22%3E%3Cb%3E%20%26c">y</a>'),
        ('<a href="mailto:{{agent.email}}">{{agent.email}}</a>', '<a href="mailto:a@b.example"><span data-filled="agent.email">a@b.example</span></a>'),
        ('<a href="https://x.example/{{ company.name|your firm }}">y</a>', '<a href="https://x.example/your%20firm">y</a>'),
        ('<a href="https://x.example/{{%20company.name%20}}">y</a>', '<a href="https://x.example/{{%20company.name%20}}">y</a>'),
        ('<img alt="{{ contact.name }}" src="cid:1">', '<img alt="a&quot;&gt;&lt;b&gt; &amp;c" src="cid:1">'),
        ('<p title="{{ agent.email }}">{{ agent.email }}', '<p title="a@b.example"><span data-filled="agent.email">a@b.example</span>'),
    ],
)  # fmt: skip
def test_in_attributes_a_value_is_quoted_and_not_marked(html, filled):
    values = {"contact.name": 'a"><b> &c', "agent.email": "a@b.example"}

    assert fill(html, values, mark=True) == filled


def test_what_is_left_is_named_once_as_it_is_written():
    assert unresolved("Dear {{ company.name }}, {{x}} and {{ company.name }}. a { b } {{}}") == [
        "{{ company.name }}",
        "{{x}}",
        "{{}}",
    ]
    assert unresolved("{{ open\nlater }} {{" * 1000) == []


@pytest.mark.parametrize(
    ("name", "first"),
    [("Elina Saarinen", "Elina"), ("Saarinen, Elina", "Elina"), ("Elina", "Elina"), ("", ""), (",", "")],
)
def test_the_first_name(name, first):
    assert first_name(name) == first


@pytest.mark.django_db
def test_the_values_are_those_of_the_ticket_and_what_is_not_known_is_left_out():
    contact = make_contact("elina@luukku.fi", "Saarinen, Elina")
    ticket = make_ticket(name="Wrong size", contact=contact)
    values = values_for(
        ticket, make_user(name="Aino Virtanen", email="aino@desk.example"), make_mailbox("s@desk.example")
    )

    assert set(values) <= set(NAMES)
    assert values["contact.first_name"] == "Elina"
    assert values["contact.email"] == "elina@luukku.fi"
    assert values["ticket.name"] == "Wrong size"
    assert values["agent.first_name"] == "Aino"
    assert values["mailbox.address"] == "s@desk.example"
    assert values_for(make_ticket(contact=None), make_user()).keys() & {"contact.name", "mailbox.name"} == set()
