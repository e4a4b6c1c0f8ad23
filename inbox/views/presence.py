"""Who else is on a ticket: what the open page says every quarter of a minute, and what it is told in return."""

from __future__ import annotations

import re

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from helpdesk.web import vary_on_fragment, wants_fragment
from people.access import signed_in
from tickets.models import Ticket
from tickets.presence import note, others_on

_TAB = re.compile(r"[a-z0-9]{1,20}")


@login_required
@require_http_methods(["GET", "POST"])
def presence(request: HttpRequest, number: int) -> HttpResponse:
    """POST `state` (viewing, typing or gone), `mode` (reply or comment) and `tab`; both answer who else is there."""
    user = signed_in(request)
    ticket = get_object_or_404(Ticket.objects.visible_to(user).only("pk"), pk=number)
    now = timezone.now()
    if request.method == "POST":
        state, mode, tab = (request.POST.get(name, "") for name in ("state", "mode", "tab"))
        if state not in ("viewing", "typing", "gone") or not _TAB.fullmatch(tab):
            return HttpResponse(status=400)
        note(ticket.pk, user, tab, state, "comment" if mode == "comment" else "reply", now=now)  # type: ignore[arg-type]
        if state == "gone":
            return HttpResponse(status=204)
    if not wants_fragment(request):
        return redirect(ticket)
    context = {"ticket": ticket, "others": others_on(ticket.pk, user, now=now), "may_reply": user.may_reply}
    return vary_on_fragment(render(request, "inbox/_presence_now.html", context))
