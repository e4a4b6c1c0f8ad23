"""Sessions in the database, read from the cache."""

import contextlib
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis.exceptions
from django.contrib.sessions.backends.cached_db import SessionStore as CachedDatabaseStore
from django.http import HttpRequest

logger = logging.getLogger(__name__)

_said: set[str] = set()


class SessionStore(CachedDatabaseStore):
    _cache: Any
    _get_session_from_db: Any
    _session: dict[str, Any]

    def load(self) -> dict[str, Any]:
        """Raises when Redis is away.

        Django would go on with the database alone. But what one does on a page is queued in Redis, so a person is told
        before they do it. A Redis that answers and only takes nothing (its memory or its disk is full) costs the cache.
        """
        kept = self._cache.get(self.cache_key)
        if kept is not None:
            return dict(kept)
        row = self._get_session_from_db()
        if not row:
            return {}
        data = self.decode(row.session_data)
        self._keep(data, self.get_expiry_age(expiry=row.expire_date))
        return dict(data)

    def save(self, must_create: bool = False) -> None:
        # Not Django's own: it says so anew, with a traceback, at each request.
        super(CachedDatabaseStore, self).save(must_create)
        try:
            self._keep(self._session, self.get_expiry_age())
        except redis.exceptions.RedisError as problem:
            logger.error("A session was saved, but not in the cache: %s", problem)

    def _keep(self, data: dict[str, Any], seconds: int) -> None:
        try:
            self._cache.set(self.cache_key, data, seconds)
        except redis.exceptions.ResponseError as problem:
            if not _said:
                logger.error("Redis takes nothing, so sessions are read from the database: %s", problem)
            _said.add("said")
            with contextlib.suppress(redis.exceptions.ResponseError):
                self._cache.delete(self.cache_key)  # what stands there is older
        else:
            _said.clear()


@dataclass(frozen=True)
class SignedIn:
    """Who holds a stream, as far as it goes on to matter while they do."""

    user: int
    key: str
    password: str
    """Changes with the password, which ends the session."""
    addresses: frozenset[str]

    @property
    def session(self) -> str:
        return fingerprint(self.key)


def fingerprint(session_key: str) -> str:
    """Tells one session from another without giving it away."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:16]


class SwitchedOff(Exception):
    """The session still holds, but the account of its user does not."""


def who_is_signed_in(request: HttpRequest) -> SignedIn | None:
    """By the cookie of a request that no middleware has seen. For a thread of one's own: it leaves no connection open.

    Raises SwitchedOff.
    """
    from django.conf import settings
    from django.contrib.auth import SESSION_KEY, get_user, get_user_model
    from django.db import connections

    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    try:
        request.session = SessionStore(key)
        user = get_user(request)
        if user.is_authenticated:
            return _signed_in(user, str(request.session.session_key))
        if get_user_model().objects.filter(pk=request.session.get(SESSION_KEY), is_active=False).exists():
            raise SwitchedOff
        return None
    finally:
        connections.close_all()


def still_signed_in(everybody: Sequence[SignedIn]) -> dict[str, SignedIn]:
    """By fingerprint, those whose session still holds, with the addresses they have now. Two statements for any number."""
    from django.contrib.auth import HASH_SESSION_KEY, get_user_model
    from django.contrib.sessions.models import Session
    from django.db import connections
    from django.utils import timezone

    try:
        keys = [who.key for who in everybody]
        held = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now()).values_list("pk", flat=True)
        live_keys = set(held)
        users = get_user_model().objects.filter(is_active=True).in_bulk({who.user for who in everybody})
        found = {}
        for who in everybody:
            user = users.get(who.user)
            if user is None or who.key not in live_keys:
                continue
            password = user.get_session_auth_hash()
            # Whoever changes the password in this session stays signed in: it has the new one.
            if password != who.password and SessionStore(who.key).get(HASH_SESSION_KEY) != password:
                continue
            found[who.session] = _signed_in(user, who.key)
        return found
    finally:
        connections.close_all()


def _signed_in(user: Any, key: str) -> SignedIn:
    from helpdesk.live import address_of
    from helpdesk.registry import live_groups

    return SignedIn(user.pk, key, user.get_session_auth_hash(), frozenset({address_of(user.pk), *live_groups(user)}))
