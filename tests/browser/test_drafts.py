"""Nothing that was typed is lost: not by leaving, nor by a failed save, an expired login, or another window."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from inbox.models import Draft, Message
from tests import signing_in
from tests.factories import PASSWORD, make_message, make_ticket
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SAVED = re.compile(r"Saved \d\d:\d\d")


@pytest.fixture
def ticket(support) -> Ticket:
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", mailbox=support)
    return ticket


@pytest.fixture
def writing(page: Page, live_server, sign_in, aino, ticket) -> Page:
    """Aino's browser, the ticket open and the caret in the reply."""
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    editor_of(page).click()
    return page


def editor_of(page: Page, mode: str = "reply"):
    return page.locator(f".composer__{mode} .editor")


def state_of(page: Page):
    return page.locator("#draft-state")


def until(page: Page, is_so: Callable[[], bool]) -> None:
    """What the server has, a moment later."""
    for _ in range(100):
        if is_so():
            return
        page.wait_for_timeout(50)
    assert is_so()


def type_and_save(page: Page, text: str) -> None:
    page.keyboard.type(text)
    expect(state_of(page)).to_have_text(SAVED)


def test_typing_is_saved_within_two_seconds_and_is_there_after_leaving(writing, live_server, ticket):
    page, other = writing, make_ticket(name="Another one")
    make_message(other)
    page.keyboard.type("Hi Elina,")
    expect(state_of(page)).to_have_text(SAVED, timeout=2_000)
    assert Draft.objects.get().html == "<p>Hi Elina,</p>"
    expect(page.locator("#view-drafts .count")).to_have_text("1")

    page.keyboard.type(" good news")  # and away at once
    page.goto(f"{live_server.url}/tickets/{other.number}/")
    expect(editor_of(page)).to_have_text("")
    page.go_back()
    expect(editor_of(page)).to_have_text("Hi Elina, good news")
    page.reload()
    expect(editor_of(page)).to_have_text("Hi Elina, good news")


def test_opening_another_ticket_in_the_list_saves_on_the_way(page, live_server, sign_in, aino, ticket):
    other = make_ticket(name="Another one")
    make_message(other)
    sign_in(page, aino)
    page.get_by_role("link", name="Wrong size").click()
    editor_of(page).click()
    page.keyboard.type("Half a sen")
    page.get_by_role("link", name="Another one").click()
    expect(page.locator("#ticket-title")).to_contain_text("Another one")
    page.get_by_role("link", name="Wrong size").click()
    expect(editor_of(page)).to_have_text("Half a sen")
    expect(state_of(page)).to_have_text(SAVED)


def test_emptying_the_editor_removes_the_draft(writing):
    page = writing
    type_and_save(page, "Hi")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    expect(state_of(page)).to_have_text("")
    expect(page.locator("#view-drafts .count")).to_have_text("0")
    assert not Draft.objects.exists()


def test_a_failed_save_says_so_and_is_tried_again(writing):
    page = writing
    page.route("**/drafts/reply/", lambda route: route.abort())
    page.keyboard.type("No network here")
    expect(state_of(page)).to_have_text("Not saved, retrying")
    assert not Draft.objects.exists()
    page.reload()
    expect(editor_of(page)).to_have_text("No network here")
    page.unroute("**/drafts/reply/")
    expect(state_of(page)).to_have_text(SAVED, timeout=8_000)
    assert Draft.objects.get().html == "<p>No network here</p>"


def test_an_expired_login_loses_nothing(writing, live_server, ticket):
    page = writing
    type_and_save(page, "Hi Elina,")
    cookies = [cookie for cookie in page.context.cookies() if cookie["name"] != "sessionid"]
    page.context.clear_cookies()
    page.context.add_cookies(cookies)
    page.keyboard.type(" the jacket is here")
    out = page.locator("live-stream")
    expect(out).to_contain_text("You are signed out.")
    expect(page.get_by_role("link", name="Sign in")).to_have_count(1)
    expect(state_of(page)).to_have_text("Not saved")
    expect(editor_of(page)).to_have_text("Hi Elina, the jacket is here")

    with page.context.expect_page() as opened:
        out.get_by_role("link", name="Sign in").click()
    tab = opened.value
    tab.get_by_label("Email", exact=True).fill("aino@desk.example")
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_role("button", name="Sign in", exact=True).click()
    expect(tab.locator("#list")).to_be_visible()
    tab.close()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(state_of(page)).to_have_text(SAVED)
    expect(out).to_be_hidden()
    assert "the jacket is here" in Draft.objects.get().html


