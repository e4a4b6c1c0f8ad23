"""What every test stands on: real PostgreSQL and Valkey, made for this run and gone after it.

With DATABASE_URL and REDIS_URL set, those servers are used instead. `-n 2` shares the servers; each process of the
tests has a database of its own.
"""

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

CHECKOUT = Path(__file__).resolve().parent.parent
_share: Any = None


def _start_servers() -> None:
    """Before the settings are read, since the addresses follow from the state folder."""
    global _share
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        # Not in the caller's state: tests must never touch the data of a desk that one runs.
        state = Path(tempfile.mkdtemp(prefix="hd-test-"))
        state.chmod(0o755)
        os.environ["HELPDESK_STATE_DIR"] = str(state)
        for name in [name for name in os.environ if name.startswith("HELPDESK_") and name != "HELPDESK_STATE_DIR"]:
            del os.environ[name]
        os.environ["MAIL_ROOM_PORT"] = "2526"  # nothing listens there unless a test says so
        atexit.register(shutil.rmtree, state, ignore_errors=True)
        if os.environ.get("DATABASE_URL"):
            _be_production()
        if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
            from helpdesk.embedded.sharing import Share

            _share = Share(state, durable=False)
            with _collecting():
                _share.take()
            atexit.register(_leave)
    else:
        # Two databases of Redis for each: cache and queue.
        number = 2 * (int(worker.removeprefix("gw")) + 1)
        base = os.environ.get("REDIS_URL") or _embedded_redis()
        os.environ["REDIS_URL"] = _in_database(base, number)
        # Files and collected things of one process are not those of the other.
        os.environ["HELPDESK_FILES"] = str(Path(os.environ["HELPDESK_STATE_DIR"]) / f"files-{worker}")


@contextlib.contextmanager
def _collecting() -> Iterator[None]:
    """Static files as in production: hashed names that a browser keeps, and as they were at the beginning."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    with subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.DEVNULL) as collecting:
        yield
    if collecting.returncode:  # a file that is saved in the midst has two hashes
        subprocess.run(command, cwd=CHECKOUT, check=True)


def _be_production() -> None:
    """With DATABASE_URL the desk insists on its secrets."""
    os.environ["HELPDESK_SECRET_KEY"] = "only-for-tests-" * 5
    os.environ["HELPDESK_ENCRYPTION_KEYS"] = "dGVzdHMtdXNlLXRoaXMta2V5LWFuZC1ub2JvZHktbG8="
    os.environ["HELPDESK_PUBLIC_URL"] = "http://testserver"


def _embedded_redis() -> str:
    from helpdesk.embedded.places import Places

    return Places(Path(os.environ["HELPDESK_STATE_DIR"])).redis_url


def _in_database(url: str, number: int) -> str:
    if url.startswith("unix:"):
        return f"{url.split('?')[0]}?db={number}"
    scheme, rest = url.split("://", 1)
    return f"{scheme}://{rest.split('/')[0]}/{number}"


def _leave() -> None:
    _share.leave()
    if _share.keeper:
        _share.keeper.wait(20)


_start_servers()
# Here and not in pyproject.toml, where pytest-django would read the settings before there are servers.
os.environ["DJANGO_SETTINGS_MODULE"] = "helpdesk.settings"
assert settings.INSTALLED_APPS  # reads them, at which pytest-django sets up Django


def pytest_xdist_setupnodes() -> None:
    """The processes of the tests inherit this environment, and would read the settings before they have their own."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """A test that is `measured` runs while no other process runs one."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    from tests.alone import room

    with room(Path(os.environ["HELPDESK_STATE_DIR"]), alone=item.get_closest_marker("measured") is not None):
        return (yield)


