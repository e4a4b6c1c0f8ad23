from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_pipeline, make_ticket
from tickets.errors import PipelineWithoutStatuses
from tickets.models import Kind, Pipeline, Reopening

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.mark.parametrize(
    ("reopening", "days_ago", "reopens"),
    [
        (Reopening.ALWAYS, 1, True),
        (Reopening.ALWAYS, 4000, True),
        (Reopening.NEVER, 0, False),
        (Reopening.WITHIN, 0, True),
        (Reopening.WITHIN, 30, True),
        (Reopening.WITHIN, 31, False),
    ],
)
def test_whether_an_answer_reopens_is_the_pipelines_rule(reopening, days_ago, reopens):
    pipeline = make_pipeline(reopening=reopening)
    assert pipeline.reopens(NOW - timedelta(days=days_ago), NOW) is reopens


def test_the_days_are_a_setting():
    pipeline = make_pipeline(reopen_days=3)
    assert pipeline.reopens(NOW - timedelta(days=3), NOW)
    assert not pipeline.reopens(NOW - timedelta(days=3, seconds=1), NOW)


def test_the_first_pipeline_is_made_when_there_is_none():
    pipeline = Pipeline.first()
    assert [status.name for status in pipeline.statuses.all()] == [
        "New", "Waiting on us", "Waiting on contact", "Closed",
    ]  # fmt: skip
    assert Pipeline.first() == pipeline


def test_a_pipeline_without_statuses_is_not_the_first():
    Pipeline.objects.create(name="Empty", position=0)
    full = make_pipeline("Support", position=5)
    assert Pipeline.first() == full


def test_a_pipeline_without_statuses_says_so():
    with pytest.raises(PipelineWithoutStatuses, match="“Empty” has no statuses yet"):
        Pipeline.objects.create(name="Empty").first_status(Kind.NEW)


def test_a_missing_kind_falls_back_to_an_open_status():
    pipeline = make_pipeline()
    pipeline.statuses.filter(kind=Kind.NEW).delete()
    pipeline.statuses.filter(kind=Kind.CLOSED).update(position=0)
    assert pipeline.first_status(Kind.NEW).name == "Waiting on us"


def test_tickets_follow_a_changed_kind_of_their_status():
    pipeline = make_pipeline()
    status = pipeline.first_status(Kind.WAITING_ON_CONTACT)
    ticket, other = make_ticket(status=status, pipeline=pipeline), make_ticket(pipeline=pipeline)
    status.change_kind(Kind.CLOSED, now=NOW)
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.turn_since, ticket.closed_at) == (Kind.CLOSED, NOW, NOW)
    later = NOW + timedelta(hours=1)
    status.change_kind(Kind.WAITING_ON_US, now=later)
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.turn_since, ticket.closed_at) == (Kind.WAITING_ON_US, later, None)
    other.refresh_from_db()
    assert other.turn == Kind.NEW
