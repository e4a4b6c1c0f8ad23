from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from people.access import signed_in
from tickets.errors import TicketError
from tickets.forms import StatusForm
from tickets.views.changing import answer_change, answer_refusal, changeable_ticket


@login_required
@require_POST
def status(request: HttpRequest, number: int) -> HttpResponse:
    ticket = changeable_ticket(request, number)
    form = StatusForm(ticket, request.POST)
    if not form.is_valid():
        return answer_refusal(request, ticket, form)
    try:
        ticket.move_to(form.cleaned_data["status"], by=signed_in(request), now=timezone.now())
    except TicketError as error:
        return answer_refusal(request, ticket, why=str(error))
    return answer_change(request, ticket, _("Status: %(name)s") % {"name": ticket.status.label})
