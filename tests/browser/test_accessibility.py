"""Every page and state of the desk, looked at with axe: nothing serious keeps anybody out, in light and in dark.

One desk, its states in turn, once on a big screen and once on a phone. `SHOTS=folder` keeps pictures of them all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from playwright.sync_api import BrowserContext, Locator, Page, expect

from helpdesk.html import clean
from inbox import receiving
from inbox.commenting import comment
from inbox.models import Attachment, Direction, Draft, Mailbox, Message, Outgoing, OutgoingState
from inbox.replying import reply
from library.models import Snippet
from people.models import User
from tests.factories import make_contact, make_mailbox, make_message, make_pipeline, make_ticket, make_user
from tickets import notifying
from tickets.models import Kind, NotificationKind, Property, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = (Path(__file__).parent.parent / "vendor" / "axe-core" / "axe.min.js").read_text()
WHAT_KEEPS_OUT = """([within, rules]) => axe.run(within, { iframes: false, resultTypes: ["violations"], ...rules }).then((found) =>
  found.violations.filter((one) => ["serious", "critical"].includes(one.impact)).flatMap((one) =>
    one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`)))"""
ALL = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
# A colour that is on its way from one theme to the other is none that anybody reads.
AT_ONCE = """() => {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync("*, ::before, ::after { transition: none !important }")
  document.adoptedStyleSheets.push(sheet)
}"""
SHOTS = os.environ.get("SHOTS", "")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63d8b66d1b00041d01f1"
    "6e2b6ff10000000049454e44ae426082"
)


class Walk:
    """A page that is shown one state after the other, and what was found in them."""

    def __init__(self, page: Page, desk: str, width: int) -> None:
        self.page, self.desk, self.width = page, desk, width
        self.found: list[str] = []

    def look(self, state: str, showing: Locator | None = None, *, within: str = "html") -> None:
        """In light all rules, and in dark those of colour, which is what the theme changes.

        `within` is the part that is new: to look at the rest of the page once more takes most of the time.
        """
        if showing is not None:
            expect(showing.first).to_be_visible(timeout=10_000)
        themes: list[tuple[Literal["light", "dark"], dict[str, Any]]] = [("light", ALL), ("dark", COLOURS)]
        for theme, rules in themes:
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            if not self.page.evaluate("'axe' in window"):
                self.page.evaluate(AXE)
                self.page.evaluate(AT_ONCE)
            found = self.page.evaluate(WHAT_KEEPS_OUT, [within, rules])
            self.found += [f"{state}, {self.width}, {theme}: {words}" for words in found]
            if SHOTS:
                self.page.screenshot(path=f"{SHOTS}/{state.replace(' ', '-')}-{self.width}-{theme}.png")
        if self.page.evaluate("document.documentElement.scrollWidth") > self.width:
            self.found.append(f"{state}, {self.width}: wider than the window")

    def go(self, path: str) -> None:
        self.page.goto(f"{self.desk}{path}")

    def write(self, mode: str = "reply", words: str = "") -> Locator:
        """The caret stands in an editor, which is a line until it is asked for on a phone."""
        self.page.locator(f"#composer-{mode} rich-editor[data-ready]").wait_for(state="attached")
        slim, tab = self.page.locator(f".composer-slim [data-open={mode}]"), self.page.locator(f"#tab-{mode}")
        (slim if slim.is_visible() else tab).click()
        editor = self.page.locator(f"#composer-{mode} .editor")
        editor.click()
        if words:
            self.page.keyboard.type(words)
        return editor

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture
def aino(transactional_db: None) -> User:
    return make_user("admin", name="Aino Virtanen", email="aino@desk.example", undo_seconds=40)


@pytest.fixture
def maija(transactional_db: None) -> User:
    return make_user(name="Maija Laine", email="maija@desk.example")


@pytest.fixture
def ticket(aino: User, maija: User, support: Mailbox) -> Ticket:
    """A conversation that holds what conversations can hold, on a desk with more than it."""
    make_mailbox("returns@desk.example", name="Korpi Returns")
    pipeline = make_pipeline("Support")
    Property.objects.create(key="cause", name="Root cause", kind="choice", options=["Picking error", "Label"])
    closed = pipeline.first_status(Kind.CLOSED)
    closed.required = ["cause"]
    closed.save()
    Snippet.objects.create(
        name="Swap in the shop", shortcut="swap", html="<p>Hi {{ contact.first_name }}, swap it.</p>"
    )
    now = timezone.now()
    for number, kind in enumerate(Kind):
        other = make_ticket(name=f"Tent pole snapped in the wind of the north, part {number}", kind=kind, owner=maija)
        make_message(other, now=now - timedelta(hours=3), mailbox=support)

    ticket = make_ticket(name="Wrong size delivered", contact=make_contact("elina@customer.example"), owner=aino)
    ago = now - timedelta(days=2)
    first = make_message(ticket, now=ago, mailbox=support, text="The jacket is a size S.", quoted_text="Order 8812")
    for name, content_type, content in (
        ("label.png", "image/png", PIXEL),
        ("order confirmation of the web shop.csv", "text/csv", b"name;size\nJacket;M\n"),
    ):
        file = Attachment(message=first, name=name, content_type=content_type, size=len(content))
        file.file.save("stored", ContentFile(content))
    letter = clean('<table><tr><td>Hello <img src="https://images.example/a.png" alt="Logo"></td></tr></table>')
    make_message(ticket, now=ago + timedelta(hours=1), html=letter, remote_images=1, text="Hello")
    make_message(
        ticket, now=ago + timedelta(hours=2), text="We can mend it.", from_name="Factory", third_party=True,
        from_address="fix@factory.example", cc=[{"name": "Olu", "address": "olu@customer.example"}],
    )  # fmt: skip
    comment(ticket, by=maija, text="Check the shelf.")
    for state in (OutgoingState.FAILED, OutgoingState.SENT):
        sent = reply(ticket, by=aino, text=f"It is {state}.")
        Outgoing.objects.filter(message=sent).update(state=state, last_answer="550 5.1.1 No such user here")
    make_message(ticket, direction=Direction.IN, text="Is it on its way?", mailbox=support)
    notifying.notify(aino, NotificationKind.MENTION, ticket, actor=maija, anchor="", now=now)
    return ticket


@pytest.fixture
def colleague(other_context: BrowserContext) -> Page:
    return other_context.new_page()


@pytest.mark.parametrize("width", [1440, 390])
def test_no_state_of_the_desk_keeps_anybody_out(
    page: Page, colleague: Page, live_desk: Any, enter: Callable[[Page, User], Page], aino: User, maija: User,
    ticket: Ticket, width: int,
) -> None:  # fmt: skip
    page.set_viewport_size({"width": width, "height": 900 if width > 400 else 844})
    page.goto(f"{live_desk.url}/login/")
    walk = Walk(page, live_desk.url, width)
    walk.look("login")
    enter(page, aino)
    walk.look("workspace", page.locator(".trow"))
    reading(walk, ticket)
    writing(walk, ticket)
    addressing(walk, ticket)
    sending(walk, ticket)
    lists_and_panels(walk)
    pages(walk)
    over_the_page(walk)
    enter(colleague, maija)
    together(walk, ticket, colleague)
    assert walk.found == []


def reading(walk: Walk, ticket: Ticket) -> None:
    page = walk.page
    walk.go(f"/tickets/{ticket.number}/")
    page.locator("#composer-reply rich-editor[data-ready]").wait_for(state="attached")
    walk.look("ticket", page.locator(".msg.is-failed"))
    page.locator("#thread").evaluate("thread => thread.scrollTop = 0")
    walk.look("ticket from its beginning", page.get_by_role("button", name="Release"), within="#thread")
    page.locator("#status-button").click()
    walk.look("status menu", page.locator("#m-status"), within="#ticket-header")
    page.get_by_role("menuitemradio", name="Closed").click()
    walk.look("what a status asks", page.get_by_role("dialog", name="One thing before"), within="dialog:modal")
    walk.press("Escape")
    page.locator("#actions-button").click()
    walk.look("more actions", page.locator("#m-actions"), within="#ticket-header")
    page.get_by_role("menuitem", name="Move to trash").click()
    walk.look("in the trash", page.locator("#ticket-alerts"), within="#ticket-alerts")
    page.get_by_role("button", name="Restore").click()
    expect(page.locator("#ticket-alerts")).to_be_hidden()
    page.get_by_role("link", name="label.png").first.click()
    walk.look("file viewer", page.get_by_role("dialog", name="label.png"), within="dialog:modal")
    walk.press("Escape")
    if walk.width < 1280:
        page.locator("[data-toggle=context]").first.click()
    walk.look("context", page.locator("#context"), within="#context")
    page.get_by_role("link", name="Change contacts").click()
    page.locator(".panel .picker__find input").fill("elina")
    walk.look("contacts of a ticket", page.locator(".panel").get_by_role("option"), within=".panel")


def writing(walk: Walk, ticket: Ticket) -> None:
    page = walk.page
    walk.go(f"/tickets/{ticket.number}/")
    walk.write("reply", "Hi Elina, ")
    walk.look("reply open", within="#composer")
    page.keyboard.type("/")
    walk.look("insert menu", page.locator("#composer-reply .caret-menu"), within="#composer")
    walk.press("Escape", "Backspace")
    page.keyboard.type(";")
    walk.look("snippet menu", page.get_by_role("option", name="New snippet"), within="#composer")
    page.get_by_role("option", name="New snippet").click()
    walk.look("snippet dialog", page.get_by_role("dialog", name="New snippet"), within="dialog:modal")
    page.get_by_role("dialog").get_by_role("button", name="Save snippet").click()
    walk.look("snippet dialog with errors", page.get_by_role("dialog").get_by_role("alert"), within="dialog:modal")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    if walk.width > 400:
        page.get_by_role("button", name="Expand editor").click()
        walk.look("full height", within="#composer")
        page.get_by_role("button", name="Pop out editor").click()
        walk.look("pop-out", page.locator(".composer-pop__bar"), within="#composer")
        page.get_by_role("button", name="Put the editor back").click()
    walk.write("comment", "Please look @mai")
    walk.look("comment with the mention menu", page.get_by_role("option", name="Maija Laine"), within="#composer")
    walk.press("Escape")
    walk.look("comment open", within="#composer")
    expect(page.locator("#draft-state")).to_contain_text("Saved")


def addressing(walk: Walk, ticket: Ticket) -> None:
    page = walk.page
    walk.go(f"/tickets/{ticket.number}/?write=reply")
    walk.write()
    page.get_by_role("button", name="Cc, Bcc and subject").click()
    page.get_by_role("combobox", name="To", exact=True).click()
    page.keyboard.type("jussi@,elin")
    walk.look(
        "recipients with a wrong one", page.locator("recipient-field[data-name=to] [role=option]"), within="#composer"
    )
    walk.press("Escape")
    page.get_by_text("Edit the quoted history").click()
    walk.look("quoted history", page.get_by_role("textbox", name="Quoted history"), within="#composer")
    page.locator("#from-button").click()
    walk.look("from menu", page.locator("#m-from"), within="#composer")
    walk.press("Escape")
    page.locator("#kind-button").click()
    walk.look("kinds of reply", page.get_by_role("menuitemradio", name="Forward"), within="#composer")
    walk.press("Escape")
    page.locator("#f-to").focus()
    with page.expect_response(lambda answer: "/drafts/" in answer.url and "jussi" not in answer.request.post_data):
        walk.press("Backspace", "Delete", "Backspace", "Delete")
        expect(page.locator(".token--bad")).to_have_count(0)


def sending(walk: Walk, ticket: Ticket) -> None:
    page = walk.page
    walk.go(f"/tickets/{ticket.number}/?write=reply")
    walk.write("reply", "The label is attached.")
    page.locator("#send-more").click()
    walk.look("send menu", page.locator("#m-send"), within="#composer")
    page.get_by_role("menuitem", name="Send later").click()
    walk.look("send later", page.get_by_role("dialog", name="Send later"), within="dialog:modal")
    walk.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("#composer-reply .editor").click()
    walk.press("Control+Enter")
    walk.look("checks", page.locator("#checks [role=alert]"), within="#composer")
    page.locator("#checks").get_by_role("button", name="Send anyway").click()
    walk.look("undo", page.locator("#toasts .toast"), within="#ticket, #toasts")
    walk.write("reply", "Good morning.")
    page.locator("#send-more").click()
    page.get_by_role("menuitem", name="Send later").click()
    page.get_by_role("dialog", name="Send later").get_by_role("button", name="Tomorrow").click()
    walk.look("scheduled", page.locator("#messages").get_by_text("Will be sent"), within="#ticket")


def lists_and_panels(walk: Walk) -> None:
    page = walk.page
    walk.go("/drafts/")
    walk.look("drafts", page.locator(".draft"))
    walk.go("/?view=closed")
    walk.look("closed", within="#list")
    walk.go("/")
    if walk.width < 1280:
        page.locator("[data-toggle=views]:visible").first.click()
        walk.look("views", page.locator("#view-drafts"), within="#views")
        walk.press("Escape")
    page.locator("a[data-shortcut=t]:visible").click()
    page.locator("record-picker[data-kind=contact] .picker__find input").fill("elina")
    walk.look("create panel with a picker", page.locator(".picker__option:visible"), within=".panel")
    walk.press("Escape")
    page.get_by_role("button", name="Create ticket", exact=True).click()
    walk.look("create panel with errors", page.locator(".panel [aria-invalid=true]"), within=".panel")
    page.get_by_label("Contact", exact=True).fill("niamh@galway.example")
    page.get_by_role("option", name="Make a new contact").click()
    walk.look("a new contact", page.get_by_role("button", name="Make contact"), within=".panel")
    page.get_by_role("link", name="Edit this form").click()
    walk.look("edit this form", page.get_by_role("button", name="Save form"), within=".panel")
    walk.go(f"/tickets/{make_silent_ticket().number}/")
    walk.look("ticket without a contact", page.get_by_role("link", name="Add contact"), within="#ticket, #context")


def make_silent_ticket() -> Ticket:
    return make_ticket(name="Backpack fitting by phone", contact=None)


def pages(walk: Walk) -> None:
    mailbox = Mailbox.objects.get(address="support@desk.example")
    raw = f"From: Olu <olu@customer.example>\r\nTo: {mailbox.address}\r\nSubject: As it came\r\n\r\nHello\r\n"
    receiving.process(receiving.store(mailbox, raw.encode(), source="pipe", now=timezone.now()).pk)
    came = Message.objects.get(subject="As it came")
    for path in (
        "/notifications/", "/profile/", "/settings/snippets/", "/settings/snippets/new/", "/settings/mailboxes/",
        "/settings/mailboxes/new/", f"/settings/mailboxes/{mailbox.pk}/", "/settings/create-form/",
        "/conversations/", f"/messages/{came.pk}/source/", f"/messages/{came.pk}/source/?part=source", "/tickets/new/", "/tickets/999999/",
    ):  # fmt: skip
        walk.go(path)
        walk.look(f"page {re.sub(r'[/?=]+', '-', path).strip('-')}")


def over_the_page(walk: Walk) -> None:
    page = walk.page
    walk.go("/")
    page.locator("#bell").click()
    walk.look("bell", page.locator("#bell-list").get_by_role("link"), within=".rail")
    walk.press("Escape")
    page.locator("[popovertarget=m-me]").click()
    walk.look("own menu", page.locator("#m-me"), within=".rail")
    walk.press("Escape")
    page.locator("#main").focus()
    walk.press("?")
    walk.look("shortcuts", page.get_by_role("dialog", name="Keyboard shortcuts"), within="dialog:modal")
    walk.press("Escape", "Control+k")
    page.keyboard.type("tent")
    walk.look("palette", page.locator("#palette [role=option]"), within="dialog:modal")
    walk.press("Escape")


def together(walk: Walk, ticket: Ticket, colleague: Page) -> None:
    page = walk.page
    walk.go(f"/tickets/{ticket.number}/")
    page.locator("html[data-live=live]").wait_for(state="attached")
    colleague.goto(f"{walk.desk}/tickets/{ticket.number}/")
    colleague.locator("#composer-reply rich-editor[data-ready]").wait_for()
    colleague.locator("#composer-reply .editor").click()
    colleague.keyboard.type("Good news")
    walk.look("presence", page.locator(".banner--collision"), within="#ticket")
    editor = walk.write("reply", "Until Friday")
    expect(page.locator("#draft-state")).to_contain_text("Saved")
    Draft.objects.filter(mode="reply", user__email="aino@desk.example").update(html="<p>Phone</p>", version=40)
    editor.press("!")
    walk.look("newer draft", page.locator("[data-when=newer]"), within="#composer")
    page.evaluate(
        """() => {
          const stream = document.querySelector("live-stream")
          stream.querySelector("[data-text]").textContent = stream.dataset.broken
          stream.hidden = false
        }"""
    )
    walk.look("not live", page.get_by_text("Not live, trying again"), within="live-stream")
