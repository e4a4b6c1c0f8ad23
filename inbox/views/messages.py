"""What belongs to one message: the page of its HTML, the mail as it came, its files."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from helpdesk.attachments import opened, respond_with_file
from helpdesk.web import wants_fragment
from inbox.models import Attachment, Message
from inbox.timeline import Said
from inbox.views.bodies import respond_with_mail_body
from people.access import signed_in


@login_required
@require_safe
def message_body(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of a message in its frame, or for htmx the frame itself.

    `?images=1`: remote images too, because the reader asked. `?quoted=1`: what it quotes instead of what it says.
    """
    message = get_object_or_404(Message.objects.visible_to(signed_in(request)), pk=pk)
    shows_images = request.GET.get("images") == "1"
    if wants_fragment(request):
        return render(request, "inbox/_frame.html", {"message": message, "shows_images": shows_images})
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
@require_safe
def message_original(request: HttpRequest, pk: int) -> FileResponse:
    """The mail byte for byte: as it came in, or as it was handed to the server, whatever came back under its name."""
    messages = Message.objects.visible_to(signed_in(request)).select_related("incoming", "outgoing")
    message = get_object_or_404(messages, pk=pk)
    outgoing = getattr(message, "outgoing", None)
    file = outgoing.mime if outgoing else message.incoming.raw if message.incoming else None
    if not file:
        raise Http404
    return respond_with_file(
        opened(file), name=f"message-{message.pk}.eml", content_type="message/rfc822", may_show=False
    )


@login_required
@require_safe
def attachment(request: HttpRequest, pk: int) -> FileResponse:
    file = get_object_or_404(Attachment.objects.visible_to(signed_in(request)), pk=pk)
    may_show = "download" not in request.GET
    return respond_with_file(opened(file.file), name=file.name, content_type=file.content_type, may_show=may_show)
