"""A page that outlives its session: what was typed in it stays, and it goes on as soon as one has signed in again."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from inbox.commenting import comment, edit
from inbox.models import Draft, Message, Upload
from people.models import User
from tests import signing_in
from tests.factories import make_message, make_pipeline, make_ticket, make_user
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


def test_what_one_person_wrote_is_not_sent_by_another_who_signed_in(page, live_server, sign_in, aino, ticket):
    maija = make_user("agent", name="Maija Laine", email="maija@desk.example")
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.locator(".composer__reply .editor").click()
    expire(page)
    sign_in_elsewhere(page, live_server.url, maija)
    page.keyboard.type("Yours, Aino")
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(1_500)
    assert not Message.objects.filter(author=maija).exists()
    assert not Draft.objects.filter(user=maija).exists()
    expect(page.locator(".composer__reply .editor")).to_contain_text("Yours, Aino")


def test_a_changed_comment_is_back_after_signing_in_again(page, live_server, sign_in, aino, ticket):
    written = comment(ticket, by=aino, html="<p>Old words</p>")
    sign_in(page, aino)
    address = f"{live_server.url}/tickets/{ticket.number}/"
    page.goto(address)
    open_comment(page, written)
    page.keyboard.press("Control+End")
    page.keyboard.type(" and many new ones")
    expire(page)
    page.get_by_role("button", name="Save comment").click()
    out = page.locator("live-stream")
    expect(out).to_contain_text("You are signed out.")
    expect(out.get_by_role("link", name="Sign in in a new tab")).to_have_attribute("target", "_blank")
    expect(comment_editor(page, written)).to_have_text("Old words and many new ones")
    assert page.url == address

    page.reload()
    signing_in.sign_in(page, page.url, aino)
    page.wait_for_url("**/tickets/**")
    open_comment(page, written)
    expect(comment_editor(page, written)).to_have_text("Old words and many new ones")
    expect(page.get_by_text("What you had written here and not saved is back.")).to_be_visible()
    page.get_by_role("button", name="Save comment").click()
    expect(page.locator(f"#m{written.pk} .editor")).to_have_count(0)
    expect(page.locator(f"#m{written.pk}")).to_contain_text("Old words and many new ones")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('kept:'))") == []


def test_a_click_elsewhere_leads_to_signing_in_only_when_nobody_writes(page, live_server, sign_in, aino, ticket):
    make_message(make_ticket(name="Another one"))
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.locator(".composer__reply .editor").click()
    page.keyboard.type("Hi Elina,")
    expire(page)
    page.get_by_role("link", name="Another one").click()
    expect(page.locator("live-stream")).to_contain_text("You are signed out.")
    expect(page.locator(".composer__reply .editor")).to_have_text("Hi Elina,")

    page.reload()
    expect(page.get_by_label("Email", exact=True)).to_be_visible()


def comment_editor(page: Page, written: Message) -> Any:
    return page.locator(f"#m{written.pk} .editor")


def open_comment(page: Page, written: Message) -> None:
    page.locator(f"#m{written.pk}").hover()
    page.locator(f"#m{written.pk} [hx-get$='/comment/']").first.click()
    comment_editor(page, written).click()


def test_a_comment_changed_in_two_tabs_is_saved_over_only_by_hand(page, live_server, sign_in, aino, ticket):
    written = comment(ticket, by=aino, html="<p>Old words</p>")
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    open_comment(page, written)
    edit(written, by=aino, html="<p>From the other tab</p>")
    page.keyboard.press("Control+End")
    page.keyboard.type(" and mine")
    page.get_by_role("button", name="Save comment").click()
    expect(page.locator(f"#m{written.pk} q")).to_have_text("From the other tab")
    expect(comment_editor(page, written)).to_have_text("Old words and mine")
    page.get_by_role("button", name="Save mine anyway").click()
    expect(page.locator(f"#m{written.pk} .editor")).to_have_count(0)
    expect(page.locator(f"#m{written.pk}")).to_contain_text("Old words and mine")


@pytest.mark.parametrize("place", ["panel", "page"])
def test_a_new_ticket_is_made_after_signing_in_again(page, live_server, sign_in, aino, ticket, place):
    make_pipeline("Support")
    sign_in(page, aino)

    def open_form() -> None:
        if place == "page":
            page.goto(f"{live_server.url}/tickets/new/")
        else:
            page.goto(f"{live_server.url}/tickets/{ticket.number}/")
            page.locator("#thread").wait_for()
            page.keyboard.press("t")
        page.get_by_label("Ticket name", exact=True).click()

    open_form()
    page.keyboard.type("Backpack fitting")
    expire(page)
    page.locator("#new-ticket [data-submit]").click()
    expect(page.locator("live-stream")).to_contain_text("You are signed out.")
    expect(page.get_by_label("Ticket name", exact=True)).to_have_value("Backpack fitting")

    page.reload()
    signing_in.sign_in(page, page.url, aino)
    page.wait_for_url(lambda address: "/login/" not in address)
    open_form()
    expect(page.get_by_label("Ticket name", exact=True)).to_have_value("Backpack fitting")
    expire(page)
    sign_in_elsewhere(page, live_server.url, aino)
    page.locator("#new-ticket [data-submit]").click()
    expect(page.locator("#ticket-title")).to_have_text("Backpack fitting")
    assert Ticket.objects.filter(name="Backpack fitting").count() == 1
    assert page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('new-ticket'))") == []


def test_a_save_that_hangs_is_not_called_saved(page, live_server, sign_in, aino, ticket):
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.route("**/drafts/reply/", lambda route: None)
    page.locator(".composer__reply .editor").click()
    page.keyboard.type("Hi Elina,")
    expect(page.locator("#draft-state")).to_have_text("Saving")
    expect(page.locator("#draft-state")).to_have_text("Not saved, retrying", timeout=4_000)


def test_a_send_that_the_desk_cannot_take_says_so_until_it_can(page, live_server, sign_in, aino, ticket):
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.locator(".composer__reply .editor").click()
    page.keyboard.type("Hi Elina,")
    expect(page.locator("#draft-state")).to_contain_text("Saved")
    page.route("**/replies/**", lambda route: route.fulfill(status=503, body="away"))
    page.route("**/drafts/reply/", lambda route: route.fulfill(status=503, body="away"))
    page.keyboard.type(" it is here")
    expect(page.locator("#draft-state")).to_have_text("Not saved, retrying", timeout=3_000)
    send = page.locator(".composer__reply [data-send]").first
    send.click()
    toast = page.locator(".toast--error")
    expect(toast).to_contain_text("nothing was sent or changed. What you wrote stays in this page", timeout=10_000)
    expect(page.locator(".composer__reply .editor")).to_have_text("Hi Elina, it is here")

    page.unroute("**/replies/**")
    page.unroute("**/drafts/reply/")
    send.click()
    expect(page.locator("#messages")).to_contain_text("Hi Elina, it is here", timeout=10_000)
    expect(toast).to_have_count(0)
