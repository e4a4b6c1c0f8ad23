"""The tests that are chosen for a second database, see `tests.statements`."""

from __future__ import annotations

import pytest

from tests.statements import cover, shape


def test_every_statement_is_sent_by_a_chosen_test_and_nothing_runs_for_what_others_send():
    tests = {
        "dear": {"seconds": 9.0, "statements": ["a", "b", "c"]},
        "cheap": {"seconds": 0.1, "statements": ["a", "b"]},
        "again": {"seconds": 0.2, "statements": ["b"]},
        "alone": {"seconds": 5.0, "statements": ["c", "d"]},
        "none": {"seconds": 0.0, "statements": []},
    }
    assert cover(tests) == {"cheap", "alone"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('select "a" where "id" IN (%s)', 'select "a" where "id" IN (%s, %s, %s)'),
        ("INSERT INTO a (b, c) VALUES (%s, %s)", "INSERT INTO a (b, c) VALUES (%s, %s), (%s, %s)"),
        ('SAVEPOINT "s139_x1"', 'SAVEPOINT "s140_x12"'),
    ],
)
def test_how_many_parameters_there_are_makes_no_other_statement(first, second):
    assert shape(first) == shape(second)


def test_other_columns_make_another_statement():
    assert shape("select a where b = %s and c = %s") != shape("select a where b = %s")
