"""One presses keys faster than the desk answers: they belong to what comes, and no letter of a text is a command."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from inbox.models import Draft
from tests.browser.test_drafts import editor_of, until
from tests.browser.test_typing_on import EDITOR, PLAIN, Held
from tests.factories import make_message, make_ticket
from tickets.models import Event, Kind, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TEXT = "hello again, a title, i ate it"


@pytest.fixture
def tickets(support: Any) -> list[Ticket]:
    made = []
    for number in range(4):
        ticket = make_ticket(name=f"ticket {number}")
        make_message(ticket, text=f"message of ticket {number}", mailbox=support)
        made.append(Ticket.objects.get(pk=ticket.pk))
    return made


@pytest.fixture
def desk(page: Page, sign_in: Any, aino: Any, tickets: list[Ticket]) -> Page:
    """The first of four tickets is open, and the row of the second has the focus."""
    sign_in(page, aino)
    page.get_by_role("link", name="ticket 0").click()
    expect(page.locator("#ticket")).to_be_focused()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="ticket 1")).to_be_focused()
    return page


def slow(page: Page, address: str, milliseconds: int) -> None:
    """By a clock of the page's own: what waits here keeps the keys from being pressed."""
    page.evaluate(
        """([address, milliseconds]) => {
          const plain = window.fetch
          window.fetch = async (url, ...rest) => {
            if (String(url).includes(address)) await new Promise((go) => setTimeout(go, milliseconds))
            return plain.call(window, url, ...rest)
          }
        }""",
        [address, milliseconds],
    )


def open_without_leaving_the_editor(page: Page, ticket: Ticket) -> None:
    """As going back in the browser does."""
    page.evaluate("link => document.querySelector(link).click()", f"#t{ticket.number}-link")


def words_of(draft: Draft | None) -> str:
    from html import unescape
    from re import sub

    return unescape(sub(r"<[^>]+>", "", draft.html or draft.text)).replace("\xa0", " ") if draft else ""


def nothing_happened(tickets: list[Ticket]) -> None:
    for before in tickets:
        now = Ticket.objects.get(pk=before.pk)
        assert (now.status_id, now.owner_id, now.priority) == (before.status_id, before.owner_id, before.priority)
    assert not Event.objects.filter(ticket__in=tickets).exclude(kind="created").exists()


@pytest.mark.parametrize("latency", [0, 300, 800])
@pytest.mark.parametrize("pause", [0, 150])
def test_what_is_typed_after_r_is_the_answer_to_the_ticket_that_is_being_opened(desk, tickets, latency, pause):
    slow(desk, f"/tickets/{tickets[1].number}/?", latency)
    desk.keyboard.press("Enter")
    desk.wait_for_timeout(pause)
    desk.keyboard.press("r")
    desk.keyboard.type(TEXT, delay=40)
    expect(desk.locator("#ticket-title")).to_have_text("ticket 1")
    expect(editor_of(desk)).to_have_text(TEXT)
    expect(editor_of(desk)).to_be_focused()
    until(desk, lambda: words_of(Draft.objects.filter(ticket=tickets[1], mode="reply").first()) == TEXT)
    assert not Draft.objects.exclude(ticket=tickets[1]).exists()
    nothing_happened(tickets)


def test_c_pressed_ahead_is_a_comment_and_its_lines_stay_lines(desk, tickets):
    slow(desk, f"/tickets/{tickets[1].number}/?", 500)
    desk.keyboard.press("Enter")
    desk.keyboard.press("c")
    desk.keyboard.type("oness\nThee")
    desk.keyboard.press("Backspace")
    expect(desk.locator("#ticket-title")).to_have_text("ticket 1")
    expect(editor_of(desk, "comment").locator("p")).to_have_text(["oness", "The"])
    desk.keyboard.type("n")
    expect(editor_of(desk, "comment").locator("p")).to_have_text(["oness", "Then"])


def test_while_a_ticket_is_opened_no_key_does_anything_to_the_one_that_goes(desk, tickets):
    slow(desk, f"/tickets/{tickets[1].number}/?", 500)
    desk.keyboard.press("Enter")
    desk.keyboard.type("eias")
    expect(desk.locator("#ticket-title")).to_have_text("ticket 1")
    desk.wait_for_timeout(300)
    expect(desk.locator(":popover-open.menu")).to_have_count(0)
    nothing_happened(tickets)


def test_a_ticket_that_one_makes_meanwhile_is_for_whoever_wrote_the_one_that_comes(desk, tickets):
    slow(desk, f"/tickets/{tickets[1].number}/?", 300)
    desk.keyboard.press("Enter")
    desk.keyboard.press("t")
    expect(desk.locator("#ticket-title")).to_have_text("ticket 1")
    expect(desk.get_by_label("Ticket name", exact=True)).to_be_focused()
    contact = tickets[1].contact
    expect(desk.get_by_role("link", name=f"For {contact}")).to_have_attribute("href", re.compile(rf"\b{contact.pk}\b"))


