"""Sending in a real browser: taken back, with a status and what it asks for, later, and with a second look."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from inbox.models import Draft, Mailbox, Outgoing, OutgoingState
from people.models import User
from tests.factories import make_contact, make_message, make_ticket, make_user
from tickets.models import Kind, Property, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
SHOTS = os.environ.get("SHOTS", "")


def shot(page: Page, name: str) -> None:
    """For whoever wants to look, `SHOTS=folder`."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png")


@pytest.fixture
def aino(transactional_db: None) -> User:
    return make_user("agent", name="Aino Virtanen", email="aino@desk.example", undo_seconds=30)


@pytest.fixture
def ticket(support: Mailbox) -> Ticket:
    ticket = make_ticket(name="Wrong size delivered", contact=make_contact("elina@customer.example"))
    make_message(ticket, mailbox=support, text="The jacket is too small.")
    return Ticket.objects.get(pk=ticket.pk)


@pytest.fixture
def closing_asks(ticket: Ticket) -> None:
    Property.objects.create(key="cause", name="Root cause", kind="choice", options=["Picking error", "Label"])
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    closed.required = ["cause"]
    closed.save()


@pytest.fixture
def another(ticket: Ticket) -> None:
    other = make_ticket(name="Tent pole snapped", contact=make_contact("henrik@customer.example", "Henrik"))
    make_message(other)


@pytest.fixture
def desk(page: Page, aino: User, ticket: Ticket, sign_in: Callable[[Page, User], None], live_server: Any) -> Page:
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/?view=all-open")
    return page


def write(page: Page, text: str) -> None:
    page.locator("#composer-reply rich-editor[data-ready]").wait_for()
    page.locator("#composer-reply .editor").click()
    page.keyboard.type(text)


def test_undo_brings_the_text_back_with_the_caret_at_its_end(desk: Page, ticket: Ticket) -> None:
    write(desk, "We send another today.")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#messages .msg.is-pending")).to_contain_text("We send another today.")
    expect(desk.locator("#messages .msg.is-pending")).to_be_focused()
    toast = desk.locator("#toasts .toast", has_text="Sending to Elina Saarinen")
    expect(toast.locator(".ring")).to_have_text(re.compile(r"^[12]?\d$|^30$"))
    shot(desk, "undo")
    desk.reload()  # the toast is gone, the mail in the conversation still offers it
    shot(desk, "undo-reloaded")
    desk.locator("#messages .msg.is-pending").get_by_role("button", name="Undo").click()
    editor = desk.get_by_role("textbox", name="Your reply")
    expect(editor).to_contain_text("We send another today.")
    expect(editor).to_be_focused()
    expect(desk.locator("#messages .msg.is-pending")).to_have_count(0)
    assert not Outgoing.objects.exists()
    assert Ticket.objects.get(pk=ticket.pk).turn == ticket.turn
    desk.keyboard.type(" Sorry.")
    shot(desk, "undone")
    expect(editor).to_contain_text("We send another today. Sorry.")


def test_a_reply_stands_once_though_the_page_is_told_first_and_the_comment_beside_it_stays(
    desk: Page, ticket: Ticket
) -> None:
    """The page may hear of the new message, and fetch the conversation with it, before Send itself is answered."""

    def late(route: Any) -> None:
        answer = route.fetch()
        with desk.expect_response(lambda response: "/thread/" in response.url):
            desk.evaluate("document.dispatchEvent(new CustomEvent('ticket:changed'))")
        expect(desk.locator("#messages .msg")).to_have_count(2)
        route.fulfill(response=answer)

    desk.locator("#tab-comment").click()
    desk.locator("#composer-comment rich-editor[data-ready] .editor").click()
    desk.keyboard.type("Ask the shop")
    desk.locator("#tab-reply").click()
    write(desk, "We send another today.")
    desk.route("**/replies/**", late)
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#toasts .toast", has_text="Sending to")).to_be_visible()
    expect(desk.locator("#messages .event")).not_to_have_count(0)
    expect(desk.locator("#messages .msg")).to_have_count(2)
    expect(desk.locator("#messages .msg.is-latest")).to_have_count(1)
    expect(desk.locator("#messages .msg").last).to_contain_text("We send another today.")
    expect(desk.locator("#composer-reply .editor")).to_have_text("")
    desk.locator("#tab-comment").click()
    expect(desk.locator("#composer-comment .editor")).to_have_text("Ask the shop")


def test_z_takes_back_from_wherever_one_is(desk: Page) -> None:
    write(desk, "Too quick.")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#messages .msg.is-pending")).to_be_focused()
    desk.keyboard.press("z")
    expect(desk.get_by_role("textbox", name="Your reply")).to_contain_text("Too quick.")
    expect(desk.locator("#toasts .toast", has_text="Sending to")).to_have_count(0)
    assert not Outgoing.objects.exists()


