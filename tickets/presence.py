"""Who else looks at a ticket, and who writes there. Kept in Redis alone, where it fades by itself; no row is written."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from redis.exceptions import RedisError

from helpdesk import live
from people.models import User

logger = logging.getLogger(__name__)

# A page says every BEAT_SECONDS that somebody is there; who said nothing for PRESENT_SECONDS has gone.
BEAT_SECONDS = 15
PRESENT_SECONDS = 40
MOST_TABS = 20
"""Of one user on one ticket; those that said nothing for longest are forgotten first."""

State = Literal["viewing", "typing", "gone"]
Mode = Literal["reply", "comment"]


@dataclass(frozen=True)
class Present:
    """A colleague on a ticket, over all their tabs."""

    user: int
    name: str
    writes: Mode | None
    since: datetime
    """Since when they write, or look."""

    @property
    def short_name(self) -> str:
        return (self.name.split() or [self.name])[0]


def others_on(ticket: int, user: User, *, now: datetime) -> list[Present]:
    """Everybody but `user`, who writes first. Nobody when Redis is away: a page is worth more than its company."""
    try:
        everybody = _read(ticket, now)
    except RedisError as problem:
        logger.warning("Who else is on ticket %d is not known: %s", ticket, type(problem).__name__)
        return []
    return sorted((one for one in everybody if one.user != user.pk), key=lambda one: (one.writes is None, one.name))


def note(ticket: int, user: User, tab: str, state: State, mode: Mode = "reply", *, now: datetime) -> None:
    """One of the user's tabs says what they do there. The others are told when that is news. Raises RedisError."""
    redis, key, field = live.client(), _key(ticket), f"{user.pk}:{tab}"
    before = _read(ticket, now)
    if state == "gone":
        redis.hdel(key, field)
    else:
        kept = _parsed(cast("bytes | None", redis.hget(key, field)))
        if kept is None:
            _make_room(ticket, user)
        same = kept and kept["state"] == state and kept["mode"] == mode
        at = now.timestamp()
        since = kept["since"] if kept and same else at
        value = {"name": user.name, "state": state, "mode": mode, "at": at, "since": since}
        redis.hset(key, field, json.dumps(value))
        redis.expire(key, PRESENT_SECONDS * 2)
    after = _read(ticket, now)
    if _news(before) != _news(after):
        live.publish("presence", ticket=ticket, users=sorted({one.user for one in after} - {user.pk}))


def _make_room(ticket: int, user: User) -> None:
    redis, key = live.client(), _key(ticket)
    everything: dict[bytes, bytes] = cast(Any, redis.hgetall(key))
    mine = {tab: _parsed(raw) for tab, raw in everything.items() if tab.startswith(b"%d:" % user.pk)}
    longest_silent = sorted(mine, key=lambda tab: said["at"] if (said := mine[tab]) else 0)
    if surplus := longest_silent[: max(0, len(mine) - MOST_TABS + 1)]:
        redis.hdel(key, *surplus)


def _news(everybody: Iterable[Present]) -> set[tuple[int, Mode | None]]:
    return {(one.user, one.writes) for one in everybody}


def _read(ticket: int, now: datetime) -> list[Present]:
    found: dict[int, Present] = {}
    kept: dict[bytes, bytes] = cast(Any, live.client().hgetall(_key(ticket)))
    for field, raw in kept.items():
        said = _parsed(raw)
        if said is None or said["at"] < now.timestamp() - PRESENT_SECONDS:
            continue
        pk = int(field.decode().split(":")[0])
        writes = said["mode"] if said["state"] == "typing" else None
        one = Present(pk, said["name"], writes, datetime.fromtimestamp(said["since"], UTC))
        if pk not in found or (writes and not found[pk].writes):
            found[pk] = one
    return list(found.values())


def _parsed(raw: bytes | None) -> dict[str, Any] | None:
    return json.loads(raw) if raw else None


def _key(ticket: int) -> str:
    return f"helpdesk:presence:{ticket}"