def test_r_after_e_answers_the_next_ticket(desk, tickets):
    desk.keyboard.press("Escape")
    desk.locator("#ticket").focus()
    slow(desk, "/status/", 300)
    desk.keyboard.press("e")
    desk.keyboard.press("r")
    desk.keyboard.type(TEXT, delay=20)
    expect(desk.locator("#ticket-title")).to_have_text("ticket 1")
    expect(editor_of(desk)).to_have_text(TEXT)
    nothing_happened(tickets[1:])


def test_what_is_typed_in_an_editor_that_goes_is_for_the_one_that_comes(desk, tickets):
    desk.keyboard.press("r")
    expect(editor_of(desk)).to_be_focused()
    slow(desk, f"/tickets/{tickets[2].number}/?", 500)
    open_without_leaving_the_editor(desk, tickets[2])
    desk.keyboard.press("r")
    desk.keyboard.type(TEXT, delay=20)
    expect(desk.locator("#ticket-title")).to_have_text("ticket 2")
    expect(editor_of(desk)).to_have_text(TEXT)
    assert not Draft.objects.exclude(ticket=tickets[2]).exists()
    nothing_happened(tickets)


@pytest.mark.parametrize("late", ["/replies/", "/drafts/reply/"])
def test_what_is_typed_after_send_and_next_is_the_answer_to_the_next(desk, tickets, late):
    desk.locator("#ticket").focus()
    desk.keyboard.press("r")
    desk.keyboard.type("We send another.")
    desk.locator("#send-more").click()
    desk.get_by_role("menuitemcheckbox", name="Then open the next ticket").check()
    desk.keyboard.press("Escape")
    editor_of(desk).focus()
    slow(desk, late, 500)
    desk.keyboard.press("Control+Enter")
    desk.keyboard.press("r")
    desk.keyboard.type(TEXT, delay=20)
    expect(desk.locator("#ticket-title")).to_have_text("ticket 1")
    expect(editor_of(desk)).to_have_text(TEXT)
    until(desk, lambda: words_of(Draft.objects.filter(ticket=tickets[1]).first()) == TEXT)
    assert not Draft.objects.exclude(ticket=tickets[1]).exists()
    assert sent_on(tickets[0]) == ["We send another."]
    nothing_happened(tickets[1:])


def test_what_is_typed_while_the_text_is_saved_to_be_sent_does_not_go_along_and_stays(desk, tickets):
    desk.locator("#ticket").focus()
    desk.keyboard.press("r")
    desk.keyboard.type("We send another.")
    slow(desk, "/drafts/reply/", 500)
    desk.keyboard.press("Control+Enter")
    desk.keyboard.type("And wh")
    desk.keyboard.press("Backspace")
    desk.keyboard.type(TEXT, delay=20)
    expect(desk.locator("#messages")).to_contain_text("We send another.")
    expect(editor_of(desk)).to_have_text(f"We send another.And w{TEXT}")
    assert sent_on(tickets[0]) == ["We send another."]
    nothing_happened(tickets[1:])


def sent_on(ticket: Ticket) -> list[str]:
    return [message.text.strip() for message in ticket.messages.filter(direction="out")]


def test_an_editor_stays_in_use_when_the_ticket_does_not_come(desk, tickets):
    desk.keyboard.press("r")
    desk.keyboard.type("Half an ")
    desk.route("**/tickets/**", lambda route: route.abort())
    open_without_leaving_the_editor(desk, tickets[2])
    expect(editor_of(desk)).to_be_focused()
    desk.keyboard.type("answer")
    expect(editor_of(desk)).to_have_text("Half an answer")
    nothing_happened(tickets)


def test_r_and_then_another_ticket_leaves_no_words_in_either(desk, tickets):
    slow(desk, "/tickets/", 500)
    desk.keyboard.press("Enter")
    desk.keyboard.press("r")
    desk.keyboard.type("for ticket 1")
    desk.get_by_role("link", name="ticket 2").click()
    expect(desk.locator("#ticket-title")).to_have_text("ticket 2")
    desk.wait_for_timeout(300)
    expect(editor_of(desk)).to_have_text("")
    nothing_happened(tickets)


def test_r_before_the_editor_has_loaded_writes_all_the_same(desk, tickets):
    module = Held(desk, EDITOR)
    desk.reload(wait_until="commit")
    module.arrive()
    desk.locator(PLAIN).wait_for()
    slow(desk, f"/tickets/{tickets[1].number}/?", 200)
    desk.keyboard.press("j")
    desk.keyboard.press("Enter")
    desk.keyboard.press("r")
    desk.keyboard.type(TEXT[:15], delay=40)
    expect(desk.locator(PLAIN)).to_be_focused()
    module.let_go()
    desk.keyboard.type(TEXT[15:], delay=40)
    expect(desk.locator("#ticket-title")).to_have_text("ticket 1")
    expect(editor_of(desk)).to_have_text(TEXT)
    nothing_happened(tickets)


