"""People at the workspace. `desk` is the browser of an agent; with HTMX it asks for a part of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client

if TYPE_CHECKING:
    from people.models import User

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def agent(db: None) -> User:
    from tests.factories import make_user

    return make_user("agent", name="Aino Virtanen")


@pytest.fixture
def browser_of() -> Callable[[User], Client]:
    from tests.signing_in import signed_in

    return signed_in


@pytest.fixture
def desk(agent: User, browser_of: Callable[[User], Client]) -> Client:
    return browser_of(agent)
