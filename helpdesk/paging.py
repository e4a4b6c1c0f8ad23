"""Pages of a list that begin where the one before them ended (keyset), so page 100 costs what page 1 costs.

Where that is stands in the address as microseconds since 1970 and the key of the last row.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from helpdesk.numbers import as_number

Row = TypeVar("Row", bound=Model)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(at: datetime, pk: int) -> str:
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}-{pk}"


def read(text: str) -> tuple[datetime, int] | None:
    """What `written` wrote; None when it is none of ours."""
    since, pk = map(as_number, text.partition("-")[::2])
    if since is None or pk is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=since), pk
    except OverflowError:
        return None


def newest_first(rows: QuerySet[Row], by: str, *, after: str, size: int) -> tuple[list[Row], str]:
    """A page of `rows` by their moment `by`, and where the next one begins: "" on the last page.

    `after` is where it begins itself; "" and what is none of ours is the top.
    """
    if place := read(after):
        at, pk = place
        # The last condition says nothing new, but in a way that an index understands.
        rows = rows.filter(Q(**{f"{by}__lt": at}) | Q(**{by: at, "pk__lt": pk}), **{f"{by}__lte": at})
    found = list(rows.order_by(f"-{by}", "-pk")[: size + 1])
    shown = found[:size]
    return shown, written(getattr(shown[-1], by), shown[-1].pk) if len(found) > size else ""