def test_nothing_offers_to_undo_what_was_undone_in_the_conversation(desk: Page) -> None:
    toast = desk.locator("#toasts .toast", has_text="Sending to Elina Saarinen")
    for button in ("Undo", "Send now"):
        write(desk, "Too quick.")
        desk.keyboard.press("Control+Enter")
        expect(toast).to_be_visible()
        desk.locator("#messages .msg.is-pending").get_by_role("button", name=button).click()
        expect(toast).to_have_count(0, timeout=2_000)
    # Kept beside an answer that was begun since, it is undone all the same.
    write(desk, "Once more.")
    desk.keyboard.press("Control+Enter")
    expect(toast).to_be_visible()
    write(desk, "Something else.")
    with desk.expect_response(lambda response: "/drafts/" in response.url):
        pass
    toast.get_by_role("button", name="Undo").click()
    expect(desk.locator("#toasts")).to_contain_text("You have begun another answer")
    expect(toast).to_have_count(0, timeout=2_000)


def test_a_status_that_asks_is_answered_in_one_go(closing_asks: None, desk: Page, ticket: Ticket) -> None:
    write(desk, "Done.")
    desk.get_by_role("button", name="Send and set status").click()
    menu = desk.get_by_role("menu", name="Send and set status")
    expect(menu.get_by_role("menuitemradio")).to_have_text([re.compile(s) for s in ("New", "Waiting on us", "Waiting on contact", "Closed")])  # fmt: skip
    shot(desk, "menu")
    menu.get_by_role("menuitemradio", name="Closed").click()
    dialog = desk.get_by_role("dialog", name="One thing before this is “Closed”")
    expect(dialog).to_be_visible()
    shot(desk, "asks")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog.get_by_label("Root cause")).to_have_attribute("aria-invalid", "true")
    assert not Outgoing.objects.exists()
    dialog.get_by_label("Root cause").select_option("Label")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(desk.locator("#messages .msg.is-pending")).to_contain_text("Done.")
    expect(dialog).to_have_count(0)
    sent = Ticket.objects.get(pk=ticket.pk)
    assert (sent.turn, sent.properties) == (Kind.CLOSED, {"cause": "Label"})


def test_a_check_is_one_line_and_send_anyway_sends(desk: Page) -> None:
    write(desk, "The label is attached.")
    desk.get_by_role("button", name="Send", exact=True).click()
    banner = desk.locator("#checks [role=alert]")
    expect(banner).to_contain_text("You write “attached”, and no file is attached.")
    expect(desk.get_by_role("textbox", name="Your reply")).to_contain_text("The label is attached.")
    assert not Outgoing.objects.exists()
    shot(desk, "check")
    banner.get_by_role("button", name="Send anyway").click()
    expect(desk.locator("#messages .msg.is-pending")).to_contain_text("The label is attached.")
    expect(desk.locator("#messages")).to_contain_text("the text spoke of a file")


def test_who_sends_second_is_stopped_and_shown_what_came(desk: Page, ticket: Ticket, support: Mailbox) -> None:
    write(desk, "We look into it.")
    told = make_message(Ticket.objects.get(pk=ticket.pk), mailbox=support, text="Never mind, it fits.")
    desk.keyboard.press("Control+Enter")
    banner = desk.locator("#checks [role=alert]")
    expect(banner).to_contain_text("Elina Saarinen wrote at")
    expect(desk.locator(f"#m{told.pk}")).to_contain_text("Never mind, it fits.")
    banner.get_by_role("link", name="Read it").click()
    expect(desk.locator(f"#m{told.pk}")).to_be_in_viewport()


def test_send_later_waits_in_the_conversation_and_can_be_changed(desk: Page, ticket: Ticket) -> None:
    write(desk, "Good morning.")
    desk.get_by_role("button", name="Send and set status").click()
    desk.get_by_role("menuitem", name="Send later").click()
    dialog = desk.get_by_role("dialog", name="Send later")
    shot(desk, "later")
    dialog.get_by_role("button", name="Tomorrow").click()
    waiting = desk.locator("#messages .msg.is-pending")
    expect(waiting).to_contain_text("Will be sent")
    expect(waiting).to_contain_text("Not if the customer writes first.")
    shot(desk, "scheduled")
    outgoing = Outgoing.objects.get()
    assert outgoing.scheduled
    assert outgoing.cancel_if_answered
    assert Ticket.objects.get(pk=ticket.pk).turn == ticket.turn
    waiting.get_by_role("button", name="Change").click()
    expect(desk.get_by_role("textbox", name="Your reply")).to_contain_text("Good morning.")
    assert not Outgoing.objects.exists()


