"""A small site that shows every element on one page, for the tests that act on them in a browser. Needs no database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template import RequestContext, Template
from django.urls import include, path
from django.utils.safestring import mark_safe

from helpdesk.web import announce, forget_draft, toast

PAGES = Path(__file__).parent / "pages"
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f0003860180d8b3"
    "d3c30000000049454e44ae426082"
)
posted: list[dict[str, list[str]]] = []


def _draw(name: str, request: HttpRequest, **context: Any) -> str:
    return Template((PAGES / name).read_text()).render(RequestContext(request, context))


def _person(theme: str) -> SimpleNamespace:
    return SimpleNamespace(name="Aino Virtanen", theme=theme, may_change_settings=True, is_staff=True)


def _row(number: int, who: str, kind: int, minutes: int, priority: int, **rest: Any) -> dict[str, Any]:
    at = NOW - timedelta(minutes=minutes)
    name = f"Ticket {number}: Tent pole snapped on first night, trip starts Friday"
    return {"number": number, "who": who, "kind": kind, "at": at, "priority": priority, "name": name, **rest}


ROWS = [
    _row(4820, "Henrik Lindqvist", 0, 2, 4, unread=True),
    _row(4821, "Elina Saarinen", 1, 22, 3, open=True, owner="Aino Virtanen"),
    _row(4822, "مريم حداد", 2, 190, 2, owner="👩‍👩‍👧"),
    _row(4823, "A" * 200, 3, 6000, 1, owner="Matti Ojala"),
]


def workspace(request: HttpRequest) -> HttpResponse:
    request.user = _person(request.GET.get("theme", ""))  # type: ignore[assignment]
    composer = mark_safe(_draw("_composer.html", request))
    pane = request.GET.get("pane", "ticket")
    return HttpResponse(
        _draw("workspace.html", request, rows=ROWS, now=NOW, composer=composer, section="desk", pane=pane)
    )


def mail(request: HttpRequest) -> HttpResponse:
    body = "<p>A long mail.</p>" * 30
    response = HttpResponse(f"<!doctype html><title>Mail</title><style>p {{ color: #234 }}</style>{body}")
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def more(request: HttpRequest) -> HttpResponse:
    return HttpResponse('<li class="trow" id="t1"><a class="trow__link" href="/">One more</a></li>')


def reply(request: HttpRequest) -> HttpResponse:
    posted.append(dict(request.POST.lists()))
    if "refuse" in request.POST.get("html", ""):
        return HttpResponse(_draw("_composer.html", request, html=request.POST["html"]), status=422)
    if "session ended" in request.POST.get("html", ""):
        return redirect("people:login")
    if "break" in request.POST.get("html", ""):
        return HttpResponse("<h1>Broken</h1>", status=500)
    response = HttpResponse(_draw("_composer.html", request, fresh=True))
    return forget_draft(announce(toast(response, "Sent to Elina."), "Your reply is on its way."), "4821-reply")


def uploads(request: HttpRequest) -> HttpResponse:
    file = request.FILES["file"]
    if file.name == "bad.exe":
        return JsonResponse({"error": "Programs cannot be attached."}, status=422)
    return JsonResponse({"id": 7, "url": "/picture/7/", "name": file.name, "size": file.size, "inline": True})


def picture(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PIXEL, content_type="image/png")


class SignIn(forms.Form):
    email = forms.EmailField(widget=forms.EmailInput({"class": "input"}))
    password = forms.CharField(widget=forms.PasswordInput({"class": "input"}))
    stay = forms.BooleanField(label="Keep me signed in on this computer", required=False)


def sign_in(request: HttpRequest) -> HttpResponse:
    form = SignIn(request.POST or None)
    if form.is_bound and form.is_valid():
        form.add_error(None, "That email and password do not match.")
    return HttpResponse(_draw("sign_in.html", request, form=form))


def ignored(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


inbox_urls = (
    [
        path("", workspace, name="workspace"),
        path("settings/mailboxes/", ignored, name="mailboxes"),
        path("mail-room/", ignored, name="mail_room"),
    ],
    "inbox",
)
people_urls = (
    [
        path("login/", sign_in, name="login"),
        path("logout/", ignored, name="logout"),
        path("profile/theme/", ignored, name="theme"),
    ],
    "people",
)

urlpatterns = [
    path("mail/", mail),
    path("more/", more),
    path("reply/", reply),
    path("uploads/", uploads),
    path("picture/7/", picture),
    path("", include(inbox_urls)),
    path("", include(people_urls)),
]
