"""Edit this form: what the create form asks for, for everyone (SPEC S-10)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpdesk.web import render_page, toast, wants_fragment
from people.access import settings_required, signed_in
from tickets.creating import ALWAYS, NEVER_REQUIRED, arrange_creation, creation_layout, fields_left_out
from tickets.creation_form import CreationForm
from tickets.describing import Field, fields_for
from tickets.views.changing import view_of


@settings_required
@require_http_methods(["GET", "HEAD", "POST"])
def creation_form(request: HttpRequest) -> HttpResponse:
    """GET shows the form as it is; POST shows it as it would be, and with `save` keeps it."""
    if request.method != "POST":
        return _show(request, creation_layout())
    layout = _arranged(request)
    if "save" not in request.POST:
        return _show(request, layout)
    arrange_creation(
        [each.key for each in layout], {each.key for each in layout if each.is_required}, by=signed_in(request)
    )
    said = _("The form is saved. It is the same for everyone.")
    if not wants_fragment(request):
        messages.success(request, said)
        return redirect("tickets:creation_form")
    return toast(_show(request, creation_layout(), is_saved=True), said)


def _arranged(request: HttpRequest) -> list[Field]:
    """The rows of the page in the order they were sent in, with what its buttons ask for done to them."""
    keys = list(dict.fromkeys(request.POST.getlist("key")))
    added = request.POST.get("added", "")
    if added and added not in keys:
        keys.append(added)
    if removed := request.POST.get("remove", ""):
        keys = [key for key in keys if key != removed or key in ALWAYS]
    for name, by in (("up", -1), ("down", 1)):
        key = request.POST.get(name, "")
        if key in keys:
            here = keys.index(key)
            there = max(0, min(len(keys) - 1, here + by))
            keys.insert(there, keys.pop(here))
    keys = [*(key for key in ALWAYS if key not in keys), *keys]
    required = (set(request.POST.getlist("required")) | set(ALWAYS)) - set(NEVER_REQUIRED)
    return [replace(each, is_required=each.key in required) for each in fields_for(keys)]


def _show(request: HttpRequest, layout: list[Field], *, is_saved: bool = False) -> HttpResponse:
    view = view_of(request)
    context: dict[str, Any] = {
        "layout": layout,
        "left_out": fields_left_out(layout),
        "always": ALWAYS,
        "never_required": NEVER_REQUIRED,
        "form": CreationForm(layout=layout),
        "is_saved": is_saved,
        "view": view,
        "section": "desk",
        "address": f"{reverse('tickets:creation_form')}?view={view.key}",
        "back": f"{reverse('inbox:ticket_new')}?view={view.key}",
    }
    # The panel stays where it is, only what stands in it is shown anew.
    partial = "tickets/_creation_layout.html" if request.method == "POST" else "tickets/_creation_form.html"
    return render_page(request, "tickets/creation_form.html", partial, context)
