"""The workspace in a browser: parts change in place, and nothing one has is lost."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from helpdesk.html import clean
from inbox.commenting import comment
from inbox.models import Direction
from tests.factories import make_message, make_ticket, make_user
from tickets.models import Kind

AXE = Path(__file__).parent.parent / "vendor" / "axe-core" / "axe.min.js"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def beat(page: Page) -> None:
    """Something may have happened: the server of these tests has no streams, so the page is told so here."""
    page.evaluate("document.dispatchEvent(new CustomEvent('live:ticket', { detail: {} }))")


def scroll_of_list(page: Page) -> int:
    return page.locator(".ws__rows").evaluate("rows => rows.scrollTop")


@pytest.fixture(autouse=True)
def no_complaints(page: Page):
    """Our own policy stops nothing of ours, and no script fails."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    yield
    assert [words for words in said if "status of 422" not in words and "status of 409" not in words] == []


def test_opening_tickets_keeps_the_list_and_names_them_in_the_address(page, live_server, sign_in, aino):
    tickets = [make_ticket(name=f"ticket {number:02}") for number in range(60)]
    for ticket in tickets:
        make_message(ticket, text=f"words of {ticket.name}")
    sign_in(page, aino)
    page.locator("#list-end").scroll_into_view_if_needed()
    expect(page.locator(".trow")).to_have_count(60)
    page.get_by_role("link", name="ticket 55").scroll_into_view_if_needed()
    scrolled = scroll_of_list(page)
    assert scrolled > 500

    page.get_by_role("link", name="ticket 55").click()
    expect(page.locator("#messages")).to_contain_text("words of ticket 55")
    expect(page).to_have_url(f"{live_server.url}/tickets/{tickets[55].number}/?view=all-open")
    expect(page).to_have_title("ticket 55 · Help desk")
    expect(page.locator(".trow [aria-current]")).to_have_text("ticket 55")
    expect(page.locator("#ticket")).to_be_focused()
    assert scroll_of_list(page) == scrolled

    page.get_by_role("link", name="ticket 56").click()
    expect(page.locator("#messages")).to_contain_text("words of ticket 56")
    expect(page.locator(".trow [aria-current]")).to_have_count(1)

    page.go_back()
    expect(page.locator("#messages")).to_contain_text("words of ticket 55")
    expect(page.locator(".trow [aria-current]")).to_have_text("ticket 55")
    expect(page.locator(".trow")).to_have_count(60)
    assert scroll_of_list(page) == scrolled
    page.go_back()
    expect(page.locator("#messages")).to_have_count(0)
    expect(page.locator(".trow [aria-current]")).to_have_count(0)
    page.go_forward()
    expect(page.locator("#messages")).to_contain_text("words of ticket 55")

    page.reload()
    expect(page.locator("#messages")).to_contain_text("words of ticket 55")


def test_the_list_refreshes_itself_and_keeps_pages_place_mark_and_focus(page, live_server, sign_in, aino):
    tickets = [make_ticket(name=f"ticket {number:02}") for number in range(60)]
    sign_in(page, aino)
    page.locator("#list-end").scroll_into_view_if_needed()
    expect(page.locator(".trow")).to_have_count(60)
    page.get_by_role("link", name="ticket 40").click()
    expect(page.locator(".trow [aria-current]")).to_have_text("ticket 40")
    page.get_by_role("link", name="ticket 41").focus()
    scrolled = scroll_of_list(page)

    make_ticket(name="just came")
    make_message(tickets[41], text="a new preview")
    beat(page)
    expect(page.locator(f"#t{tickets[41].number}")).to_contain_text("a new preview")
    expect(page.locator(".trow")).to_have_count(61)
    expect(page.locator("#view-all-open .count")).to_have_text("61")
    expect(page.locator(".trow [aria-current]")).to_have_text("ticket 40")
    expect(page.locator(f"#t{tickets[41].number}-link")).to_be_focused()
    assert scroll_of_list(page) == scrolled


