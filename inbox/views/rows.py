"""Single rows of the list as they are now, to be put where they stand."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from helpdesk.numbers import as_number
from helpdesk.web import vary_on_fragment, wants_fragment
from people.access import signed_in
from tickets.models import Ticket
from tickets.views.changing import view_of

MOST = 50


@login_required
@require_safe
def ticket_rows(request: HttpRequest) -> HttpResponse:
    """The rows of the tickets in `only`, parted by commas, as far as one sees them."""
    user = signed_in(request)
    if not wants_fragment(request):
        return redirect("inbox:workspace")
    wanted = list(filter(None, map(as_number, request.GET.get("only", "").split(","))))[:MOST]
    context = {
        "rows": Ticket.objects.visible_to(user).for_list(user).filter(pk__in=wanted),
        "view": view_of(request),
        "open": as_number(request.GET.get("open", "")) or 0,
    }
    return vary_on_fragment(render(request, "inbox/_rows_now.html", context))