@pytest.fixture(autouse=True, scope="session")
def _for_tests() -> Iterator[None]:
    """Quick passwords, tasks at once in the same process (after commit, as in life), mails into `mailoutbox`."""
    from django.test import override_settings

    from helpdesk.celery import app

    app.conf.task_always_eager = True
    app.conf.task_eager_propagates = True
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ALLOWED_HOSTS=["*"],
    ):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Threads of servers that tests started may still hold a connection, for which dropping the database would wait."""
    yield
    from django.db import connection

    name = connection.settings_dict["NAME"]
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and pid <> pg_backend_pid()",
            [name],
        )


@pytest.fixture(autouse=True, scope="session")
def _quick_emptying() -> Iterator[None]:
    """After a test with real transactions only the tables that hold something are emptied, row by row.

    Django makes every table and index anew and then writes all permissions again: 90 ms, which are 6 here. Its foreign
    keys are checked at the end of the transaction, so the order does not matter.
    """
    from django.db import connection, transaction
    from django.test import TransactionTestCase

    kept = {"django_content_type", "auth_permission"}

    def empty(case: Any) -> None:
        tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - kept
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(" union all ".join(f"select '{one}' where exists (select from \"{one}\")" for one in tables))
            for (full,) in cursor.fetchall():
                cursor.execute(f'delete from "{full}"')

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


@pytest.fixture(autouse=True)
def _fresh_cache(request: pytest.FixtureRequest) -> None:
    """Sessions and login throttling of one test are not those of the next."""
    asks = {"db", "transactional_db"} & set(request.fixturenames) or request.node.get_closest_marker("django_db")
    if asks:
        from django.core.cache import cache

        cache.clear()


@pytest.fixture(autouse=True)
def _first_language() -> None:
    """A page asked for in Finnish leaves its thread in Finnish until the next request, as Django does; tests do not."""
    from django.utils import translation

    translation.deactivate()  # to settings.LANGUAGE_CODE, in which a command or a task starts


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> None:
    """Raw mail and attachments of a test lie in a folder of its own."""
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        options = dict(settings.STORAGES["default"]["OPTIONS"], location=str(tmp_path_factory.mktemp("files")))
        settings.STORAGES = settings.STORAGES | {"default": {**settings.STORAGES["default"], "OPTIONS": options}}


@pytest.fixture
def count_queries() -> Callable[[Callable[[], Any]], int]:
    """How many statements a call costs: `count_queries(lambda: page.get("/"))`."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    class Cost(int):
        """A number that shows its statements when a test fails on it."""

        statements: list[str]

        def __repr__(self) -> str:
            return "\n".join([str(int(self)), *self.statements])

    def count(call: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            call()
        cost = Cost(len(captured))
        cost.statements = [query["sql"][:200] for query in captured]
        return cost

    return count


@pytest.fixture
def on_commit(django_capture_on_commit_callbacks: Any) -> Any:
    """`with on_commit():` does at its end what waits for the commit, which a test without transactions never has."""

    def capture() -> Any:
        return django_capture_on_commit_callbacks(execute=True)

    return capture


@pytest.fixture
def told_live() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the pages were told since the last time one asked; after commit, so use it with `on_commit`."""
    import json

    import redis

    from helpdesk import live

    client = redis.Redis.from_url(settings.HELPDESK_REDIS_URL)
    listening = client.pubsub(ignore_subscribe_messages=True)
    listening.subscribe(live.channel(settings.HELPDESK_REDIS_URL))
    listening.get_message(timeout=1)

    def read() -> list[dict[str, Any]]:
        said = []
        while message := listening.get_message(timeout=0.05):
            said.append(json.loads(message["data"]))
        return said

    yield read
    listening.close()
    client.close()


# -- Mail servers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Any]:
    """A real IMAP server, see `tests.mail_servers.Dovecot`."""
    from tests.mail_servers import Dovecot, find_dovecot

    program = find_dovecot()
    if program is None:
        _missing("Dovecot is not installed (Debian: dovecot-imapd)")
    server = Dovecot(program)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def smtp_server() -> Iterator[Any]:
    """A real SMTP server that keeps what it takes, see `tests.mail_servers.SmtpServer`."""
    from tests.mail_servers import SmtpServer

    server = SmtpServer()
    server.start()
    yield server
    server.stop()


# -- Browser ----------------------------------------------------------------------------------------------------------


def chromium() -> str | None:
    """The installed browser, best the one that cannot draw a window and so has less to do; else Playwright's own."""
    shell = "/usr/lib/chromium/chromium-headless-shell"
    for found in (os.environ.get("CHROMIUM"), shell, shutil.which("chromium"), shutil.which("chromium-browser")):
        if found and Path(found).exists():
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    program = chromium()
    if program is None:
        _missing("no Chromium is installed (set CHROMIUM to one)")
    # Synchronous Playwright runs a loop in this thread, so Django would refuse the ORM beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    return {
        **browser_type_launch_args,
        "executable_path": program,
        "args": ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "locale": "en-GB", "timezone_id": "UTC"}


@pytest.fixture(scope="session")
def live_server(request: pytest.FixtureRequest) -> Iterator[Any]:
    """That of pytest-django, with the static files as WhiteNoise serves them in production, which browsers keep."""
    from pytest_django.live_server_helper import LiveServer

    server = LiveServer("localhost", start=False)
    server.thread.static_handler = lambda pages: pages
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def lasting_contexts(browser: Any, browser_context_args: dict[str, Any]) -> list[Any]:
    """A test's own and somebody else's, made when first asked for."""
    from tests.lasting import LastingContext

    return [cache(partial(LastingContext, browser, **browser_context_args)) for _ in range(2)]


@pytest.fixture
def context(lasting_contexts: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """One that outlives the test, see `tests.lasting`; a new one when it is to be recorded."""
    if {request.config.getoption(option) for option in ("--tracing", "--video", "--screenshot")} != {"off"}:
        yield request.getfixturevalue("new_context")()
        return
    with lasting_contexts[0]().lent() as context:
        yield context


@pytest.fixture
def other_context(lasting_contexts: Any) -> Iterator[Any]:
    """Somebody else's browser, beside `page`."""
    with lasting_contexts[1]().lent() as context:
        yield context


# -- Said aloud -------------------------------------------------------------------------------------------------------

_skipped_for: set[str] = set()


def _missing(what: str) -> None:
    """Skip, unless this is CI, which installs everything and then demands it."""
    if os.environ.get("CI") == "1":
        pytest.fail(f"CI=1, but {what}")
    if what not in _skipped_for:
        _skipped_for.add(what)
        warnings.warn(f"Tests are skipped: {what}", stacklevel=2)
    pytest.skip(what)
