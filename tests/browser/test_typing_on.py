"""One types on while the page is still loading, saving, sending or being told of something: every letter stays."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from inbox.models import Draft, Message
from tests.browser.test_drafts import SAVED, editor_of, state_of, type_and_save, until
from tests.factories import make_message, make_ticket
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EDITOR = re.compile(r"/editing[.\w]*\.js")
PLAIN = ".composer__reply textarea[name=text]"


@pytest.fixture
def ticket(support) -> Ticket:
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", mailbox=support)
    return ticket


@pytest.fixture
def opened(page: Page, live_server, sign_in, aino, ticket) -> Callable[[], Page]:
    sign_in(page, aino)

    def open_ticket() -> Page:
        page.goto(f"{live_server.url}/tickets/{ticket.number}/", wait_until="commit")
        return page

    return open_ticket


class Held:
    """Requests to `address` wait until they are let go."""

    def __init__(self, page: Page, address: object, method: str = "") -> None:
        self.page, self.method, self.routes, self.is_over = page, method, [], False
        page.route(address, self._hold)  # type: ignore[arg-type]

    def _hold(self, route: Route) -> None:
        if self.is_over or (self.method and route.request.method != self.method):
            route.fallback()
        else:
            self.routes.append(route)

    def arrive(self) -> None:
        until(self.page, lambda: bool(self.routes))

    def let_go(self) -> None:
        self.is_over = True
        for route in self.routes:
            route.continue_()


def kept(ticket: Ticket) -> str:
    draft = Draft.objects.filter(ticket=ticket).first()
    return re.sub(r"<[^>]+>|&nbsp;", " ", draft.html or draft.text) if draft else ""


def test_what_is_typed_before_the_editor_is_there_stands_below_what_was_kept(opened, aino, ticket):
    page = opened()
    editor_of(page).click()
    type_and_save(page, "Hi Elina,")
    module = Held(page, EDITOR)
    page.reload(wait_until="commit")
    page.locator(PLAIN).click()
    page.keyboard.type("the jacket ")
    module.arrive()
    until(page, lambda: "the jacket" in kept(ticket))
    module.let_go()
    expect(editor_of(page)).to_be_focused()
    page.keyboard.type("is here")
    expect(editor_of(page)).to_have_text("Hi Elina,the jacket is here")
    until(page, lambda: "the jacket is here" in kept(ticket).replace("\xa0", " "))


def test_lines_that_were_begun_stay_lines_when_the_editor_comes(opened):
    page = opened()
    module = Held(page, EDITOR)
    page.reload(wait_until="commit")
    page.locator(PLAIN).click()
    page.keyboard.type("Hi\n")
    module.arrive()
    module.let_go()
    expect(editor_of(page)).to_be_focused()
    page.keyboard.type("Elina")
    expect(editor_of(page).locator("p")).to_have_text(["Hi", "Elina"])


def test_one_types_on_through_a_reload_while_nothing_was_saved_yet(opened, ticket):
    page = opened()
    editor_of(page).click()
    page.keyboard.type("Hi")
    page.reload()
    editor_of(page).click()
    page.keyboard.press("Control+End")
    saving = Held(page, "**/drafts/reply/**")
    page.keyboard.type(" Elina,")
    page.reload(wait_until="domcontentloaded")
    editor_of(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" good news", delay=30)
    expect(editor_of(page)).to_be_focused()
    saving.let_go()
    page.keyboard.type(" for you", delay=30)
    expect(editor_of(page)).to_have_text("Hi Elina, good news for you")
    until(page, lambda: kept(ticket).strip() == "Hi Elina, good news for you")
    expect(state_of(page)).to_have_text(SAVED)
    expect(editor_of(page)).to_be_focused()


def test_whom_it_goes_to_comes_back_while_one_types_on(opened, ticket):
    page = opened()
    page.get_by_role("button", name="Cc, Bcc and subject").click()
    page.locator("#rcpt-fields [name=subject]").fill("Another size")
    editor_of(page).click()
    page.keyboard.type("Hi")
    saving = Held(page, "**/drafts/reply/**", "POST")
    page.reload()
    editor_of(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" Eli", delay=20)
    saving.let_go()
    page.keyboard.type("na, good news", delay=20)
    expect(page.locator("#rcpt-fields [name=subject]")).to_have_value("Another size")
    expect(editor_of(page)).to_have_text("Hi Elina, good news")
    expect(editor_of(page)).to_be_focused()
    until(page, lambda: kept(ticket).strip() == "Hi Elina, good news")
    assert Draft.objects.get().subject == "Another size"


def test_what_another_window_wrote_does_not_take_the_place_of_what_one_types(opened, aino, ticket):
    page = opened()
    expect(editor_of(page)).to_have_text("")
    asked = Held(page, "**/drafts/reply/**", "GET")
    Draft.objects.create(
        user=aino, ticket=ticket, mode="reply", html="<p>From the phone</p>", version=3, updated_at=timezone.now()
    )
    notice = f"{{ticket: {ticket.number}, mode: 'reply', version: 3}}"
    page.evaluate(f"document.dispatchEvent(new CustomEvent('live:draft', {{detail: {notice}}}))")
    asked.arrive()
    editor_of(page).click()
    page.keyboard.type("Typed ")
    asked.let_go()
    page.keyboard.type("here")
    banner = page.locator(".composer__reply [data-when='newer']")
    expect(banner).to_contain_text("From the phone")
    expect(editor_of(page)).to_have_text("Typed here")
    assert kept(ticket).strip() == "From the phone"
    banner.get_by_role("button", name="Keep mine").click()
    until(page, lambda: kept(ticket).strip() == "Typed here")


def test_a_save_whose_answer_was_lost_is_no_other_window(opened, ticket):
    page = opened()
    editor_of(page).click()

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/drafts/reply/**", lose, times=1)
    page.keyboard.type("Hi")
    until(page, lambda: kept(ticket).strip() == "Hi")
    page.keyboard.type(" Elina")
    page.reload()
    expect(editor_of(page)).to_have_text("Hi Elina")
    until(page, lambda: kept(ticket).strip() == "Hi Elina")
    expect(state_of(page)).to_have_text(SAVED)
    expect(page.locator(".composer__reply [data-when='newer']")).to_be_hidden()


def test_what_is_typed_while_a_reply_is_being_sent_is_the_next_text(opened, ticket):
    page = opened()
    editor_of(page).click()
    type_and_save(page, "Hi Elina")
    sending = Held(page, "**/replies/**", "POST")
    page.keyboard.press("Control+Enter")
    sending.arrive()
    page.keyboard.type(", one more")
    sending.let_go()
    expect(page.locator("#messages .msg")).to_have_count(2)
    page.keyboard.type(" thing")
    expect(editor_of(page)).to_have_text("Hi Elina, one more thing")
    until(page, lambda: kept(ticket).strip() == "Hi Elina, one more thing")
    assert Message.objects.get(direction="out").text.strip().startswith("Hi Elina")
    assert "more" not in Message.objects.get(direction="out").text


def test_a_message_that_comes_leaves_the_address_that_one_types(opened, ticket, support):
    page = opened()
    page.get_by_role("button", name="Cc, Bcc and subject").click()
    asked = Held(page, "**/thread/**")
    make_message(ticket, text="One more thing", mailbox=support)
    page.evaluate(f"document.dispatchEvent(new CustomEvent('live:ticket', {{detail: {{ticket: {ticket.number}}}}}))")
    asked.arrive()
    field = page.locator("recipient-field[data-name=cc] .rcpt__input")
    field.click()
    page.keyboard.type("mat")
    asked.let_go()
    expect(page.locator("#messages")).to_contain_text("One more thing")
    page.keyboard.type("ti@desk.example")
    expect(field).to_have_value("matti@desk.example")
    expect(field).to_be_focused()


def test_every_window_of_the_same_person_has_what_was_typed_last(page, other_context, live_desk, enter, aino, ticket):
    """By the real stream: a second tab of this browser, which shares its stream, and another browser."""
    address = f"{live_desk.url}/tickets/{ticket.number}/"
    enter(page, aino)
    tab, phone = page.context.new_page(), enter(other_context.new_page(), aino)
    for window in (page, tab, phone):
        window.goto(address)
        window.locator("html[data-live=live]").wait_for(state="attached")
        expect(editor_of(window)).to_have_text("")

    editor_of(page).click()
    type_and_save(page, "Hi Elina,")
    for window in (tab, phone):
        expect(editor_of(window)).to_have_text("Hi Elina,")
        expect(window.locator("#view-drafts .count")).to_have_text("1")
    expect(editor_of(page)).to_be_focused()

    editor_of(phone).click()
    phone.keyboard.press("Control+End")
    type_and_save(phone, " from the phone")
    # Here the caret stands in it, so one is asked; where nobody writes it is simply there.
    expect(editor_of(tab)).to_have_text("Hi Elina, from the phone")
    banner = page.locator(".composer__reply [data-when='newer']")
    expect(banner).to_contain_text("from the phone")
    banner.get_by_role("button", name="Take the newer one").click()
    expect(editor_of(page)).to_have_text("Hi Elina, from the phone")

    page.locator(".composer__reply [data-send]").first.click()
    expect(page.locator("#messages")).to_contain_text("from the phone")
    for window in (page, tab):
        expect(editor_of(window)).to_have_text("")
    assert not Draft.objects.exists()
    phone.keyboard.type("!")  # the caret still stands in it
    expect(phone.locator(".composer__reply [data-when='sent']")).to_be_visible()
    expect(editor_of(phone)).to_have_text("Hi Elina, from the phone!")
