from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from tests.factories import make_contact, make_pipeline, make_ticket, make_user
from tickets.errors import NotAssignable, PropertiesMissing, StatusNotInPipeline
from tickets.models import EventKind, Kind, LinkKind, Priority, Property, Source, Ticket

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LATER = NOW + timedelta(hours=1)


def kinds(ticket):
    return [event.kind for event in ticket.events.all()]


def test_a_new_ticket_begins_in_the_first_new_status_and_says_so():
    contact = make_contact("anna@korpi.example")
    ticket = Ticket.objects.begin("Help", pipeline=make_pipeline(), source=Source.EMAIL, contact=contact, now=NOW)
    assert (ticket.status.name, ticket.turn, ticket.turn_since, ticket.closed_at) == ("New", Kind.NEW, NOW, None)
    assert ticket.company == contact.company
    assert kinds(ticket) == [EventKind.CREATED]


def test_a_ticket_cannot_begin_in_a_status_of_another_pipeline():
    elsewhere = make_pipeline("Sales").first_status(Kind.NEW)
    with pytest.raises(StatusNotInPipeline, match="not a status of this ticket's pipeline"):
        Ticket.objects.begin("Help", pipeline=make_pipeline(), source=Source.EMAIL, status=elsewhere, now=NOW)
    assert not Ticket.objects.exists()


def test_moving_records_who_did_it_and_whose_turn_it_is():
    ticket, agent = make_ticket(now=NOW), make_user()
    ticket.move_to(ticket.pipeline.first_status(Kind.CLOSED), by=agent, now=LATER)
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.turn_since, ticket.closed_at) == (Kind.CLOSED, LATER, LATER)
    event = ticket.events.last()
    assert (event.kind, event.actor, event.at) == (EventKind.STATUS, agent, LATER)
    assert event.detail == {"from": "New", "to": "Closed"}


def test_moving_to_the_status_it_is_in_does_nothing():
    ticket = make_ticket(now=NOW)
    ticket.move_to(ticket.status, by=make_user(), now=LATER)
    assert kinds(ticket) == [EventKind.CREATED]


def test_moving_to_a_status_of_another_pipeline_is_refused():
    ticket = make_ticket()
    with pytest.raises(StatusNotInPipeline):
        ticket.move_to(make_pipeline("Sales").first_status(Kind.NEW), by=make_user(), now=LATER)


@pytest.fixture
def asking():
    """A pipeline whose every status asks for its amount and an owner."""
    Property.objects.create(key="amount", name="Refund amount", kind="number")
    pipeline = make_pipeline()
    pipeline.statuses.update(required=["amount", "owner"])
    return pipeline


def test_nobody_puts_a_ticket_where_it_lacks_what_is_asked_for(asking):
    ticket, agent = make_ticket(pipeline=asking), make_user()
    closed = asking.first_status(Kind.CLOSED)
    with pytest.raises(
        PropertiesMissing, match=r"“Closed” asks for more of the ticket first: Refund amount, Owner\."
    ) as caught:
        ticket.move_to(closed, by=agent, now=LATER)
    assert caught.value.keys == ["amount", "owner"]
    ticket.refresh_from_db()
    assert (ticket.turn, kinds(ticket)) == (Kind.NEW, [EventKind.CREATED])
    ticket.set_properties({"amount": 0, "owner": agent}, by=agent, now=LATER)
    ticket.move_to(closed, by=agent, now=LATER)
    assert ticket.turn == Kind.CLOSED


def test_what_moves_a_ticket_by_itself_is_not_asked(asking):
    ticket, agent = make_ticket(pipeline=asking, kind=Kind.NEW), make_user()
    ticket.heard(at=NOW, preview="Help")
    ticket.answered(at=NOW, preview="How?", by=agent)
    assert ticket.turn == Kind.WAITING_ON_CONTACT
    ticket.not_delivered(at=NOW)
    assert ticket.turn == Kind.WAITING_ON_US
    ticket.sent_again(by=agent, at=NOW)
    assert ticket.turn == Kind.WAITING_ON_CONTACT
    ticket.heard_from_third(at=LATER)
    assert ticket.turn == Kind.WAITING_ON_US
    closed = make_ticket(pipeline=asking, kind=Kind.CLOSED)
    closed.heard(at=NOW, preview="Help")
    closed.heard(at=LATER, preview="It is broken again.")
    assert closed.turn == Kind.WAITING_ON_US


