import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the console would show."""
    handler = logging.getLogger("django").handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(io.StringIO())
    yield handler.stream
    handler.setStream(before)


def test_a_host_that_is_not_ours_takes_one_line_of_the_log(client: Client, log: io.StringIO, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    assert client.get("/login/", headers={"Host": "evil.example"}).status_code == 400
    assert log.getvalue().count("\n") == 1
    assert "evil.example" in log.getvalue()


def test_a_page_one_may_not_see_takes_one_line_of_the_log(client: Client, log: io.StringIO) -> None:
    client.force_login(make_user("agent"))
    assert client.get("/settings/mailboxes/new/").status_code == 403
    assert log.getvalue().count("\n") == 1


def test_a_fault_of_ours_is_still_told_in_full(log: io.StringIO) -> None:
    try:
        raise KeyError("missing")
    except KeyError:
        logging.getLogger("django.request").error("Internal Server Error", exc_info=True, extra={"status_code": 500})
    assert "Traceback" in log.getvalue()
