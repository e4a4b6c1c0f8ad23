from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from people.access import signed_in
from tickets.models import Following, Ticket
from tickets.views.changing import answer_change


@login_required
@require_POST
def following(request: HttpRequest, number: int) -> HttpResponse:
    """Whoever sees a ticket may follow it (`follow=1`), and stop doing so (`follow=0`)."""
    user = signed_in(request)
    ticket = get_object_or_404(Ticket.objects.visible_to(user).for_page(), pk=number)
    if request.POST.get("follow") == "0":
        Following.objects.unfollow(ticket, user)
        return answer_change(request, ticket, _("You do not follow this ticket any more"))
    Following.objects.follow(ticket, user)
    return answer_change(request, ticket, _("You follow this ticket and hear of everything written on it"))
