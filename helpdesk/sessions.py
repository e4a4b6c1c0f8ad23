"""Sessions in the database, read from the cache."""

from typing import Any

from django.contrib.sessions.backends.cached_db import SessionStore as CachedDatabaseStore


class SessionStore(CachedDatabaseStore):
    _cache: Any
    _get_session_from_db: Any

    def load(self) -> dict[str, Any]:
        """Raises when Redis is away.

        Django would go on with the database alone. But what one does on a page is queued in Redis, so a person is told
        before they do it.
        """
        kept = self._cache.get(self.cache_key)
        if kept is not None:
            return dict(kept)
        row = self._get_session_from_db()
        if not row:
            return {}
        data = self.decode(row.session_data)
        self._cache.set(self.cache_key, data, self.get_expiry_age(expiry=row.expire_date))
        return dict(data)
