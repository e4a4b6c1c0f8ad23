"""What somebody sent by a plain form after their session had ended: it is shown to them again once they signed in.

Pages with scripts keep such a text themselves. It waits for an hour, for that person alone, and without passwords or files.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core.cache import cache
from django.http import HttpRequest, QueryDict
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.datastructures import MultiValueDict

from helpdesk.numbers import as_number
from helpdesk.proxy import client_address
from people.models import User

COOKIE, WHO = "unsent", "desk-user"
"""WHO is the cookie that says who was signed in last in this browser."""
LASTS = 3600
MOST_TEXT = 200_000
MOST_IN_AN_HOUR = 60
"""From one address: whoever is signed out needs no more."""


@dataclass(frozen=True)
class Unsent:
    who: int
    address: str
    body: str


def keep(request: HttpRequest) -> str | None:
    """The name under which it was kept; None when there is nothing to keep, or no form would show it again."""
    who, fields = as_number(request.COOKIES.get(WHO, "")), request.POST.copy()
    fields.pop("csrfmiddlewaretoken", None)
    match = _match(request.get_full_path())
    if who is None or match is None or any("password" in name for name in fields):
        return None
    body, tries = fields.urlencode(), f"people:unsent:{client_address(request)}"
    cache.add(tries, 0, LASTS)
    if len(body) > MOST_TEXT or cache.incr(tries) > MOST_IN_AN_HOUR:
        return None
    key = uuid.uuid4().hex
    cache.set(f"people:unsent:{key}", Unsent(who, request.get_full_path(), body), LASTS)
    return key


def of(user: User, request: HttpRequest) -> Unsent | None:
    """What waits for `user` in this browser."""
    key = request.COOKIES.get(COOKIE, "")
    found = cache.get(f"people:unsent:{key}") if key.isalnum() else None
    return found if isinstance(found, Unsent) and found.who == user.pk else None


def forget(request: HttpRequest) -> None:
    cache.delete(f"people:unsent:{request.COOKIES.get(COOKIE, '')}")


def prepare(request: HttpRequest, unsent: Unsent) -> ResolverMatch | None:
    """Makes `request` the one that was not answered, for a view that shows its form again and does nothing."""
    match = _match(unsent.address)
    if match is None:
        return None
    request.method = "POST"
    request.POST = QueryDict(unsent.body)
    request._files = MultiValueDict()  # type: ignore[attr-defined]
    request.GET = QueryDict(urlsplit(unsent.address).query)
    request.is_shown_again = True  # type: ignore[attr-defined]
    return match


def _match(address: str) -> ResolverMatch | None:
    try:
        match = resolve(urlsplit(address).path)
    except Resolver404:
        return None
    return match if getattr(match.func, "shows_again", False) else None