def test_from_one_closed_status_to_another_it_was_closed_when_it_first_was():
    ticket = make_ticket(kind=Kind.CLOSED, now=NOW)
    other = ticket.pipeline.statuses.create(name="Spam", kind=Kind.CLOSED, position=9)
    ticket.move_to(other, by=make_user(), now=LATER)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.closed_at, ticket.turn_since) == (other, NOW, NOW)


def test_a_ticket_is_reread_under_its_lock_and_keeps_what_others_did():
    ticket, contact = make_ticket(now=NOW), make_contact("elina@customer.example")
    stale = Ticket.objects.get(pk=ticket.pk)
    ticket.prioritise(Priority.URGENT, by=make_user(), now=LATER)
    stale.reread(name="Wrong size", contact=contact)
    ticket.refresh_from_db()
    assert (ticket.name, ticket.contact, ticket.company) == ("Wrong size", contact, contact.company)
    assert ticket.priority == Priority.URGENT


def test_a_ticket_that_the_desk_trashes_itself_says_so_once():
    ticket = make_ticket(now=NOW)
    ticket.trash(by=None, now=LATER)
    ticket.trash(by=None, now=LATER)
    assert ticket.trashed_at == LATER
    assert kinds(ticket) == [EventKind.CREATED, EventKind.TRASHED]


def test_opening_a_closed_ticket_by_hand_is_a_reopening():
    ticket = make_ticket(kind=Kind.CLOSED, now=NOW)
    ticket.move_to(ticket.pipeline.first_status(Kind.WAITING_ON_US), by=make_user(), now=LATER)
    assert ticket.closed_at is None
    assert ticket.events.last().kind == EventKind.REOPENED


def test_a_ticket_is_given_to_whoever_answers_and_to_nobody_else():
    ticket, agent = make_ticket(), make_user(name="Aino")
    ticket.assign(agent, by=agent, now=LATER)
    assert ticket.events.last().detail == {"from": "", "to": "Aino"}
    for other in (make_user("collaborator"), make_user(is_active=False)):
        with pytest.raises(NotAssignable, match="cannot own tickets"):
            ticket.assign(other, by=agent, now=LATER)
    ticket.assign(make_user("collaborator", reply_right=True), by=agent, now=LATER)
    ticket.assign(None, by=agent, now=LATER)
    ticket.refresh_from_db()
    assert ticket.owner is None


def test_assigning_and_prioritising_twice_records_one_event_each():
    ticket, agent = make_ticket(), make_user()
    for _ in range(2):
        ticket.assign(agent, by=agent, now=LATER)
        ticket.prioritise(Priority.URGENT, by=agent, now=LATER)
    assert kinds(ticket) == [EventKind.CREATED, EventKind.OWNER, EventKind.PRIORITY]
    assert ticket.events.last().detail == {"from": "normal", "to": "urgent"}


def test_two_people_who_change_one_ticket_do_not_undo_each_other():
    agent = make_user()
    mine = make_ticket()
    theirs = Ticket.objects.get(pk=mine.pk)
    mine.assign(agent, by=agent, now=LATER)
    theirs.move_to(theirs.pipeline.first_status(Kind.CLOSED), by=agent, now=LATER)
    mine.prioritise(Priority.HIGH, by=agent, now=LATER)
    saved = Ticket.objects.get(pk=mine.pk)
    assert (saved.owner, saved.turn, saved.priority) == (agent, Kind.CLOSED, Priority.HIGH)


def test_trash_and_back_again_once_each():
    ticket, agent = make_ticket(), make_user()
    for verb in (ticket.trash, ticket.trash, ticket.restore, ticket.restore):
        verb(by=agent, now=LATER)
    assert kinds(ticket) == [EventKind.CREATED, EventKind.TRASHED, EventKind.RESTORED]
    assert Ticket.objects.get(pk=ticket.pk).trashed_at is None


def test_linking_twice_records_one_event():
    ticket, earlier = make_ticket(), make_ticket()
    for _ in range(2):
        ticket.link_to(earlier, LinkKind.FOLLOW_UP, now=LATER)
    assert ticket.links.get().other == earlier
    assert ticket.events.last().detail == {"link": "follow_up", "number": earlier.number}
    assert len(kinds(ticket)) == 2


# -- What messages do -------------------------------------------------------------------------------------------------


def heard(ticket, at, preview="Hello?"):
    ticket.heard(at=at, preview=preview)


