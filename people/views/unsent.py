from __future__ import annotations

from http import HTTPStatus

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from people import unsent
from people.access import signed_in


@login_required
@require_safe
def unsent_form(request: HttpRequest) -> HttpResponse:
    """The form that one sent when the session had ended, with everything that was typed. Nothing is sent by it.

    Where the form is gone, the words alone, with the way on to `next`.
    """
    onward = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(onward, {request.get_host()}, require_https=request.is_secure()):
        onward = "/"
    waiting = unsent.of(signed_in(request), request)
    if waiting is None:
        return redirect(onward)
    shown = _shown(request, waiting)
    if shown is not None:
        return shown
    return render(request, "people/unsent.html", {"words": unsent.words_of(waiting), "onward": onward})


def _shown(request: HttpRequest, waiting: unsent.Unsent) -> HttpResponse | None:
    match = unsent.prepare(request, waiting)
    if match is None:
        return None
    try:
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    except (Http404, PermissionDenied):
        return None
    has_form = response.status_code in (HTTPStatus.OK, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
    return response if has_form else None
