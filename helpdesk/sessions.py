"""Sessions in the database, read from the cache."""

import contextlib
import logging
from typing import Any

import redis.exceptions
from django.contrib.sessions.backends.cached_db import SessionStore as CachedDatabaseStore

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
