"""Live events: what a verb says after its commit, so that the pages of whoever may know it fetch what changed.

A notice says that something happened, never what: a kind and numbers. The browser asks the ordinary views for the rest,
so what somebody may see is decided there. It is delivered to addresses: `user:7` is one person, other words are groups
whose members say at the stream that they are (`tickets.audience`). Who misses one catches up by the slow poll.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Hashable, Iterable
from functools import cache

import redis
from django.conf import settings
from django.db import DatabaseError, transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from helpdesk import registry

logger = logging.getLogger(__name__)

SECONDS_TO_ANSWER = 1.0
# A Redis that does not answer is not asked for each of a thousand notices.
SECONDS_OF_REST = 2.0

# Kinds that speak to the streams themselves and not to the pages behind them.
ENDED, ACCESS = "ended", "access"


def publish(
    kind: str,
    *,
    ticket: int | None = None,
    users: Iterable[int] | None = None,
    was: Hashable = None,
    **detail: int | str,
) -> None:
    """Tell the pages of `users`, or without them of everybody who sees `ticket`, once this transaction is committed.

    The same said several times in a transaction is told once. `was` is where the ticket stood before, so that whoever
    saw it then hears of it too. Never fails: without Redis the pages find out when they ask by themselves.
    """
    connection = transaction.get_connection()
    said = (kind, ticket, frozenset(users) if users is not None else None, tuple(sorted(detail.items())))
    hook = _Hook(next((each.batch for each in _hooks(connection) if not each.batch.told), None) or _Batch(), said)
    hook.batch.before.setdefault(said, set()).add(was)
    transaction.on_commit(hook, robust=True)


def ended(user: int, session: str = "") -> None:
    """The user's streams end: those of one session, or all when no session is named."""
    if session:
        publish(ENDED, users=[user], session=session)
    else:
        publish(ENDED, users=[user])


def access_changed(users: Iterable[int]) -> None:
    """What these users may see or do has changed: their streams ask again, and their pages fetch everything anew."""
    for user in users:
        publish(ACCESS, users=[user])


def client() -> redis.Redis:
    """The Redis of what is only true for a moment, with short time-outs."""
    return _outbox().client


def address_of(user: int) -> str:
    return f"user:{user}"


_Said = tuple[str, int | None, frozenset[int] | None, tuple[tuple[str, int | str], ...]]


class _Batch:
    """What is said in one transaction."""

    def __init__(self) -> None:
        self.before: dict[_Said, set[Hashable]] = {}
        self.told: set[_Said] = set()


class _Hook:
    """Waits for the commit. Django forgets it when its savepoint is rolled back."""

    def __init__(self, batch: _Batch, said: _Said) -> None:
        self.batch, self.said = batch, said

    def __call__(self) -> None:
        if self.said in self.batch.told:
            return
        self.batch.told.add(self.said)
        kind, ticket, users, detail = self.said
        try:
            if users is not None:
                to = {address_of(user) for user in users}
            elif ticket is not None:
                to = registry.live_audience(ticket, self.batch.before[self.said] - {None})
            else:
                raise ValueError(f"a notice {kind!r} needs a ticket or users")
        except DatabaseError as problem:
            logger.warning("Nobody was told of ticket %s: %s", ticket, type(problem).__name__)
            return
        if to:
            notice = {"kind": kind, **({"ticket": ticket} if ticket is not None else {}), **dict(detail)}
            _outbox().send(json.dumps({"to": sorted(to), "notice": notice}))


def _hooks(connection: object) -> Iterable[_Hook]:
    """What of ours waits for the commit of this transaction already."""
    for _savepoints, hook, _robust in reversed(getattr(connection, "run_on_commit", [])):
        if isinstance(hook, _Hook):
            yield hook


def channel(url: str) -> str:
    """Channels are common to all databases of a Redis, of which each desk has its own."""
    return f"helpdesk:live:{redis.connection.parse_url(url).get('db', 0)}"


class _Outbox:
    def __init__(self, url: str) -> None:
        unix = url.startswith("unix:")
        self.client = redis.Redis.from_url(
            url,
            socket_timeout=SECONDS_TO_ANSWER,
            retry=Retry(NoBackoff(), 0),
            **({} if unix else {"socket_connect_timeout": SECONDS_TO_ANSWER}),
        )
        self.channel = channel(url)
        self._failed_at = float("-inf")
        self._is_away = False

    def send(self, text: str) -> None:
        if time.monotonic() - self._failed_at < SECONDS_OF_REST:
            return
        try:
            self.client.publish(self.channel, text)
        except redis.RedisError as problem:
            self._failed_at = time.monotonic()
            if not self._is_away:
                logger.warning("Pages are not told at once what happens, Redis is away: %s", problem)
            self._is_away = True
        else:
            self._is_away = False


@cache
def _outbox_at(url: str) -> _Outbox:
    return _Outbox(url)


def _outbox() -> _Outbox:
    return _outbox_at(settings.HELPDESK_REDIS_URL)
