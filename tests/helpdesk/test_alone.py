"""Tests that measure run while no other does, see `tests.alone`."""

from __future__ import annotations

import threading
import time

from tests.alone import room


def test_who_wants_to_be_alone_waits_for_the_others_and_they_wait_for_him(tmp_path):
    said: list[str] = []
    leave = threading.Event()

    def first() -> None:
        with room(tmp_path, alone=False):
            said.append("first")
            leave.wait(10)
            said.append("first leaves")

    def alone() -> None:
        with room(tmp_path, alone=True):
            said.append("alone")
            time.sleep(0.1)
            said.append("alone leaves")

    def second() -> None:
        with room(tmp_path, alone=False):
            said.append("second")

    threads = [threading.Thread(target=who) for who in (first, alone, second)]
    for thread in threads:
        thread.start()
        time.sleep(0.2)
    assert said == ["first"], "the second waits too, or nobody would ever be alone"
    leave.set()
    for thread in threads:
        thread.join(10)
    assert said == ["first", "first leaves", "alone", "alone leaves", "second"]


def test_others_are_in_together(tmp_path):
    with room(tmp_path, alone=False), room(tmp_path, alone=False):
        pass
