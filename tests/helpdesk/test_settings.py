"""A wrong setting stops the program with one sentence, and what it says holds no secret."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.settings import DOCUMENTED

CHECKOUT = Path(__file__).resolve().parent.parent.parent

PRODUCTION = {
    "DATABASE_URL": "postgresql://desk:hush-hush@db/desk",
    "REDIS_URL": "redis://cache:6379/4",
    "HELPDESK_SECRET_KEY": "s" * 50,
    "HELPDESK_ENCRYPTION_KEYS": "dGVzdHMtdXNlLXRoaXMta2V5LWFuZC1ub2JvZHktbG8=",
    "HELPDESK_PUBLIC_URL": "https://help.example.com",
    "HELPDESK_BEHIND_PROXY": "on",
}


def start(state: Path, code: str = "pass", **environment: str | None) -> subprocess.CompletedProcess[str]:
    """A program that reads the settings and then runs `code`, which finds them as `s`."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    wanted = {"HELPDESK_STATE_DIR": str(state)} | environment
    kept |= {name: value for name, value in wanted.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", f"from helpdesk import settings as s\n{code}"],
        cwd=CHECKOUT,
        env=kept,
        capture_output=True,
        text=True,
        timeout=30,
    )


def printed(state: Path, expression: str, **environment: str | None) -> str:
    done = start(state, f"print({expression})", **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("HELPDESK_POLL_SECONDS", "soon", "whole number"),
        ("HELPDESK_POLL_SECONDS", "1", "from 5"),
        ("HELPDESK_DEBUG", "maybe", "on or off"),
        ("HELPDESK_LANGUAGE", "tlh", "en, fi"),
        ("HELPDESK_TIME_ZONE", "Mars/Base", "Europe/Helsinki"),
        ("HELPDESK_PUBLIC_URL", "help.example.com", "https://help.example.com"),
        ("HELPDESK_PUBLIC_URL", "https://help.example.com/desk", "nothing after it"),
        ("HELPDESK_FILES", "ftp://files", "s3://bucket/prefix"),
        ("DATABASE_URL", "mysql://desk:hush-hush@db/desk", "postgresql://"),
        ("REDIS_URL", "http://:hush-hush@cache", "redis://"),
        ("REDIS_URL", "redis://cache/hush", "number of a database"),
        ("HELPDESK_SECRET_KEY", "hush-hush", "at least 50"),
        ("HELPDESK_ENCRYPTION_KEYS", "hush-hush", "make key"),
        ("HELPDESK_SYSTEM_MAIL_URL", "smtp://me:hush-hush@mail.example.com", "from="),
        ("HELPDESK_SYSTEM_MAIL_URL", "smtp://mail.example.com?security=none&from=a@b.c", "starttls or ssl"),
        ("MAIL_ROOM_PORT", "99999", "65535"),
        ("HELPDESK_ALLOWED_HOSTS", "a b/c", "host names like help.example.com"),
        ("HELPDESK_ALLOWED_HOSTS", "https://help.example.com", "parted by commas"),
        ("HELPDESK_ALLOWED_HOSTS", "help.example.com, 300.1.1.1", "192.0.2.7"),
        ("HELPDESK_ALLOWED_HOSTS", "*.example.com", ".example.com for all below it"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_expected(tmp_path: Path, name: str, value: str, expected: str) -> None:
    done = start(tmp_path, **{name: value})
    assert done.returncode == 1
    assert name in done.stderr
    assert expected in done.stderr
    assert "hush" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["HELPDESK_SECRET_KEY", "HELPDESK_ENCRYPTION_KEYS", "HELPDESK_PUBLIC_URL"])
def test_production_insists_on_what_embedded_mode_makes_itself(tmp_path: Path, name: str) -> None:
    done = start(tmp_path, **PRODUCTION | {name: None})
    assert done.returncode == 1
    assert f"{name} is missing" in done.stderr


@pytest.mark.parametrize("production", [{}, {"DATABASE_URL": None}, {"DATABASE_URL": None, "REDIS_URL": None}])
def test_the_mail_room_cannot_be_on_beside_a_production_setting(tmp_path: Path, production: dict[str, None]) -> None:
    done = start(tmp_path, **PRODUCTION | production | {"HELPDESK_MAIL_ROOM": "on"})
    assert done.returncode == 1
    assert "HELPDESK_MAIL_ROOM" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://cache:6379/4"),
        ("HELPDESK_PUBLIC_URL", "http://help.example.com"),
        ("HELPDESK_PUBLIC_URL", "http://192.0.2.7:8000"),
        ("HELPDESK_PUBLIC_URL", "http://127.example.com"),
    ],
)
def test_a_desk_that_others_reach_has_no_mail_room(tmp_path: Path, name: str, value: str) -> None:
    assert printed(tmp_path, "s.HELPDESK_MAIL_ROOM", **{name: value}) == "False"
    done = start(tmp_path, **{name: value, "HELPDESK_MAIL_ROOM": "on"})
    assert done.returncode == 1
    assert name in done.stderr


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
def test_a_desk_of_this_machine_alone_has_one(tmp_path: Path, address: str) -> None:
    assert printed(tmp_path, "s.HELPDESK_MAIL_ROOM", HELPDESK_PUBLIC_URL=address) == "True"


