"""How the forms under a conversation answer: with the message in its place and an empty form, or with the text kept."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django_htmx.http import reswap, retarget, trigger_client_event

from helpdesk.web import forget_draft, toast, wants_fragment
from inbox.checking import Check
from inbox.models import DraftMode, Message, Outgoing, OutgoingState
from inbox.timeline import Said, Thread
from inbox.views.composing import Composer, Written, kept_as
from inbox.views.sending import REMEMBERED, Wish
from inbox.views.workspace import answer_workspace, ticket_context
from people.access import signed_in
from tickets.forms import RequiredFields
from tickets.listing import Listing
from tickets.models import Seen, Ticket
from tickets.models.ticket import Cursor
from tickets.views.changing import header_context, page_address, row_of, view_of

A_YEAR = 365 * 24 * 3600


def answer_written(
    request: HttpRequest, ticket: Ticket, message: Message, said: str, *, further: dict[str, Any] | None = None
) -> HttpResponse:
    """`further` is what _written.html prints beside the conversation; then it says itself what was done."""
    user = signed_in(request)
    if not wants_fragment(request):
        messages.success(request, said)
        return redirect(f"{page_address(request, ticket)}#m{message.pk}")
    Seen.objects.mark(ticket, user, timezone.now())
    # A reply moves its ticket on, and may have taken it: all of that is read anew.
    ticket = get_object_or_404(Ticket.objects.visible_to(user).for_page(), pk=ticket.pk)
    thread = Thread(ticket, reader=user, printed=False)
    prefetch_related_objects([message], "attachments")
    entry = Said(message, is_latest=True)
    mode = DraftMode.COMMENT if message.is_internal else DraftMode.REPLY
    composer = Composer(ticket, user, thread, mode=mode.value, is_fresh=True)
    context = {**header_context(request, ticket), "entry": entry, "composer": composer, "mode": mode.value}
    context["row"] = row_of(ticket, user)
    response = render(request, "inbox/_written.html", {**context, **(further or {})})
    # The message alone comes now, below the others; the conversation as a whole is asked for as soon as it stands there.
    response["HX-Reswap"] = "beforeend scroll:bottom scrollTarget:#thread"
    forget_draft(response, composer.comment_draft if message.is_internal else composer.reply_draft)
    trigger_client_event(response, "ticket:changed", {"number": ticket.pk})
    return response if further else toast(response, said)


def answer_sent(request: HttpRequest, ticket: Ticket, message: Message, wish: Wish, stood: Cursor) -> HttpResponse:
    """With the mail in the conversation, or with the next ticket. `stood`: where in the list it stood before."""
    outgoing = message.outgoing
    said = said_of(outgoing)
    further = {"sending": outgoing} if outgoing.is_held_back else {}
    following = _next_of(request, ticket, stood) if wish.opens_next else None
    given_away = _given_away(request, ticket, wish)
    if following is None and given_away:
        response = _close(request, ticket, said, further)
    elif following is None:
        response = answer_written(request, ticket, message, said, further=further)
    elif wants_fragment(request):
        response = _elsewhere(request, ticket, _open(request, following), said, further)
    else:
        messages.success(request, said)
        response = redirect(page_address(request, following))
    if given_away and wants_fragment(request):
        toast(response, given_away)
    elif given_away:
        messages.success(request, given_away)
    if wish.opens_next:
        response.set_cookie(REMEMBERED, "1", max_age=A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie(REMEMBERED, samesite="Lax")
    return response


def said_of(outgoing: Outgoing) -> str:
    """What is to become of a mail, or became of it by now, where its form or "Send now" comes a second time."""
    if outgoing.is_scheduled and outgoing.due_at > timezone.now():
        at = timezone.localtime(outgoing.due_at)
        return _("It will be sent %(time)s") % {"time": date_format(at, pgettext("date format", "D j M, H:i"))}
    if outgoing.state == OutgoingState.SENT:
        return _("It was sent already")
    if outgoing.state == OutgoingState.UNKNOWN:
        return _("It left already, and nobody knows whether it arrived. Look at it in the conversation.")
    if outgoing.is_failed:
        return _("It left already, but could not be delivered. Look at it in the conversation.")
    return _("Reply is being sent")


def _given_away(request: HttpRequest, ticket: Ticket, wish: Wish) -> str:
    """What to say when its writer does not see the ticket any more that went to somebody with the mail; "" when they do."""
    if Ticket.objects.visible_to(signed_in(request)).filter(pk=ticket.pk).exists():
        return ""
    now_with = ticket.owner.name if "owner" in wish.properties and ticket.owner else ""
    if not now_with and "team" in wish.properties and ticket.team:
        now_with = ticket.team.name
    if not now_with:
        return _("You no longer see the ticket.")
    return _("The ticket is now with %(name)s, and you no longer see it.") % {"name": now_with}


def _close(request: HttpRequest, ticket: Ticket, said: str, further: dict[str, Any]) -> HttpResponse:
    """The list without the ticket, and none open."""
    if not wants_fragment(request):
        messages.success(request, said)
        return redirect(workspace_address(request))
    response = answer_nothing_open(request)
    return _elsewhere(request, ticket, response, said, further)


def answer_nothing_open(request: HttpRequest) -> HttpResponse:
    """The list as it is now, and none of its tickets open."""
    context = {"relists": True, "moves_focus": True}
    response = answer_workspace(request, Listing(view_of(request), signed_in(request)), context)
    response["HX-Push-Url"] = workspace_address(request)
    return reswap(retarget(response, "#ticket"), "outerHTML")


def workspace_address(request: HttpRequest) -> str:
    return f"{reverse('inbox:workspace')}?{urlencode({'view': view_of(request).key})}"


def _elsewhere(
    request: HttpRequest, ticket: Ticket, response: HttpResponse, said: str, further: dict[str, Any]
) -> HttpResponse:
    """`response` shows something else than the ticket that was answered; what was done, and how to undo it, goes along."""
    forget_draft(response, kept_as(signed_in(request), ticket, DraftMode.REPLY))
    trigger_client_event(response, "ticket:changed", {"number": ticket.pk})
    if not further:
        return toast(response, said)
    context = {**further, "ticket": ticket, "view": view_of(request)}
    response.content += render(request, "inbox/_sending_toast.html", context).content
    return response


def answer_refused(
    request: HttpRequest,
    ticket: Ticket,
    composer: Composer,
    *,
    checks: Sequence[Check] = (),
    wish: Wish | None = None,
) -> HttpResponse:
    """422 with everything that was typed; nothing was written."""
    doubts: dict[str, Any] = {"checks": checks, "anyway": wish.insisting_on(checks) if wish else ""}
    if not wants_fragment(request):
        view = view_of(request)
        context = {**ticket_context(request, ticket, composer), **doubts}
        return answer_workspace(request, Listing(view, composer.user), context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    context = {**header_context(request, ticket), "composer": composer, "moves_focus": True, **doubts}
    if checks:
        # Only the banner comes: the text, its caret and whatever uploads stay as they are.
        response = render(request, "inbox/_checks.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        trigger_client_event(response, "ticket:changed", {"number": ticket.pk})  # what is new in it is to be read
        return reswap(retarget(response, "#checks"), "outerHTML")
    response = render(request, "inbox/_composer.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return reswap(retarget(response, "#composer"), "outerHTML")


def answer_asking(
    request: HttpRequest, ticket: Ticket, form: RequiredFields, written: Written, wish: Wish
) -> HttpResponse:
    """422 with what the chosen status asks for: a dialog over the page, or without scripts fields below the text."""
    asks = {"form": form, "wanted": form.status, "again": wish.again, "keeping": wish.with_status(ticket.status)}
    if not wants_fragment(request):
        user = signed_in(request)
        chosen = written.draft.answers if written.chosen else None
        written.error = _("“%(status)s” asks for more of the ticket first.") % {"status": form.status.label}
        composer = Composer(ticket, user, Thread(ticket), chosen, mode="reply", reply=written)
        view = view_of(request)
        context = {**ticket_context(request, ticket, composer), "asks": asks}
        return answer_workspace(request, Listing(view, user), context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    context = {"ticket": ticket, **asks}
    response = render(request, "inbox/_send_asks.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return reswap(retarget(response, "#asking"), "innerHTML")


def answer_with_draft(request: HttpRequest, ticket: Ticket, said: str) -> HttpResponse:
    """The ticket with the text back in its editor, and the caret at its end."""
    if not wants_fragment(request):
        messages.success(request, said)
        address = page_address(request, ticket)
        return redirect(address + ("&" if "?" in address else "?") + "write=reply#composer")
    user = signed_in(request)
    ticket = Ticket.objects.visible_to(user).for_page().get(pk=ticket.pk)
    composer = Composer(ticket, user, Thread(ticket, reader=user), mode="reply", is_fresh=True)
    response = _open(request, ticket, composer, begins=True)
    trigger_client_event(response, "ticket:changed", {"number": ticket.pk})
    return toast(response, said)


def _open(request: HttpRequest, ticket: Ticket, composer: Composer | None = None, **further: Any) -> HttpResponse:
    """The answer to a form that leads to a ticket, as if somebody had opened it in the list."""
    view = view_of(request)
    context = {**ticket_context(request, ticket, composer), "view": view, "moves_focus": True, **further}
    response = answer_workspace(request, Listing(view, signed_in(request)), context)
    response["HX-Push-Url"] = f"{ticket.get_absolute_url()}?{urlencode({'view': view.key})}"
    return reswap(retarget(response, "#ticket"), "outerHTML")


def _next_of(request: HttpRequest, ticket: Ticket, stood: Cursor) -> Ticket | None:
    """The one that stood below it in its view, else the first one; None when it was the only one."""
    view, user = view_of(request), signed_in(request)
    rows = [*Listing(view, user, after=stood, size=2).rows, *Listing(view, user, size=2).rows]
    following = next((row.ticket.pk for row in rows if row.ticket.pk != ticket.pk), None)
    return Ticket.objects.visible_to(user).for_page().filter(pk=following).first() if following else None
