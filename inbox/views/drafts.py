"""Unsent texts: kept while one types, found again in the Drafts view. Each is its author's alone."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from helpdesk import paging
from helpdesk.numbers import as_key, as_number
from helpdesk.web import render_page, toast, vary_on_fragment, wants_fragment
from inbox import drafting
from inbox.comparing import differences
from inbox.errors import AlreadySent, NewerDraft
from inbox.models import Draft, DraftMode, Message
from inbox.timeline import Thread
from inbox.views.composing import Composer, Written, read_draft
from inbox.writing import says
from people.access import may_reply_or_403, signed_in
from people.models import User
from tickets.listing import Listing
from tickets.models import Ticket, view_or_default
from tickets.views.changing import header_context, page_address

PAGE = 50


@login_required
@require_safe
def drafts(request: HttpRequest) -> HttpResponse:
    """Newest first; more rows come as one scrolls, or by a plain link."""
    user = signed_in(request)
    context = _page_of(user, request.GET.get("after", ""))
    if wants_fragment(request):
        return vary_on_fragment(render(request, "inbox/_draft_rows.html", context))
    if deleted := as_number(request.GET.get("deleted", "")):
        context["deleted"] = Draft.objects.visible_to(user).exclude(deleted_at=None).filter(pk=deleted).first()
    return render_page(request, "inbox/draft_list.html", "inbox/_draft_rows.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ticket_draft(request: HttpRequest, number: int, mode: str) -> HttpResponseBase:
    """GET is one editor of a ticket as it was last kept; POST keeps what stands in it now and answers in JSON."""
    user = signed_in(request)
    if mode not in DraftMode.values:
        raise Http404
    # To save costs what saving costs: the page around it is not read.
    asked = Ticket.objects.visible_to(user)
    ticket = get_object_or_404(asked if request.method == "POST" else asked.for_page(), pk=number)
    if mode == DraftMode.REPLY:
        may_reply_or_403(user)
    if request.method == "POST":
        return _save(request, ticket, mode)
    if not wants_fragment(request):
        return redirect(page_address(request, ticket) + "#composer")
    composer = Composer(ticket, user, Thread(ticket), mode=mode)
    context = {**header_context(request, ticket), "composer": composer, "mode": mode}
    response = vary_on_fragment(render(request, "inbox/_composer_panel.html", context))
    return _with_news(request, response, context) if "sent" in request.GET else response


@login_required
@require_POST
def draft_removal(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    draft = get_object_or_404(Draft.objects.visible_to(user), pk=pk)
    drafting.discard(draft, timezone.now())
    if not wants_fragment(request):
        return redirect(f"{request.path_info.split(f'{pk}/')[0]}?deleted={pk}")
    return render(request, "inbox/_draft_gone.html", {"draft": draft, "drafts": drafting.count_of(user)})


@login_required
@require_POST
def draft_restoration(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what was thrown away."""
    user = signed_in(request)
    draft = get_object_or_404(Draft.objects.visible_to(user).select_related("ticket", "user"), pk=pk)
    problem = ""
    try:
        drafting.restore(draft)
    except NewerDraft:
        problem = _("You have begun another text there since. Send or discard that one first, then take this one back.")
    if not wants_fragment(request):
        if problem:
            messages.error(request, problem)
        return redirect("inbox:drafts")
    response = render(request, "inbox/_draft_back.html", {**_page_of(user, ""), "draft": draft})
    return toast(response, problem or _("The draft is back"), kind="error" if problem else "info")


def _save(request: HttpRequest, ticket: Ticket, mode: str) -> JsonResponse:
    """{"version", "saved"}; 409 with {"newer"} or {"sent"} when it was not saved since that would lose something."""
    written = read_draft(request, ticket, mode)
    was_kept = written.draft.pk is not None
    try:
        draft = drafting.save(written, timezone.now())
    except NewerDraft as error:
        return JsonResponse({"newer": _told(error.draft, written)}, status=HTTPStatus.CONFLICT)
    except AlreadySent as error:
        return JsonResponse({"sent": _told_as_sent(written, error)}, status=HTTPStatus.CONFLICT)
    answer: dict[str, Any] = {"version": draft.version, "saved": draft.saved_at if draft.version else ""}
    if was_kept != bool(draft.version):
        answer["drafts"] = str(drafting.count_of(signed_in(request)))
    return JsonResponse(answer)


def _told(newer: Draft, mine: Written) -> dict[str, Any]:
    said = _("You wrote another text here at %(time)s, in another window.") % {"time": newer.saved_at}
    # With the text itself: a browser that never heard that it was saved knows its own by it.
    body = {"html": newer.html, "text": newer.text}
    return {"version": newer.version, "said": said, "differs": differences(newer, mine), **body}


def _told_as_sent(written: Written, error: AlreadySent) -> dict[str, Any]:
    """`same`: what stands in the editor is what was sent, and nothing was written since."""
    message = Message.objects.filter(form_key=written.form_key, author=written.draft.user).first()
    told = {"said": str(error), "form_key": str(Draft().form_key), "sent_key": str(written.form_key)}
    if message is None:
        return told
    draft = written.draft
    is_same = says(message, draft.html, draft.text, written.attached, to=draft.addressed)
    return {**told, "message": message.pk, "same": is_same}


def _with_news(request: HttpRequest, response: HttpResponse, context: dict[str, Any]) -> HttpResponse:
    """That what was `sent` arrived, for a page that never heard of it, with the way back while there is one."""
    key, ticket = as_key(request.GET.get("sent", "")), context["ticket"]
    message = ticket.messages.filter(form_key=key, author=signed_in(request)).first() if key else None
    if message is None:
        return response
    outgoing = getattr(message, "outgoing", None)
    if outgoing is not None and outgoing.is_held_back:
        response.content += render(request, "inbox/_sending_toast.html", {**context, "sending": outgoing}).content
    else:
        toast(response, _("It arrived after all: it stands in the conversation."))
    return trigger_client_event(response, "ticket:changed", {"number": ticket.pk})


def _page_of(user: User, after: str) -> dict[str, Any]:
    unsent = Draft.objects.visible_to(user).unsent().for_list()
    rows, further = paging.newest_first(unsent, "updated_at", after=after, size=PAGE)
    view = view_or_default(user, "")
    return {
        "rows": rows,
        "next": further,
        "drafts": drafting.count_of(user),
        "listing": Listing(view, user),
        "here": "drafts",
        "section": "desk",
    }
