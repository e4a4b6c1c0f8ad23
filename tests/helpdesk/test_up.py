"""`manage.py up` from nothing to Ctrl-C, as a person meets it."""

import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.embedded.children import MOST_DEATHS, Child, GivingUp
from tests.helpdesk.desk import RunningDesk, eventually, manage, open_folder, processes_of
from tests.mail_servers import free_port


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    folder = open_folder()
    yield folder / "state"
    shutil.rmtree(folder)


@pytest.fixture
def desk(state: Path) -> Iterator[RunningDesk]:
    desk = RunningDesk(state)
    assert eventually(desk.is_ready, within=90)
    assert desk.process.poll() is None, desk.said()
    yield desk
    desk.end()
    assert eventually(lambda: not processes_of(state)), "something was left running"


def test_it_prints_its_address_and_all_parts_are_well(desk: RunningDesk) -> None:
    assert f"http://127.0.0.1:{desk.port}" in desk.said()
    assert eventually(lambda: desk.health().get("status") == "ok"), desk.health()
    assert desk.get("/admin/login/")[0] == 200


def test_a_second_start_shows_a_page_within_five_seconds(desk: RunningDesk) -> None:
    desk.end()
    again = RunningDesk(desk.state)
    try:
        assert eventually(lambda: again.get("/admin/login/")[0] == 200)
        assert time.monotonic() - again.began < 5
    finally:
        again.end()


def test_a_second_one_on_the_same_state_names_the_address_of_the_first(desk: RunningDesk) -> None:
    done = manage(desk.state, "up", "--port", str(free_port()))
    assert done.returncode == 1
    assert f"http://127.0.0.1:{desk.port}" in done.stderr
    assert desk.get("/health/")[0] in (200, 503)


@pytest.mark.parametrize(
    ("part", "name"), [("helpdesk worker", "worker"), ("scheduler beat", "scheduler"), ("uvicorn", "web")]
)
def test_a_process_that_dies_is_started_again_and_that_is_said(desk: RunningDesk, part: str, name: str) -> None:
    died = eventually(lambda: desk.child(part))
    os.kill(died, signal.SIGKILL)
    assert eventually(lambda: desk.child(part) not in (None, died))
    assert f"The {name} ended (killed by signal 9) and is started again." in desk.said()
    assert eventually(lambda: desk.get("/admin/login/")[0] == 200)


def test_kill_9_leaves_nothing_running(desk: RunningDesk) -> None:
    desk.process.kill()
    desk.process.wait()
    assert eventually(lambda: not processes_of(desk.state))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_polite_signal_ends_everything(desk: RunningDesk, how: signal.Signals) -> None:
    desk.process.send_signal(how)
    assert desk.process.wait(30) == 0
    assert eventually(lambda: not processes_of(desk.state), within=3)


def test_pages_say_503_while_the_servers_are_away_and_recover_by_themselves(desk: RunningDesk) -> None:
    assert eventually(lambda: desk.health().get("status") == "ok")
    keeper = int((desk.state / "keeper.ready").read_text())
    os.kill(keeper, signal.SIGSTOP)  # so that it cannot start them again yet
    valkey = desk.child("valkey-server")
    assert valkey
    os.kill(valkey, signal.SIGKILL)
    assert eventually(lambda: desk.health().get("redis") == "down")
    assert desk.health()["database"] == "ok"
    os.kill(keeper, signal.SIGCONT)
    assert eventually(lambda: desk.health().get("status") == "ok", within=40), desk.said()


def test_a_killed_keeper_is_replaced(desk: RunningDesk) -> None:
    os.kill(int((desk.state / "keeper.ready").read_text()), signal.SIGKILL)
    assert eventually(lambda: "started again" in desk.said())
    assert eventually(lambda: desk.get("/admin/login/")[0] == 200)
    assert eventually(lambda: desk.health().get("status") == "ok", within=40), desk.health()


def test_a_port_in_use_is_said_plainly(state: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = manage(state, "up", "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mail_room_port_in_use_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = manage(tmp_path, "up", "--port", str(free_port()), MAIL_ROOM_PORT=port, HELPDESK_MAIL_ROOM="on")
    assert done.returncode == 1
    assert f"Port {port} of the mail room" in done.stderr
    assert not (tmp_path / "keeper.lock").exists()


def test_a_death_while_the_queue_was_away_does_not_count(tmp_path: Path) -> None:
    away = [True]
    child = Child("worker", ["-c", "raise SystemExit(1)"], dict(os.environ), excused=lambda _age: away[0])

    def dies() -> None:
        child.start()
        assert child.process
        child.process.wait()
        child.see_to_it()
        child._again_at = 0.0

    for _ in range(MOST_DEATHS + 2):
        dies()
    away[0] = False
    for _ in range(MOST_DEATHS):
        dies()
    with pytest.raises(GivingUp):
        dies()


def test_a_wrong_setting_stops_it_before_anything_starts(tmp_path: Path) -> None:
    done = manage(tmp_path, "up", HELPDESK_POLL_SECONDS="soon")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1)
    assert "HELPDESK_POLL_SECONDS" in done.stderr
