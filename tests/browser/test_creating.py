"""Creating a ticket in a browser: the panel, the pickers, and the form that one arranges (SPEC S-07 to S-14)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from people.models import Company, Contact
from tests.factories import make_contact, make_message, make_pipeline, make_ticket, make_user
from tests.tickets.test_properties import make_property
from tickets.models import CreationField, Kind, Ticket

AXE = Path(__file__).parent.parent / "vendor" / "axe-core" / "axe.min.js"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture(autouse=True)
def no_complaints(page: Page):
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console",
        lambda message: said.append(f"{message.text} {message.location}") if message.type == "error" else None,
    )
    yield
    # The server of these tests has no event stream.
    expected = ("status of 422", "status of 409", "/events/")
    assert [words for words in said if not any(each in words for each in expected)] == []


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(300)
        page.screenshot(path=f"{SHOTS}/{name}.png")


@pytest.fixture
def open_ticket(page, live_server, sign_in, aino):
    """A ticket is open beside the list."""
    make_pipeline("Support"), make_pipeline("Warranty", position=1)
    ticket = make_ticket(name="Wrong size delivered")
    make_message(ticket, text="The jacket is a size S.")
    sign_in(page, aino)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="Wrong size delivered").click()
    expect(page.locator("#messages")).to_contain_text("The jacket is a size S.")
    return ticket


def test_s07_t_opens_the_panel_beside_the_conversation_and_the_keyboard_makes_the_ticket(page, open_ticket, aino):
    make_contact("laura.niemi@gmail.example", "Laura Niemi"), make_contact("olu@club.example", "Olu Adeyemi")
    page.keyboard.press("t")
    expect(page.get_by_label("Ticket name", exact=True)).to_be_focused()
    expect(page.locator("#messages")).to_contain_text("The jacket is a size S.")
    expect(page.locator("#context")).to_be_hidden()
    ticket_pane, panel = page.locator("#ticket").bounding_box(), page.locator(".panel").bounding_box()
    assert ticket_pane["x"] + ticket_pane["width"] <= panel["x"] + 1, "the conversation is not covered"

    page.keyboard.type("Backpack fitting by phone")
    page.get_by_label("Contact", exact=True).focus()
    page.keyboard.type("laura n")
    option = page.get_by_role("option", name="Laura Niemi")
    expect(option).to_have_attribute("aria-selected", "true")
    shot(page, "create-list-1440")
    page.keyboard.press("Enter")
    expect(page.locator(".picker .token:visible")).to_have_count(1)
    expect(page.locator("[data-reason]")).to_contain_text("To laura.niemi@gmail.example from ")
    page.keyboard.type("olu")
    expect(page.get_by_role("option", name="Olu Adeyemi")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Make primary").click()
    expect(page.locator("[data-reason]")).to_contain_text("To olu@club.example from ")
    expect(page.get_by_role("listbox")).to_have_count(0)
    shot(page, "create-1440")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#ticket-title")).to_have_text("Backpack fitting by phone")
    expect(page.locator(".panel")).to_have_count(0)
    expect(page.locator(".trow [aria-current]")).to_have_text("Backpack fitting by phone")
    ticket = Ticket.objects.latest("pk")
    assert (ticket.contact.name, [each.name for each in ticket.other_contacts.all()]) == (
        "Olu Adeyemi",
        ["Laura Niemi"],
    )
    shot(page, "created-1440")


def test_the_picked_ones_are_walked_by_keyboard_as_recipients_are(page, open_ticket):
    for name in ("Laura Niemi", "Olu Adeyemi", "Oili Koski"):
        make_contact(f"{name.split()[0].lower()}@club.example", name)
    page.keyboard.press("t")
    box = page.get_by_label("Contact", exact=True)
    for typed in ("laura", "olu", "oili"):
        box.fill(typed)
        expect(page.locator(".picker__option[aria-selected=true]")).to_contain_text(typed.title())
        page.keyboard.press("Enter")
    expect(page.locator("#announce")).to_have_text("Added Oili Koski")

    page.keyboard.press("Backspace")  # into the chips, and nobody is gone
    remove = page.locator(".picker .token:visible").get_by_role("button", name="Remove")
    expect(remove).to_have_count(3)
    expect(remove.last).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Remove Olu Adeyemi")).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.locator("#announce")).to_have_text("Removed Olu Adeyemi")
    expect(page.get_by_role("button", name="Remove Oili Koski")).to_be_focused()
    page.keyboard.press("End")
    expect(box).to_be_focused()

    box.press("ArrowUp")
    expect(page.get_by_role("option", name="Make a new contact")).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("option", name="Make a new contact")).to_have_attribute("aria-selected", "true")


def test_one_click_takes_the_contact_of_the_open_ticket_and_the_first_message_keeps_its_looks(page, open_ticket, aino):
    ours = open_ticket.conversations.get().mailbox.address
    aino.undo_seconds = 30
    aino.save()
    page.keyboard.press("t")
    page.get_by_label("Ticket name", exact=True).fill("Called back")
    offer = page.get_by_role("link", name=f"For {open_ticket.contact}")
    offer.click()
    expect(offer).to_be_hidden()
    said = page.locator("first-message [data-reason]")
    expect(said).to_have_text(f"To {open_ticket.contact.address} from {ours}")
    page.get_by_role("textbox", name="First message").click()
    page.keyboard.type("Come by on ")
    page.keyboard.press("Control+b")
    page.keyboard.type("Friday")
    page.get_by_role("link", name="Close", exact=True).click()
    page.keyboard.press("t")
    expect(page.get_by_role("textbox", name="First message").locator("b")).to_have_text("Friday")
    expect(said).to_have_text(f"To {open_ticket.contact.address} from {ours}")
    page.locator(".panel").get_by_role("button", name="Create ticket").click()
    expect(page.locator("#messages .msg.is-pending b", has_text="Friday")).to_be_visible()
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("The ticket stays")
    expect(page.get_by_role("textbox", name="Your reply").locator("b")).to_have_text("Friday")


def test_a_first_message_that_promises_a_file_asks_first_and_keeps_what_was_typed(page, open_ticket):
    page.keyboard.press("t")
    page.get_by_label("Ticket name", exact=True).fill("Called back")
    page.get_by_role("link", name=f"For {open_ticket.contact}").click()
    page.get_by_role("textbox", name="First message").click()
    page.keyboard.type("The label is attached.")
    panel = page.locator(".panel")
    panel.get_by_role("button", name="Create ticket").click()
    expect(panel.get_by_role("alert")).to_contain_text("no file is attached")
    expect(panel.locator("rich-editor [contenteditable]")).to_have_text("The label is attached.")
    expect(panel.get_by_role("button", name="Create ticket")).to_be_focused()
    page.wait_for_timeout(100)  # htmx puts attributes of what has an id back, a moment after a swap
    expect(panel.locator("rich-editor textarea")).to_be_hidden()
    banner = panel.get_by_role("alert").bounding_box()
    assert banner["y"] < panel.get_by_role("button", name="Create ticket").bounding_box()["y"], "it stands above"
    shot(page, "create-checks")
    page.get_by_label("Ticket name", exact=True).press("Enter")  # asks again, and insists on nothing
    expect(panel.get_by_role("button", name="Create ticket")).to_be_focused()
    assert Ticket.objects.count() == 1
    panel.get_by_role("button", name="Create and send anyway").click()
    expect(page.locator("#messages .msg", has_text="The label is attached.")).to_be_visible()


def test_closing_the_panel_loses_nothing_and_gives_the_focus_back(page, open_ticket):
    make_contact("laura.niemi@gmail.example", "Laura Niemi")
    page.get_by_role("link", name="Create ticket").first.click()
    page.get_by_label("Ticket name", exact=True).fill("Half a thought")
    page.get_by_label("Pipeline", exact=True).select_option("Warranty")
    page.get_by_label("Contact", exact=True).fill("laura")
    page.get_by_role("option", name="Laura Niemi").click()
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_have_count(0)
    expect(page.get_by_role("link", name="Create ticket").first).to_be_focused()
    page.keyboard.press("t")
    expect(page.get_by_label("Ticket name", exact=True)).to_have_value("Half a thought")
    expect(page.get_by_label("Pipeline", exact=True).locator("option:checked")).to_have_text("Warranty")
    expect(page.locator(".picker .token:visible")).to_contain_text("Laura Niemi")
    page.get_by_role("button", name="Create ticket", exact=True).click()
    expect(page.locator("#ticket-title")).to_have_text("Half a thought")
    page.keyboard.press("t")
    expect(page.get_by_label("Ticket name", exact=True)).to_have_value("")
    assert Ticket.objects.latest("pk").pipeline.name == "Warranty"


def test_s09_another_pipeline_brings_its_own_statuses(page, open_ticket):
    Ticket.objects.get().pipeline.__class__.objects.get(name="Warranty").statuses.filter(kind=Kind.NEW).update(
        name="Claimed"
    )
    page.keyboard.press("t")
    status = page.get_by_label("Status", exact=True)
    expect(status.locator("option:checked")).to_have_text("New")
    page.get_by_label("Pipeline", exact=True).select_option("Warranty")
    expect(status.locator("option:checked")).to_have_text("Claimed")
    expect(status.locator("option")).to_have_count(4)


def test_s11_somebody_new_is_made_in_place_and_never_twice(page, open_ticket):
    make_contact("laura.niemi@gmail.example", "Laura Niemi")
    page.keyboard.press("t")
    page.get_by_label("Contact", exact=True).fill("niamh@galway.example")
    page.get_by_role("option", name="Make a new contact").click()
    new = page.locator("record-picker[data-kind='contact'] .picker__new")
    expect(new.get_by_label("Mail address")).to_have_value("niamh@galway.example")
    new.get_by_label("Name").fill("Niamh Kelleher")
    new.get_by_label("Name").press("Enter")
    expect(page.locator(".picker .token:visible")).to_contain_text("Niamh Kelleher")

    page.get_by_label("Contact", exact=True).fill("Laura N")
    page.get_by_role("option", name="Make a new contact").click()
    new.get_by_label("Mail address").fill("Laura.Niemi@gmail.example")
    new.get_by_role("button", name="Make contact").click()
    expect(new.get_by_role("alert")).to_have_text("laura.niemi@gmail.example belongs to Laura Niemi already.")
    shot(page, "create-known-1440")
    new.get_by_role("button", name="Take Laura Niemi").click()
    expect(page.locator(".picker .token:visible")).to_have_count(2)
    assert Contact.objects.filter(name__startswith="Laura").count() == 1

    page.get_by_label("Company", exact=True).fill("Galway Kayak Club")
    page.get_by_role("option", name="Make a new company").click()
    company = page.locator("record-picker[data-kind='company'] .picker__new")
    company.get_by_label("Mail domain").fill("galwaykayak.example")
    company.get_by_role("button", name="Make company").click()
    expect(page.locator("record-picker[data-kind='company'] .token:visible")).to_contain_text("Galway Kayak Club")
    assert Company.objects.get(domains__domain="galwaykayak.example").name == "Galway Kayak Club"


def test_somebody_new_who_is_not_made_yet_is_not_thrown_away_by_creating_the_ticket(page, open_ticket):
    page.keyboard.press("t")
    page.get_by_label("Ticket name", exact=True).fill("Backpack fitting")
    page.get_by_label("Contact", exact=True).fill("Niamh Kelleher")
    page.get_by_role("option", name="Make a new contact").click()
    new = page.locator("record-picker[data-kind='contact'] .picker__new")
    said = "The new contact is not made yet. Press “Make contact”, or “Cancel” to leave it out."
    page.locator("#new-ticket [data-submit]").click()
    expect(new.get_by_role("alert")).to_have_text(said)
    expect(new.get_by_label("Mail address")).to_be_focused()
    assert not Ticket.objects.filter(name="Backpack fitting").exists()

    new.get_by_role("button", name="Cancel").click()
    page.get_by_label("Contact", exact=True).fill("Niamh Kelleher")
    page.get_by_role("option", name="Make a new contact").click()
    expect(new.get_by_role("alert")).to_be_hidden()
    page.get_by_label("Ticket name", exact=True).press("Control+Enter")
    expect(new.get_by_role("alert")).to_have_text(said)
    expect(new.get_by_label("Name")).to_have_value("Niamh Kelleher")
    assert not Ticket.objects.filter(name="Backpack fitting").exists()

    new.get_by_role("button", name="Make contact").click()
    expect(page.locator(".picker .token:visible")).to_contain_text("Niamh Kelleher")
    page.locator("#new-ticket [data-submit]").click()
    expect(page.locator("#ticket-title")).to_have_text("Backpack fitting")
    assert str(Ticket.objects.get(name="Backpack fitting").contact) == "Niamh Kelleher"


def test_s10_the_form_is_arranged_by_keyboard_and_by_dragging_and_shown_as_it_will_be(page, open_ticket):
    make_property(name="Root cause")
    page.keyboard.press("t")
    page.get_by_role("link", name="Edit this form").click()
    expect(page.locator("form-layout:defined")).to_be_visible()
    grip = page.get_by_role("button", name="Move Owner, use the arrow keys")
    grip.focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".formrow").nth(3)).to_contain_text("Owner")
    expect(grip).to_be_focused()
    page.get_by_label("Add property").select_option("Root cause")
    preview = page.get_by_role("region", name="How the form looks")
    expect(preview.get_by_text("Root cause")).to_be_visible()
    page.get_by_label("Required: Root cause").check()
    expect(page.locator("#row-description")).to_be_visible()
    page.get_by_role("button", name="Remove Description").click()
    expect(page.locator("#row-description")).to_have_count(0)

    handle = page.locator("#grip-root_cause").bounding_box()
    top = page.locator("#row-name").bounding_box()
    page.mouse.move(handle["x"] + 5, handle["y"] + 5)
    page.mouse.down()
    page.mouse.move(top["x"] + 20, top["y"] + 30, steps=6)
    page.mouse.move(top["x"] + 20, top["y"] + 2, steps=4)
    page.mouse.up()
    expect(page.locator(".formrow").first).to_contain_text("Root cause")
    expect(preview.locator(".panel__field").first).to_contain_text("Root cause")
    shot(page, "edit-form-1440")
    page.get_by_role("button", name="Save form").click()
    expect(page.locator(".toast")).to_contain_text("The form is saved.")
    rows = list(CreationField.objects.values_list("key", "is_required"))
    assert rows[:1] == [("root_cause", True)]
    assert "description" not in dict(rows)
    page.get_by_role("link", name="Back to creating a ticket").first.click()
    expect(page.get_by_label("Root cause", exact=True)).to_be_focused()


def test_a_status_that_asks_opens_a_dialog_and_a_property_is_changed_in_place(page, open_ticket):
    make_property(name="Root cause"), make_property("refund", "number", name="Refund amount")
    closed = open_ticket.pipeline.first_status(Kind.CLOSED)
    closed.required = ["root_cause"]
    closed.save()
    page.reload()
    page.locator("#status-button").click()
    page.get_by_role("menuitemradio", name="Closed").click()
    dialog = page.get_by_role("dialog", name="One thing before this is “Closed”")
    expect(dialog.get_by_label("Root cause")).to_be_focused()
    shot(page, "status-asks-1440")
    page.keyboard.press("Control+Enter")
    expect(dialog).to_contain_text("Choose a value for “Root cause”.")
    dialog.get_by_label("Root cause").select_option("Courier")
    page.keyboard.press("Control+Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("#status-button")).to_contain_text("Closed")
    expect(page.locator("#messages")).to_contain_text("changed the status")  # the page has heard of it, and rests

    page.get_by_role("button", name="Refund amount: nothing").click()
    box = page.locator("#property-refund input[name=value]")
    expect(box).to_be_focused()
    shot(page, "property-1440")
    box.fill("lots")
    box.press("Enter")
    expect(page.locator("#property-refund")).to_contain_text("“lots” is not a number.")
    page.locator("#property-refund input[name=value]").fill("12,5")
    page.locator("#property-refund input[name=value]").press("Enter")
    expect(page.get_by_role("button", name="Refund amount: 12.5")).to_be_visible()
    expect(page.locator("#property-refund")).to_be_hidden()


def test_on_a_phone_the_button_floats_and_the_panel_fills_the_screen(page, live_server, sign_in, aino):
    make_pipeline()
    page.emulate_media(reduced_motion="reduce")  # half come, a panel is half as dark
    sign_in(page, aino)
    for width, name in ((1024, "1024"), (390, "390")):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(live_server.url)
        shot(page, f"workspace-{name}")
        page.locator("a[data-shortcut=t]:visible").click()
        expect(page.get_by_label("Ticket name", exact=True)).to_be_focused()
        shot(page, f"create-{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        violations = page.evaluate(f"{AXE.read_text()}; axe.run('.panel').then(found => found.violations)")
        assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []
        if width == 390:
            assert page.locator(".panel").bounding_box()["width"] == 390
            page.emulate_media(color_scheme="dark")
            shot(page, "create-390-dark")
        page.get_by_role("link", name="Close", exact=True).click()


def test_on_a_page_of_its_own_one_stands_where_something_is_wrong(page, live_server, sign_in, aino):
    make_pipeline("Support")
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/new/")
    name = page.get_by_label("Ticket name", exact=True)
    expect(name).to_be_focused()
    page.get_by_role("button", name="Create and add another").click()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_be_focused()


def test_an_open_property_form_keeps_what_was_refused_while_a_colleague_changes_the_ticket(page, open_ticket):
    make_property(name="Root cause"), make_property("refund", "number", name="Refund amount")
    page.reload()
    page.get_by_role("button", name="Refund amount: nothing").click()
    form = page.locator("#property-refund")
    form.locator("input[name=value]").fill("lots")
    form.locator("input[name=value]").press("Enter")
    expect(form).to_contain_text("“lots” is not a number.")
    page.wait_for_timeout(1200)  # the page's own refresh after it

    Ticket.objects.get().set_properties(
        {"root_cause": "Courier", "refund": 30}, by=make_user("agent"), now=timezone.now()
    )
    page.evaluate("document.dispatchEvent(new CustomEvent('ticket:changed'))")
    expect(page.get_by_role("button", name="Refund amount: 30")).to_be_visible()
    expect(form).to_contain_text("“lots” is not a number.")
    expect(form.locator("input[name=value]")).to_have_value("lots")

    form.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Refund amount: 30").click()
    expect(form.locator("input[name=value]")).to_have_value("30")
    expect(form).not_to_contain_text("is not a number")
    form.locator("input[name=value]").fill("12,5")
    form.locator("input[name=value]").press("Enter")
    expect(page.get_by_role("button", name="Refund amount: 12.5")).to_be_visible()
    expect(form).to_be_hidden()
