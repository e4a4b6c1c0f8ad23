"""Writing among ourselves, and what its author does with a comment later."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from helpdesk import html as safe_html
from helpdesk.numbers import as_number
from helpdesk.web import is_shown_again, render_page, shows_again, signed_out_meanwhile, toast, wants_fragment
from inbox import commenting, drafting
from inbox.commenting import Access
from inbox.errors import InboxError, NamesWithoutAccess, NewerComment, SentOtherwise
from inbox.models import Draft, DraftMode, Message, MessageKind
from inbox.said import Said
from inbox.timeline import Thread
from inbox.views.answering import answer_refused, answer_written
from inbox.views.composing import Composer, read_draft, read_form
from people.access import signed_in
from tickets.models import Ticket


@shows_again("text", "html")
@login_required
@require_POST
def comments(request: HttpRequest, number: int) -> HttpResponse:
    """Whoever sees a ticket may comment on it."""
    user = signed_in(request)
    ticket = get_object_or_404(Ticket.objects.visible_to(user).for_page(), pk=number)
    written = read_draft(request, ticket, DraftMode.COMMENT)
    blind: list[str] = []
    if is_shown_again(request):
        written.error = signed_out_meanwhile()
    if not written.error:
        try:
            with transaction.atomic():
                message = commenting.comment(
                    ticket,
                    by=user,
                    html=written.html,
                    text=written.text,
                    uploads=written.attached,
                    form_key=written.form_key,
                    access=_access(request),
                )
                drafting.used_up(written)
        except NamesWithoutAccess as error:
            written.error, blind = str(error), error.names
        except SentOtherwise as error:
            written.error, written.draft.form_key = str(error), Draft().form_key
        except InboxError as error:
            written.error = str(error)
        else:
            return answer_written(request, ticket, message, _("Comment added"))
    composer = Composer(ticket, user, Thread(ticket), mode=DraftMode.COMMENT.value, comment=written, blind=blind)
    return answer_refused(request, ticket, composer)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """GET is an editor in the comment's place (with `?cancel=1` the comment again); POST saves what it holds."""
    message = _comment(request, pk)
    if not commenting.may_edit(message, signed_in(request)):
        raise PermissionDenied
    if request.method != "POST":
        if "cancel" in request.GET:
            return _as_message(request, message)
        return _editor(request, message, html=commenting.for_editor(message))
    written, blind = read_form(request), []
    newer: str | None = None
    if not written.error:
        try:
            commenting.edit(
                message,
                by=signed_in(request),
                html=written.html,
                text=written.text,
                uploads=written.uploads,
                access=_access(request),
                version=_version(request),
            )
        except NamesWithoutAccess as error:
            written.error, blind = str(error), error.names
        except NewerComment as error:
            written.error, newer = str(error), message.text or safe_html.to_text(message.html)
        except InboxError as error:
            written.error = str(error)
        else:
            return _answer(request, message, _("Comment changed"))
    return _editor(
        request,
        message,
        html=written.html,
        text=written.text,
        uploads=written.uploads,
        error=written.error,
        blind=blind,
        newer=newer,
        based_on=_version(request),
    )


@login_required
@require_safe
def comment_versions(request: HttpRequest, pk: int) -> HttpResponse:
    """How a comment reads and how it read before, newest first."""
    message = _comment(request, pk)
    versions = list(message.versions.order_by("-until", "-pk"))
    context = {"message": message, "versions": versions, "ticket": message.ticket, "section": "desk"}
    return render_page(request, "inbox/comment_versions.html", "inbox/_comment_versions.html", context)


@login_required
@require_POST
def comment_deletion(request: HttpRequest, pk: int) -> HttpResponse:
    """A quiet line stays; a toast offers to undo it."""
    message = _deletable(request, pk)
    commenting.delete(message, by=signed_in(request))
    if not wants_fragment(request):
        return _answer(request, message, _("Comment deleted"))
    context = {"message": message, "ticket": message.ticket, "takes_focus": True}
    return render(request, "inbox/_comment_deleted.html", context)


@login_required
@require_POST
def comment_restoration(request: HttpRequest, pk: int) -> HttpResponse:
    message = _deletable(request, pk)
    commenting.restore(message, by=signed_in(request))
    return _answer(request, message, _("Comment is back"), "inbox/_comment_restored.html")


def _deletable(request: HttpRequest, pk: int) -> Message:
    message = _comment(request, pk)
    if not commenting.may_delete(message, signed_in(request)):
        raise PermissionDenied
    return message


def _comment(request: HttpRequest, pk: int) -> Message:
    """A comment on a ticket that one sees, the deleted ones among them."""
    seen = Message.objects.seen_by(signed_in(request)).filter(kind=MessageKind.COMMENT, ticket__isnull=False)
    message = get_object_or_404(seen.for_thread().select_related("ticket", "author", "outgoing"), pk=pk)
    if message.deleted_at is not None and not commenting.may_delete(message, signed_in(request)):
        raise Http404
    return message


def _access(request: HttpRequest) -> Access | None:
    asked = request.POST.get("access", "")
    return Access(asked) if asked in set(Access) else None


def _version(request: HttpRequest) -> int | None:
    """Which version one changes; with `over` the one that one has seen and wants to replace."""
    return as_number(request.POST.get("over") or request.POST.get("version", ""))


def _answer(request: HttpRequest, message: Message, said: str, template: str = "inbox/_message.html") -> HttpResponse:
    if not wants_fragment(request):
        messages.success(request, said)
        return redirect(_place(message))
    message = _comment(request, message.pk)
    return toast(_as_message(request, message, template), said)


def _place(message: Message) -> str:
    address = message.ticket.get_absolute_url() if message.ticket else "/"
    return f"{address}?message={message.pk}#m{message.pk}"


def _as_message(request: HttpRequest, message: Message, template: str = "inbox/_message.html") -> HttpResponse:
    if not wants_fragment(request):
        return redirect(_place(message))
    user = signed_in(request)
    last = message.ticket.messages.order_by("at", "pk").last() if message.ticket else None
    context = {
        "entry": Said(message, is_latest=last is not None and last.pk == message.pk),
        "ticket": message.ticket,
        "may_change": user.may_reply,
        "takes_focus": True,
    }
    return render(request, template, context)


def _editor(request: HttpRequest, message: Message, **context: object) -> HttpResponse:
    context |= {"message": message, "ticket": message.ticket, "section": "desk"}
    context["version"] = version = commenting.version_of(message)
    if context.get("based_on") is None:
        context["based_on"] = version
    context.setdefault("newer", None)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if context.get("error") else HTTPStatus.OK
    if context["newer"] is not None:
        status = HTTPStatus.CONFLICT
    return render_page(request, "inbox/comment.html", "inbox/_comment_editor.html", context, status=status)
