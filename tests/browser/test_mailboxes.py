"""An admin connects a team address in a real browser."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from people.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def look(page: Page, name: str) -> None:
    """Keep a picture where SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=False)


def test_testing_keeps_the_password_in_the_page_and_connecting_saves(
    page: Page, live_server: Any, sign_in: Callable[[Page, User], None], dovecot: Any, smtp_server: Any
) -> None:
    from inbox.models import Mailbox
    from tests.factories import make_mailbox, make_user
    from tests.mail_servers import PASSWORD

    make_mailbox("sales@desk.example", name="Korpi Sales", fetch_error="The password is wrong.", imap_host="x.example")
    sign_in(page, make_user("admin", name="Aino Virtanen"))
    page.get_by_role("link", name="Settings").click()
    look(page, "mailboxes")
    page.get_by_role("link", name="Connect a team email").click()
    page.get_by_role("textbox", name="Address").fill("support@desk.example")
    page.get_by_role("textbox", name="Name", exact=True).fill("Korpi Support")
    receiving, sending = page.get_by_role("region", name="Receiving"), page.get_by_role("region", name="Sending")
    for card, server, port in ((receiving, "IMAP server", dovecot.port), (sending, "SMTP server", smtp_server.port)):
        card.get_by_label(server).fill("127.0.0.1")
        card.get_by_label("Port").fill(str(port))
        card.get_by_label("Encryption").select_option("none")
    receiving.get_by_label("User name").fill("browser")
    receiving.get_by_label("Password").fill("wrong")
    look(page, "mailbox-new")

    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("The server refused this user name or password").first.wait_for()
    assert page.evaluate("document.activeElement.textContent.trim()") == "Test connection"
    page.get_by_text("Not everything works yet").scroll_into_view_if_needed()
    look(page, "mailbox-test-failed")
    assert receiving.get_by_label("Password").input_value() == "wrong"
    receiving.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("Everything works").wait_for()
    look(page, "mailbox-test-passed")
    assert not Mailbox.objects.filter(address="support@desk.example").exists()

    page.get_by_role("button", name="Connect", exact=True).click()
    page.wait_for_url(f"{live_server.url}/settings/mailboxes/")
    page.get_by_role("link", name="Korpi Support").click()
    look(page, "mailbox")
    page.set_viewport_size({"width": 390, "height": 844})
    look(page, "mailbox-390")
    page.goto(f"{live_server.url}/settings/mailboxes/")
    look(page, "mailboxes-390")
