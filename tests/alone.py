"""A test that measures a time has the machine to itself: the other processes of the tests wait before their next test."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def room(folder: Path, *, alone: bool) -> Iterator[None]:
    """Shared with the others who are in, or `alone`, for which one waits until they are out.

    Whoever wants to be alone closes the gate first; without it somebody else would always be in.
    """
    with (folder / "gate").open("a") as gate, (folder / "room").open("a") as inside:
        how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        fcntl.flock(gate, how)
        fcntl.flock(inside, how)
        if not alone:
            fcntl.flock(gate, fcntl.LOCK_UN)
        yield
