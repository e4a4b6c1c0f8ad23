"""The files of a message: each to be looked at or kept, and all of them at once."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from helpdesk.attachments import opened, respond_with_file
from inbox import previews, zipping
from inbox.models import Attachment, Message
from inbox.timeline import Said
from people.access import signed_in


@login_required
@require_safe
def attachment(request: HttpRequest, pk: int) -> FileResponse:
    """The file; a picture where it stands, unless `?download` asks to keep it."""
    file = get_object_or_404(Attachment.objects.visible_to(signed_in(request)), pk=pk)
    may_show = "download" not in request.GET
    return respond_with_file(opened(file.file), name=file.name, content_type=file.content_type, may_show=may_show)


@login_required
@require_safe
def attachment_preview(request: HttpRequest, pk: int) -> HttpResponse | FileResponse:
    """What a frame of ours shows of it: a picture or a PDF as the browser draws it, a text as a page without scripts."""
    file = get_object_or_404(Attachment.objects.visible_to(signed_in(request)), pk=pk)
    kind = previews.kind_of(file.content_type, file.name)
    if not kind:
        raise Http404
    if kind != "text":
        return respond_with_file(
            opened(file.file), name=file.name, content_type=file.content_type, may_show_pdf=kind == "pdf"
        )
    with opened(file.file) as data:
        shown = previews.read_text(data, content_type=file.content_type, name=file.name)
    response = render(request, "inbox/attachment_preview.html", {"file": file, "preview": shown})
    # Its own policy, as that of a mail: its address can be opened without a frame around it.
    response["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"
    )
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_safe
def message_files(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """All files that are listed under a message, in one archive."""
    visible = Message.objects.visible_to(signed_in(request)).prefetch_related("attachments")
    message = get_object_or_404(visible, pk=pk)
    files = Said(message).files
    if not files:
        raise Http404
    response = StreamingHttpResponse(zipping.archive(files, message.at), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="message-{message.pk}-files.zip"'
    response["Content-Encoding"] = "identity"  # what is packed already is not packed again on its way
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
