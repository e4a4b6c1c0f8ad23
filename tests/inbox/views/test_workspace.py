import re
from datetime import timedelta

import pytest
from django.utils import timezone

from inbox import undoing
from inbox.models import Conversation, Draft, Outgoing, OutgoingState
from inbox.replying import reply, send
from people.models import Role
from tests.factories import make_contact, make_mailbox, make_message, make_ticket, make_user
from tests.inbox.views.conftest import HTMX
from tickets.models import Kind, LinkKind, Seen, Share

pytestmark = pytest.mark.django_db


def names(response):
    """The tickets of a list, from the top."""
    return re.findall(
        r'trow__link[^>]*>(?:<span class="sr-only">Unread: </span>)?([^<]+)</a>', response.content.decode()
    )


def test_strangers_sign_in_first(client):
    ticket = make_ticket()
    for address in ("/", "/tickets/", f"/tickets/{ticket.number}/", f"/tickets/{ticket.number}/thread/"):
        assert client.get(address)["Location"].startswith("/login/?next=/")


def test_the_list_is_in_the_order_of_whose_turn_it_is_and_the_longest_wait(desk):
    now = timezone.now()
    make_ticket(name="waits for them", kind=Kind.WAITING_ON_CONTACT, now=now - timedelta(days=9))
    make_ticket(name="ours, short", kind=Kind.WAITING_ON_US, now=now - timedelta(hours=1))
    make_ticket(name="ours, long", kind=Kind.WAITING_ON_US, now=now - timedelta(hours=5))
    make_ticket(name="new", now=now)
    make_ticket(name="done", kind=Kind.CLOSED, now=now)
    page = desk.get("/")
    assert names(page) == ["new", "ours, long", "ours, short", "waits for them"]
    text = page.content.decode()
    assert text.index("New</h2>") < text.index("Waiting on us</h2>") < text.index("Waiting on contact</h2>")


def test_the_closed_ones_come_newest_first(desk):
    now = timezone.now()
    for days in (3, 1, 2):
        make_ticket(name=f"closed {days}", kind=Kind.CLOSED, now=now - timedelta(days=days))
    assert names(desk.get("/?view=closed")) == ["closed 1", "closed 2", "closed 3"]


def test_each_view_shows_its_own(desk, agent):
    make_ticket(name="mine", owner=agent)
    make_ticket(name="unowned")
    make_ticket(name="theirs", owner=make_user(), kind=Kind.WAITING_ON_CONTACT)
    assert names(desk.get("/?view=unassigned")) == ["unowned"]
    assert names(desk.get("/?view=my-open")) == ["mine"]
    assert sorted(names(desk.get("/?view=all-open"))) == ["mine", "theirs", "unowned"]
    assert names(desk.get("/?view=waiting-on-contact")) == ["theirs"]
    assert names(desk.get("/?view=closed")) == []
    assert desk.get("/?view=nonsense").status_code == 404


def test_a_collaborator_has_all_open_and_no_other_view(browser_of):
    make_ticket(name="here")
    guest = browser_of(make_user(Role.COLLABORATOR))
    page = guest.get("/")
    assert names(page) == ["here"]
    assert "view=closed" not in page.content.decode()
    for view in ("unassigned", "my-open", "waiting-on-contact", "closed"):
        assert guest.get(f"/?view={view}").status_code == 404
        assert guest.get(f"/tickets/?view={view}").status_code == 404


def test_what_one_may_not_see_is_not_there(browser_of):
    ticket = make_ticket(name="secret", owner=make_user())
    other = browser_of(make_user(ticket_access="own"))
    assert names(other.get("/")) == []
    assert other.get(f"/tickets/{ticket.number}/").status_code == 404
    assert other.get(f"/tickets/{ticket.number}/thread/").status_code == 404
    assert other.get(f"/tickets/{ticket.number}/replies/").status_code == 404


def test_the_counts_stop_at_999(desk, monkeypatch):
    monkeypatch.setattr("tickets.counting.MOST_COUNTED", 3)
    for _ in range(4):
        make_ticket()
    assert '<span class="count" aria-hidden="true">2+</span>' in desk.get("/").content.decode()


