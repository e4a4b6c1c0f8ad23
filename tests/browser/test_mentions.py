"""Naming a colleague in a comment, and what that colleague hears of it: two browsers side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from inbox.commenting import comment
from inbox.models import Mention, Message
from people.models import User
from tests.factories import make_message, make_ticket, make_user
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Enter = Callable[[Page, User], Page]


@pytest.fixture
def maija(transactional_db: None) -> User:
    return make_user(name="Maija Laine")


@pytest.fixture
def ticket(aino: User) -> Ticket:
    ticket = make_ticket(owner=aino)
    make_message(ticket)
    return ticket


@pytest.fixture
def other_page(other_context: BrowserContext) -> Page:
    return other_context.new_page()


def begin_comment(page: Page) -> Any:
    page.locator("#composer-comment rich-editor[data-ready]").wait_for(state="attached")
    page.get_by_role("tab", name="Comment").click()
    editor = page.get_by_role("textbox", name="Comment for your team")
    editor.click()
    return editor


def test_a_name_is_picked_at_the_caret_and_its_owner_hears_at_once_and_finds_the_comment(
    page: Page, other_page: Page, enter: Enter, live_desk: Any, aino: User, maija: User, ticket: Ticket
) -> None:
    enter(other_page, maija)
    expect(other_page.locator("#bell-count")).to_be_hidden()
    enter(page, aino).goto(f"{live_desk.url}/tickets/{ticket.pk}/")
    editor = begin_comment(page)
    page.keyboard.type("Hello @mai")
    expect(page.get_by_role("option", name="Maija Laine")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("is the shelf empty?")
    expect(editor.locator("[data-mention]")).to_have_text("@Maija Laine")
    page.get_by_role("button", name="Add comment").click()
    expect(page.locator(".msg[data-kind=comment]")).to_contain_text("Hello @Maija Laine")
    message = Message.objects.get(kind="comment")
    assert Mention.objects.get(message=message).user == maija
    assert message.text.replace("\xa0", " ") == "Hello @Maija Laine is the shelf empty?"

    expect(other_page.locator("#bell-count")).to_contain_text("1")  # without loading the page again
    other_page.locator("#bell").click()
    other_page.get_by_role("link", name="Aino Virtanen mentioned you").click()
    expect(other_page.locator(f"#m{message.pk}")).to_be_in_viewport()
    expect(other_page.locator("#bell-count")).to_be_hidden()


def test_a_name_goes_as_a_whole_and_an_address_names_nobody(
    page: Page, enter: Enter, live_desk: Any, aino: User, maija: User, ticket: Ticket
) -> None:
    enter(page, aino).goto(f"{live_desk.url}/tickets/{ticket.pk}/")
    editor = begin_comment(page)
    page.keyboard.type("@mai")
    page.get_by_role("option", name="Maija Laine").click()
    expect(editor.locator("[data-mention]")).to_have_count(1)
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect(editor.locator("[data-mention]")).to_have_count(0)
    page.keyboard.type("mail x@mai and @mai")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(editor).to_contain_text("mail x@mai and @mai")


def test_somebody_without_access_is_given_it_with_the_comment(
    page: Page, enter: Enter, live_desk: Any, aino: User, ticket: Ticket
) -> None:
    make_user(name="Olli Outsider", ticket_access="own", sees_unassigned=False)
    enter(page, aino).goto(f"{live_desk.url}/tickets/{ticket.pk}/")
    begin_comment(page)
    page.keyboard.type("@oll")
    expect(page.get_by_role("option")).to_contain_text("Cannot see this ticket")
    page.keyboard.press("Enter")
    page.keyboard.type("look")
    page.get_by_role("button", name="Add comment").click()
    expect(page.get_by_role("alert").filter(has_text="Olli Outsider cannot see this ticket")).to_be_visible()
    page.get_by_role("button", name="Give access to this ticket").click()
    expect(page.locator(".msg[data-kind=comment]")).to_contain_text("@Olli Outsider")
    assert ticket.shares.count() == 1


def test_a_comment_is_changed_in_its_place_while_the_conversation_goes_on(
    page: Page, enter: Enter, live_desk: Any, aino: User, maija: User, ticket: Ticket
) -> None:
    written = comment(ticket, by=aino, html="<p>Old words</p>")
    enter(page, aino).goto(f"{live_desk.url}/tickets/{ticket.pk}/")
    page.locator("html[data-live=live]").wait_for(state="attached")
    message = page.locator(f"#m{written.pk}")
    message.hover()
    message.get_by_role("link", name="Change this comment").click()
    editor = message.get_by_role("textbox", name="Your comment")
    expect(editor).to_have_text("Old words")
    expect(editor).to_be_focused()  # what is typed now is text, not a command
    page.keyboard.type(", and more")
    expect(editor).to_have_text("Old words, and more")
    page.keyboard.press("Control+A")
    page.keyboard.type("New words")
    comment(ticket, by=maija, html="<p>Meanwhile</p>")
    expect(page.locator("#messages")).to_contain_text("Meanwhile")
    expect(editor).to_have_text("New words")
    message.get_by_role("button", name="Save comment").click()
    expect(message.locator(".msg__body > p")).to_have_text("New words")
    expect(message).to_be_focused()
    message.get_by_text("Earlier versions").click()
    expect(message).to_contain_text("Old words")

    message.hover()
    message.get_by_role("button", name="Delete this comment").click()
    expect(page.locator(f"#m{written.pk}")).to_contain_text("was deleted")
    expect(page.locator(f"#m{written.pk}")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f"#m{written.pk}")).to_contain_text("New words")
