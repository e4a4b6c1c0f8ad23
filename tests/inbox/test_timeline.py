"""What one reads of a ticket, and what is read of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.models import Direction, TrustedSender
from inbox.timeline import Gap, Happened, NewMark, Said, Thread
from tests.factories import make_message, make_ticket, make_user
from tickets.models import EventKind

pytestmark = pytest.mark.django_db

BEGUN = timezone.now() - timedelta(days=30)


def moment(number):
    return BEGUN + timedelta(hours=number)


@pytest.fixture
def ticket():
    ticket = make_ticket(now=BEGUN)
    for number in range(40):
        make_message(ticket, now=moment(number), text=f"words {number}", message_id=f"{number}@customer.example")
    return ticket


def told(thread):
    """The conversation in short: numbers of messages, and what stands between them."""
    short = []
    for entry in thread.entries():
        if isinstance(entry, Said):
            short.append(int(entry.message.text.split()[-1]))
        elif isinstance(entry, Gap):
            short.append(f"{entry.hidden} hidden")
        elif isinstance(entry, NewMark):
            short.append("new")
        elif isinstance(entry, Happened):
            short.append([event.kind for event in entry.events])
    return short


def test_the_middle_is_one_line(ticket):
    assert told(Thread(ticket)) == [["created"], 0, "29 hidden", *range(30, 40)]


def test_what_happened_in_the_middle_is_folded_with_it(ticket):
    ticket.record(EventKind.LINKED, by=None, now=moment(15), number=7)
    ticket.record(EventKind.PRIORITY, by=None, now=moment(29.5), to="high")
    ticket.record(EventKind.TRASHED, by=None, now=moment(0.5))
    assert told(Thread(ticket))[:5] == [["created"], 0, ["trashed"], "29 hidden", ["priority"]]
    assert ["linked"] in told(Thread(ticket, shown="all"))


def test_everything_unread_is_there(ticket):
    short = told(Thread(ticket, moment(19.5)))
    assert short == [["created"], 0, "19 hidden", "new", *range(20, 40)]


def test_so_much_is_unread_that_only_the_newest_are_there(ticket, monkeypatch):
    monkeypatch.setattr("inbox.timeline.MOST_UNREAD", 12)
    short = told(Thread(ticket, moment(5.5)))
    assert short == [["created"], 0, "new", "27 hidden", *range(28, 40)]


def test_what_a_colleague_wrote_is_new_to_others_and_not_to_its_author(ticket):
    writer, reader = make_user(), make_user()
    make_message(ticket, direction=Direction.INTERNAL, author=writer, now=moment(50), text="a note 99")
    assert told(Thread(ticket, moment(49), reader=reader))[-2:] == ["new", 99]
    assert "new" not in told(Thread(ticket, moment(49), reader=writer))


def test_a_message_that_one_came_for_is_shown_with_those_beside_it(ticket):
    wanted = ticket.messages.order_by("at")[15]
    assert told(Thread(ticket, linked=wanted.pk)) == [
        ["created"], 0, "12 hidden", *range(13, 18), "12 hidden", *range(30, 40),
    ]  # fmt: skip


def test_a_hidden_message_can_be_answered_and_one_of_another_ticket_cannot(ticket):
    thread = Thread(ticket)
    hidden = ticket.messages.order_by("at")[15]
    assert thread.message(hidden.pk).text == "words 15"
    assert thread.message(make_message(make_ticket()).pk) is None


def test_the_newest_of_the_customer_is_found_among_hidden_ones(ticket):
    for number in range(40, 60):
        make_message(
            ticket, direction=Direction.INTERNAL, author=make_user(), now=moment(number), text=f"note {number}"
        )
    thread = Thread(ticket)
    assert thread.newest_of_customer.text == "words 39"
    assert 39 not in told(thread)


def test_reading_costs_the_same_for_twenty_messages_and_for_two_hundred(ticket, count_queries):
    def read(ticket):
        thread = Thread(ticket)
        return thread.version, thread.newest_of_customer, list(thread.entries())

    cost = count_queries(lambda: read(ticket))
    for number in range(40, 140):
        make_message(ticket, now=moment(number), text=f"words {number}")
    assert count_queries(lambda: read(ticket)) == cost
    assert len(Thread(ticket).messages) == 11


def test_whether_anything_changed_is_asked_without_reading_a_text(ticket, count_queries):
    cost = count_queries(lambda: Thread(ticket).version)
    assert cost == 1
    assert not any('"text"' in statement for statement in cost.statements)


def test_the_version_changes_with_a_hidden_message_that_goes_and_an_event(ticket):
    versions = {Thread(ticket).version}
    ticket.messages.order_by("at")[15].delete()
    versions.add(Thread(ticket).version)
    ticket.record(EventKind.LINKED, by=None, now=moment(15), number=7)
    versions.add(Thread(ticket).version)
    ticket.messages.order_by("at")[15].delete()
    make_message(ticket, now=moment(16), text="words 16")
    versions.add(Thread(ticket).version)
    assert len(versions) == 4


def test_images_are_shown_of_senders_that_the_reader_trusts_and_nobody_else_does(ticket):
    mine, other = make_user(), make_user()
    make_message(ticket, from_address="News@Shop.example", html="<p>a</p>", remote_images=1, text="words 99")
    TrustedSender.objects.trust(mine, "news@shop.EXAMPLE")
    TrustedSender.objects.trust(mine, "news@shop.example")
    assert TrustedSender.objects.visible_to(mine).count() == 1

    def shows(reader):
        return [entry.shows_images for entry in Thread(ticket, reader=reader).entries() if isinstance(entry, Said)][-1]

    assert (shows(mine), shows(other), shows(None)) == (True, False, False)
