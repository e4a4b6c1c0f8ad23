from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from people.access import signed_in
from tickets.forms import PriorityForm
from tickets.models import Priority
from tickets.views.changing import Undo, answer_change, answer_refusal, changeable_ticket, changed_again


@login_required
@require_POST
def priority(request: HttpRequest, number: int) -> HttpResponse:
    ticket = changeable_ticket(request, number)
    form = PriorityForm(request.POST)
    if not form.is_valid():
        return answer_refusal(request, ticket, form)
    if changed_again(request, ticket.priority):
        return answer_refusal(request, ticket, why=_("Somebody changed it meanwhile, so it stays as it is."))
    was = ticket.priority
    chosen: Priority = form.cleaned_data["priority"]
    ticket.prioritise(chosen, by=signed_in(request), now=timezone.now())
    return answer_change(
        request, ticket, _("Priority: %(name)s") % {"name": chosen.label}, Undo("priority", was, chosen.value)
    )
