"""Everything an agent needs, with scripts switched off."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from inbox.models import Direction, Outgoing
from tests.factories import make_message, make_ticket
from tickets.models import Kind

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, browser_context_args):
    context = browser.new_context(**browser_context_args, java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_an_agent_does_the_main_job_without_scripts(page, live_server, sign_in, aino, support, smtp_server):
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", mailbox=support)
    sign_in(page, aino)

    page.get_by_role("link", name="Unassigned").click()
    expect(page).to_have_url(f"{live_server.url}/?view=unassigned")
    page.get_by_role("link", name="Wrong size").click()
    expect(page).to_have_url(f"{live_server.url}/tickets/{ticket.number}/?view=unassigned")
    expect(page.get_by_text("It is too small.").last).to_be_visible()

    page.get_by_role("textbox", name="Your reply").fill("We send you an M.\n\nAino")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("We send you an M.")
    assert ticket.messages.filter(direction=Direction.OUT).get().text == "We send you an M.\n\nAino"
    assert len(smtp_server.taken) == 1

    page.get_by_role("textbox", name="Comment for your team").fill("Check the shelf.")
    page.get_by_role("button", name="Add comment").click()
    expect(page.locator("#messages [data-kind=comment]")).to_contain_text("Check the shelf.")
    assert len(smtp_server.taken) == 1

    page.get_by_role("button", name="Status: Waiting on contact").click()
    page.get_by_role("menuitemradio", name="Closed").click()
    expect(page.get_by_role("button", name="Status: Closed")).to_be_visible()

    page.get_by_role("button", name="Owner: Aino Virtanen").click()
    page.get_by_role("menuitemradio", name="Nobody").click()
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_role("button", name="Owner: Aino Virtanen")).to_be_visible()
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.owner) == (Kind.CLOSED, aino)


def test_a_reply_is_sent_later_without_scripts(page, live_server, sign_in, aino, support, smtp_server):
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", mailbox=support)
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.get_by_role("textbox", name="Your reply").fill("Good morning.")
    page.get_by_role("button", name="Send and set status").click()
    page.get_by_role("menuitem", name="Send later").click()
    dialog = page.get_by_role("dialog", name="Send later")
    when = (timezone.localtime() + timedelta(days=3)).replace(second=0, microsecond=0)
    dialog.get_by_label("Another day and time").fill(when.strftime("%Y-%m-%dT%H:%M"))
    dialog.get_by_label("Status when it leaves").select_option(label="Closed")
    dialog.get_by_role("checkbox").uncheck()
    dialog.get_by_role("button", name="Send at that time").click()
    expect(page.locator("#messages .msg.is-pending")).to_contain_text("The ticket is set to “Closed” then.")
    outgoing = Outgoing.objects.get()
    assert (outgoing.scheduled, outgoing.due_at, outgoing.cancel_if_answered) == (True, when, False)
    assert smtp_server.taken == []


def test_an_earlier_message_is_answered_and_left_again_by_plain_links(page, live_server, sign_in, aino, support):
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="The first thing.", mailbox=support)
    make_message(ticket, text="The second thing.")
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.get_by_role("link", name="Reply to this message").first.click()
    expect(page.locator(".replychip")).to_contain_text("The first thing.")
    page.get_by_role("link", name="Reply to the newest message instead").click()
    expect(page.locator(".replychip")).to_have_count(0)


def test_the_list_goes_on_by_a_link(page, live_server, sign_in, aino):
    for number in range(51):
        make_ticket(name=f"ticket {number}")
    sign_in(page, aino)
    expect(page.locator(".trow")).to_have_count(50)
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".trow")).to_have_count(1)
    page.get_by_role("link", name="Back to the beginning of the list").click()
    expect(page.locator(".trow")).to_have_count(50)