def test_groups_that_are_all_counted_may_make_a_view_that_stops_at_999(desk, monkeypatch):
    monkeypatch.setattr("tickets.counting.MOST_COUNTED", 3)
    for kind in (Kind.NEW, Kind.WAITING_ON_US):
        for _ in range(2):
            make_ticket(kind=kind)
    answer = desk.get("/tickets/", headers=HTMX).content.decode()
    heading, views = answer.split('id="view-counts"')
    assert re.findall(r'class="count"[^>]*>(?:<span aria-hidden="true">)?([^<]+)<', heading) == ["2+", "2", "2"]
    assert re.search(r'id="view-all-open".*?class="count"[^>]*>([^<]+)<', views, re.DOTALL)[1] == "2+"


def test_the_next_page_goes_on_where_the_first_ended_without_repeating_the_heading(desk):
    now = timezone.now()
    for number in range(52):
        make_ticket(name=f"ticket {number:02}", now=now + timedelta(seconds=number))
    first = desk.get("/")
    assert len(names(first)) == 50
    link = re.search(r'href="(/tickets/\?view=all-open&amp;after=[^"]+)"', first.content.decode())[1].replace(
        "&amp;", "&"
    )
    more = desk.get(link + "&shown=50", headers=HTMX)
    assert names(more) == ["ticket 50", "ticket 51"]
    assert "tgroup__head" not in more.content.decode()
    assert 'name="shown" value="52"' in more.content.decode()
    plain = desk.get(link)
    assert names(plain) == ["ticket 50", "ticket 51"]
    assert "</html>" in plain.content.decode()
    assert "tgroup__head" in plain.content.decode()


def test_tickets_of_one_moment_are_all_found_by_going_on(desk):
    now = timezone.now()
    for number in range(53):
        make_ticket(name=f"t{number:02}", now=now)
    first = desk.get("/")
    link = re.search(r'href="(/tickets/\?view=all-open&amp;after=[^"]+)"', first.content.decode())[1].replace(
        "&amp;", "&"
    )
    assert names(first) + names(desk.get(link)) == [f"t{number:02}" for number in range(53)]


def test_a_refresh_keeps_as_many_rows_as_are_shown_and_marks_the_open_one(desk):
    tickets = [make_ticket(name=f"t{number}") for number in range(60)]
    again = desk.get(f"/tickets/?view=all-open&shown=60&open={tickets[3].number}", headers=HTMX)
    assert len(names(again)) == 60
    text = again.content.decode()
    assert "</html>" not in text
    assert text.count('aria-current="true"') == 1
    assert 'id="view-counts"' in text
    assert 'hx-swap-oob="outerMorph"' in text


def test_a_list_that_was_scrolled_very_far_is_left_alone(desk):
    assert desk.get("/tickets/?view=all-open&shown=550", headers=HTMX).status_code == 204


@pytest.mark.parametrize("after", ["x", "1-2", "1-2-3-4", "9-999999999999999999-1", "-1-2-3", "1-²-3"])
def test_a_wrong_cursor_shows_the_list_from_its_beginning(desk, after):
    make_ticket(name="here")
    assert desk.get("/tickets/", {"after": after}).status_code == 200


def test_a_ticket_is_a_page_and_a_part(desk):
    ticket = make_ticket(name="Wrong size")
    make_message(ticket, text="It is too small.")
    page = desk.get(f"/tickets/{ticket.number}/?view=unassigned")
    text = page.content.decode()
    assert "</html>" in text
    assert "<title>Wrong size · " in text
    assert "It is too small." in text
    assert 'id="view-unassigned" href="/?view=unassigned" aria-current="page"' in text
    assert 'data-pane="ticket"' in text

    part = desk.get(f"/tickets/{ticket.number}/?view=unassigned&listed=unassigned&open=0", headers=HTMX)
    text = part.content.decode()
    assert "</html>" not in text
    assert 'id="ticket"' in text
    assert 'id="context"' in text
    assert 'id="list"' not in text
    assert f'id="t{ticket.number}" hx-swap-oob="outerMorph"' in text
    assert "HX-Request" in part["Vary"]


