"""How many of something there are, as far as a column beside a list says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models

MOST_COUNTED = 1_000


@dataclass(frozen=True)
class Count:
    """Up to MOST_COUNTED; as text it says "999+" from there on."""

    number: int

    @classmethod
    def sum(cls, counts: Iterable[Count]) -> Count:
        """Of parts of one whole, each counted as far as the whole would be."""
        return cls(min(sum(count.number for count in counts), MOST_COUNTED))

    def __str__(self) -> str:
        return f"{MOST_COUNTED - 1}+" if self.number >= MOST_COUNTED else str(self.number)


def counted(questions: Mapping[str, models.QuerySet[Any]]) -> dict[str, Count]:
    """How many each of `questions` finds, in one query whatever their number."""
    # Joined as text: as subqueries of a queryset each would be copied and given new aliases, which takes twice as long.
    asked = [_statement(question) for question in questions.values()]
    counts = ", ".join(f"(SELECT COUNT(*) FROM ({sql}) AS counted)" for sql, _params in asked)  # noqa: S608 (all Django's)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}", [param for _sql, params in asked for param in params])
        return dict(zip(questions, map(Count, cursor.fetchone()), strict=True))


def _statement(question: models.QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    try:
        return question.order_by().values("pk")[:MOST_COUNTED].query.sql_with_params()
    except EmptyResultSet:  # Django knows without asking that it finds nothing, and makes no statement
        return "SELECT 1 WHERE FALSE", ()
