"""Who may open a page. Which tickets somebody sees is asked of `Ticket.objects.visible_to`, not here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from people.models import User

View = Callable[..., HttpResponseBase]


def _required(is_allowed: Callable[[User], bool]) -> Callable[[View], View]:
    """Strangers are sent to sign in and come back; whoever is signed in and may not gets 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not is_allowed(request.user):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


settings_required = _required(lambda user: user.may_change_settings)
admin_required = _required(lambda user: user.is_admin)
reply_required = _required(lambda user: user.may_reply)
