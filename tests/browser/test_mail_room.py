"""The page "Customer's side" in a browser: it follows what comes, leaves alone what one types, and fits everywhere."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from inbox import mail_room
from inbox.mail_room.program import Enclosure, write
from inbox.models import Mailbox, RoomMail
from people.models import User
from tests.factories import make_mailbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = Path(__file__).resolve().parent.parent / "vendor" / "axe-core" / "axe.min.js"
CUSTOMER = ("Anna Berg", "anna.berg@customer.example")


@pytest.fixture
def support(settings: Any) -> Mailbox:
    settings.HELPDESK_MAIL_ROOM = True
    return make_mailbox("support@desk.example", name="Desk Support", uses_mail_room=True)


def customer_writes(text: str) -> RoomMail:
    return _pass_on(CUSTOMER, ("Desk Support", "support@desk.example"), text, None)


def desk_answers(first: RoomMail, text: str) -> RoomMail:
    return _pass_on(("Desk Support", "support@desk.example"), CUSTOMER, text, first)


def _pass_on(sender: tuple[str, str], to: tuple[str, str], text: str, answered: RoomMail | None) -> RoomMail:
    raw = write(
        sender=sender,
        to=to,
        subject="The zip broke",
        text=text,
        html=f"<p>{text}</p>",
        now=timezone.now(),
        answers=answered.parsed() if answered else None,
        enclosures=[Enclosure("label.pdf", "application/pdf", b"%PDF-1.4")] if answered else [],
        message_id=f"{uuid.uuid4().hex}@desk.example",
    )
    return mail_room.deliver(raw, sender=sender[1], recipients=[to[1]]).kept


def test_an_answer_comes_by_itself_and_what_one_types_stays(
    page: Page, live_server: Any, sign_in: Any, aino: User, support: Mailbox
) -> None:
    first = customer_writes("It broke after a week.")
    sign_in(page, aino)
    page.goto(f"{live_server.url}/mail-room/?as={CUSTOMER[1]}&thread={first.pk}&answers={first.pk}")
    page.get_by_label("Message").fill("Half a sentence, and then")
    page.get_by_label("Message").press("Home")
    desk_answers(first, "We send you a new one.")
    expect(page.locator("#room-thread .msg")).to_have_count(2)
    expect(page.get_by_role("link", name="label.pdf")).to_be_visible()
    expect(page.get_by_label("Message")).to_have_value("Half a sentence, and then")
    expect(page.get_by_label("Message")).to_be_focused()
    frame = page.frame_locator("#room-thread .msg.is-latest iframe")
    expect(frame.locator("body")).to_contain_text("We send you a new one.")
    expect(frame.get_by_text("It broke after a week.")).to_be_hidden()
    expect(page.locator("#room-threads .trow__n").first).to_have_text("2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_it_reads_well_everywhere(
    page: Page, live_server: Any, sign_in: Any, aino: User, support: Mailbox, scheme: Any, width: int
) -> None:
    first = customer_writes("It broke after a week.")
    desk_answers(first, "We send you a new one.")
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    sign_in(page, aino)
    for address in ("", "?new=1", f"?as={CUSTOMER[1]}", f"?as={CUSTOMER[1]}&thread={first.pk}&answers={first.pk}"):
        page.goto(f"{live_server.url}/mail-room/{address}")
        page.evaluate(AXE.read_text())
        found = page.evaluate(
            "async () => (await axe.run(document, { iframes: false })).violations.map("
            "one => one.id + ': ' + one.nodes.map(node => node.html).join(' '))"
        )
        assert found == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_mail_is_written_and_read_without_scripts(
    browser: Any, live_server: Any, sign_in: Any, aino: User, support: Mailbox
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, aino)
    page.goto(f"{live_server.url}/mail-room/?new=1")
    page.get_by_label("Email", exact=True).fill(CUSTOMER[1])
    page.get_by_label("Subject").fill("Without scripts")
    page.get_by_label("Message").fill("It still works.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Without scripts")).to_be_visible()
    expect(page.frame_locator("#room-thread iframe").locator("body")).to_contain_text("It still works.")
    context.close()
