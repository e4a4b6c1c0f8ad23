"""Settings: the team addresses, how they are doing, and connecting them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from helpdesk.web import render_page, wants_fragment
from inbox.forms import EverydayMailboxForm, MailboxForm, NewMailboxForm, passed
from inbox.models import Incoming, IncomingState, Mailbox
from inbox.tasks import poll_mailbox
from inbox.views.fetching import wait_for, what_came, with_toasts
from people.access import admin_required, settings_required, signed_in


@settings_required
def mailboxes(request: HttpRequest) -> HttpResponse:
    news = what_came(request)
    boxes: list[Any] = list(Mailbox.objects.for_settings(timezone.now()))
    context = {
        "section": "settings",
        "mailboxes": boxes,
        "troubled": [box for box in boxes if box.is_in_error],
        "without_ticket": sum(box.without_ticket for box in boxes),
        "quarantined": Incoming.objects.filter(state=IncomingState.QUARANTINED).count(),
    }
    answer = render_page(request, "inbox/settings/mailboxes.html", "inbox/settings/_mailboxes.html", context)
    return with_toasts(answer, news)


@admin_required
def mailbox_new(request: HttpRequest) -> HttpResponse:
    """Connect one. Both servers are tried first; one that fails is only saved when that is asked for."""
    form = NewMailboxForm(request.POST or None)
    if request.method != "POST":
        return _connect_page(request, form)
    if not form.is_valid():
        return _connect_page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    only_test = request.POST.get("do") == "test"
    if only_test or not request.POST.get("untested"):
        found = form.check()
        if only_test or not passed(found):
            status = HTTPStatus.OK if passed(found) else HTTPStatus.UNPROCESSABLE_ENTITY
            return _connect_page(request, form, found=found, status=status)
    mailbox = form.save_by(signed_in(request))
    mailbox.begin_fetching()
    messages.success(request, _("%(address)s is connected.") % {"address": mailbox.address})
    return redirect("inbox:mailboxes")


@settings_required
def mailbox(request: HttpRequest, pk: int) -> HttpResponse:
    """Everyday fields for whoever changes settings; the connection for admins only."""
    box = get_object_or_404(Mailbox, pk=pk)
    form = _form_for(request, box)
    if request.method != "POST":
        news = what_came(request)
        return with_toasts(_edit_page(request, box, form), news)
    if not form.is_valid():
        return _edit_page(request, box, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if isinstance(form, MailboxForm) and form.is_to_be_tried and not request.POST.get("untested"):
        found = form.check()
        if not passed(found):
            return _edit_page(request, box, form, found=found, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    form.save_by(signed_in(request))
    messages.success(request, _("%(address)s is saved.") % {"address": box.address})
    return redirect("inbox:mailbox", pk=pk)


@admin_required
@require_POST
def mailbox_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Try both servers with what stands in the form, or as they are saved when there is no form. Saves nothing."""
    box = get_object_or_404(Mailbox, pk=pk)
    if "address" not in request.POST:
        form = MailboxForm(instance=box)
        return _edit_page(request, box, form, found=form.check())
    form = MailboxForm(request.POST, instance=box)
    if not form.is_valid():
        return _edit_page(request, box, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _edit_page(request, box, form, found=form.check())


@settings_required
@require_POST
def mailbox_fetch(request: HttpRequest, pk: int) -> HttpResponse:
    box = get_object_or_404(Mailbox, pk=pk)
    if not box.enabled or not box.fetches:
        messages.error(request, _("%(address)s is not fetched from a server.") % {"address": box.address})
    else:
        wait_for(request, box)
        poll_mailbox.delay_on_commit(box.pk)
        messages.success(request, _("Fetching mail of %(address)s now.") % {"address": box.address})
    if request.POST.get("from") == "mailbox":
        return redirect("inbox:mailbox", pk=pk)
    return redirect("inbox:mailboxes")


def _form_for(request: HttpRequest, box: Mailbox) -> EverydayMailboxForm:
    if signed_in(request).is_admin:
        return MailboxForm(request.POST or None, instance=box)
    touched = set(MailboxForm.base_fields) - set(EverydayMailboxForm.base_fields)
    if touched & set(request.POST):
        raise PermissionDenied
    return EverydayMailboxForm(request.POST or None, instance=box)


def _connect_page(
    request: HttpRequest, form: NewMailboxForm, *, found: Any = None, status: int = HTTPStatus.OK
) -> HttpResponse:
    context = {"form": form, "section": "settings"} | _test_context(request, found, form)
    return _render(request, "inbox/settings/mailbox_new.html", context, status)


def _edit_page(
    request: HttpRequest, box: Mailbox, form: EverydayMailboxForm, *, found: Any = None, status: int = HTTPStatus.OK
) -> HttpResponse:
    saved = Mailbox.objects.for_settings(timezone.now()).get(
        pk=box.pk
    )  # an invalid form has already written into its own
    context = {"form": form, "mailbox": saved, "section": "settings"} | _test_context(request, found, form)
    return _render(request, "inbox/settings/mailbox.html", context, status)


def _test_context(request: HttpRequest, found: Any, form: EverydayMailboxForm) -> dict[str, Any]:
    if found is None:
        return {"tested": False, "test_is_due": bool(form.errors)}
    imap, smtp = found
    if isinstance(form, MailboxForm) and form.is_bound and not wants_fragment(request):
        form.ask_for_secrets_again()
    return {"tested": True, "imap_steps": imap, "smtp_steps": smtp, "passed": passed(found)}


def _render(request: HttpRequest, page: str, context: dict[str, Any], status: int) -> HttpResponse:
    """A test by htmx swaps the list of steps only, so that the password that was typed stays in the page."""
    if wants_fragment(request):
        return render(request, "inbox/settings/_connection_test.html", {**context, "marks_fields": True}, status=status)
    return render(request, page, context, status=status)
