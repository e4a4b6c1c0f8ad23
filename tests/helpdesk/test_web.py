import json

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from helpdesk.web import announce, forget_draft, render_page, toast, wants_fragment

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        (HTMX, True),
        ({**HTMX, "HX-Boosted": "true"}, False),
        ({**HTMX, "HX-History-Restore-Request": "true"}, False),
        ({"HX-Request": "true", "HX-Request-Type": "full"}, False),
    ],
)
def test_only_a_swap_into_a_page_wants_a_fragment(headers, expected):
    assert wants_fragment(RequestFactory().get("/", headers=headers)) is expected


def test_one_address_answers_with_the_page_or_with_its_partial_and_caches_know():
    plain = render_page(RequestFactory().get("/"), "404.html", "_shortcuts.html")
    fragment = render_page(RequestFactory().get("/", headers=HTMX), "404.html", "_shortcuts.html", status=422)

    assert "<html" in plain.content.decode()
    assert plain.status_code == 200
    assert "<html" not in fragment.content.decode()
    assert fragment.status_code == 422
    assert {"HX-Request", "HX-Boosted", "HX-History-Restore-Request"} <= set(plain["Vary"].split(", "))


def test_what_a_page_should_hear_gathers_in_one_header_of_plain_ascii():
    response = HttpResponse(headers={"HX-Trigger": "ticket:closed"})

    toast(response, "Lähetetty")
    toast(response, "Ei mennyt", "error")
    announce(response, "Uusi viesti")
    announce(response, "Palvelin poissa", now=True)
    forget_draft(response, "7-reply")

    assert response["HX-Trigger"].isascii()
    assert json.loads(response["HX-Trigger"]) == {
        "ticket:closed": {},
        "toast": {"items": [{"text": "Lähetetty", "kind": "info"}, {"text": "Ei mennyt", "kind": "error"}]},
        "announce": {"items": [{"text": "Uusi viesti"}]},
        "announce-now": {"items": [{"text": "Palvelin poissa"}]},
        "draft:saved": {"items": [{"key": "7-reply"}]},
    }
