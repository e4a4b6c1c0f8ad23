from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from helpdesk.web import wants_fragment
from people.access import signed_in
from people.models.user import Theme

CHOICES = {"light": Theme.LIGHT, "dark": Theme.DARK, "system": Theme.SYSTEM}


@login_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    chosen = CHOICES.get(request.POST.get("theme", ""))
    if chosen is None:
        return HttpResponseBadRequest(_("Choose one of light, dark and system."))
    signed_in(request).choose_theme(chosen)
    if wants_fragment(request):
        return HttpResponse(status=204)
    return redirect(_page_before(request))


def _page_before(request: HttpRequest) -> str:
    page = request.POST.get("next") or request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if is_ours else "/"
