"""Which messages of a long conversation are there at once."""

import pytest

from inbox.folding import ALL, MORE, NEWEST, Folding

KEYS = [1000 + number for number in range(200)]


def test_the_first_and_the_newest_are_shown_and_one_gap_stands_for_the_rest():
    folding = Folding(KEYS)
    assert folding.shown == [0, *range(190, 200)]
    assert folding.gaps == [range(1, 190)]
    assert folding.as_text == "1000-1000_1190-"


@pytest.mark.parametrize("count", [0, 1, NEWEST, NEWEST + 1, NEWEST + 3])
def test_a_short_conversation_is_shown_whole(count):
    folding = Folding(KEYS[:count])
    assert folding.shown == list(range(count))
    assert folding.gaps == []


def test_what_is_wanted_makes_a_gap_on_either_side():
    assert Folding(KEYS, wanted=range(98, 103)).gaps == [range(1, 98), range(103, 190)]


def test_what_was_unfolded_stays_so_when_a_message_comes():
    folding = Folding(KEYS)
    more = folding.with_more(folding.gaps[0])
    later = Folding([*KEYS, 1200], asked=more)
    assert later.gaps == [range(1, 190 - MORE)]
    assert later.shown[-1] == 200
    assert Folding([*KEYS, 1200, 1201], asked=later.as_text).gaps == later.gaps


def test_a_message_that_is_gone_folds_no_more_than_its_own_run():
    folding = Folding([key for key in KEYS if key != 1100], asked="1000-1000_1100-1105_1150-")
    assert folding.gaps == [range(1, 149)]


def test_everything_is_shown_to_whoever_asks_and_stays_so():
    assert Folding(KEYS, asked=ALL).gaps == []
    assert Folding([*KEYS, 1200], asked=Folding(KEYS, asked=ALL).as_text).gaps == []


@pytest.mark.parametrize("asked", ["-", "_", "9-9", "1190-1000", "a-b_c", "-1000", "1000-" * 500, "0x1-\0"])
def test_an_address_may_say_anything(asked):
    assert Folding(KEYS, asked=asked).shown[-1] == 199


def test_the_last_few_of_a_gap_come_with_the_others():
    folding = Folding(KEYS[: NEWEST + 1 + MORE + 2])
    assert len(folding.gaps[0]) == MORE + 2
    assert Folding(folding.keys, asked=folding.with_more(folding.gaps[0])).gaps == []