def test_the_first_message_leaves_the_ticket_new():
    ticket = make_ticket(now=NOW)
    heard(ticket, NOW, "  Where   is\nmy jacket? ")
    assert (ticket.turn, ticket.message_count, ticket.preview) == (Kind.NEW, 1, "Where is my jacket?")
    assert ticket.last_inbound_at == ticket.last_message_at == NOW


def test_a_second_message_of_a_waiting_contact_keeps_how_long_they_wait():
    ticket = make_ticket(now=NOW)
    heard(ticket, NOW)
    heard(ticket, LATER)
    assert (ticket.turn, ticket.turn_since) == (Kind.WAITING_ON_US, NOW)


def test_an_answer_gives_the_turn_to_the_contact_and_the_ticket_to_the_sender():
    ticket, agent = make_ticket(now=NOW), make_user()
    heard(ticket, NOW)
    ticket.answered(at=LATER, preview="Here it is", by=agent)
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.turn_since, ticket.owner) == (Kind.WAITING_ON_CONTACT, LATER, agent)
    assert kinds(ticket) == [EventKind.CREATED, EventKind.OWNER, EventKind.STATUS]


def test_an_answer_leaves_the_owner_who_is_there():
    owner = make_user()
    ticket = make_ticket(owner=owner)
    ticket.answered(at=LATER, preview="Here it is", by=make_user())
    assert ticket.owner == owner


def test_a_reply_of_the_contact_makes_it_our_turn_and_reopens_a_closed_ticket():
    ticket, agent = make_ticket(now=NOW), make_user()
    heard(ticket, NOW)
    ticket.answered(at=NOW, preview="Here it is", by=agent)
    heard(ticket, LATER)
    assert (ticket.turn, ticket.turn_since) == (Kind.WAITING_ON_US, LATER)
    ticket.move_to(ticket.pipeline.first_status(Kind.CLOSED), by=agent, now=LATER)
    heard(ticket, LATER + timedelta(hours=1))
    assert (ticket.turn, ticket.closed_at) == (Kind.WAITING_ON_US, None)
    assert ticket.events.last().kind == EventKind.REOPENED


def test_an_answer_to_a_closed_ticket_leaves_it_closed():
    ticket = make_ticket(kind=Kind.CLOSED)
    ticket.answered(at=LATER, preview="One more thing", by=make_user())
    assert ticket.turn == Kind.CLOSED


def test_a_pipeline_without_waiting_statuses_leaves_an_open_ticket_where_it_is():
    pipeline = make_pipeline("Short")
    pipeline.statuses.filter(kind__in=[Kind.WAITING_ON_US, Kind.WAITING_ON_CONTACT]).delete()
    ticket = make_ticket(pipeline=pipeline)
    heard(ticket, NOW)
    ticket.answered(at=NOW, preview="Here it is", by=make_user())
    heard(ticket, LATER)
    assert ticket.turn == Kind.NEW
    assert EventKind.STATUS not in kinds(ticket)
    ticket.move_to(pipeline.first_status(Kind.CLOSED), by=None, now=LATER)
    heard(ticket, LATER)
    assert ticket.turn == Kind.NEW


def test_a_late_mail_does_not_turn_the_clock_back():
    ticket = make_ticket(now=NOW)
    heard(ticket, LATER)
    heard(ticket, NOW)
    assert ticket.last_inbound_at == LATER


@pytest.mark.django_db(transaction=True)
def test_messages_that_come_at_once_are_all_counted():
    ticket = make_ticket()

    def one_mail():
        Ticket.objects.get(pk=ticket.pk).heard(at=NOW, preview="Hello?")
        connection.close()

    mails = [Thread(target=one_mail) for _ in range(8)]
    for mail in mails:
        mail.start()
    for mail in mails:
        mail.join()
    ticket.refresh_from_db()
    assert ticket.message_count == 8


def test_the_list_says_what_is_unread():
    from tickets.models import Seen

    agent, ticket = make_user(), make_ticket()
    heard(ticket, NOW)
    assert Ticket.objects.for_list(agent).get().is_unread
    assert Seen.objects.mark(ticket, agent, LATER) is None
    assert not Ticket.objects.for_list(agent).get().is_unread
    assert Seen.objects.mark(ticket, agent, LATER) == LATER
    heard(ticket, LATER + timedelta(minutes=1))
    assert Ticket.objects.for_list(agent).get().is_unread