def test_production_leaves_the_state_folder_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert printed(state, "s.HELPDESK_MAIL_ROOM, s.SESSION_COOKIE_SECURE", **PRODUCTION) == "False True"
    assert not state.exists()


def test_generated_secrets_stay_the_same_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    both = "s.SECRET_KEY, s.HELPDESK_ENCRYPTION_KEYS"
    assert printed(tmp_path, both) == printed(tmp_path, both)
    for name in ("secret-key", "encryption-keys"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_the_queue_lies_in_the_database_after_the_cache(tmp_path: Path) -> None:
    both = "s.HELPDESK_REDIS_URL, s.CELERY_BROKER_URL"
    assert printed(tmp_path, both, **PRODUCTION) == "redis://cache:6379/4 redis://cache:6379/5"
    unix = "unix:///run/valkey.sock?db=2"
    assert printed(tmp_path, both, REDIS_URL=unix) == f"{unix} redis+socket:///run/valkey.sock?virtual_host=3"


def test_a_database_address_is_read_with_its_odd_characters_and_options(tmp_path: Path) -> None:
    found = printed(
        tmp_path,
        "[s.DATABASES['default'][n] for n in ('HOST', 'PORT', 'USER', 'PASSWORD', 'NAME')], "
        "s.DATABASES['default']['OPTIONS']['sslmode']",
        **PRODUCTION | {"DATABASE_URL": "postgres://d%40sk:p%2Fw@db:5433/desk?sslmode=verify-full"},
    )
    assert found == "['db', '5433', 'd@sk', 'p/w', 'desk'] verify-full"


def test_hosts_are_names_addresses_or_all(tmp_path: Path) -> None:
    wanted = "help.example.com, .example.com, desk_1, 192.0.2.7, [2001:db8::7], *,"
    assert printed(tmp_path, "s.ALLOWED_HOSTS[3:]", HELPDESK_ALLOWED_HOSTS=wanted) == str(
        ["help.example.com", ".example.com", "desk_1", "192.0.2.7", "[2001:db8::7]", "*"]
    )


def test_a_database_that_vanishes_is_noticed_unless_the_address_says_otherwise(tmp_path: Path) -> None:
    both = "[s.DATABASES['default']['OPTIONS'].get(n) for n in ('keepalives_idle', 'tcp_user_timeout')]"
    assert printed(tmp_path, both, **PRODUCTION) == "[10, 25000]"
    own = {"DATABASE_URL": "postgresql://d@db/desk?keepalives_idle=60&tcp_user_timeout=0"}
    assert printed(tmp_path, both, **PRODUCTION | own) == "['60', '0']"


def test_settings_import_no_django_so_that_a_start_is_quick(tmp_path: Path) -> None:
    assert printed(tmp_path, "'django' in __import__('sys').modules") == "False"


def test_every_setting_says_what_it_means(tmp_path: Path) -> None:
    from helpdesk.settings import DOCUMENTED

    assert {"DATABASE_URL", "REDIS_URL", "HELPDESK_STATE_DIR", "MAIL_ROOM_PORT"} <= DOCUMENTED.keys()
    assert all(setting.meaning.endswith(".") for setting in DOCUMENTED.values())


def words_of(path: Path) -> Iterator[tuple[str, bool]]:
    """Every name that the file reads, with whether it is one in the file itself; and its short texts."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            yield node.attr, False
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id, True
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and path.name != "settings.py":
            yield node.value, False


def test_every_setting_that_is_documented_does_something():
    settings = CHECKOUT / "helpdesk" / "settings.py"
    used = {name for name, _ in words_of(settings)}
    # One that is read right into a setting of Django's has no name of its own.
    kept = {
        target.id
        for node in ast.walk(ast.parse(settings.read_text()))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    used |= set(DOCUMENTED) - kept
    for app in ("helpdesk", "people", "tickets", "inbox"):
        for path in (CHECKOUT / app).rglob("*.py"):
            if path != settings:
                used |= {name for name, is_local in words_of(path) if not is_local}
    assert sorted(set(DOCUMENTED) - used) == []
