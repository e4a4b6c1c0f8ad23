"""The worker and the scheduler leave a note that they live; it fades by itself. Needs no Django."""

import logging
import sys
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from helpdesk import settings

logger = logging.getLogger(__name__)

SECONDS_TO_ANSWER = 2
# The worker is asked every two seconds, which is more than anyone reads.
SECONDS_BETWEEN_NOTES = 5
SECONDS_ALIVE = 30

_last_noted: dict[str, float] = {}


def note_alive(name: str) -> None:
    now = time.monotonic()
    if now - _last_noted.get(name, -SECONDS_BETWEEN_NOTES) < SECONDS_BETWEEN_NOTES:
        return
    _last_noted[name] = now
    try:
        with connect() as client:
            client.set(_note(name), int(time.time()), ex=SECONDS_ALIVE)
    except redis.RedisError as problem:
        logger.warning("The %s could not note that it lives: %s", name, problem)


def living(*names: str) -> dict[str, bool]:
    """Raises redis.RedisError when Redis does not answer within two seconds."""
    with connect() as client:
        return dict(zip(names, (note is not None for note in client.mget(map(_note, names))), strict=True))


def try_to_write() -> None:
    """Raises redis.RedisError when Redis is away, or answers and yet takes nothing: its memory or its disk is full."""
    with connect() as client:
        client.set("helpdesk:asked", int(time.time()), ex=SECONDS_ALIVE)


def redis_was_away(*, seconds: int = 10) -> bool:
    """It is away, or came back within the last `seconds`."""
    try:
        with connect() as client:
            return int(client.info("server")["uptime_in_seconds"]) < seconds
    except redis.RedisError:
        return True


def connect() -> redis.Redis:
    unix = settings.HELPDESK_REDIS_URL.startswith("unix:")
    return redis.Redis.from_url(
        settings.HELPDESK_REDIS_URL,
        socket_timeout=SECONDS_TO_ANSWER,
        retry=Retry(NoBackoff(), 0),
        **({} if unix else {"socket_connect_timeout": SECONDS_TO_ANSWER}),
    )


def _note(name: str) -> str:
    return f"helpdesk:alive:{name}"


if __name__ == "__main__":  # for a container's health check: `python -m helpdesk.alive worker`
    asked = sys.argv[1]
    try:
        sys.exit(0 if living(asked)[asked] else f"The {asked} has left no note for {SECONDS_ALIVE} seconds.")
    except redis.RedisError as problem:
        sys.exit(f"Redis does not answer: {problem}")
