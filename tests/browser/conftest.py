"""A desk in a real browser: `at` opens it signed in, with the mailbox of a real SMTP server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.signals import request_finished, request_started
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from inbox.models import Mailbox
    from people.models import User


# A machine that does three things at once takes longer for each; what is to be quick is `measured` for itself.
expect.set_options(timeout=10_000)

HERE = Path(__file__).parent
# What one does all day. The corners of it, of which there are many, `make test-quick` leaves out.
MAIN_JOB = {"test_whole_way.py", "test_workspace.py", "test_without_javascript.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE and item.path.name not in MAIN_JOB:
            item.add_marker(pytest.mark.thorough)


@pytest.fixture(autouse=True)
def hangs_up(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[None]:
    """Before the database is emptied: a page that goes away still saves what was typed, and the server still answers."""
    going: set[int] = set()

    def came(environ: dict[str, Any] | None = None, **_: Any) -> None:
        going.add(threading.get_ident())

    def went(**_: Any) -> None:
        going.discard(threading.get_ident())

    request_started.connect(came)
    request_finished.connect(went)
    yield
    if "browser" in request.fixturenames:
        for context in request.getfixturevalue("browser").contexts:
            context.set_offline(True)
    end = time.monotonic() + 3
    while going and time.monotonic() < end:
        time.sleep(0.02)
    request_started.disconnect(came)
    request_finished.disconnect(went)


@pytest.fixture
def aino(transactional_db: None) -> User:
    from tests.factories import make_user

    return make_user("agent", name="Aino Virtanen", email="aino@desk.example")


@pytest.fixture
def support(transactional_db: None, smtp_server: Any) -> Mailbox:
    """A mailbox whose mail goes to `smtp_server`."""
    from tests.factories import make_mailbox

    return make_mailbox(
        "support@desk.example",
        smtp_host=smtp_server.host,
        smtp_port=smtp_server.port,
        smtp_security="none",
    )


@pytest.fixture
def sign_in(live_server: Any) -> Callable[[Page, User], None]:
    def enter(page: Page, user: User) -> None:
        from tests import signing_in

        signing_in.be_signed_in(page, f"{live_server.url}/", user)

    return enter


@pytest.fixture(scope="session")
def live_port() -> Iterator[int]:
    """The same in all tests: a browser keeps files by the address that they came from."""
    from tests.web_server import reserved_port

    with reserved_port() as port:
        yield port


@pytest.fixture
def live_desk(transactional_db: None, live_port: int) -> Iterator[Any]:
    """The desk with its streams, see `tests.web_server.WebServer`; it can be stopped and started again."""
    from tests.web_server import running

    with running(live_port) as server:
        yield server


@pytest.fixture
def enter(live_desk: Any) -> Callable[[Page, User], Page]:
    """Sign in at `live_desk`, and wait until the page is told what happens."""

    def enter(page: Page, user: User) -> Page:
        from tests import signing_in

        signing_in.be_signed_in(page, f"{live_desk.url}/", user)
        page.locator("html[data-live=live]").wait_for(state="attached")
        return page

    return enter
