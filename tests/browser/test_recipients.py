"""Whom a mail goes to, in a browser: chips, suggestions, the kind of mail and the sender."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from inbox.models import Draft, Message
from tests.browser.slowness import answer_late
from tests.factories import make_contact, make_mailbox, make_message, make_ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ticket(support):
    ticket = make_ticket(name="Wrong size", contact=make_contact("elina@customer.example", "Elina Saarinen"))
    make_message(
        ticket, text="It is too small.", mailbox=support, cc=[{"name": "Olu", "address": "olu@customer.example"}]
    )
    return ticket


def open_ticket(page: Page, live_server, sign_in, aino, ticket) -> None:
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")


def chips(page: Page, name: str):
    return page.locator(f"recipient-field[data-name='{name}'] .token")


def values(page: Page, name: str) -> list[str]:
    return page.locator(f"#composer-head input[name='{name}']").evaluate_all(
        "boxes => boxes.map(box => box.value).filter(Boolean)"
    )


def test_people_are_named_by_keyboard(page, live_server, sign_in, aino, ticket):
    make_contact("liisa@other.example", "Liisa Korpela")
    open_ticket(page, live_server, sign_in, aino, ticket)
    line = page.locator(".rcpt__sum")
    expect(line).to_contain_text("Elina Saarinen")
    expect(line).to_contain_text("Olu")
    page.get_by_role("button", name="Cc, Bcc and subject").click()
    to = page.get_by_role("combobox", name="To", exact=True)
    expect(to).to_be_focused()

    page.keyboard.type("liis")
    expect(page.get_by_role("option", name="Liisa Korpela")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(chips(page, "to")).to_have_count(2)
    assert values(page, "to") == ["Elina Saarinen <elina@customer.example>", "Liisa Korpela <liisa@other.example>"]

    answer_late(page, "/recipients/")
    make_contact("lii@other.example", "Lii Saar")
    page.keyboard.type("lii")
    expect(page.get_by_role("option", name="Lii Saar")).to_be_visible()
    page.keyboard.type("sa@new.example")
    page.keyboard.press("Enter")
    expect(chips(page, "to").last).to_contain_text("liisa@new.example")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.press("End")  # behind the chips that are left
    page.keyboard.type("Lii Sa")
    page.keyboard.press("Enter")  # before anybody was offered
    expect(chips(page, "to").last).to_contain_text("lii@other.example")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.press("End")
    expect(chips(page, "to")).to_have_count(2)

    page.keyboard.type("jussi@,")
    expect(chips(page, "to").last).to_have_class("token token--bad")
    expect(page.locator("#f-to-error")).to_have_text("“jussi@” is not a mail address. Correct it or remove it.")
    page.keyboard.press("Backspace")  # into the chips
    expect(chips(page, "to").last.get_by_role("button")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(chips(page, "to").nth(1).get_by_role("button")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    expect(chips(page, "to")).to_have_count(2)
    expect(page.locator("#f-to-error")).to_be_empty()
    expect(to).to_be_focused()

    page.locator("#f-bcc").focus()
    page.evaluate(
        """() => {
          const data = new DataTransfer()
          data.setData("text/plain", 'a@x.example, "Berg, Bo" <b@x.example>;\\nc@x.example')
          document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))
        }"""
    )
    expect(chips(page, "bcc")).to_have_count(3)
    page.get_by_role("button", name="Cc, Bcc and subject").click()
    expect(line).to_contain_text("Liisa Korpela")
    expect(line).to_contain_text("Berg, Bo")


def test_the_kind_and_the_sender_change_and_the_text_and_added_people_stay(page, live_server, sign_in, aino, ticket):
    make_mailbox("returns@desk.example", name="Korpi Returns")
    open_ticket(page, live_server, sign_in, aino, ticket)
    page.locator(".composer__reply .editor").click()
    page.keyboard.type("One moment")
    page.get_by_role("button", name="Cc, Bcc and subject").click()
    page.keyboard.type("boss@customer.example,")

    page.locator("#kind-button").click()
    page.get_by_role("menuitemradio", name="Reply", exact=True).click()
    expect(chips(page, "cc")).to_have_count(0)
    assert values(page, "to") == ["Elina Saarinen <elina@customer.example>", "boss@customer.example"]
    expect(page.locator(".composer__reply .editor")).to_have_text("One moment")

    expect(page.locator("#kind-button")).to_be_focused()

    page.locator("#kind-button").click()
    page.get_by_role("menuitemradio", name="Forward").click()
    expect(page.locator("#f-subject")).to_have_value("Fwd: Wrong size")
    assert values(page, "to") == ["boss@customer.example"]
    expect(page.get_by_label("Send the forwarded message along")).to_be_checked()

    page.locator("#from-button").click()
    page.get_by_role("menuitemradio", name="Korpi Returns").click()
    expect(page.locator("#from-button")).to_contain_text("returns@desk.example")
    assert values(page, "to") == ["boss@customer.example"]
    expect(page.locator(".composer__reply .editor")).to_have_text("One moment")


def test_a_message_is_forwarded_from_its_own_menu(page, live_server, sign_in, aino, ticket):
    make_message(ticket, text="One more thing.")
    open_ticket(page, live_server, sign_in, aino, ticket)
    first = page.locator("#messages .msg").first
    first.hover()
    first.get_by_role("button", name="More ways to answer").click()
    page.get_by_role("menuitem", name="Forward").click()
    expect(page.locator(".replychip")).to_contain_text("Forwarding Elina Saarinen")
    expect(page.get_by_role("combobox", name="To", exact=True)).to_be_focused()
    page.keyboard.type("fix@factory.example")
    page.keyboard.press("Tab")
    page.locator(".composer__reply .editor").click()
    page.keyboard.type("Can you mend this?")
    page.get_by_role("button", name="Send", exact=True).click()
    again = page.get_by_role("button", name="Send anyway")
    expect(page.locator("#messages").get_by_text("Can you mend this?").or_(again).first).to_be_visible()
    if again.is_visible():
        again.click()
    expect(page.locator("#messages")).to_contain_text("Can you mend this?")
    sent = Message.objects.get(direction="out")
    assert (sent.subject, sent.to) == ("Fwd: Wrong size", [{"name": "", "address": "fix@factory.example"}])
    assert "It is too small." in sent.quoted_text


def test_the_quoted_history_is_changed_before_it_goes(page, live_server, sign_in, aino, ticket):
    open_ticket(page, live_server, sign_in, aino, ticket)
    page.get_by_role("button", name="Cc, Bcc and subject").click()
    page.get_by_text("Edit the quoted history").click()
    quoted = page.get_by_role("textbox", name="Quoted history")
    expect(quoted).to_contain_text("It is too small.")
    quoted.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("Only this of it.")
    page.locator("#f-subject").fill("Another size")
    page.locator("#f-subject").press("Enter")
    expect(page.locator(".composer__reply .editor")).to_be_focused()
    page.keyboard.type("Yes, we do that.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("Yes, we do that.")
    sent = Message.objects.get(direction="out")
    assert sent.subject == "Another size"
    assert "Only this of it." in sent.quoted_html
    assert "too small" not in sent.quoted_html + sent.quoted_text
    assert [entry["address"] for entry in sent.cc] == ["olu@customer.example"]
    assert not Draft.objects.exists()


def test_a_contact_without_an_address_gets_one_right_there(page, live_server, sign_in, aino, support):
    ticket = make_ticket()
    ticket.contact.addresses.all().delete()
    open_ticket(page, live_server, sign_in, aino, ticket)
    expect(page.locator("#composer-head")).to_contain_text("has no mail address")
    page.get_by_label("Mail address").fill("elina@")
    page.get_by_role("button", name="Give Elina Saarinen this address").click()
    expect(page.locator("#contact-address-error")).to_contain_text("is not a mail address")
    page.get_by_label("Mail address").fill("elina@customer.example")
    page.get_by_role("button", name="Give Elina Saarinen this address").click()
    expect(page.locator(".rcpt__sum")).to_contain_text("Elina Saarinen")
    expect(page.locator(".composer__reply .editor")).to_be_visible()


def test_whoever_sends_to_no_address_is_led_to_it(page, live_server, sign_in, aino, ticket):
    open_ticket(page, live_server, sign_in, aino, ticket)
    fields = page.get_by_role("button", name="Cc, Bcc and subject")
    fields.click()
    page.get_by_role("combobox", name="Cc", exact=True).click()
    page.keyboard.type("jussi@,")
    fields.click()
    expect(page.locator("#rcpt-fields")).to_be_hidden()
    page.locator(".composer__reply .editor").click()
    page.keyboard.type("We send another.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("combobox", name="Cc", exact=True)).to_be_focused()
    expect(page.locator("#f-cc-error")).to_contain_text("“jussi@” is not a mail address.")
    expect(page.locator(".composer__reply .editor")).to_have_text("We send another.")
    assert not Message.objects.filter(author=aino).exists()


def test_a_very_long_name_leaves_its_place_to_the_sender(page, live_server, sign_in, aino, support):
    ticket = make_ticket(name="Long", contact=make_contact(name="X" * 190))
    make_message(ticket, from_name="X" * 190, from_address="long@name.example")
    open_ticket(page, live_server, sign_in, aino, ticket)
    page.locator(".composer__reply .editor").click()
    assert page.locator("#composer-head .rcpt__from + *").bounding_box()["width"] > 100


@pytest.mark.parametrize(("language", "width", "panel"), [("fi", 390, False), ("en", 1440, True)])
def test_whom_it_goes_to_and_from_where_can_be_read_in_any_width(
    page, live_server, sign_in, aino, language, width, panel
):
    aino.language = language
    aino.save(update_fields=["language"])
    box, _other = make_mailbox("support@korpi-outdoor.example"), make_mailbox("warranty@korpi-outdoor.example")
    ticket = make_ticket(name="Wrong size", contact=make_contact("elina@customer.example", "Elina Saarinen"))
    make_message(ticket, text="It is too small.", mailbox=box)
    page.set_viewport_size({"width": width, "height": 900})
    open_ticket(page, live_server, sign_in, aino, ticket)
    if width == 390:
        page.locator(".composer-slim").click()
    if panel:
        page.keyboard.press("t")
        expect(page.locator("#new-ticket")).to_be_visible()
    for part in (page.locator(".rcpt__sum"), page.locator(".fromswitch .truncate")):
        expect(part).to_be_visible()
        assert part.evaluate("part => part.scrollWidth <= part.clientWidth"), part.inner_text()
    line, more = page.locator(".rcpt--line").bounding_box(), page.locator("[data-toggle-fields]").bounding_box()
    assert more["x"] + more["width"] <= line["x"] + line["width"]
