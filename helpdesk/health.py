"""Is the desk well? For people, for monitors, and for what starts containers again."""

import logging
import time
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

from helpdesk.registry import health_probes

logger = logging.getLogger(__name__)

SECONDS_TO_ANSWER = 2
# The worker notes itself at most this often, the scheduler every ten seconds.
SECONDS_BETWEEN_NOTES = 5
SECONDS_ALIVE = 30

OK, DOWN, UNKNOWN = "ok", "down", "unknown"

_last_noted: dict[str, float] = {}


@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """Every part by name, and `status` over all; 503 when a part is down. It always answers, within seconds."""
    found: dict[str, Any] = {"database": _database()}
    found |= _redis_and_those_seen_by_it()
    parts = dict(found)
    for name, probe in health_probes().items():
        found[name] = _figure(name, probe) if found["database"] == OK else None
    well = all(state == OK for state in parts.values())
    answer = JsonResponse({"status": OK if well else DOWN, **found}, status=200 if well else 503)
    answer["Cache-Control"] = "no-store"
    return answer


def note_alive(name: str) -> None:
    """The worker and the scheduler leave a note that they live; it fades by itself."""
    now = time.monotonic()
    if now - _last_noted.get(name, -SECONDS_BETWEEN_NOTES) < SECONDS_BETWEEN_NOTES:
        return
    _last_noted[name] = now
    try:
        with _redis() as client:
            client.set(_note(name), int(time.time()), ex=SECONDS_ALIVE)
    except redis.RedisError as problem:
        logger.warning("The %s could not note that it lives: %s", name, problem)


def _note(name: str) -> str:
    return f"helpdesk:alive:{name}"


def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.HELPDESK_REDIS_URL,
        socket_timeout=SECONDS_TO_ANSWER,
        retry=Retry(NoBackoff(), 0),
        **({} if settings.HELPDESK_REDIS_URL.startswith("unix:") else {"socket_connect_timeout": SECONDS_TO_ANSWER}),
    )


def _database() -> str:
    """By a connection of its own: one of the pool would wait for a database that hangs."""
    parameters = connection.get_connection_params()
    try:
        with psycopg.connect(
            **{name: parameters[name] for name in parameters.keys() & _FOR_PSYCOPG},
            connect_timeout=SECONDS_TO_ANSWER,
            options=f"-c statement_timeout={SECONDS_TO_ANSWER}s",
        ) as probe:
            probe.execute("select 1")
    except (psycopg.Error, OSError) as problem:
        logger.warning("The database does not answer: %s", problem)
        return DOWN
    return OK


_FOR_PSYCOPG = {"host", "port", "user", "password", "dbname", "service", "sslmode", "sslrootcert", "sslcert", "sslkey"}


def _redis_and_those_seen_by_it() -> dict[str, str]:
    try:
        with _redis() as client:
            notes = client.mget(_note("worker"), _note("scheduler"))
    except (redis.RedisError, OSError) as problem:
        logger.warning("Redis does not answer: %s", problem)
        return {"redis": DOWN, "worker": UNKNOWN, "scheduler": UNKNOWN}
    worker, scheduler = (OK if note else DOWN for note in notes)
    return {"redis": OK, "worker": worker, "scheduler": scheduler}


def _figure(name: str, probe: Any) -> Any:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"set local statement_timeout = '{SECONDS_TO_ANSWER}s'")
            return probe()
    except Exception:  # the edge: whatever an app's probe does, the monitor gets its answer
        logger.exception("The health probe %r failed", name)
        return UNKNOWN
