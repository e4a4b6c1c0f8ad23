"""A figure, and how figures are put on paper."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection


@dataclass(frozen=True)
class Figure:
    name: str
    value: float | None
    unit: str
    how: str = ""


@dataclass
class Report:
    """What was measured on what, and everything needed to take it again."""

    what: str
    figures: list[Figure] = field(default_factory=list)
    setting: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, value: float | None, unit: str, how: str = "") -> None:
        self.figures.append(Figure(name, None if value is None else round(value, 2), unit, how))

    def add_times(self, name: str, seconds: Sequence[float], how: str = "") -> None:
        how = how or f"{len(seconds)} times"
        for share in (50, 95):
            self.add(f"{name}, p{share}", percentile(seconds, share) * 1000, "ms", how)

    def as_json(self) -> str:
        return json.dumps(
            {"what": self.what, "setting": self.setting, "figures": [asdict(one) for one in self.figures]}, indent=2
        )

    def as_table(self) -> str:
        width = max(len(one.name) for one in self.figures)
        lines = [f"{self.what}: " + ", ".join(f"{key} {value}" for key, value in self.setting.items()), ""]
        for one in self.figures:
            value = "–" if one.value is None else f"{one.value:,.2f}".rstrip("0").rstrip(".")
            lines.append(f"  {one.name:<{width}}  {value:>10} {one.unit:<8} {one.how}".rstrip())
        return "\n".join(lines)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]


def machine() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone()
    return {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "postgresql": version.split()[0],
    }
