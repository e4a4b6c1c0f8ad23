"""What is told after a commit, and to whom."""

import logging

import pytest
from django.db import transaction
from django.utils import timezone

from helpdesk import live
from tests.factories import make_ticket, make_user
from tickets.models import Kind, Priority

pytestmark = pytest.mark.django_db


def test_a_transaction_that_changes_a_ticket_in_many_ways_tells_once(told_live, on_commit):
    agent, ticket = make_user(), make_ticket()
    with on_commit(), transaction.atomic():
        ticket.assign(agent, by=agent, now=timezone.now())
        ticket.prioritise(Priority.HIGH, by=agent, now=timezone.now())
        ticket.move_to(ticket.pipeline.first_status(Kind.CLOSED), by=agent, now=timezone.now())
    said = told_live()
    assert [each["notice"] for each in said] == [{"kind": "ticket", "ticket": ticket.pk}]
    assert {"everything", "unassigned"} <= set(said[0]["to"]), "who saw it unassigned is told that it is gone"


def test_what_is_rolled_back_is_not_told_and_what_follows_is(told_live, on_commit):
    agent, ticket = make_user(), make_ticket()
    with on_commit():
        try:
            with transaction.atomic():
                ticket.prioritise(Priority.HIGH, by=agent, now=timezone.now())
                raise ValueError
        except ValueError:
            pass
    assert told_live() == []
    with on_commit():
        ticket.prioritise(Priority.LOW, by=agent, now=timezone.now())
    assert len(told_live()) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda ticket: ticket.heard(at=timezone.now(), preview="Hello"),
        lambda ticket: ticket.noted(at=timezone.now()),
        lambda ticket: ticket.answered(at=timezone.now(), preview="Hello", by=make_user()),
        lambda ticket: ticket.mark_undelivered(True),
        lambda ticket: ticket.trash(by=None, now=timezone.now()),
        lambda ticket: ticket.reread(name="What it is about", contact=None),
    ],
)
def test_every_change_of_a_ticket_is_told(told_live, on_commit, change):
    with on_commit():
        ticket = make_ticket()
    assert len(told_live()) == 1
    with on_commit():
        change(ticket)
    assert [each["notice"] for each in told_live()] == [{"kind": "ticket", "ticket": ticket.pk}]


def test_a_notice_to_users_goes_to_them_alone(told_live, on_commit):
    with on_commit():
        live.publish("draft", ticket=7, users=[3, 4])
    assert told_live() == [{"to": ["user:3", "user:4"], "notice": {"kind": "draft", "ticket": 7}}]


def test_a_redis_that_is_away_fails_nothing_and_is_said_once(settings, on_commit, caplog):
    settings.HELPDESK_REDIS_URL = "redis://127.0.0.1:1/0"
    ticket = make_ticket()
    with caplog.at_level(logging.WARNING, "helpdesk"):
        logging.getLogger("helpdesk").addHandler(caplog.handler)
        for priority in (Priority.HIGH, Priority.LOW):
            with on_commit():
                ticket.prioritise(priority, by=make_user(), now=timezone.now())
        logging.getLogger("helpdesk").removeHandler(caplog.handler)
    assert [line for line in caplog.messages if "Redis is away" in line].__len__() == 1
    ticket.refresh_from_db()
    assert ticket.priority == Priority.LOW