def test_a_new_message_appears_while_one_writes_and_the_text_stays(page, live_server, sign_in, aino, support):
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", mailbox=support)
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.locator(".composer__reply .editor").click()
    page.keyboard.type("I am writing")
    make_message(ticket, text="One more thing.")
    beat(page)
    expect(page.locator("#messages")).to_contain_text("One more thing.")
    expect(page.locator(".composer__reply .editor")).to_have_text("I am writing")
    page.keyboard.type(" on")
    expect(page.locator(".composer__reply .editor")).to_have_text("I am writing on")


def test_what_one_unfolded_stays_unfolded_when_something_new_comes(page, live_server, sign_in, aino):
    ticket = make_ticket()
    make_message(ticket, text="Hello.", quoted_text="earlier words")
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.get_by_text("Quoted text").click()
    expect(page.get_by_text("earlier words")).to_be_visible()
    make_message(ticket, text="One more thing.")
    beat(page)
    expect(page.locator("#messages")).to_contain_text("One more thing.")
    expect(page.get_by_text("earlier words")).to_be_visible()


def test_a_rich_reply_goes_out_and_the_page_follows(page, live_server, sign_in, aino, support, smtp_server):
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", mailbox=support)
    sign_in(page, aino)
    page.get_by_role("link", name="Wrong size").click()
    expect(page.locator("#composer-head")).to_contain_text("support@desk.example")
    page.locator(".composer__reply .editor").click()
    page.keyboard.press("ControlOrMeta+b")
    page.keyboard.type("Sorry")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#messages [data-kind=agent]")).to_contain_text("Sorry")
    expect(page.locator(".composer__reply .editor")).to_have_text("")
    expect(page.get_by_role("button", name="Status: Waiting on contact")).to_be_visible()
    expect(page.get_by_role("button", name="Owner: Aino Virtanen")).to_be_visible()
    expect(page.locator(".toast")).to_contain_text("Reply is being sent")
    expect(page.locator("#group-WAITING_ON_CONTACT")).to_be_visible()
    message = ticket.messages.get(direction=Direction.OUT)
    assert "<b>Sorry</b>" in message.html
    assert len(smtp_server.taken) == 1

    page.reload()
    expect(page.locator(".composer__reply .editor")).to_have_text("")


def test_a_comment_is_written_on_yellow_and_sent_to_nobody(page, live_server, sign_in, aino, support, smtp_server):
    ticket = make_ticket()
    make_message(ticket, mailbox=support)
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.get_by_role("tab", name="Comment", exact=True).click()
    expect(page.get_by_text("Only your team sees this.")).to_be_visible()
    page.keyboard.type("Check the shelf.")
    page.get_by_role("button", name="Add comment", exact=True).click()
    expect(page.locator("#messages [data-kind=comment]")).to_contain_text("Check the shelf.")
    expect(page.get_by_role("tab", name="Comment", exact=True)).to_have_attribute("aria-selected", "true")
    assert smtp_server.taken == []


def test_an_empty_reply_says_so_and_the_typed_text_of_a_refused_one_stays(page, live_server, sign_in, aino, support):
    ticket = make_ticket()
    make_message(ticket, mailbox=support)
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="There is nothing to send yet.")).to_be_visible()
    support.enabled = False
    support.save()
    page.locator(".composer__reply .editor").click()
    page.keyboard.type("Dear text")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#composer")).to_contain_text("is switched off")
    expect(page.locator(".composer__reply .editor")).to_have_text("Dear text")