def test_a_time_that_is_over_is_asked_for_again_in_the_open_dialog(desk: Page) -> None:
    write(desk, "We write again.")
    desk.get_by_role("button", name="Send and set status").click()
    desk.get_by_role("menuitem", name="Send later").click()
    dialog = desk.get_by_role("dialog", name="Send later")
    dialog.get_by_label("Another day and time").fill("2001-01-01T08:00")
    dialog.get_by_text("Do not send it if the customer writes first").click()
    dialog.get_by_role("button", name="Send at that time").click()
    expect(dialog).to_contain_text("That time is over already.")
    expect(dialog.get_by_label("Another day and time")).to_have_value("2001-01-01T08:00")
    expect(dialog.get_by_label("Another day and time")).to_be_focused()
    expect(dialog.get_by_role("checkbox")).not_to_be_checked()
    dialog.get_by_role("button", name="Tomorrow, 08:00").click()
    expect(desk.locator("#messages .msg.is-pending")).to_contain_text("We write again.")


def test_who_is_asked_for_something_and_does_not_want_to_say_is_back_in_the_editor(
    closing_asks: None, desk: Page
) -> None:
    write(desk, "Then we close this.")
    desk.get_by_role("button", name="Send and set status").click()
    desk.get_by_role("menuitemradio", name="Closed").click()
    dialog = desk.get_by_role("dialog", name="One thing before")
    dialog.locator("[data-submit]").click()
    expect(dialog).to_contain_text("Choose a value")
    dialog.get_by_role("button", name="Cancel").click()
    expect(desk.locator("#composer-reply :focus")).to_have_count(1)
    expect(desk.get_by_role("textbox", name="Your reply")).to_contain_text("Then we close this.")


def test_what_was_asked_is_sent_with_the_key_that_its_button_shows(
    closing_asks: None, desk: Page, ticket: Ticket
) -> None:
    write(desk, "We close this.")
    desk.get_by_role("button", name="Send and set status").click()
    desk.get_by_role("menuitemradio", name="Closed").click()
    dialog = desk.get_by_role("dialog", name="One thing before")
    dialog.get_by_label("Root cause").select_option("Label")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#messages .msg.is-pending")).to_contain_text("We close this.")
    assert Ticket.objects.get(pk=ticket.pk).properties == {"cause": "Label"}


def test_send_and_close_by_keys_then_open_the_next(another: None, desk: Page, ticket: Ticket) -> None:
    write(desk, "Done.")
    desk.get_by_role("button", name="Send and set status").click()
    desk.get_by_role("menuitemcheckbox", name="Then open the next ticket").check()
    desk.keyboard.press("Escape")
    desk.get_by_role("textbox", name="Your reply").click()
    desk.keyboard.press("Control+Shift+Enter")
    expect(desk.locator("#ticket-title")).to_have_text("Tent pole snapped")
    assert Ticket.objects.get(pk=ticket.pk).turn == Kind.CLOSED
    shot(desk, "next")
    desk.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(desk.locator("#ticket-title")).to_have_text("Wrong size delivered")
    expect(desk.get_by_role("textbox", name="Your reply")).to_contain_text("Done.")


def test_what_failed_is_red_and_edited_and_sent_again(desk: Page, ticket: Ticket) -> None:
    write(desk, "On its way.")
    desk.keyboard.press("Control+Enter")
    desk.set_viewport_size({"width": 1440, "height": 600})
    desk.locator("#messages .msg.is-pending").get_by_text("On its way.").click()
    said = "550 5.1.1 No such user here. " + "Look at mail.example before you send to this address again. " * 8
    Outgoing.objects.update(state=OutgoingState.FAILED, last_answer=said)
    desk.evaluate("document.dispatchEvent(new CustomEvent('ticket:changed'))")
    failed = desk.locator("#messages .msg.is-failed")
    expect(failed).to_contain_text("550 5.1.1 No such user here")
    expect(failed.get_by_role("button", name="Try again")).to_be_in_viewport()
    desk.set_viewport_size({"width": 1440, "height": 900})
    shot(desk, "failed")
    failed.get_by_role("button", name="Edit and resend").click()
    expect(desk.get_by_role("textbox", name="Your reply")).to_contain_text("On its way.")
    desk.get_by_role("button", name="Send", exact=True).click()
    expect(desk.locator("#messages .msg.is-pending")).to_contain_text("On its way.")
    expect(failed).to_contain_text("Written anew")
    assert not Draft.objects.exists()