def test_a_part_brings_the_list_when_another_one_is_shown(desk):
    ticket = make_ticket()
    part = desk.get(f"/tickets/{ticket.number}/?view=all-open&listed=closed", headers=HTMX)
    assert 'id="list"' in part.content.decode()


def test_going_back_gets_the_whole_page(desk):
    ticket = make_ticket()
    page = desk.get(f"/tickets/{ticket.number}/", headers={**HTMX, "HX-History-Restore-Request": "true"})
    assert "</html>" in page.content.decode()


def test_a_shared_link_opens_the_ticket_also_for_somebody_without_its_view(browser_of):
    ticket = make_ticket(name="shared")
    user = make_user(Role.COLLABORATOR, ticket_access="own", sees_unassigned=False)
    Share.objects.create(ticket=ticket, user=user)
    page = browser_of(user).get(f"/tickets/{ticket.number}/?view=my-open")
    assert page.status_code == 200
    assert 'id="view-all-open" href="/?view=all-open" aria-current="page"' in page.content.decode()


def test_opening_a_ticket_makes_it_read_and_later_shows_what_is_new(desk, agent):
    ticket = make_ticket(name="Jacket")
    now = timezone.now()
    make_message(ticket, text="first", now=now - timedelta(hours=2))
    assert "Unread:" in desk.get("/").content.decode()
    assert "New since you last looked" not in desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "Unread:" not in desk.get("/").content.decode()

    Seen.objects.filter(ticket=ticket, user=agent).update(at=now - timedelta(hours=1))
    make_message(ticket, text="then this", now=now)
    assert "Unread:" in desk.get("/").content.decode()
    text = desk.get(f"/tickets/{ticket.number}/").content.decode()
    thread = text[text.index('id="messages"') :]
    assert thread.index("first") < thread.index("New since you last looked") < thread.index("then this")


def test_the_thread_answers_only_when_it_changed(desk):
    ticket = make_ticket()
    make_message(ticket, text="first")
    text = desk.get(f"/tickets/{ticket.number}/").content.decode()
    address = re.search(r'hx-get="(/tickets/\d+/thread/[^"]+)"', text)[1].replace("&amp;", "&")
    assert desk.get(address, headers=HTMX).status_code == 204
    make_message(ticket, text="second")
    changed = desk.get(address, headers=HTMX)
    assert changed.status_code == 200
    assert "second" in changed.content.decode()
    assert "New message from Elina Saarinen" in changed["HX-Trigger"]
    assert 'id="composer"' not in changed.content.decode()


def test_what_came_just_now_is_what_a_reply_answers_unless_another_was_chosen(desk):
    ticket = make_ticket()
    first = make_message(ticket, text="first")
    newest = make_message(ticket, text="second")
    address = f"/tickets/{ticket.number}/thread/?version=old&answers={first.pk}"
    assert f'name="answers" value="{newest.pk}"' in desk.get(address, headers=HTMX).content.decode()
    chosen = desk.get(address + "&chosen=1", headers=HTMX).content.decode()
    assert 'id="composer-head"' not in chosen
    assert f'is-target" data-kind="customer" id="m{first.pk}"' in chosen


def test_events_and_messages_are_told_in_one_order(desk, agent):
    ticket = make_ticket(now=timezone.now() - timedelta(hours=3))
    make_message(ticket, text="I asked", now=timezone.now() - timedelta(hours=2))
    ticket.assign(agent, by=agent, now=timezone.now() - timedelta(hours=1))
    make_message(ticket, text="and again")
    text = desk.get(f"/tickets/{ticket.number}/").content.decode()
    thread = text[text.index('id="messages"') :]
    order = [thread.index(words) for words in ("Ticket created · Email", "I asked", "took the ticket", "and again")]
    assert order == sorted(order)