def test_the_reply_icon_answers_that_message_and_the_text_stays(page, live_server, sign_in, aino, support):
    ticket = make_ticket()
    first = make_message(ticket, text="The first thing.", mailbox=support)
    make_message(ticket, text="The second thing.")
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    page.locator(".composer__reply .editor").click()
    page.keyboard.type("About that")
    page.get_by_role("tab", name="Comment", exact=True).click()
    reply_to_the_first = page.locator(f"#m{first.pk}").get_by_role("link", name="Reply to this message")
    page.locator(f"#m{first.pk}").hover()
    reply_to_the_first.click()
    expect(page.locator(".replychip")).to_contain_text("The first thing.")
    page.get_by_role("link", name="Reply to the newest message instead").click()
    expect(page.locator(".replychip")).to_have_count(0)
    page.locator(f"#m{first.pk}").hover()
    reply_to_the_first.click()
    expect(page.locator(".replychip")).to_contain_text("The first thing.")
    expect(page.locator(".composer__reply .editor")).to_have_text("About that")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#messages [data-kind=agent]")).to_contain_text("About that")
    assert ticket.messages.get(direction=Direction.OUT).answers == first


def test_status_owner_and_priority_change_in_place(page, live_server, sign_in, aino):
    make_user(name="Maija Laine")
    ticket = make_ticket(name="Wrong size")
    sign_in(page, aino)
    page.get_by_role("link", name="Wrong size").click()
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_role("button", name="Owner: Aino Virtanen")).to_be_visible()
    expect(page.locator("#messages")).to_contain_text("took the ticket")
    page.get_by_role("button", name="Owner: Aino Virtanen").click()
    page.get_by_role("menuitemradio", name="Maija Laine").click()
    expect(page.get_by_role("button", name="Owner: Maija Laine")).to_be_visible()
    page.get_by_role("button", name="Priority: Normal").click()
    page.get_by_role("menuitemradio", name="Urgent").click()
    expect(page.get_by_role("button", name="Priority: Urgent")).to_be_visible()
    page.locator("#ticket-properties").get_by_role("button", name="New").click()
    page.get_by_role("menuitemradio", name="Closed").click()
    expect(page.get_by_role("button", name="Status: Closed")).to_be_visible()
    expect(page.locator("#ticket-properties")).to_contain_text("Maija Laine")
    expect(page.locator(f"#t{ticket.number}")).to_have_count(0)
    expect(page.locator("#view-closed .count")).to_have_text("1")
    ticket.refresh_from_db()
    assert ticket.turn == Kind.CLOSED


def test_a_view_is_chosen_without_loading_the_page_and_back_works(page, live_server, sign_in, aino):
    make_ticket(name="mine", owner=aino)
    make_ticket(name="free")
    sign_in(page, aino)
    page.evaluate("window.kept = true")
    page.get_by_role("link", name="My open").click()
    expect(page.locator(".trow")).to_have_count(1)
    expect(page).to_have_url(f"{live_server.url}/?view=my-open")
    expect(page.locator(".view[aria-current=page]")).to_contain_text("My open")
    page.go_back()
    expect(page.locator(".trow")).to_have_count(2)
    expect(page.locator(".view[aria-current=page]")).to_contain_text("All open")
    assert page.evaluate("window.kept")


def test_back_to_a_page_of_the_list_shows_that_page(page, live_server, sign_in, aino):
    for number in range(51):
        make_message(make_ticket(name=f"ticket {number:02}"), text=f"words {number:02}")
    sign_in(page, aino)
    after = page.locator("#list-end a").get_attribute("href")
    page.goto(f"{live_server.url}{after}")
    expect(page.locator(".trow")).to_have_count(1)
    page.get_by_role("link", name="ticket 50").click()
    expect(page.locator("#messages")).to_contain_text("words 50")
    page.go_back()
    expect(page.locator("#messages")).to_have_count(0)
    expect(page.locator("#list .trow")).to_have_count(1)
    expect(page.locator("#ticket")).to_have_count(1)


