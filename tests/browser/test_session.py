"""A page that outlives its session: what was typed in it stays, and it goes on as soon as one has signed in again."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from inbox.models import Message, Upload
from people.models import User
from tests import signing_in
from tests.factories import make_message, make_ticket
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ticket(support: Any) -> Ticket:
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", mailbox=support)
    return ticket


def expire(page: Page) -> None:
    page.context.clear_cookies(name="sessionid")


def sign_in_elsewhere(page: Page, address: str, user: User) -> None:
    """In another tab of the same browser."""
    tab = page.context.new_page()
    signing_in.sign_in(tab, f"{address}/login/", user)
    tab.wait_for_url(f"{address}/")
    tab.close()


def test_after_signing_in_again_in_another_tab_the_first_one_goes_on(page, live_server, sign_in, aino, ticket):
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.locator(".composer__reply .editor").click()
    page.keyboard.type("Hi Elina,")
    expire(page)
    sign_in_elsewhere(page, live_server.url, aino)

    file = {"name": "label.txt", "mimeType": "text/plain", "buffer": b"A label"}
    page.locator(".composer__reply input[type=file]").first.set_input_files(file)
    page.keyboard.type(" here is the label")
    expect(page.locator(".composer__reply input[type=hidden][name=upload]")).to_have_count(1)
    assert Upload.objects.get().name == "label.txt"
    page.locator(".composer__reply [data-send]").first.click()
    expect(page.locator("#messages")).to_contain_text("here is the label")
    assert Message.objects.filter(author=aino).count() == 1
