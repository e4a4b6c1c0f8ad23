"""A desk in a real browser: `at` opens it signed in, with the mailbox of a real SMTP server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from inbox.models import Mailbox
    from people.models import User


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

        signing_in.sign_in(page, f"{live_server.url}/login/", user)
        page.wait_for_url(f"{live_server.url}/")

    return enter
