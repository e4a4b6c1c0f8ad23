"""What is looked at before a mail leaves. No database: a draft, a text and what was said before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from inbox.checking import ATTACHMENT, CHANGED, EMPTY, PLACEHOLDER, STRANGER, checks
from inbox.models import Direction, Draft, MailKind, Message
from inbox.writing import Body

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def message(pk: int = 1, **fields: Any) -> Message:
    fields.setdefault("direction", Direction.IN)
    fields.setdefault("from_name", "Elina Saarinen")
    fields.setdefault("from_address", "elina@customer.example")
    return Message(pk=pk, at=AT, **fields)


def found(
    text: str = "We send another.", *, html: str = "", to: str = "elina@customer.example", **more: Any
) -> set[str]:
    fields = more.pop("draft", {})
    draft = Draft(user_id=7, begun_after=1, **fields)
    body = Body(text=text, html=html, inline={}, uploads=[])
    return {check.name for check in checks(draft, body, [to], more.pop("messages", [message()]), **more)}


def test_an_ordinary_answer_is_not_stopped() -> None:
    assert found() == set()


@pytest.mark.parametrize(
    "text",
    [
        "The label is attached.",
        "See the attachment",
        "Please find the invoice enclosed",
        "I attach the size chart",
        "Lasku on liitteenä.",
        "Katso liite",
        "Liitteessä on ohje",
        "Liitän mukaan kuvan",
        "Ohessa palautuslappu",
        "Oheisesta tiedostosta näet koot",
        "Liitetiedostossa on kuva",
        "Jag bifogar fakturan",
        "Se bifogad fil",
        "Kvittot finns som bilaga.",
        "Bilagan visar storlekarna",
        "Im Anhang finden Sie die Rechnung",
        "Anbei das Etikett",
        "Die Rechnung ist beigefügt",
        "In der Anlage die Tabelle",
        "Das angehängte Bild",
    ],
)
def test_a_text_that_speaks_of_a_file_and_has_none_is_stopped(text: str) -> None:
    assert found(text) == {ATTACHMENT}
    assert found(text, has_files=True) == set()


@pytest.mark.parametrize(
    "text",
    [
        "It does not matter, attack the problem.",
        "Asia liittyy tilaukseen.",
        "Liityn mukaan",
        "Die Anlage läuft wieder.",
        "Der Anhänger ist weg.",
        "Biologin tutkija",
        "The strap unattached itself",
    ],
)
def test_a_word_that_only_looks_like_it_is_not_taken_for_a_file(text: str) -> None:
    assert found(text) == set()


def test_what_is_quoted_says_nothing_about_files() -> None:
    assert found("Thank you.\n> The label is attached.\n> XXX") == set()
    html = "<p>Thank you.</p><blockquote><p>The label is attached. XXX</p></blockquote>"
    assert found("Thank you. The label is attached. XXX", html=html) == set()


@pytest.mark.parametrize("text", ["Hello {{ contact.first_name }},", "Your order XXX left", "{{order}}"])
def test_what_was_left_to_fill_in_is_stopped(text: str) -> None:
    assert found(text) == {PLACEHOLDER}


@pytest.mark.parametrize("text", ["Size XXXL is back", "xxx", "{ not one }"])
def test_sizes_and_braces_are_not(text: str) -> None:
    assert found(text) == set()


def test_all_that_was_left_open_is_named_and_that_it_would_go_out_so() -> None:
    text = "Hi {{ contact.first_name }}, {{ company.name }} paid XXX. Regards, {{ company.name }}"
    body = Body(text=text, html="", inline={}, uploads=[])
    (check,) = checks(Draft(user_id=7, begun_after=1), body, ["elina@customer.example"], [message()])
    assert check.sentence == (
        "“{{ contact.first_name }}”, “{{ company.name }}”, “XXX” would go out just as they stand here. Fill them in first."
    )


def test_a_placeholder_in_the_subject_is_stopped_too() -> None:
    assert found(draft={"subject": "Order {{ ticket.number }}"}) == {PLACEHOLDER}


def test_a_recipient_of_another_domain_that_was_never_here_is_stopped() -> None:
    assert found(to="elina@custmer.example") == {STRANGER}
    assert found(to="olu@customer.example") == set()
    assert found(to="jussi@korpi.example", known={"jussi@korpi.example"}) == set()
    copied = message(cc=[{"name": "", "address": "Olu@Other.example"}])
    assert found(to="olu@other.example", messages=[copied]) == set()


def test_whom_a_forward_goes_to_is_always_new() -> None:
    assert found("", to="carrier@post.example", draft={"kind": MailKind.FORWARD}) == set()


def test_an_address_that_only_a_third_party_named_is_still_a_stranger() -> None:
    aside = message(2, author_id=7, from_address="carrier@post.example", third_party=True)
    assert found(to="carrier@post.example", messages=[message(), aside]) == {STRANGER}


def test_nothing_written_is_stopped() -> None:
    assert found(" ") == {EMPTY}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Elina Saarinen wrote at"),
        ({"direction": Direction.OUT, "from_name": "Maija"}, "Maija answered at"),
        ({"direction": Direction.INTERNAL, "from_name": "Maija"}, "Maija commented at"),
    ],
)
def test_what_others_wrote_since_is_named_and_linked(fields: dict[str, Any], words: str) -> None:
    draft = Draft(user_id=7, begun_after=1)
    body = Body(text="Yes", html="", inline={}, uploads=[])
    [check] = checks(draft, body, [], [message(), message(2, **fields)])
    assert check.name == CHANGED
    assert words in check.sentence
    assert check.message == 2


def test_what_one_wrote_oneself_or_read_before_is_no_news() -> None:
    assert found(messages=[message(), message(2, author_id=7)]) == set()
    assert found(messages=[message()]) == set()
    assert found(messages=[message(), message(5, deleted_at=AT)]) == set()