def test_a_mail_with_looks_fits_in_its_frame_and_its_images_wait(page, live_server, sign_in, aino):
    ticket = make_ticket()
    html = clean(
        '<table style="width:300px"><tr><td style="height:700px;color:green">Tall</td></tr></table><img src="https://a.invalid/p.png">'
    )
    make_message(ticket, text="Tall", html=html, remote_images=1)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    frame = page.locator("iframe.email-frame")
    expect(page.frame_locator("iframe.email-frame").get_by_text("Tall")).to_be_visible()
    page.wait_for_function("document.querySelector('iframe.email-frame').offsetHeight > 690")
    assert not [url for url in asked if "a.invalid" in url]
    expect(page.get_by_text("1 remote image blocked")).to_be_visible()
    page.route("https://a.invalid/**", lambda route: route.fulfill(status=200, content_type="image/png", body=b""))
    with page.expect_request("https://a.invalid/**"):
        page.get_by_role("link", name="Show images").click()
    expect(page.get_by_text("1 remote image blocked")).to_have_count(0)
    expect(frame).to_have_attribute("src", f"/messages/{ticket.messages.get().pk}/body/?images=1")


def test_on_a_phone_one_pane_shows_at_a_time(page, live_server, sign_in, aino):
    page.set_viewport_size({"width": 390, "height": 844})
    make_message(make_ticket(name="Wrong size"), text="It is too small.")
    sign_in(page, aino)
    expect(page.locator("#ticket")).to_be_hidden()
    page.get_by_role("link", name="Wrong size").click()
    expect(page.locator("#messages")).to_be_visible()
    expect(page.locator("#list")).to_be_hidden()
    page.get_by_role("link", name="Details", exact=True).click()
    expect(page.locator("#context")).to_be_visible()
    page.get_by_role("link", name="Back to the conversation").click()
    expect(page.locator("#context")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("#list")).to_be_visible()
    expect(page.locator("#ticket")).to_be_hidden()


def test_on_a_phone_nothing_lies_over_the_button_that_creates(page, live_server, sign_in, aino):
    for kind in (Kind.NEW, Kind.NEW, Kind.NEW, Kind.NEW, Kind.WAITING_ON_CONTACT, Kind.WAITING_ON_CONTACT):
        make_ticket(kind=kind)
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, aino)
    button, heading = page.locator(".fab"), page.locator(".tgroup__head").last
    apart = button.bounding_box()["y"] - heading.bounding_box()["y"]
    page.set_viewport_size({"width": 390, "height": round(844 - apart - 8)})  # the heading is behind it now
    assert heading.bounding_box()["y"] > button.bounding_box()["y"]
    button.click(timeout=2000)
    expect(page.locator("#panel form")).to_be_visible()


def test_focus_goes_to_what_was_sent_and_to_the_text_that_was_refused(
    page, live_server, sign_in, aino, support, smtp_server
):
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", mailbox=support)
    sign_in(page, aino)
    page.get_by_role("link", name="Wrong size").click()
    expect(page.locator("#ticket")).to_be_focused()
    page.keyboard.press("r")
    expect(page.locator(".composer__reply .editor")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="There is nothing to send yet.")).to_be_visible()
    expect(page.locator(".composer__reply .editor")).to_be_focused()
    page.keyboard.type("Sorry")
    page.keyboard.press("Control+Enter")
    sent = page.locator("#messages [data-kind=agent]")
    expect(sent).to_be_focused()
    beat(page)
    page.wait_for_timeout(300)
    expect(sent).to_be_focused()
    page.keyboard.press("c")
    page.keyboard.type("Check the shelf.")
    page.locator(".composer__comment [data-send]").click()
    expect(page.locator("#messages [data-kind=comment]")).to_be_focused()


def test_the_list_goes_on_by_keys_and_a_reload_finds_the_open_ticket_in_it(page, live_server, sign_in, aino):
    tickets = [make_ticket(name=f"ticket {number:02}") for number in range(60)]
    sign_in(page, aino)
    page.locator(f"#t{tickets[48].number}-link").focus()
    page.evaluate("document.querySelector('.ws__rows').scrollTop = 0")
    page.keyboard.press("k")
    for _ in range(49):
        page.keyboard.press("j")
    expect(page.locator(f"#t{tickets[49].number}-link")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f"#t{tickets[50].number}-link")).to_be_focused()
    expect(page.locator(".trow")).to_have_count(60)

    page.goto(f"{live_server.url}/tickets/{tickets[45].number}/")
    expect(page.locator(".trow [aria-current]")).to_be_in_viewport()
    page.goto(f"{live_server.url}/tickets/{tickets[55].number}/")
    expect(page.locator(".trow [aria-current]")).to_have_text("ticket 55")
    expect(page.locator(".trow [aria-current]")).to_be_in_viewport()


