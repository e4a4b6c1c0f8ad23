from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from helpdesk.web import toast, wants_fragment
from inbox.errors import InboxError
from inbox.models import Message, Outgoing
from inbox.timeline import Said
from people.access import may_reply_or_403, signed_in
from tickets.models import view_or_default
from tickets.views.changing import page_address


@login_required
@require_POST
def outgoing_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a mail that failed once more, with the same bytes and to whoever has not got it."""
    user = signed_in(request)
    visible = Message.objects.visible_to(user)
    outgoing = get_object_or_404(Outgoing.objects.filter(message__in=visible.values("pk")), pk=pk)
    may_reply_or_403(user)
    said, failed = _("Trying again"), False
    try:
        outgoing.try_again(by=user)
    except InboxError as error:
        said, failed = str(error), True
    message = visible.for_thread().get(pk=outgoing.message_id)
    if not wants_fragment(request):
        (messages.error if failed else messages.success)(request, said)
        return redirect(f"{page_address(request, message.ticket)}#m{message.pk}" if message.ticket else "/")
    context: dict[str, Any] = {"entry": Said(message), "ticket": message.ticket, "may_change": True}
    context["view"] = view_or_default(user, request.GET.get("view", ""))
    response = render(request, "inbox/_message.html", context, status=409 if failed else 200)
    trigger_client_event(response, "ticket:changed", {"number": message.ticket_id})
    return toast(response, said, kind="error" if failed else "info")