def test_the_context_shows_earlier_tickets_of_the_contact_that_one_may_see(browser_of):
    contact = make_contact("elina@customer.example")
    me = make_user(ticket_access="own", sees_unassigned=False)
    ticket = make_ticket(contact=contact, owner=me)
    make_ticket(name="seen before", contact=contact, owner=me)
    make_ticket(name="hidden before", contact=contact, owner=make_user())
    text = browser_of(me).get(f"/tickets/{ticket.number}/").content.decode()
    context = text[text.index('id="context"') :]
    assert "seen before" in context
    assert "hidden before" not in context
    assert "elina@customer.example" in context


def test_linked_tickets_are_shown_with_a_warning_to_check_them(desk):
    ticket, other = make_ticket(name="one"), make_ticket(name="linked one")
    ticket.link_to(other, LinkKind.CHECK, now=timezone.now())
    text = desk.get(f"/tickets/{ticket.number}/").content.decode()
    context = text[text.index('id="context"') :]
    assert "linked one" in context
    assert "check it" in context


def test_names_and_texts_of_customers_are_only_text(desk):
    contact = make_contact(name="<b>Eve</b>")
    ticket = make_ticket(name="<script>alert(1)</script>", contact=contact)
    make_message(ticket, text="<img src=x onerror=alert(2)>", subject="<i>s</i>", from_name="<u>Eve</u>")
    text = desk.get(f"/tickets/{ticket.number}/").content.decode()
    for markup in ("<script>alert", "<img src=x", "<b>Eve", "<u>Eve", "<i>s</i>"):
        assert markup not in text


def test_a_contact_without_a_name_is_listed_by_address(desk):
    make_ticket(contact=make_contact("somebody@customer.example", name=""))
    make_ticket(contact=None)
    text = desk.get("/").content.decode()
    assert "somebody@customer.example</span>" in text
    assert "No contact</span>" in text


def test_an_empty_view_says_how_tickets_get_there(desk):
    assert "Nothing waits for you" in desk.get("/?view=my-open").content.decode()


def test_conversations_without_a_ticket_are_a_click_away_for_those_who_may_make_one(desk, browser_of):
    assert "Without a ticket" not in desk.get("/").content.decode()
    Conversation.objects.create(mailbox=make_mailbox(), subject="Hello", created_at=timezone.now())
    assert "Without a ticket" in desk.get("/").content.decode()
    assert "Without a ticket" in desk.get("/tickets/", headers=HTMX).content.decode()
    assert "Without a ticket" not in browser_of(make_user(Role.COLLABORATOR)).get("/").content.decode()


def fill(count, **fields):
    for number in range(count):
        ticket = make_ticket(contact=make_contact(name="" if number % 2 else "Elina"), **fields)
        make_message(ticket, text="hello")


def test_the_row_says_that_a_reply_is_scheduled_until_it_has_left_or_is_taken_back(desk, agent):
    ticket, other = make_ticket(name="Wrong size"), make_ticket(name="Tent pole")
    for one in (ticket, other):
        make_message(one)
    draft = Draft(user=agent, ticket=ticket, mode="reply", text="Good morning.")
    outgoing = send(draft, by=agent, due_at=timezone.now() + timedelta(days=1)).outgoing

    def marked():
        page = desk.get("/tickets/?view=all-open", headers=HTMX).content.decode()
        rows = {number: page[page.index(f'id="t{number}"') :].partition("</li>")[0] for number in (ticket.pk, other.pk)}
        return [number for number, row in rows.items() if 'title="A reply is scheduled"' in row]

    assert marked() == [ticket.pk]
    rows = desk.get(f"/tickets/rows/?only={ticket.pk}", headers=HTMX).content.decode()
    assert '<span class="sr-only">A reply is scheduled</span>' in rows
    undoing.undo_sending(outgoing, by=agent, now=timezone.now())
    assert marked() == []


def test_the_list_costs_the_same_for_one_ticket_and_for_fifty(desk, count_queries):
    fill(1)
    desk.get("/tickets/?view=all-open", headers=HTMX)
    one = count_queries(lambda: desk.get("/tickets/?view=all-open", headers=HTMX))
    fill(49)
    assert count_queries(lambda: desk.get("/tickets/?view=all-open", headers=HTMX)) == one
    assert one < 12


