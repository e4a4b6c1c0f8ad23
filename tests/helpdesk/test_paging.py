"""What stands in an address may have been written by anybody."""

from datetime import UTC, datetime

import pytest

from helpdesk import paging
from helpdesk.numbers import as_number


def test_where_a_page_ended_is_read_as_it_was_written() -> None:
    place = datetime(2026, 11, 24, 9, 30, 0, 123456, tzinfo=UTC), 4711
    assert paging.read(paging.written(*place)) == place


@pytest.mark.parametrize(
    "text", ["", "-", "12", "12-", "-12", "1-2-3", "a-1", "1-b", "999999999999999999-1", "9" * 40 + "-1"]
)
def test_what_is_no_place_in_a_list_is_its_top(text: str) -> None:
    assert paging.read(text) is None


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("0", 0), ("9" * 18, 10**18 - 1)])
def test_a_number_in_an_address_is_that_number(text: str, number: int) -> None:
    assert as_number(text) == number


@pytest.mark.parametrize("text", ["", "-1", "1.5", "²", "seven", "9" * 19])
def test_what_no_database_takes_for_a_key_is_no_number(text: str) -> None:
    assert as_number(text) is None
