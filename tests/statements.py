"""A second database is asked every statement that the first was asked, and not every test twice.

`--record-statements FOLDER` notes what each test sends; `--cover-statements FOLDER` runs of the chosen tests only as many
as it takes to send each of their statements at least once, the cheaper ones first. A test that was never recorded runs.
Migrations run in any case. Parameters are no part of a statement, nor is how many of them a list has.
"""

from __future__ import annotations

import heapq
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LISTS = re.compile(r"%s(?:, ?%s)+")
ROWS = re.compile(r"\(%s\)(?:, ?\(%s\))+")
NUMBERS = re.compile(r"\d+")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-statements", type=Path, metavar="FOLDER")
    parser.addoption("--cover-statements", type=Path, metavar="FOLDER")


def pytest_configure(config: pytest.Config) -> None:
    if folder := config.getoption("--record-statements"):
        config.pluginmanager.register(Recording(folder))


class Recording:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tests: dict[str, dict[str, Any]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        from django.db import connection

        sent: set[str] = set()

        def note(execute: Any, sql: Any, *rest: Any) -> Any:
            sent.add(str(sql))
            return execute(sql, *rest)

        began = time.perf_counter()
        with connection.execute_wrapper(note):
            answer = yield
        statements = sorted({shape(sql) for sql in sent})
        self._tests[item.nodeid] = {"seconds": time.perf_counter() - began, "statements": statements}
        return answer

    def pytest_sessionfinish(self) -> None:
        if self._tests:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / f"{os.getpid()}.json").write_text(json.dumps(self._tests))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if folder := config.getoption("--cover-statements"):
        recorded: dict[str, Any] = {}
        for path in sorted(folder.glob("*.json")):
            recorded |= json.loads(path.read_text())
        known = {item.nodeid: recorded[item.nodeid] for item in items if item.nodeid in recorded}
        chosen = cover(known)
        left_out = [item for item in items if item.nodeid in known and item.nodeid not in chosen]
        items[:] = [item for item in items if item.nodeid not in known or item.nodeid in chosen]
        config.hook.pytest_deselected(items=left_out)


def shape(sql: str) -> str:
    return NUMBERS.sub("0", ROWS.sub("(%s)", LISTS.sub("%s", sql)))


def cover(tests: dict[str, dict[str, Any]]) -> set[str]:
    """Names that together send every statement, by taking what adds most for its seconds (greedy, and always the same)."""
    missing = {name: set(test["statements"]) for name, test in tests.items()}

    def worth(name: str) -> float:
        return -len(missing[name]) / (0.05 + tests[name]["seconds"])

    waiting = sorted((worth(name), name) for name in tests)
    sent: set[str] = set()
    chosen: set[str] = set()
    while waiting:
        was, name = heapq.heappop(waiting)
        missing[name] -= sent
        if not missing[name]:
            continue
        # What it adds only gets less, so who is still first is the best.
        if worth(name) > was:
            heapq.heappush(waiting, (worth(name), name))
            continue
        sent |= missing[name]
        chosen.add(name)
    return chosen
