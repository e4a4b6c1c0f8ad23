"""Who is asking, and what they may open. Which tickets somebody sees is asked of `Ticket.objects.visible_to`, not here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from people.models import User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def signed_in(request: HttpRequest) -> User:
    """The user of a request that only those who are signed in get to make; a stranger's is refused (403)."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def may_reply_or_403(user: User) -> None:
    """For views that find a thing first: what one may not see is 404 before what one may not do is 403."""
    if not user.may_reply:
        raise PermissionDenied


def _required(is_allowed: Callable[[User], bool]) -> Callable[[View[P]], View[P]]:
    """Strangers are sent to sign in and come back; whoever is signed in and may not gets 403."""

    def decorate(view: View[P]) -> View[P]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not is_allowed(signed_in(request)):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


settings_required = _required(lambda user: user.may_change_settings)
admin_required = _required(lambda user: user.is_admin)
reply_required = _required(lambda user: user.may_reply)