def test_letters_act_no_more_when_a_swap_takes_the_editor_away(desk, tickets):
    desk.keyboard.press("r")
    expect(editor_of(desk)).to_be_focused()
    desk.keyboard.type("Good")
    desk.evaluate("document.querySelector('#composer').remove()")
    desk.keyboard.type("e ideas", delay=40)
    desk.wait_for_timeout(300)
    nothing_happened(tickets)
    desk.wait_for_timeout(1000)
    desk.keyboard.press("i")
    until(desk, lambda: Ticket.objects.get(pk=tickets[0].pk).owner is not None)


def test_after_a_reply_j_and_k_go_on_from_where_its_row_stood(desk, tickets, live_server):
    desk.keyboard.press("Enter")
    expect(desk.locator("#ticket-title")).to_have_text("ticket 1")
    expect(desk.locator("#ticket")).to_be_focused()
    desk.keyboard.press("r")
    desk.keyboard.type("We send another.")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#messages .msg").last).to_contain_text("We send another.")
    move_last(desk, tickets[1])
    desk.keyboard.press("j")
    expect(desk.get_by_role("link", name="ticket 2")).to_be_focused()
    move_last(desk, tickets[1])  # whatever is swapped next, J was pressed once
    expect(desk.get_by_role("link", name="ticket 2")).to_be_focused()
    desk.keyboard.press("k")
    desk.keyboard.press("k")
    expect(desk.get_by_role("link", name="ticket 0")).to_be_focused()


def test_k_goes_to_the_row_that_stood_above_what_has_moved(desk, tickets):
    desk.keyboard.press("Enter")
    expect(desk.locator("#ticket")).to_be_focused()
    move_last(desk, tickets[1])
    desk.keyboard.press("k")
    expect(desk.get_by_role("link", name="ticket 0")).to_be_focused()


def move_last(page: Page, ticket: Ticket) -> None:
    """Its row goes to the last group, and the list is fetched anew as a live update does it."""
    ticket = Ticket.objects.get(pk=ticket.pk)
    if ticket.status.kind != Kind.WAITING_ON_CONTACT:
        ticket.move_to(ticket.pipeline.first_status(Kind.WAITING_ON_CONTACT), by=None, now=timezone.now())
    page.evaluate("document.querySelector('#list live-part').dispatchEvent(new CustomEvent('pulse'))")
    expect(page.locator(".trow__link").last).to_contain_text(ticket.name)


def test_r_goes_on_at_the_end_of_a_draft(desk, tickets):
    desk.keyboard.press("r")
    desk.keyboard.type("Dear Elina")
    until(desk, lambda: words_of(Draft.objects.first()) == "Dear Elina")
    desk.reload()
    desk.locator(".composer__reply rich-editor[data-ready]").wait_for()
    desk.keyboard.press("r")
    desk.keyboard.type(", hello")
    expect(editor_of(desk)).to_have_text("Dear Elina, hello")
    until(desk, lambda: words_of(Draft.objects.first()) == "Dear Elina, hello")
    desk.keyboard.press("ArrowLeft")
    desk.keyboard.press("Escape")
    desk.keyboard.press("r")
    desk.keyboard.type("!")
    expect(editor_of(desk)).to_have_text("Dear Elina, hell!o")


def test_the_menu_beside_send_begins_with_the_first_status_that_changes_something(desk, tickets):
    desk.locator("#send-more").focus()
    desk.keyboard.press("ArrowDown")
    items = desk.locator("#m-send [role=menuitemradio]")
    unlike = desk.locator("#m-send [role=menuitemradio][aria-checked=false]")
    expect(unlike.first).to_be_focused()
    for _ in range(items.count()):
        if desk.evaluate("document.activeElement.matches('[data-later]')"):
            break
        desk.keyboard.press("ArrowDown")
    else:
        raise AssertionError("Send later comes after the statuses")
    desk.keyboard.press("ArrowUp")
    expect(items.last).to_be_focused()


def test_the_focus_comes_back_to_the_control_when_nothing_had_it(desk, tickets, aino, live_server):
    desk.goto(f"{live_server.url}/tickets/{tickets[1].number}/")
    desk.evaluate("document.activeElement.blur()")
    desk.keyboard.press("a")
    expect(desk.locator("#m-owner")).to_be_visible()
    desk.keyboard.type("aino")
    desk.keyboard.press("Enter")
    expect(desk.locator("#owner-button")).to_contain_text("Aino")
    expect(desk.locator("#owner-button")).to_be_focused()
