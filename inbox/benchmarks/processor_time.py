"""How much processor time a process and everything it started have taken, as Linux counts it."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def of_tree(root: int) -> float | None:
    """Seconds of `root`, its living descendants, and those that it has seen off. None where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        return None
    children: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name of the program stands in brackets and may hold anything.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        pid, parent = int(folder.name), int(fields[1])
        children.setdefault(parent, []).append(pid)
        seconds[pid] = sum(int(ticks) for ticks in fields[11:15]) / TICKS
    total, wanted = 0.0, [root]
    while wanted:
        pid = wanted.pop()
        total += seconds.get(pid, 0.0)
        wanted += children.get(pid, [])
    return total


def of_database(data: Path) -> float | None:
    """Seconds of the PostgreSQL server that keeps its files in `data`; None when that is another machine's."""
    try:
        postmaster = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return of_tree(postmaster)
