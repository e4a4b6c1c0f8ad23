"""How the views that change one thing of a ticket answer: its header, its properties and its row, and what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django_htmx.http import trigger_client_event

from helpdesk.web import toast, wants_fragment
from people.access import may_reply_or_403, signed_in
from people.models import User
from tickets.associating import earlier_activities
from tickets.describing import Field, field_of
from tickets.forms import PropertyForm
from tickets.models import Following, Priority, Property, PropertyKind, Ticket, View, view_or_default
from tickets.presence import others_on


def changeable_ticket(request: HttpRequest, number: int, *, for_page: bool = True) -> Ticket:
    """404 for a ticket that one may not see, 403 for one that one may not change.

    Not `for_page`, it comes without what its page prints: what changes it reads it anew anyhow.
    """
    user = signed_in(request)
    visible = Ticket.objects.visible_to(user)
    ticket = get_object_or_404(visible.for_page() if for_page else visible, pk=number)
    may_reply_or_403(user)
    return ticket


def header_context(request: HttpRequest, ticket: Ticket) -> dict[str, Any]:
    """What _ticket_header.html and _ticket_properties.html print beside the ticket itself."""
    user = signed_in(request)
    view = view_of(request)
    context: dict[str, Any] = {"ticket": ticket, "view": view, "may_change": user.may_reply}
    context["follows"] = Following.objects.filter(ticket=ticket, user=user).exists()
    if user.may_reply:
        context["statuses"] = statuses = list(ticket.pipeline.statuses.all())
        context["closing_status"] = next((status for status in statuses if status.closes), None)
        context["owners"] = User.objects.assignable()
        context["priorities"] = list(Priority)
    context["others"] = others_on(ticket.pk, user, now=timezone.now())
    context["activities"] = SimpleLazyObject(lambda: earlier_activities(ticket, user))
    context["properties"] = [property_line(ticket, field_of(each)) for each in Property.objects.all()]
    return context


@dataclass(frozen=True)
class PropertyLine:
    """A property of a ticket as _ticket_properties.html prints it: what it is, and the form that changes it."""

    field: Field
    shown: str
    form: PropertyForm

    @property
    def link(self) -> str:
        return self.shown if self.field.kind == PropertyKind.URL else ""


def property_line(ticket: Ticket, field: Field, form: PropertyForm | None = None) -> PropertyLine:
    if field.property:
        value: Any = ticket.properties.get(field.key)
        shown = field.property.shown(value)
    else:
        value = getattr(ticket, field.key)
        shown = str(value or "")
    return PropertyLine(field, shown, form or PropertyForm(field, value=value))


@dataclass(frozen=True)
class Undo:
    """What the toast posts to the address of a change to put it back: `field` as it `was`, instead of what it is `now`."""

    field: str
    was: object
    now: object


def changed_again(request: HttpRequest, now: object) -> bool:
    """Whether this is an undo that comes too late: somebody changed it once more."""
    return request.POST.get("instead_of", str(now)) != str(now)


def answer_change(request: HttpRequest, ticket: Ticket, said: str, undo: Undo | None = None) -> HttpResponse:
    """The changed parts and a toast, which can undo it; without htmx the ticket's page again, which shows the same."""
    if not wants_fragment(request):
        messages.success(request, said)
        return redirect(page_address(request, ticket))
    if undo is None or undo.was == undo.now or "instead_of" in request.POST:
        return toast(_changed(request, ticket), said)
    return _changed(request, ticket, undo=undo, said=said)


def answer_refusal(request: HttpRequest, ticket: Ticket, form: Form | None = None, *, why: str = "") -> HttpResponse:
    """The ticket as it is, and why it was not changed."""
    if form is not None:
        why = " ".join(str(error) for errors in form.errors.values() for error in errors)
    if not wants_fragment(request):
        messages.error(request, why)
        return redirect(page_address(request, ticket))
    response = _changed(request, ticket)
    response.status_code = 422
    return toast(response, why, kind="error")


def view_of(request: HttpRequest) -> View:
    """The view that the ticket was opened from, which its address names."""
    return view_or_default(signed_in(request), request.GET.get("view", ""))


def page_address(request: HttpRequest, ticket: Ticket) -> str:
    """The ticket's page with the view that it was opened from."""
    view = request.GET.get("view", "")
    return ticket.get_absolute_url() + (f"?{urlencode({'view': view})}" if view else "")


def row_of(ticket: Ticket, user: User) -> Ticket | None:
    """The ticket as its row in a list prints it; None when it is out of sight now: given to somebody else, say."""
    return Ticket.objects.visible_to(user).for_list(user).filter(pk=ticket.pk).first()


def _changed(request: HttpRequest, ticket: Ticket, **further: Any) -> HttpResponse:
    context = {**header_context(request, ticket), "row": row_of(ticket, signed_in(request)), **further}
    # An undo comes from a toast, and by then another ticket may be open.
    context["is_undone"] = "instead_of" in request.POST
    context["is_open"] = not context["is_undone"] or request.POST.get("open") == str(ticket.pk)
    response = render(request, "tickets/_ticket_changed.html", context)
    return trigger_client_event(response, "ticket:changed", {"number": ticket.pk})
