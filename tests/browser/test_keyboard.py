"""A day without a mouse: every key of the map does what the overlay says."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.slowness import answer_late
from tests.factories import make_message, make_ticket, make_user
from tickets.models import Kind, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(page, sign_in, aino):
    """Three tickets, the first of which is open."""
    for number in range(3):
        ticket = make_ticket(name=f"ticket {number}")
        for part in range(2):
            make_message(ticket, text=f"message {part} of ticket {number}")
    sign_in(page, aino)
    page.get_by_role("link", name="ticket 0").click()
    expect(page.locator("#messages .msg")).to_have_count(2)
    expect(page.locator("#ticket")).to_be_focused()  # the last thing that opening it does
    return page


def test_the_palette_opens_a_ticket_by_its_number_and_goes_to_a_view(desk):
    second = Ticket.objects.get(name="ticket 1")
    desk.keyboard.press("Control+k")
    expect(desk.get_by_role("combobox", name="Search tickets, contacts and commands")).to_be_focused()
    desk.keyboard.type(f"#{second.number}")
    expect(desk.locator("#palette [aria-selected='true']")).to_contain_text("ticket 1")
    desk.keyboard.press("Enter")
    expect(desk.locator("#ticket-title")).to_have_text("ticket 1")
    expect(desk.locator("#palette")).to_be_hidden()
    desk.keyboard.press("Control+k")
    desk.keyboard.type("unassig")
    expect(desk.locator("#palette [aria-selected='true']")).to_contain_text("Unassigned")
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/?view=unassigned")


def test_enter_opens_what_was_typed_however_late_it_is_found(desk):
    answer_late(desk, "/palette/")
    desk.keyboard.press("Control+k")
    expect(desk.locator("#palette [role=option]").first).to_be_visible()
    desk.keyboard.type("ticket 1")
    desk.keyboard.press("Enter")
    expect(desk.locator("#ticket h1")).to_have_text("ticket 1")


def test_the_palette_does_what_this_page_can_do(desk, aino):
    desk.keyboard.press("Control+k")
    desk.keyboard.type("take it")
    expect(desk.locator("#palette [aria-selected='true']")).to_contain_text("Take it")
    desk.keyboard.press("Enter")
    expect(desk.locator("#owner-button")).to_contain_text("Aino")
    assert Ticket.objects.get(name="ticket 0").owner == aino


def test_escape_closes_the_palette_and_gives_the_focus_back(desk):
    desk.locator("#t" + str(Ticket.objects.get(name="ticket 2").number) + "-link").focus()
    desk.keyboard.press("Control+k")
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("link", name="ticket 2")).to_be_focused()


def test_single_keys_reach_what_one_does_to_a_ticket(desk, aino):
    desk.keyboard.press("i")
    expect(desk.locator("#owner-button")).to_contain_text("Aino")
    desk.keyboard.press("s")
    expect(desk.locator("#m-status")).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("Shift+P")
    expect(desk.locator("#m-priority")).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("a")
    expect(desk.locator("#m-owner")).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_e_closes_the_ticket_and_opens_the_next(desk):
    desk.keyboard.press("e")
    expect(desk.locator("#ticket-title")).to_have_text("ticket 1")
    assert Ticket.objects.get(name="ticket 0").turn == Kind.CLOSED


def test_z_takes_back_what_e_did(desk):
    desk.keyboard.press("e")
    expect(desk.locator("#ticket-title")).to_have_text("ticket 1")
    toast = desk.locator("#toasts .toast", has_text="Undo")
    expect(toast).to_have_count(1)
    with desk.expect_response(lambda response: response.request.method == "POST" and "/status/" in response.url):
        desk.keyboard.press("z")
    expect(toast).to_have_count(0)
    assert Ticket.objects.get(name="ticket 0").turn != Kind.CLOSED


def test_n_and_p_walk_through_the_messages_and_escape_goes_back_to_the_list(desk):
    desk.keyboard.press("n")
    expect(desk.locator("#messages .msg").last).to_be_focused()
    desk.keyboard.press("p")
    expect(desk.locator("#messages .msg").first).to_be_focused()
    desk.keyboard.press("Shift+R")
    expect(desk.locator(".replychip")).to_contain_text("message 0 of ticket 0")
    desk.keyboard.press("Escape")
    desk.locator("#messages .msg").first.focus()
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("link", name="ticket 0")).to_be_focused()


def test_escape_leaves_the_editor_and_a_second_one_the_ticket(desk):
    desk.keyboard.press("r")
    expect(desk.get_by_role("textbox", name="Your reply")).to_be_focused()
    desk.keyboard.press("Escape")
    expect(desk.locator("#ticket")).to_be_focused()
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("link", name="ticket 0")).to_be_focused()


def test_a_name_is_typed_in_a_menu_and_not_only_its_first_letter(desk):
    for name in ("Maija Laine", "Tom Becker", "Tove Berg"):
        make_user(name=name, email=f"{name.split()[0].lower()}@desk.example")
    desk.reload()
    desk.locator("#ticket").focus()
    desk.keyboard.press("a")
    expect(desk.locator("#m-owner")).to_be_visible()
    desk.keyboard.type("tom")
    expect(desk.get_by_role("menuitemradio", name="Tom Becker")).to_be_focused()
    desk.wait_for_timeout(800)  # what is typed later is another name
    desk.keyboard.type("tove")
    expect(desk.get_by_role("menuitemradio", name="Tove Berg")).to_be_focused()


def test_g_and_a_number_go_to_a_view(desk):
    desk.keyboard.press("g")
    desk.keyboard.press("2")
    desk.wait_for_url("**view=my-open**")


def test_keys_are_letters_while_one_types(desk):
    desk.keyboard.press("c")
    desk.keyboard.type("sea gig? n")
    expect(desk.locator(".composer__comment .editor")).to_have_text("sea gig? n")
    expect(desk.get_by_role("dialog")).to_have_count(0)


def test_who_switched_single_keys_off_is_left_alone(desk):
    desk.evaluate("localStorage.setItem('single-keys', 'off')")
    desk.keyboard.press("?")
    desk.keyboard.press("e")
    expect(desk.get_by_role("dialog")).to_have_count(0)
    assert Ticket.objects.get(name="ticket 0").turn != Kind.CLOSED


def test_a_collaborator_is_offered_no_key_for_what_they_may_not_do(page, sign_in):
    make_message(make_ticket(name="ticket 0"), text="Hello")
    sign_in(page, make_user("collaborator"))
    page.get_by_role("link", name="ticket 0").click()
    page.keyboard.press("e")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    expect(page.locator("#palette")).not_to_contain_text("Close, and open the next")


def test_r_where_no_ticket_is_open_says_so_and_what_follows_is_no_command(page, sign_in, aino):
    sign_in(page, aino)
    expect(page.locator("#ticket .empty")).to_be_visible()
    page.locator("body").press("r")
    page.keyboard.type("the title", delay=20)
    expect(page.locator("#announce")).to_contain_text("Open a ticket first")
    page.wait_for_timeout(300)
    expect(page.locator("#panel > *")).to_have_count(0)
    page.wait_for_timeout(1_000)  # whoever rests has seen it
    page.keyboard.press("t")
    expect(page.get_by_label("Ticket name", exact=True)).to_be_focused()
