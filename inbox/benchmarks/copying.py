"""Many rows at once, by PostgreSQL's COPY."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


def copy(rows: Sequence[models.Model]) -> None:
    """Write new objects of one model as `bulk_create` would, about ten times as fast. No signals, no defaults of ours.

    Every object must have its key already; see `new_keys`.
    """
    if not rows:
        return
    fields = rows[0]._meta.concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {quote(rows[0]._meta.db_table)} ({columns}) FROM STDIN") as target,
    ):
        for row in rows:
            target.write_row([_value(field, row) for field in fields])


def new_keys(model: type[models.Model], count: int) -> list[int]:
    """Keys that nobody else gets, from the table's own sequence, in rising order."""
    column = model._meta.pk.column if model._meta.pk else "id"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [model._meta.db_table, column, count],
        )
        return sorted(number for (number,) in cursor.fetchall())


def analyse(models_written: Iterable[type[models.Model]]) -> None:
    """Tell the planner what there is now; by itself PostgreSQL would take a minute to notice."""
    with connection.cursor() as cursor:
        for model in models_written:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def _value(field: Any, row: models.Model) -> Any:
    if field.is_relation and (related := field.get_cached_value(row, None)) is not None:
        return related.pk  # it may have got its key after `row` was made
    return field.get_db_prep_save(field.pre_save(row, add=True), connection)
