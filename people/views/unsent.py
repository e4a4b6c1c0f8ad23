from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from people import unsent
from people.access import signed_in


@login_required
@require_safe
def unsent_form(request: HttpRequest) -> HttpResponse:
    """The form that one sent when the session had ended, with everything that was typed. Nothing is sent by it."""
    waiting = unsent.of(signed_in(request), request)
    match = unsent.prepare(request, waiting) if waiting else None
    if match is None:
        return redirect("/")
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    unsent.forget(request)
    response.delete_cookie(unsent.COOKIE, samesite="Lax")
    return response
