"""What belongs to one message: the page of its HTML, the mail as it came, whose images are shown."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk.attachments import opened, respond_with_file
from helpdesk.numbers import as_number
from helpdesk.web import toast, vary_on_fragment, wants_fragment
from inbox import originals
from inbox.models import Direction, Message, TrustedSender
from inbox.models.message import MessageQuerySet
from inbox.timeline import Said
from inbox.views.bodies import respond_with_mail_body
from people.access import signed_in


@login_required
@require_safe
def message_body(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of a message in its frame, or for htmx the frame itself.

    `?images=1`: remote images too, because the reader asked. `?quoted=1`: what it quotes instead of what it says.
    """
    user = signed_in(request)
    message = get_object_or_404(Message.objects.visible_to(user), pk=pk)
    shows_images = request.GET.get("images") == "1"
    if wants_fragment(request):
        return _frame(request, message, shows_images=shows_images)
    is_quoted = "quoted" in request.GET
    html, text = (message.quoted_html, message.quoted_text) if is_quoted else (message.html, message.text)
    return respond_with_mail_body(
        request,
        subject=message.subject,
        html=html,
        text=text,
        urls=Said(message).inline_urls,
        shows_images=shows_images,
    )


@login_required
@require_POST
def sender_trust(request: HttpRequest) -> HttpResponse:
    """From now on this reader sees the remote images of whoever sent the message `message`, and this one's at once."""
    user = signed_in(request)
    pk = as_number(request.POST.get("message", ""))
    message = get_object_or_404(
        Message.objects.visible_to(user).exclude(from_address="").exclude(sender_doubtful=True), pk=pk
    )
    TrustedSender.objects.trust(user, message.from_address)
    if not wants_fragment(request):
        return redirect(address_of(message))
    response = _frame(request, message, shows_images=True)
    return toast(response, _("Images from %(address)s are shown from now on") % {"address": message.from_address})


@login_required
@require_safe
def message_source(request: HttpRequest, pk: int) -> HttpResponse:
    """The mail as it came: its headers, readable, or with ?part=source what stands in the file."""
    message = get_object_or_404(_with_mail(request), pk=pk)
    file = originals.file_of(message)
    if file is None:
        raise Http404
    context = {
        "message": message,
        "original": originals.read(file),
        "part": "source" if request.GET.get("part") == "source" else "headers",
        "back": address_of(message),
        "section": "desk",
    }
    return render(request, "inbox/message_source.html", context)


@login_required
@require_safe
def message_original(request: HttpRequest, pk: int) -> FileResponse:
    """The mail byte for byte, to be kept."""
    message = get_object_or_404(_with_mail(request), pk=pk)
    file = originals.file_of(message)
    if file is None:
        raise Http404
    return respond_with_file(
        opened(file), name=f"message-{message.pk}.eml", content_type="message/rfc822", may_show=False
    )


def address_of(message: Message) -> str:
    """The page on which it stands, unfolded if it has to be."""
    if message.ticket is None:
        return reverse("inbox:conversation", args=[message.conversation_id])
    return f"{message.ticket.get_absolute_url()}?message={message.pk}#m{message.pk}"


def _with_mail(request: HttpRequest) -> MessageQuerySet:
    """The mail that became a comment is its author's alone: it holds what lets one comment in their name by mail."""
    user = signed_in(request)
    open_to_all = ~Q(direction=Direction.INTERNAL)
    mails = Message.objects.visible_to(user).filter(open_to_all | Q(author=user))
    return mails.select_related("incoming", "outgoing", "ticket")


def _frame(request: HttpRequest, message: Message, *, shows_images: bool) -> HttpResponse:
    entry = Said(message, shows_images=shows_images)
    return vary_on_fragment(render(request, "inbox/_frame.html", {"entry": entry, "message": message}))