def test_a_page_costs_the_same_beside_one_ticket_and_beside_fifty_and_with_a_long_thread(desk, agent, count_queries):
    contact = make_contact()
    ticket = make_ticket(contact=contact, owner=agent)
    make_message(ticket, text="hello")
    make_ticket(contact=contact)
    address = f"/tickets/{ticket.number}/?view=all-open"
    desk.get(address)
    one = count_queries(lambda: desk.get(address))
    fill(49)
    for number in range(20):
        make_message(ticket, text=f"and {number}")
        make_ticket(contact=contact)
    # Further down than the first page, the list is asked for once more; and the desk has a team now, whose reply
    # address is looked up.
    assert count_queries(lambda: desk.get(address)) <= one + 2
    assert one <= 27


def test_a_linked_ticket_that_one_may_not_see_is_not_named(browser_of):
    me = make_user(ticket_access="own", sees_unassigned=False)
    ticket, hidden = make_ticket(owner=me), make_ticket(name="hidden one", owner=make_user())
    ticket.link_to(hidden, LinkKind.FOLLOW_UP, now=timezone.now())
    context = browser_of(me).get(f"/tickets/{ticket.number}/").content.decode()
    assert "hidden one" not in context


def test_the_thread_looks_again_soon_while_an_answer_leaves(desk, agent):
    ticket = make_ticket(owner=agent)
    make_message(ticket)
    assert 'data-seconds="0"' in desk.get(f"/tickets/{ticket.number}/thread/", headers=HTMX).content.decode()
    reply(ticket, by=agent, text="It is on its way")
    assert 'data-seconds="2"' in desk.get(f"/tickets/{ticket.number}/thread/", headers=HTMX).content.decode()
    Outgoing.objects.update(state=OutgoingState.SENT)
    assert 'data-seconds="0"' in desk.get(f"/tickets/{ticket.number}/thread/", headers=HTMX).content.decode()


def test_a_page_of_a_ticket_far_down_begins_its_list_there(desk, agent, count_queries):
    now = timezone.now()
    tickets = [make_ticket(name=f"ticket {number:03}", now=now + timedelta(seconds=number)) for number in range(70)]
    first, far = f"/tickets/{tickets[0].number}/", f"/tickets/{tickets[60].number}/"
    desk.get(first), desk.get(far)
    near = count_queries(lambda: desk.get(first))
    assert count_queries(lambda: desk.get(far)) == near + 1
    page = desk.get(far)
    assert names(page) == [f"ticket {number:03}" for number in range(60, 70)]
    assert f'id="t{tickets[60].number}-link"' in page.content.decode()
    assert 'aria-current="true"' in page.content.decode()
    assert "Back to the beginning of the list" in page.content.decode()
    assert names(desk.get(first))[0] == "ticket 000"
    assert names(desk.get(f"{far}?view=my-open")) == []
    assert names(desk.get(f"{far}?view=closed")) == []
    for number in range(60):
        make_ticket(name=f"mine {number}", owner=agent)
    assert names(desk.get(f"{far}?view=my-open"))[0] == "mine 0"
    assert names(desk.get(f"{far}?view=closed")) == []


def test_the_newest_first_begins_at_the_open_ticket_too(desk):
    now = timezone.now()
    tickets = [
        make_ticket(name=f"done {number:02}", kind=Kind.CLOSED, now=now - timedelta(hours=number))
        for number in range(55)
    ]
    page = desk.get(f"/tickets/{tickets[53].number}/?view=closed")
    assert names(page) == ["done 53", "done 54"]


def test_a_desk_without_a_mailbox_tells_those_who_may_connect_one(browser_of):
    admin, agent = browser_of(make_user(Role.ADMIN)), browser_of(make_user(settings_right=False))
    assert 'href="/settings/mailboxes/new/"' in admin.get("/").content.decode()
    assert 'href="/settings/mailboxes/new/"' not in agent.get("/").content.decode()
    make_mailbox()
    assert 'href="/settings/mailboxes/new/"' not in admin.get("/").content.decode()


def test_a_page_of_an_error_has_no_empty_half(browser_of):
    answer = browser_of(make_user()).get("/nowhere/")
    assert answer.status_code == 404
    assert "auth__side" not in answer.content.decode()
