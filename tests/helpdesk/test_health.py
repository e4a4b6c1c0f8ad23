"""/health/ tells each part apart and always answers; pages say 503 while the database or Redis is away."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.core.management import call_command
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from kombu.exceptions import OperationalError as BrokerAway
from psycopg_pool import PoolTimeout

from helpdesk import alive, registry, sessions, settings
from helpdesk.urls import handler500 as handler500
from helpdesk.urls import urlpatterns as real_urls
from tests.factories import make_user

AWAY: list[Exception] = []


def falls(request: HttpRequest) -> HttpResponse:
    raise AWAY[0]


urlpatterns = [path("falls/", falls), *real_urls]


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def nobody_alive() -> Iterator[None]:
    with alive.connect() as client:
        client.flushdb()
    alive._last_noted.clear()
    yield
    alive._last_noted.clear()


@pytest.mark.django_db
@pytest.mark.usefixtures("nobody_alive")
def test_worker_and_scheduler_are_told_apart(visitor: Client) -> None:
    alive.note_alive("scheduler")
    answer = visitor.get("/health/")
    assert answer.status_code == 503
    assert {name: answer.json()[name] for name in ("status", "database", "redis", "worker", "scheduler")} == {
        "status": "down",
        "database": "ok",
        "redis": "ok",
        "worker": "down",
        "scheduler": "ok",
    }
    alive.note_alive("worker")
    answer = visitor.get("/health/")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


@pytest.mark.django_db
@pytest.mark.usefixtures("nobody_alive")
def test_a_figure_that_fails_spoils_neither_the_answer_nor_the_next_one(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> int:
        from django.contrib.sessions.models import Session

        return Session.objects.extra(where=["no such column"]).count()

    monkeypatch.setattr(registry, "_health_probes", {"fails": fails, "works": lambda: 7})
    answer = visitor.get("/health/").json()
    assert (answer["fails"], answer["works"], answer["database"]) == ("unknown", 7, "ok")


def test_health_answers_without_database_and_redis(
    visitor: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    from django.db import connection

    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    monkeypatch.setattr("helpdesk.settings.HELPDESK_REDIS_URL", "redis://127.0.0.1:1/0")
    answer = visitor.get("/health/")
    assert answer.status_code == 503
    assert answer.json() | {"status": 0} == answer.json() | {
        "status": 0,
        "database": "down",
        "redis": "down",
        "worker": "unknown",
        "scheduler": "unknown",
    }


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    "problem",
    [
        OperationalError("away"),
        InterfaceError("away"),
        PoolTimeout("away"),
        redis.ConnectionError("away"),
        redis.TimeoutError("away"),
        redis.OutOfMemoryError("away"),
        BrokerAway("away"),
    ],
    ids=lambda problem: type(problem).__module__.split(".")[0] + "." + type(problem).__name__,
)
def test_a_page_whose_server_is_away_says_so_plainly(visitor: Client, problem: Exception) -> None:
    AWAY[:] = [problem]
    answer = visitor.get("/falls/")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "away for a moment" in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


@pytest.mark.urls(__name__)
def test_a_mistake_of_ours_is_no_outage(visitor: Client) -> None:
    AWAY[:] = [ValueError("a bug")]
    assert visitor.get("/falls/").status_code == 500


def test_a_session_that_cannot_be_read_says_503_too(visitor: Client, settings: Any) -> None:
    """Raised in a middleware, where no view is asked."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    visitor.cookies["sessionid"] = "a" * 32
    assert visitor.get("/admin/").status_code == 503


@pytest.fixture
def full_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers and takes nothing."""

    def refuses(*_: Any, **__: Any) -> None:
        raise redis.OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")

    monkeypatch.setattr(redis.Redis, "set", refuses)


@pytest.mark.django_db
@pytest.mark.usefixtures("full_redis")
def test_a_redis_that_takes_nothing_costs_no_page(visitor: Client, caplog: pytest.LogCaptureFixture) -> None:
    visitor.force_login(make_user(role="admin"))
    sessions.logger.addHandler(caplog.handler)
    assert [visitor.get("/admin/").status_code for _ in range(3)] == [200] * 3
    sessions.logger.removeHandler(caplog.handler)
    assert len(caplog.records) <= 1


@pytest.mark.usefixtures("full_redis")
def test_health_says_that_redis_takes_nothing(visitor: Client) -> None:
    answer = visitor.get("/health/")
    assert (answer.status_code, answer.json()["redis"]) == (503, "down")


@pytest.mark.django_db
def test_what_cannot_be_queued_is_left_to_the_sweeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in the database; the page must not say that it was not saved."""
    from helpdesk.tasks import heartbeat

    def refuses(*_: Any, **__: Any) -> None:
        raise redis.OutOfMemoryError("full")

    monkeypatch.setattr(heartbeat, "apply_async", refuses)
    heartbeat._queue()


@pytest.mark.django_db
def test_the_migrations_say_all_that_the_models_say() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    assert settings.DATABASES