def test_a_newer_text_of_another_browser_is_offered_and_not_overwritten(
    writing, other_context: BrowserContext, live_server, aino, ticket
):
    page = writing
    type_and_save(page, "We keep it until Friday")
    phone = other_context.new_page()
    signing_in.sign_in(phone, f"{live_server.url}/login/?next=/tickets/{ticket.number}/", aino)
    expect(editor_of(phone)).to_have_text("We keep it until Friday")
    editor_of(phone).click()
    phone.keyboard.press("Control+End")
    phone.keyboard.type(" evening")
    until(phone, lambda: "evening" in Draft.objects.get().html)
    phone.close()

    page.keyboard.type(" noon")
    banner = page.locator(".composer__reply [data-when='newer']")
    expect(banner).to_contain_text("You wrote another text here at")
    expect(banner).to_contain_text("evening")
    assert "evening" in Draft.objects.get().html
    expect(editor_of(page)).to_have_text("We keep it until Friday noon")
    banner.get_by_role("button", name="Keep mine").click()
    expect(banner).to_be_hidden()
    until(page, lambda: "noon" in Draft.objects.get().html)

    Draft.objects.update(html="<p>From the phone</p>", version=40)
    page.keyboard.type("!")
    banner.get_by_role("button", name="Take the newer one").click()
    expect(editor_of(page)).to_have_text("From the phone")
    editor_of(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(", and on")
    until(page, lambda: Draft.objects.get().html == "<p>From the phone, and on</p>")


def test_what_is_sent_is_what_was_typed_last_and_no_draft_is_left(writing, ticket):
    page = writing
    type_and_save(page, "Hi")
    page.keyboard.type(" Elina")
    page.locator(".composer__reply [data-send]").first.click()
    expect(page.locator("#messages")).to_contain_text("Hi Elina")
    expect(editor_of(page)).to_have_text("")
    page.wait_for_timeout(1_000)
    assert Message.objects.filter(direction="out").count() == 1
    assert not Draft.objects.exists()
    assert page.evaluate("Object.keys(localStorage).filter(name => name.startsWith('draft:'))") == []


def test_the_editor_keeps_all_when_it_changes_its_shape(writing, tmp_path):
    page = writing
    file = tmp_path / "guide.txt"
    file.write_text("sizes")
    type_and_save(page, "Hi Elina, good news")
    page.locator(".composer__reply input[type=file]").set_input_files(file)
    expect(page.locator(".composer__reply .attachment")).to_contain_text("guide.txt")
    editor_of(page).click()
    page.keyboard.press("Control+Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    low = editor_of(page).bounding_box()["height"]

    page.get_by_role("button", name="Expand editor").click()
    assert editor_of(page).bounding_box()["height"] > low * 1.8
    page.keyboard.type("dear ")
    page.get_by_role("button", name="Pop out editor").click()
    expect(page.get_by_text("You are writing in the pop-out editor.")).to_be_visible()
    page.keyboard.type("old ")
    page.get_by_role("button", name="Put the editor back").click()
    page.keyboard.type("friend ")
    expect(editor_of(page)).to_have_text("Hi dear old friend Elina, good news")
    expect(page.locator(".composer__reply .attachment")).to_contain_text("guide.txt")

    grip = page.get_by_role("separator", name="Height of the editor")
    grip.focus()
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    high = editor_of(page).bounding_box()["height"]
    assert high > low + 60
    page.reload()
    expect(editor_of(page)).to_have_text("Hi dear old friend Elina, good news")
    expect(page.locator(".composer__reply .attachment")).to_contain_text("guide.txt")
    assert abs(editor_of(page).bounding_box()["height"] - high) < 3


def test_a_popped_out_text_is_saved_when_another_ticket_is_opened(page, sign_in, aino, ticket):
    other = make_ticket(name="Another one")
    make_message(other)
    sign_in(page, aino)
    page.get_by_role("link", name="Wrong size").click()
    page.get_by_role("button", name="Pop out editor").click()
    expect(page.locator(".composer-pop__bar")).to_contain_text(f"#{ticket.number}")
    page.keyboard.type("In the pop-out")
    page.get_by_role("link", name="Another one").click()
    expect(page.locator("#toasts")).to_contain_text(f"What you wrote on #{ticket.number} is in Drafts.")
    expect(page.locator(".composer-pop__bar")).to_be_hidden()
    page.locator("#view-drafts").click()
    expect(page.locator(".draft")).to_contain_text("In the pop-out")


def test_the_drafts_view_opens_the_editor_and_takes_back_what_was_discarded(writing, ticket):
    page = writing
    page.get_by_role("tab", name="Comment").click()
    type_and_save(page, "Who packed it?")
    page.keyboard.press("Escape")
    page.locator("#view-drafts").click()
    expect(page.get_by_role("heading", name="Drafts")).to_be_visible()
    draft = page.locator(".draft")
    expect(draft).to_contain_text("Who packed it?")
    draft.get_by_role("button", name="Discard").click()
    expect(draft).to_have_count(0)
    expect(page.locator("#view-drafts .count")).to_have_text("0")
    page.get_by_role("button", name="Undo").click()
    expect(draft).to_contain_text("Who packed it?")
    draft.get_by_role("link", name="Continue").click()
    expect(page.get_by_role("tab", name="Comment")).to_have_attribute("aria-selected", "true")
    expect(editor_of(page, "comment")).to_have_text("Who packed it?")


def test_another_tab_of_the_same_browser_takes_over_what_was_typed(writing, live_server, ticket):
    page = writing
    other = page.context.new_page()
    other.goto(f"{live_server.url}/tickets/{ticket.number}/")
    expect(editor_of(other)).to_have_text("")
    type_and_save(page, "Hi Elina,")
    version = Draft.objects.get().version
    notice = f"{{ticket: {ticket.number}, mode: 'reply', version: {version}}}"
    other.evaluate(f"document.dispatchEvent(new CustomEvent('live:draft', {{detail: {notice}}}))")
    expect(editor_of(other)).to_have_text("Hi Elina,")
    page.evaluate(f"document.dispatchEvent(new CustomEvent('live:draft', {{detail: {notice}}}))")
    expect(editor_of(page)).to_be_focused()  # its own notice changes nothing
