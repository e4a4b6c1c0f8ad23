"""Whom a ticket is about: its contacts and its companies, added, taken away, and the primary one chosen (SPEC S-13)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import retarget, trigger_client_event

from helpdesk.web import render_page, toast, vary_on_fragment, wants_fragment
from inbox.views.workspace import ticket_context
from people.access import signed_in
from tickets.associating import companies_of, contacts_of
from tickets.describing import BUILT_IN
from tickets.form_fields import form_field
from tickets.models import Ticket
from tickets.views.changing import changeable_ticket, page_address, row_of, view_of


class AssociationForm(forms.Form):
    """All contacts of a ticket, or all its companies, the primary one first."""

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = "of-ticket-%s"
        self.fields[kind] = form_field(BUILT_IN[kind])


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ticket_contacts(request: HttpRequest, number: int) -> HttpResponse:
    """GET shows who they are; POST says who they shall be. With the first contact one can write."""
    return _associate(request, number, "contact")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ticket_companies(request: HttpRequest, number: int) -> HttpResponse:
    return _associate(request, number, "company")


def _associate(request: HttpRequest, number: int, kind: str) -> HttpResponse:
    ticket = changeable_ticket(request, number)
    if request.method != "POST":
        chosen: list[Any] = contacts_of(ticket) if kind == "contact" else companies_of(ticket)
        return _show(request, ticket, kind, AssociationForm(kind, initial={kind: chosen}))
    form = AssociationForm(kind, request.POST)
    if not form.is_valid():
        return _show(request, ticket, kind, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    could_write = ticket.contact_id is not None
    ticket.set_properties({kind: form.cleaned_data[kind]}, by=signed_in(request), now=timezone.now())
    said = _("The contacts are saved") if kind == "contact" else _("The companies are saved")
    return _saved(request, ticket, said, could_write=could_write)


def _show(request: HttpRequest, ticket: Ticket, kind: str, form: AssociationForm, *, status: int = 200) -> HttpResponse:
    view = view_of(request)
    context = {"ticket": ticket, "kind": kind, "field": form[kind], "view": view, "section": "desk"}
    return render_page(request, "inbox/association.html", "inbox/_association.html", context, status=status)


def _saved(request: HttpRequest, ticket: Ticket, said: str, *, could_write: bool) -> HttpResponse:
    user = signed_in(request)
    if not wants_fragment(request):
        messages.success(request, said)
        return redirect(page_address(request, ticket))
    ticket = get_object_or_404(Ticket.objects.visible_to(user).for_page(), pk=ticket.pk)
    # An editor that appears is begun in; one that stands there keeps its text, only its recipients are told anew.
    appears = not could_write and ticket.contact_id is not None
    context = {**ticket_context(request, ticket), "row": row_of(ticket, user), "appears": appears}
    context["vanishes"] = could_write and ticket.contact_id is None
    context["view_key"] = context["view"].key
    response = vary_on_fragment(render(request, "inbox/_associated.html", context))
    response = retarget(response, "#ticket-header")
    response["HX-Reswap"] = "outerMorph"
    return toast(trigger_client_event(response, "ticket:changed", {"number": ticket.pk}), said)
