"""Is the desk well? For people, for monitors, and for what starts containers again."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
import redis
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection, connections, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from helpdesk.alive import SECONDS_TO_ANSWER, living, try_to_write
from helpdesk.registry import health_probes

logger = logging.getLogger(__name__)

OK, DOWN, UNKNOWN = "ok", "down", "unknown"


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


def alone(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """`health` as a WSGI program without middleware: those read the session, and wait for what does not answer."""
    try:
        answer: HttpResponse = health(WSGIRequest(environ))
    finally:
        connections.close_all()
    start_response(f"{answer.status_code} {answer.reason_phrase}", list(answer.items()))
    return [answer.content]


def in_time(_scope: Any) -> JsonResponse:
    """The answer when even that takes too long: what it waits for is not known."""
    parts = dict.fromkeys(("database", "redis", "worker", "scheduler"), UNKNOWN)
    return JsonResponse({"status": DOWN, **parts}, status=503, headers={"Cache-Control": "no-store"})


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
        try_to_write()
        lives = living("worker", "scheduler")
    except (redis.RedisError, OSError) as problem:
        logger.warning("Redis does not answer or takes nothing: %s", problem)
        return {"redis": DOWN, "worker": UNKNOWN, "scheduler": UNKNOWN}
    return {"redis": OK} | {name: OK if well else DOWN for name, well in lives.items()}


def _figure(name: str, probe: Any) -> Any:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"set local statement_timeout = '{SECONDS_TO_ANSWER}s'")
            return probe()
    except Exception:  # the edge: whatever an app's probe does, the monitor gets its answer
        logger.exception("The health probe %r failed", name)
        return UNKNOWN