@pytest.mark.parametrize(("width", "expected"), [(420, "all of it"), (2000, "scrolls")])
def test_a_wide_mail_is_made_to_fit_as_far_as_one_can_read_it(page, live_server, sign_in, aino, width, expected):
    page.set_viewport_size({"width": 1280, "height": 900})
    ticket = make_ticket()
    html = clean(f'<table width="{width}" style="width:{width}px"><tr><td style="height:700px">Wide</td></tr></table>')
    make_message(ticket, text="Wide", html=html)
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    expect(page.frame_locator("iframe.email-frame").get_by_text("Wide")).to_be_visible()
    page.wait_for_function("document.querySelector('iframe.email-frame').contentDocument.body.style.zoom !== ''")
    zoom, inside, room, height, frame = page.locator("iframe.email-frame").evaluate(
        """frame => {
            const page = frame.contentDocument
            return [Number(page.body.style.zoom), page.documentElement.scrollWidth, frame.clientWidth,
                page.documentElement.getBoundingClientRect().height, frame.clientHeight]
        }"""
    )
    if expected == "all of it":
        assert 0.6 < zoom < 1
        assert inside <= room
    else:
        assert zoom == 0.6
        assert inside > room
    assert height <= frame < height + 40


def test_nothing_cuts_what_says_why_one_cannot_reply(page, live_server, sign_in, aino, support):
    ticket = make_ticket(contact=None)
    make_message(ticket, text="Hello", from_address="", from_name="")
    sign_in(page, aino)
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    banner, composer = (
        page.locator("#composer-head .composer__banner").bounding_box(),
        page.locator(".composer").bounding_box(),
    )
    assert banner["y"] + banner["height"] + 8 < composer["y"] + composer["height"]
    expect(page.locator("#messages .msg__meta summary")).to_have_text("Details")


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1024, "dark"), (390, "light")])
def test_nothing_keeps_anybody_out(page, live_server, sign_in, aino, support, width, theme):
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.", mailbox=support, quoted_text="earlier")
    comment(ticket, by=aino, text="Check the shelf.")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    sign_in(page, aino)
    assert violations(page) == []
    page.goto(f"{live_server.url}/tickets/{ticket.number}/")
    expect(page.locator("rich-editor[data-ready]").first).to_be_attached()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", rules)["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


def test_h13_a_ticket_goes_to_the_trash_and_comes_back_from_the_toast_or_the_trash(page, live_server, sign_in, aino):
    aino.delete_right = True
    aino.save()
    ticket = make_ticket(name="Broken zip")
    make_message(ticket)
    make_message(make_ticket(name="Another one"))
    sign_in(page, aino)
    page.get_by_role("link", name="Broken zip").click()
    row, banner = page.locator(f"#t{ticket.number}"), page.get_by_text("This ticket is in the trash.")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Move to trash").click()
    expect(row).to_have_count(0)
    expect(banner).to_be_visible()
    expect(page.locator("#view-trash .count")).to_have_text("1")
    page.keyboard.press("z")
    expect(row).to_be_visible()
    expect(banner).to_be_hidden()

    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Move to trash").click()
    expect(row).to_have_count(0)
    page.get_by_role("link", name="Trash").click()
    page.get_by_role("link", name="Broken zip").click()
    banner.locator("..").get_by_role("button", name="Restore").click()
    expect(row).to_have_count(0)
    expect(banner).to_be_hidden()
    ticket.refresh_from_db()
    assert ticket.trashed_at is None
