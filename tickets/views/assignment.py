from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from people.access import signed_in
from people.models import User
from tickets.errors import TicketError
from tickets.forms import AssignmentForm
from tickets.views.changing import Undo, answer_change, answer_refusal, changeable_ticket, changed_again


@login_required
@require_POST
def assignment(request: HttpRequest, number: int) -> HttpResponse:
    ticket = changeable_ticket(request, number)
    form = AssignmentForm(request.POST)
    if not form.is_valid():
        return answer_refusal(request, ticket, form)
    if changed_again(request, ticket.owner_id or ""):
        return answer_refusal(request, ticket, why=_("Somebody changed it meanwhile, so it stays as it is."))
    was = ticket.owner_id or ""
    owner: User | None = form.cleaned_data["owner"]
    try:
        ticket.assign(owner, by=signed_in(request), now=timezone.now())
    except TicketError as error:
        return answer_refusal(request, ticket, why=str(error))
    said = _("Owner: %(name)s") % {"name": owner.name} if owner else _("Nobody owns this ticket now")
    return answer_change(request, ticket, said, Undo("owner", was, owner.pk if owner else ""))
