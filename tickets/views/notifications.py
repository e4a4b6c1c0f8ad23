"""The bell: how much is unread, the list of it, and marking it as read. Each works as a page, and as a part of one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from helpdesk import paging
from helpdesk.live import publish
from helpdesk.web import render_page, vary_on_fragment, wants_fragment
from people.access import signed_in
from people.models import User
from tickets.models import Notification

PAGE = 20


@login_required
@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    """Newest first. `?after=` is where a page begins; more rows come as one scrolls, or by a plain link."""
    after = request.GET.get("after", "")
    context = _page_of(signed_in(request), after)
    if after and wants_fragment(request):
        return vary_on_fragment(render(request, "tickets/_notification_rows.html", context))
    return render_page(request, "tickets/notifications.html", "tickets/_notifications.html", context)


@login_required
@require_safe
def notification_count(request: HttpRequest) -> HttpResponse:
    """What stands on the bell; plain, the list itself."""
    if not wants_fragment(request):
        return redirect("tickets:notifications")
    unread = Notification.objects.visible_to(signed_in(request)).unread().counted()
    return vary_on_fragment(render(request, "_bell_count.html", {"unread": unread}))


@login_required
@require_POST
def notifications_reading(request: HttpRequest) -> HttpResponse:
    """All of them are read."""
    return _read(request, Notification.objects.visible_to(signed_in(request)).mark_read(timezone.now()))


@login_required
@require_POST
def notification_reading(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them is read."""
    visible = Notification.objects.visible_to(signed_in(request))
    one = get_object_or_404(visible, pk=pk)
    return _read(request, visible.filter(pk=one.pk).mark_read(timezone.now()))


def _read(request: HttpRequest, changed: int) -> HttpResponse:
    user = signed_in(request)
    if changed:
        publish("notification", users=[user.pk])
    if not wants_fragment(request):
        return redirect("tickets:notifications")
    context = _page_of(user, "")
    context["unread"] = Notification.objects.visible_to(user).unread().counted()
    return vary_on_fragment(render(request, "tickets/_notifications_read.html", context))


def _page_of(user: User, after: str) -> dict[str, Any]:
    visible = Notification.objects.visible_to(user).for_list()
    rows, further = paging.newest_first(visible, "at", after=after, size=PAGE)
    return {
        "notifications": rows,
        "next": further,
        "has_unread": any(one.is_unread for one in rows),
        "section": "notifications",
    }
