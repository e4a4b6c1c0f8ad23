"""Several counts in one query."""

from __future__ import annotations

import pytest

from tests.factories import make_ticket
from tickets import counting
from tickets.counting import counted
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def test_each_is_counted_as_far_as_is_said_and_what_finds_nothing_is_nothing(monkeypatch, django_assert_num_queries):
    for _ in range(4):
        make_ticket()
    monkeypatch.setattr(counting, "MOST_COUNTED", 3)
    tickets = Ticket.objects.all()
    with django_assert_num_queries(1):
        found = counted({"all": tickets, "none": tickets.none(), "nobody": tickets.filter(pk__in=[])})
    assert {name: str(count) for name, count in found.items()} == {"all": "2+", "none": "0", "nobody": "0"}
