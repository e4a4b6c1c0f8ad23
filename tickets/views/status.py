from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import reswap, retarget

from helpdesk.web import render_page, wants_fragment
from people.access import signed_in
from people.models import User
from tickets.errors import PropertiesMissing, TicketError
from tickets.forms import RequiredFields, StatusForm
from tickets.models import Status, Ticket
from tickets.views.changing import Undo, answer_change, answer_refusal, changeable_ticket, changed_again, view_of


@login_required
@require_POST
def status(request: HttpRequest, number: int) -> HttpResponse:
    ticket = changeable_ticket(request, number)
    form = StatusForm(ticket, request.POST)
    if not form.is_valid():
        return answer_refusal(request, ticket, form)
    if changed_again(request, ticket.status_id):
        return answer_refusal(request, ticket, why=_("Somebody changed it meanwhile, so it stays as it is."))
    was = ticket.status_id
    wanted: Status = form.cleaned_data["status"]
    asked = RequiredFields(ticket, wanted, request.POST)
    if wanted.pk != ticket.status_id and not asked.is_valid():
        return _ask(request, ticket, wanted, asked if asked.was_given else RequiredFields(ticket, wanted))
    try:
        _move(ticket, wanted, asked.values if wanted.pk != ticket.status_id else {}, by=signed_in(request))
    except PropertiesMissing:  # somebody took it away meanwhile
        return _ask(request, ticket, wanted, RequiredFields(ticket, wanted))
    except TicketError as error:
        return answer_refusal(request, ticket, why=str(error))
    return answer_change(
        request, ticket, _("Status: %(name)s") % {"name": ticket.status.label}, Undo("status", was, wanted.pk)
    )


@transaction.atomic
def _move(ticket: Ticket, status: Status, values: dict[str, Any], *, by: User) -> None:
    """What the status asks for, and the status: both or neither (SPEC H-28)."""
    now = timezone.now()
    ticket.set_properties(values, by=by, now=now)
    ticket.move_to(status, by=by, now=now)


def _ask(request: HttpRequest, ticket: Ticket, status: Status, form: RequiredFields) -> HttpResponse:
    """422 with a dialog over the page, or without scripts a page, that asks for what is missing."""
    context = {
        "ticket": ticket,
        "wanted": status,
        "form": form,
        "view": view_of(request),
        "section": "desk",
    }
    page, partial = "tickets/status_asks.html", "tickets/_status_asks.html"
    response = render_page(request, page, partial, context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return reswap(retarget(response, "#asking"), "innerHTML") if wants_fragment(request) else response
