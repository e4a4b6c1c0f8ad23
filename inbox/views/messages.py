"""What belongs to one message: the page of its HTML, the mail as it came, its files."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from helpdesk import html as safe_html
from helpdesk.attachments import opened, respond_with_file
from helpdesk.web import wants_fragment
from inbox.models import Attachment, Message
from people.access import signed_in


@login_required
@require_safe
@xframe_options_sameorigin
def message_body(request: HttpRequest, pk: int) -> HttpResponse:
    """A message as a page of its own, for a frame: nothing runs in it and nothing is fetched from elsewhere.

    `?images=1`: remote images too, because the reader asked. `?quoted=1`: what it quotes instead of what it says.
    """
    message = get_object_or_404(Message.objects.visible_to(signed_in(request)), pk=pk)
    shows_images = request.GET.get("images") == "1"
    if wants_fragment(request):
        return render(request, "inbox/_frame.html", {"message": message, "shows_images": shows_images})
    is_quoted = "quoted" in request.GET
    html, text = (message.quoted_html, message.quoted_text) if is_quoted else (message.html, message.text)
    urls = {
        file.content_id: reverse("inbox:attachment", args=[file.pk])
        for file in message.attachments.all()
        if file.content_id
    }
    body = safe_html.resolve_cids(html, urls) if html else safe_html.from_text(text)
    if shows_images:
        body = safe_html.show_remote_images(body)
    response = render(request, "inbox/message_body.html", {"body": body})
    images = "'self' data: https:" if shows_images else "'self' data:"
    response["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {images}; frame-ancestors 'self'; base-uri 'none'; "
        "form-action 'none'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-store"
    return response


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
