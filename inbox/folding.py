"""Which messages of a long conversation one sees at once, and what stands for the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

NEWEST = 10
"""So many of the newest are always there."""

MORE = 20
"""So many come when one asks for more."""

WORTH_FOLDING = 3
"""Fewer hidden messages than these take no less room than the line that would stand for them."""

ALL = "all"


class Folding:
    """Places in a conversation of which some are shown. It keeps what a reader unfolded as a short text for addresses.

    `keys` are the messages' numbers in their order; `wanted` are places that are shown whatever else is; `asked` is
    `as_text` of a moment ago, whatever came or went since, or ALL.
    """

    def __init__(self, keys: Sequence[int], wanted: Iterable[int] = (), asked: str = "") -> None:
        self.keys = keys
        count = len(keys)
        shown = set(range(count)) if asked == ALL else {0, *range(count - NEWEST, count), *wanted, *self._read(asked)}
        self.shown = self._without_small_gaps(sorted(place for place in shown if 0 <= place < count))

    @property
    def gaps(self) -> list[range]:
        """Runs of hidden places, in order."""
        return [range(left + 1, right) for left, right in pairwise(self.shown) if right - left > 1]

    @property
    def as_text(self) -> str:
        """Each run of shown messages as the numbers of its ends; the last is open, so that what comes joins it."""
        return self._text(self.shown)

    def with_more(self, gap: range) -> str:
        """`as_text` when the newest of what `gap` hides are shown too."""
        return self._text(self._without_small_gaps(sorted({*self.shown, *gap[-MORE:]})))

    def _text(self, places: Sequence[int]) -> str:
        ends: list[tuple[int, int]] = []
        for place in places:
            if ends and ends[-1][1] == place - 1:
                ends[-1] = (ends[-1][0], place)
            else:
                ends.append((place, place))
        last = len(self.keys) - 1
        return "_".join(
            f"{self.keys[first]}-" if end == last else f"{self.keys[first]}-{self.keys[end]}" for first, end in ends
        )

    def _read(self, asked: str) -> set[int]:
        """What comes from an address may be anything: what it does not name is not shown."""
        if not asked:
            return set()
        places = {str(key): place for place, key in enumerate(self.keys)}
        found: set[int] = set()
        for run in asked.split("_")[: len(self.keys)]:
            first, _to, end = run.partition("-")
            begin, until = places.get(first), places.get(end) if end else len(self.keys) - 1
            if begin is not None and until is not None:
                found.update(range(begin, until + 1))
        return found

    @staticmethod
    def _without_small_gaps(places: list[int]) -> list[int]:
        filled = places[:1]
        for place in places[1:]:
            hidden = range(filled[-1] + 1, place)
            filled += [*hidden, place] if len(hidden) < WORTH_FOLDING else [place]
        return filled
