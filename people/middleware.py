from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone, translation

from helpdesk.web import wants_fragment


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
    """Sends the whole page to sign in when a part of it was asked for by somebody who is signed out meanwhile.

    Without this, the login form would be swapped in where a list or a message belongs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 302 or not wants_fragment(request):
            return response
        login = resolve_url(settings.LOGIN_URL)
        if urlsplit(response["Location"]).path != login:
            return response
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = page.path + (f"?{page.query}" if page.query else "")
        return HttpResponse(
            status=200, headers={"HX-Redirect": f"{login}?{urlencode({'next': back})}" if back else login}
        )


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None
