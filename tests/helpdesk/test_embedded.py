"""The embedded servers: shared by commands, ended with the last one, never left behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.embedded.places import OPEN_FOLDER, Places
from tests.helpdesk.desk import CHECKOUT, environment, eventually, manage, open_folder, processes_of

HOLD = """
import sys, time
from pathlib import Path
from helpdesk.embedded.sharing import Share
share = Share(Path(sys.argv[1])); share.take(); print("ready", flush=True); sys.stdin.read()
"""


@pytest.fixture(scope="module")
def kept_state() -> Iterator[Path]:
    """One database for all tests here, since making one takes the longest."""
    folder = open_folder()
    yield folder / "state"
    shutil.rmtree(folder)


@pytest.fixture
def state(kept_state: Path) -> Iterator[Path]:
    yield kept_state
    assert eventually(lambda: not processes_of(kept_state)), "servers were left behind"


def hold(state: Path) -> subprocess.Popen[str]:
    """A process that holds a share until its input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state)],
        cwd=CHECKOUT,
        env=environment(state),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout
    assert holder.stdout.readline() == "ready\n"
    return holder


def let_go(holder: subprocess.Popen[str]) -> None:
    assert holder.stdin
    holder.stdin.close()
    holder.wait(20)


def keeper_of(state: Path) -> int:
    return int((state / "keeper.ready").read_text())


def test_the_last_one_to_leave_ends_the_servers(state: Path) -> None:
    first, second = hold(state), hold(state)
    keeper = keeper_of(state)
    let_go(first)
    time.sleep(0.5)
    assert keeper_of(state) == keeper
    let_go(second)
    assert eventually(lambda: not processes_of(state))


def test_many_at_once_start_one_keeper(state: Path) -> None:
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD.replace("sys.stdin.read()", "time.sleep(1)"), str(state)],
            cwd=CHECKOUT,
            env=environment(state),
            stdout=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    assert [holder.wait(60) for holder in holders] == [0] * 4


def test_a_killed_holder_leaves_no_servers(state: Path) -> None:
    holder = hold(state)
    holder.kill()
    holder.wait()
    assert eventually(lambda: not processes_of(state))


def test_a_killed_keeper_takes_its_servers_along_and_the_next_start_works(state: Path) -> None:
    holder = hold(state)
    os.kill(keeper_of(state), signal.SIGKILL)
    holder.kill()
    holder.wait()
    let_go(hold(state))


def test_a_killed_server_is_started_again_under_its_users(state: Path) -> None:
    holder = hold(state)
    postmaster = Places(state).postgres_data / "postmaster.pid"
    killed = int(postmaster.read_text().split()[0])
    os.kill(killed, signal.SIGKILL)

    def another_one_is_ready() -> bool:
        lines = postmaster.read_text().splitlines() if postmaster.exists() else []
        return len(lines) >= 8 and lines[0] != str(killed) and lines[7].strip() == "ready"

    assert eventually(another_one_is_ready)
    let_go(holder)


def test_a_command_alone_makes_the_tables_and_a_command_beside_it_uses_the_same_servers(state: Path) -> None:
    count = "from django.contrib.sessions.models import Session; print(Session.objects.count())"
    done = manage(state, "shell", "--no-imports", "-c", count)
    assert (done.returncode, done.stdout.strip()) == (0, "0"), done.stderr
    holder = hold(state)
    keeper = keeper_of(state)
    assert manage(state, "shell", "--no-imports", "-c", count).stdout.strip() == "0"
    assert keeper_of(state) == keeper
    let_go(holder)


def test_commands_that_look_at_no_data_start_no_server(tmp_path: Path) -> None:
    for command in (["help"], ["check"], ["version"], ["migrate", "--help"]):
        assert manage(tmp_path, *command).returncode == 0
    assert not (tmp_path / "keeper.lock").exists()


def test_with_both_addresses_set_no_server_starts(tmp_path: Path) -> None:
    done = manage(
        tmp_path,
        "migrate",
        DATABASE_URL="postgresql://u@127.0.0.1:1/none",
        REDIS_URL="redis://127.0.0.1:1/0",
        HELPDESK_SECRET_KEY="s" * 50,
        HELPDESK_ENCRYPTION_KEYS="dGVzdHMtdXNlLXRoaXMta2V5LWFuZC1ub2JvZHktbG8=",
        HELPDESK_PUBLIC_URL="https://help.example.com",
    )
    assert done.returncode != 0
    assert not (tmp_path / "keeper.lock").exists()


def test_a_deep_state_folder_still_has_a_short_socket(tmp_path: Path) -> None:
    places = Places(tmp_path / ("deep" * 20) / "state")
    assert len(os.fsencode(places.valkey_socket)) < 108
    assert len(os.fsencode(places.postgres_socket_folder / ".s.PGSQL.5432")) < 108


def test_a_deep_state_folder_works() -> None:
    folder = open_folder()
    state = folder / ("deep" * 25) / "state"
    let_go(hold(state))
    assert eventually(lambda: not processes_of(state))
    places = Places(state)
    for short in (places.postgres_socket_folder, places.valkey_socket.parent):
        assert short.parent == Path("/tmp")
        assert not short.exists(), "an empty folder was left behind"
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user, who must reach its data")
def test_a_closed_home_works_for_root_too(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    state = closed / "state"
    let_go(hold(state))
    data = Places(state).postgres_data
    try:
        assert data.parent == OPEN_FOLDER
        assert (data / "PG_VERSION").exists()
        assert eventually(lambda: not processes_of(state))
        closed.chmod(0o755)
        assert Places(state).postgres_data == data, "data must not be hidden by opening their folder"
    finally:
        shutil.rmtree(data)


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = manage(tmp_path / "file" / "state", "migrate")
    assert done.returncode == 1
    assert "HELPDESK_STATE_DIR" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.thorough
def test_a_backup_restores_what_was_there_and_refuses_a_database_that_holds_something(
    state: Path, tmp_path: Path
) -> None:
    (state / "files" / "raw").mkdir(parents=True)
    (state / "files" / "raw" / "mail.eml").write_bytes(b"Subject: kept\r\n\r\n")
    add = "from people.models import User; User.objects.create(email='anna@example.com', name='Anna', role='admin')"
    assert manage(state, "shell", "-c", add).returncode == 0
    tar = tmp_path / "desk.tar"
    made = manage(state, "backup", str(tar))
    assert made.returncode == 0, made.stderr
    assert tar.stat().st_mode & 0o777 == 0o600
    assert manage(state, "backup", str(tar)).returncode == 1

    rename = "from people.models import User; User.objects.update(name='Someone else')"
    assert manage(state, "shell", "-c", rename).returncode == 0
    (state / "files" / "raw" / "mail.eml").unlink()
    refused = manage(state, "restore", str(tar))
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    restored = manage(state, "restore", str(tar), "--replace")
    assert restored.returncode == 0, restored.stderr
    asked = manage(state, "shell", "-c", "from people.models import User; print('is', User.objects.get().name)")
    assert "is Anna" in asked.stdout, asked.stderr
    assert (state / "files" / "raw" / "mail.eml").read_bytes() == b"Subject: kept\r\n\r\n"


def test_what_is_no_backup_changes_nothing(state: Path, tmp_path: Path) -> None:
    (tmp_path / "other.tar").write_bytes(b"not a tar")
    done = manage(state, "restore", str(tmp_path / "other.tar"), "--replace")
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
