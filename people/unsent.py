"""What somebody sent by a plain form after their session had ended: it is shown to them again once they signed in.

Pages with scripts keep such a text themselves. It waits for an hour, for that person alone, and without passwords or files.
Who it was is what a signed cookie says that signing in set: nobody plants words into somebody else's form.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.datastructures import MultiValueDict

from helpdesk import html as safe_html
from people.models import User

COOKIE, WHO = "unsent", "signed-in-last"
"""WHO is the cookie that says, with our signature, who was signed in last in this browser and did not sign out."""
LASTS = 3600
MOST_TEXT = 200_000
MOST_IN_AN_HOUR = 60
"""Of one person: whoever is signed out needs no more."""
_SALT = "people.unsent"
_WHO_LASTS = settings.SESSION_COOKIE_AGE + 24 * 3600  # a day to come back to a page whose session ended


@dataclass(frozen=True)
class Unsent:
    who: int
    address: str
    body: str


def remember(response: HttpResponse, user: User) -> None:
    """Who it is that signed in with `response`, for when the session has ended."""
    response.set_signed_cookie(
        WHO,
        str(user.pk),
        salt=_SALT,
        max_age=_WHO_LASTS,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
        httponly=True,
    )


def keep(request: HttpRequest) -> str | None:
    """The name under which it was kept; None when there is nothing to keep, or no form would show it again."""
    known = request.get_signed_cookie(WHO, default=None, salt=_SALT, max_age=_WHO_LASTS)
    who, fields = int(known) if known else None, request.POST.copy()
    fields.pop("csrfmiddlewaretoken", None)
    match = _match(request.get_full_path())
    if who is None or match is None or any("password" in name for name in fields):
        return None
    body, tries = fields.urlencode(), f"people:unsent:of:{who}"
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


def leads(user: User, request: HttpRequest) -> bool:
    """Whether signing in goes there now: once. The words themselves stay for their hour, so that a reload shows them."""
    return of(user, request) is not None and cache.add(f"people:unsent:{request.COOKIES[COOKIE]}:led", 1, LASTS)


def words_of(unsent: Unsent) -> str:
    """What a person typed, for when no form can show it any more."""
    match, fields = _match(unsent.address), QueryDict(unsent.body)
    found = []
    for name in getattr(match.func, "shows_again", ()) if match else ():
        for value in fields.getlist(name):
            found.append((safe_html.to_text(value) if name.endswith("html") else value).strip())
    return "\n\n".join(dict.fromkeys(filter(None, found)))


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
