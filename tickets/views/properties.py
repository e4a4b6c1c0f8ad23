from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import retarget

from helpdesk.web import wants_fragment
from people.access import signed_in
from tickets.describing import BUILT_IN, Field, field_of
from tickets.errors import TicketError
from tickets.forms import PropertyForm
from tickets.models import Property, Ticket
from tickets.views.changing import (
    answer_change,
    answer_refusal,
    changeable_ticket,
    page_address,
    property_line,
    view_of,
)

# Status, owner, priority, contacts and companies have addresses of their own.
BUILT_IN_HERE = ("name", "team")


@login_required
@require_POST
def ticket_property(request: HttpRequest, number: int, key: str) -> HttpResponse:
    """Set one property of a ticket, or its name or team, to `value`; none takes it away."""
    ticket = changeable_ticket(request, number)
    field = _field(key)
    form = PropertyForm(field, request.POST)
    if not form.is_valid():
        return _refused(request, ticket, field, form)
    try:
        ticket.set_properties({key: form.cleaned_data["value"]}, by=signed_in(request), now=timezone.now())
    except TicketError as error:
        return answer_refusal(request, ticket, why=str(error))
    line = property_line(ticket, field)
    said = _("%(name)s: %(value)s") % {"name": field.label, "value": line.shown or _("nothing")}
    return answer_change(request, ticket, said)


def _field(key: str) -> Field:
    if key in BUILT_IN_HERE:
        return BUILT_IN[key]
    if key in BUILT_IN:
        raise Http404
    return field_of(get_object_or_404(Property, key=key))


def _refused(request: HttpRequest, ticket: Ticket, field: Field, form: PropertyForm) -> HttpResponse:
    if not wants_fragment(request):
        messages.error(request, f"{field.label}: " + " ".join(map(str, form.errors["value"])))
        return redirect(page_address(request, ticket))
    context = {"line": property_line(ticket, field, form), "ticket": ticket, "view": view_of(request)}
    response = render(request, "tickets/_property_editor.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    response["HX-Reswap"] = "outerMorph"  # an open popover stays open
    return retarget(response, f"#property-{field.key}")
