"""How many of something there are, as far as a column beside a list says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from people.models import User

MOST_COUNTED = 1_000


@dataclass(frozen=True)
class Count:
    """Up to MOST_COUNTED; as text it says "999+" from there on."""

    number: int

    def __str__(self) -> str:
        return f"{MOST_COUNTED - 1}+" if self.number >= MOST_COUNTED else str(self.number)


def counted(questions: Mapping[str, models.QuerySet[Any]]) -> dict[str, Count]:
    """How many each of `questions` finds, in one query whatever their number."""
    counts = {
        f"count_{name}": _BoundedCount(question.order_by().values("pk")[:MOST_COUNTED])
        for name, question in questions.items()
    }
    # Whatever is counted, somebody asks: so there is a user, whose row carries the numbers.
    row = User.objects.order_by().values(**counts)[:1].get()
    return {name: Count(row[f"count_{name}"]) for name in questions}


class _BoundedCount(models.Subquery):
    """Counts the rows of a sliced query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = models.IntegerField()
