"""Making a ticket by hand, in a panel beside the conversation that one reads, or on a page of its own."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect, push_url, reswap, retarget, trigger_client_event

from helpdesk.numbers import as_number
from helpdesk.web import is_shown_again, render_page, shows_again, signed_out_meanwhile, toast, wants_fragment
from inbox import creating
from inbox.addressing.senders import senders_for, usual_sender_of
from inbox.checking import NAMES, Check
from inbox.errors import CheckFailed, InboxError
from inbox.models import Outgoing
from inbox.views.workspace import answer_workspace, ticket_context
from people.access import reply_required, signed_in
from people.models import Contact
from tickets.creation_form import CreationForm
from tickets.errors import TicketError
from tickets.listing import Listing
from tickets.models import Ticket
from tickets.views.changing import view_of

# What the next ticket of a row of them has in common with the one before.
KEPT = ("pipeline", "status", "priority", "owner", "team")


@shows_again("name", "contact", "company", "description", "text", "html")
@reply_required
@require_http_methods(["GET", "HEAD", "POST"])
def ticket_new(request: HttpRequest) -> HttpResponse:
    """GET shows the form; POST makes the ticket and opens it, or with `another` shows the form again.

    `anyway` holds what a button asks for that insists on a first message: `override` and `another`.
    """
    if request.method != "POST":
        return _show(request, CreationForm(initial=_initial(request)), is_fresh=True)
    form = CreationForm(request.POST)
    if is_shown_again(request):
        form.add_error(None, signed_out_meanwhile())
    if not form.is_valid():
        return _show(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    now = timezone.now()
    earlier, since = form.earlier_since(now)
    asked = QueryDict(request.POST["anyway"]) if "anyway" in request.POST else request.POST
    try:
        ticket = creating.create(
            form.cleaned_data,
            by=signed_in(request),
            now=now,
            form_key=form.cleaned_data.get("form_key"),
            earlier=earlier,
            since=since,
            overrides=frozenset(asked.getlist("override")) & frozenset(NAMES),
        )
    except CheckFailed as error:
        return _show_checks(request, form, error.checks, asked)
    except InboxError as error:
        form.add_error("message" if "message" in form.fields else None, str(error))
        return _show(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except TicketError as error:
        form.add_error(None, str(error))
        return _show(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    said = _("Ticket #%(number)d is made.") % {"number": ticket.number}
    if "another" in asked:
        return _another(request, form, ticket, said)
    return _open(request, ticket, said)


def _offered(request: HttpRequest, form: CreationForm) -> Contact | None:
    """Of the ticket that is open beside it: the contact whom one click puts on the form."""
    asked = as_number(request.POST.get("offered", "")) if request.method == "POST" else None
    if request.method != "POST" and (number := as_number(request.GET.get("open", ""))):
        asked = (
            Ticket.objects.visible_to(signed_in(request)).filter(pk=number).values_list("contact", flat=True).first()
        )
    contact = Contact.objects.filter(pk=asked).prefetch_related("addresses").first() if asked else None
    return contact if contact and "contact" in form.fields and contact not in form.initial.get("contact", []) else None


def _senders(request: HttpRequest) -> list[dict[str, Any]]:
    """The addresses that a first message may leave from; one alone where that does not depend on the ticket."""
    user = signed_in(request)
    able = senders_for(user)
    usual = usual_sender_of(user, able)
    boxes = [usual] if usual else sorted(able, key=lambda box: box.pk)
    return [{"address": box.address, "pipeline": box.pipeline_id, "team": box.team_id} for box in boxes]


def _show_checks(request: HttpRequest, form: CreationForm, checks: list[Check], asked: QueryDict) -> HttpResponse:
    wish = {"override": [check.name for check in checks]} | ({"another": "1"} if "another" in asked else {})
    further = {"checks": checks, "anyway": urlencode(wish, doseq=True)}
    return _show(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY, further=further)


def _show(
    request: HttpRequest,
    form: CreationForm,
    *,
    is_fresh: bool = False,
    status: int = 200,
    further: dict[str, Any] | None = None,
) -> HttpResponse:
    senders = _senders(request) if "message" in form.fields else []
    context = {
        "form": form,
        "is_fresh": is_fresh,
        "form_key": form.data.get("form_key") or uuid.uuid4(),
        "view": view_of(request),
        "offered": _offered(request, form),
        "senders": senders,
        "senders_as_json": json.dumps(senders),
        "section": "desk",
        "keep": _keep(request),
        **(further or {}),
    }
    partial = "inbox/_ticket_new_form.html" if _is_on_own_page(request) else "inbox/_ticket_new.html"
    return render_page(request, "inbox/ticket_new.html", partial, context, status=status)


def _is_on_own_page(request: HttpRequest) -> bool:
    """Nothing but the form is there then: no panel around it, and no place for the ticket that is made."""
    return urlsplit(request.headers.get("HX-Current-URL", "")).path == reverse("inbox:ticket_new")


def _initial(request: HttpRequest) -> dict[str, Any]:
    """What the address names: a pipeline, or the contact that the ticket is about."""
    initial: dict[str, Any] = {key: request.GET[key] for key in KEPT if request.GET.get(key)}
    if asked := as_number(request.GET.get("contact", "")):
        initial["contact"] = list(Contact.objects.visible_to(signed_in(request)).filter(pk=asked))
    return initial


def _keep(request: HttpRequest) -> str:
    """Under which name the browser keeps what was typed and not sent."""
    return f"new-ticket-{signed_in(request).pk}"


def _another(request: HttpRequest, form: CreationForm, ticket: Ticket, said: str) -> HttpResponse:
    kept = {key: request.POST[key] for key in KEPT if request.POST.get(key)}
    if not wants_fragment(request):
        messages.success(request, said)
        return redirect(f"{reverse('inbox:ticket_new')}?{urlencode(kept)}")
    response = _show(request, CreationForm(initial=kept))
    _tell_sending(request, response, ticket)
    return toast(_announced(request, response, ticket), said)


def _open(request: HttpRequest, ticket: Ticket, said: str) -> HttpResponse:
    user = signed_in(request)
    view = view_of(request)
    opened = Ticket.objects.visible_to(user).for_page().filter(pk=ticket.pk).first()
    if opened is None:
        # Given to somebody whose tickets one does not see.
        address = f"{reverse('inbox:workspace')}?{urlencode({'view': view.key})}"
    else:
        address = f"{opened.get_absolute_url()}?{urlencode({'view': view.key})}"
    if not wants_fragment(request):
        messages.success(request, said)
        return redirect(address)
    if _is_on_own_page(request):
        messages.success(request, said)
        return _announced(request, HttpResponseClientRedirect(address), ticket)
    if opened is None:
        response = render(request, "inbox/_ticket_new_closed.html")
        _tell_sending(request, response, ticket)
        return toast(_announced(request, response, ticket), said)
    context = {**ticket_context(request, opened), "view": view, "moves_focus": True, "relists": True}
    context["made"] = opened.pk
    response = answer_workspace(request, Listing(view, user), context)
    response.write(render(request, "inbox/_ticket_new_closed.html").content.decode())
    _tell_sending(request, response, ticket)
    response = push_url(reswap(retarget(response, "#ticket"), "outerHTML"), address)
    return toast(_announced(request, response, ticket), said)


def _tell_sending(request: HttpRequest, response: HttpResponse, ticket: Ticket) -> None:
    """The first message can be taken back as any other; the ticket stays then."""
    mine = Outgoing.objects.held().filter(message__ticket=ticket, message__author=signed_in(request), scheduled=False)
    if (sending := mine.select_related("message").first()) is not None:
        context = {"sending": sending, "ticket": ticket, "view": view_of(request)}
        response.write(render(request, "inbox/_sending_toast.html", context).content.decode())


def _announced(request: HttpRequest, response: HttpResponse, ticket: Ticket) -> HttpResponse:
    trigger_client_event(response, "ticket:created", {"number": ticket.pk, "keep": _keep(request)})
    return trigger_client_event(response, "ticket:changed", {"number": ticket.pk})
