"""What the editor's menus insert: small JSON, asked for when a menu opens, never kept in a page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from helpdesk.html import to_text
from helpdesk.numbers import as_number
from inbox.models import Mailbox
from library import placeholders
from library.models import Snippet
from library.models.snippet import MOST_FOUND
from people.access import signed_in
from people.models import User
from tickets.models import Ticket


@login_required
@require_safe
def snippets(request: HttpRequest) -> JsonResponse:
    """The best for `q`, filled in for `ticket` (its number) and sent from `mailbox`, both optional.

    Answers {"snippets": [{"id", "name", "shortcut", "html", "text", "raw", "shared", "change"}]}; "change" is where it
    is changed, or "" for whoever may not.
    """
    user = signed_in(request)
    values = _values(request, user)
    found = Snippet.objects.visible_to(user).matching(request.GET.get("q", ""))[:MOST_FOUND]
    answer = [
        {
            "id": one.pk,
            "name": one.name,
            "shortcut": one.shortcut,
            "html": placeholders.fill(one.html, values, mark=True),
            "text": to_text(placeholders.fill(one.html, values)),
            "raw": one.html,
            "shared": one.is_shared,
            "change": reverse("library:snippet", args=[one.pk]) if one.may_be_changed_by(user) else "",
        }
        for one in found
    ]
    return JsonResponse({"snippets": answer})


@login_required
@require_safe
def placeholder_values(request: HttpRequest) -> JsonResponse:
    """{"placeholders": [{"name", "label", "value"}]}: all that there are; "" for what is not known on `ticket`."""
    values = _values(request, signed_in(request))
    answer = [
        {"name": name, "label": str(label), "value": values.get(name, "")} for name, label in placeholders.NAMES.items()
    ]
    return JsonResponse({"placeholders": answer})


def _values(request: HttpRequest, user: User) -> dict[str, str]:
    number = request.GET.get("ticket", "")
    if not number:
        return {}
    seen = Ticket.objects.visible_to(user).select_related("contact", "company", "status")
    ticket = get_object_or_404(seen, pk=as_number(number))
    return placeholders.values_for(ticket, user, _mailbox(request.GET.get("mailbox", ""), ticket))


def _mailbox(chosen: str, ticket: Ticket) -> Mailbox | None:
    if pk := as_number(chosen):
        return Mailbox.objects.filter(pk=pk, enabled=True).first()
    conversation = ticket.conversations.select_related("mailbox").first()
    return conversation.mailbox if conversation else None
