"""A pause after too many wrong passwords. django-axes counts and refuses; here stand our rules for it.

Counted are one person's failures from one address. Somebody who guesses from many addresses is stopped too, at five
times as many; the wider margin keeps a stranger from locking a colleague out with a handful of tries. And so is an
address from which one password is tried on many people, after so many wrong ones that no office behind it gets there.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import ngettext

from helpdesk.proxy import client_address
from people.models import User
from people.models.contact import normalised

FROM_ANYWHERE = 5
FROM_ONE_ADDRESS = 50  # in an hour, for whomever
HOUR = 3600


class TooManyTries(Exception):
    """`str()` is the sentence to show."""

    def __init__(self, seconds: int) -> None:
        minutes = -(-seconds // 60)
        super().__init__(
            ngettext(
                "There were too many wrong passwords. Try again in a minute.",
                "There were too many wrong passwords. Try again in %(minutes)d minutes.",
                minutes,
            )
            % {"minutes": minutes}
        )


class LoginThrottle(AxesDatabaseHandler):
    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        from_here: int = super().get_failures(request, credentials)
        everywhere = _failures(username(request, credentials)).aggregate(sum=Sum("failures_since_start"))["sum"] or 0
        if _failures_of_address(request) >= FROM_ONE_ADDRESS:
            return max(from_here, settings.AXES_FAILURE_LIMIT)
        return max(from_here, everywhere // FROM_ANYWHERE)

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **rest: Any
    ) -> None:
        # What is refused during a pause is not counted, so that it does not make the pause longer.
        if request is not None and not request.axes_locked_out:  # type: ignore[attr-defined]
            key = _address_key(request)
            cache.add(key, 0, HOUR)
            cache.incr(key)
        super().user_login_failed(sender, credentials, request, **rest)


def username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """By which name failures are counted: the login however it is written, so that another case is no fresh start."""
    given = credentials or {}
    name = given.get("email") or given.get("username") or ""
    return normalised(str(name))[:254]


def is_password_of(user: User, password: str, request: HttpRequest) -> bool:
    """Whoever sits at a browser that was left open guesses no better here than at sign-in: wrong ones count the same.

    Raises TooManyTries while the pause lasts, whether it is the right one or not.
    """
    found = authenticate(request, username=user.email, password=password)
    if getattr(request, "axes_locked_out", None):
        request.axes_locked_out = None  # type: ignore[attr-defined] # the form that asked says so, not the page of sign-in
        raise TooManyTries(_seconds_of_pause(request, username(request, {"username": user.email})))
    return found == user


def tries_left(request: HttpRequest) -> int | None:
    """After a failed login: how many wrong passwords until the pause. None when nothing was counted."""
    failures = getattr(request, "axes_failures_since_start", None)
    return None if failures is None else max(settings.AXES_FAILURE_LIMIT - failures, 0)


def forget_failures(login: str) -> int:
    """After a password was reset: its owner starts afresh, from every address."""
    return int(AccessAttempt.objects.filter(username=login).delete()[0])


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """The page instead of the login form while the pause lasts (AXES_LOCKOUT_CALLABLE)."""
    seconds = _seconds_of_pause(request, username(request, credentials))
    until = timezone.now() + timedelta(seconds=seconds)
    page = render(request, "people/locked_out.html", {"until": until, "minutes": -(-seconds // 60)}, status=429)
    page.headers["Retry-After"] = str(seconds)
    return page


def _failures(login: str) -> QuerySet[AccessAttempt]:
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    return AccessAttempt.objects.filter(username=login, attempt_time__gte=since)


def _failures_of_address(request: HttpRequest) -> int:
    return int(cache.get(_address_key(request)) or 0)


def _address_key(request: HttpRequest) -> str:
    """Each hour has a count of its own, which begins at nothing."""
    address = hashlib.sha256(client_address(request).encode()).hexdigest()[:32]
    return f"people:login-failures:{_hour(timezone.now())}:{address}"


def _hour(now: datetime) -> int:
    return int(now.timestamp()) // HOUR


def _seconds_of_pause(request: HttpRequest, login: str) -> int:
    until = _pause_ends(login)
    if _failures_of_address(request) >= FROM_ONE_ADDRESS:
        until = max(until, datetime.fromtimestamp((_hour(timezone.now()) + 1) * HOUR, UTC))
    return max(int((until - timezone.now()).total_seconds()), 1)


def _pause_ends(login: str) -> datetime:
    last = _failures(login).aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    return last + settings.AXES_COOLOFF_TIME
