"""One window alone: a mail that is taken back, one whose answer was lost, and editors in which nobody wrote."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Request, Route, expect

from inbox.models import Draft, Mailbox, Message
from people.models import User
from tests.factories import make_contact, make_message, make_ticket, make_user
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def aino(transactional_db: None) -> User:
    return make_user("agent", name="Aino Virtanen", email="aino@desk.example", undo_seconds=30)


@pytest.fixture
def ticket(support: Mailbox) -> Ticket:
    ticket = make_ticket(name="Wrong size", contact=make_contact("elina@customer.example", "Elina Saarinen"))
    make_message(ticket, mailbox=support, text="The jacket is too small.")
    return ticket


@pytest.fixture
def desk(page: Page, enter: Any, live_desk: Any, aino: User, ticket: Ticket) -> Page:
    enter(page, aino)
    page.goto(f"{live_desk.url}/tickets/{ticket.number}/?view=all-open")
    page.locator("#composer-reply rich-editor[data-ready]").wait_for()
    page.locator("html[data-live=live]").wait_for(state="attached")
    return page


class Posts(list[Request]):
    """The drafts that a page saves from now on."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        page.on("request", lambda request: self._sees(request))

    def _sees(self, request: Request) -> None:
        if request.method == "POST" and "/drafts/" in request.url:
            self.append(request)


def editor(page: Page) -> Any:
    return page.get_by_role("textbox", name="Your reply")


def late(route: Route) -> None:
    """The page is told before it is answered."""
    answer = route.fetch()
    time.sleep(1)
    route.fulfill(response=answer)


def nothing_is_asked(page: Page) -> None:
    expect(page.locator("draft-saver > [data-when]:visible")).to_have_count(0)


def test_a_mail_with_everything_comes_back_and_no_other_window_is_spoken_of(desk: Page, ticket: Ticket) -> None:
    desk.keyboard.press("r")
    editor(desk).click()
    desk.keyboard.type("Your jacket is on its way.")
    desk.get_by_role("button", name="Cc, Bcc and subject").click()
    cc = desk.locator("recipient-field[data-name='cc'] .rcpt__input")
    cc.click()
    desk.keyboard.type("leo@stranger.example,")
    desk.get_by_role("textbox", name="Subject").fill("About the jacket")
    desk.locator("#composer-reply input[type=file]").first.set_input_files(
        {"name": "label.txt", "mimeType": "text/plain", "buffer": b"a label"}
    )
    expect(desk.locator("#composer-reply .attachment", has_text="label.txt")).to_be_visible()
    editor(desk).click()
    desk.keyboard.press("Control+Enter")
    desk.get_by_role("button", name="Send anyway").click()
    expect(desk.locator("#messages .msg.is-pending")).to_be_focused()
    expect(desk.locator("#toasts").get_by_role("button", name="Undo")).to_be_visible()
    posts = Posts(desk)
    desk.route("**/outgoing/*/undo/**", late)
    desk.keyboard.press("z")
    expect(editor(desk)).to_contain_text("Your jacket is on its way.")
    desk.wait_for_timeout(1500)  # as long as a save would take
    nothing_is_asked(desk)
    expect(editor(desk)).to_have_text("Your jacket is on its way.")
    assert posts == []
    expect(desk.locator("#rcpt-fields")).to_be_visible()
    expect(desk.get_by_role("textbox", name="Subject")).to_have_value("About the jacket")
    draft = Draft.objects.get(ticket=ticket)
    assert (draft.version, draft.kind) == (1, "reply")


def test_an_editor_in_which_nobody_wrote_saves_nothing(desk: Page, ticket: Ticket, aino: User, live_desk: Any) -> None:
    other = make_ticket(name="Tent pole snapped")
    make_message(other)
    for mode in ("reply", "comment"):
        Draft.objects.create(
            user=aino, ticket=ticket, mode=mode, html="<p>Hi Elina,</p><p>soon</p>", updated_at=timezone.now()
        )
    posts = Posts(desk)
    for _ in range(2):
        desk.reload()
        desk.locator("#composer-reply rich-editor[data-ready]").wait_for()
        desk.keyboard.press("r")
        expect(editor(desk)).to_be_focused()
        desk.locator("#tab-comment").click()
        make_message(ticket, text="One more thing.")
        expect(desk.locator("#messages .msg").last).to_contain_text("One more thing.")
        desk.wait_for_timeout(1200)
        desk.get_by_role("link", name="Tent pole snapped").click()
        expect(desk.locator("#ticket-title")).to_have_text("Tent pole snapped")
        desk.get_by_role("link", name="Wrong size").click()
        expect(desk.locator("#ticket-title")).to_have_text("Wrong size")
    assert posts == []
    assert {draft.version for draft in Draft.objects.all()} == {1}


def lost(route: Route) -> None:
    """The desk does as it was told, and its answer never comes back."""
    route.fetch()
    route.abort()


@pytest.mark.parametrize("files", [0, 1])
def test_a_mail_whose_answer_was_lost_leaves_the_editor_with_a_way_back(desk: Page, ticket: Ticket, files: int) -> None:
    desk.keyboard.press("r")
    editor(desk).click()
    desk.keyboard.type("Your jacket is on its way.")
    if files:
        desk.locator("#composer-reply input[type=file]").first.set_input_files(
            {"name": "label.txt", "mimeType": "text/plain", "buffer": b"a label"}
        )
        expect(desk.locator("#composer-reply input[name=upload]")).to_have_count(1)
        editor(desk).click()
    desk.route("**/replies/**", lost)
    desk.keyboard.press("Control+Enter")
    expect(editor(desk)).to_have_text("")
    expect(desk.locator("#messages .msg.is-pending")).to_contain_text("Your jacket is on its way.")
    nothing_is_asked(desk)
    toast = desk.locator("#toasts .toast", has_text="Sending to Elina Saarinen")
    toast.get_by_role("button", name="Undo").click()
    expect(editor(desk)).to_have_text("Your jacket is on its way.")
    expect(desk.locator("#composer-reply input[name=upload]")).to_have_count(files)


def test_what_was_typed_on_after_a_lost_answer_is_told_from_what_was_sent(desk: Page, ticket: Ticket) -> None:
    desk.keyboard.press("r")
    editor(desk).click()
    desk.keyboard.type("Your jacket is on its way.")
    expect(desk.locator("#draft-state")).to_contain_text("Saved")
    desk.route("**/replies/**", lost)
    desk.route("**/drafts/**", lambda route: route.abort())
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#toasts")).to_contain_text("cannot be reached")
    editor(desk).click()
    desk.keyboard.type(" And a tent.")
    desk.unroute("**/drafts/**")
    desk.unroute("**/replies/**")
    banner = desk.locator("#composer-reply > [data-when='sent']")
    expect(banner).to_contain_text("This was sent already.", timeout=10_000)
    expect(banner.get_by_role("link", name="Read it")).to_have_attribute(
        "href", f"#m{Message.objects.get(author__isnull=False).pk}"
    )
    desk.keyboard.press("Control+Enter")
    expect(banner.get_by_role("button", name="Empty the editor")).to_be_focused()
    banner.get_by_role("button", name="Keep it as a new draft").click()
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#messages .msg.is-pending")).to_have_count(2)
    assert Message.objects.filter(ticket=ticket, author__isnull=False).count() == 2
