from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import timezone, translation

from helpdesk.web import wants_fragment
from people import unsent


class PreferencesMiddleware:
    """Answers in the language and the time zone of whoever is signed in; without a choice, in the browser's and ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        zone = None
        if user.is_authenticated:
            zone = _zone(user.time_zone)
            if user.language in dict(settings.LANGUAGES):
                # LocaleMiddleware activates anew for each request and names the language in the answer.
                translation.activate(user.language)
                request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(zone):
            return self.get_response(request)


class SignedOutMiddleware:
    """Brings whoever was signed out meanwhile back to the page they were on, once they signed in.

    Without this, the login form would be swapped in where a list or a message belongs, and after a form was sent
    one would come back to an address that takes nothing but forms.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_fragment, is_form = wants_fragment(request), request.method not in ("GET", "HEAD")
        if response.status_code != 302 or not (is_fragment or is_form):
            return response
        login = resolve_url(settings.LOGIN_URL)
        itself = (login, resolve_url("people:logout"), resolve_url("admin:logout"))
        if urlsplit(response["Location"]).path != login or request.path in itself:
            return response
        page = urlsplit(request.headers.get("HX-Current-URL" if is_fragment else "Referer", ""))
        back = page.path + (f"?{page.query}" if page.query else "")
        address = f"{login}?{urlencode({'next': back})}" if back else login
        if is_fragment:
            return HttpResponse(headers={"HX-Redirect": address})
        response = HttpResponseRedirect(address)
        if key := unsent.keep(request):
            response.set_cookie(
                unsent.COOKIE, key, max_age=unsent.LASTS, httponly=True, samesite="Lax", secure=request.is_secure()
            )
        return response


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None
