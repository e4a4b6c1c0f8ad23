"""Files on their way into a message: sent by the editor as soon as they are chosen, seen by their owner alone."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from helpdesk.attachments import opened, respond_with_file
from inbox.errors import FileTooLarge
from inbox.models import Upload
from inbox.views.composing import keep_upload
from people.access import signed_in


@login_required
@require_POST
def uploads(request: HttpRequest) -> JsonResponse:
    """Answers {"id", "url", "name", "size"}, or {"error"} with the sentence to show."""
    file = request.FILES.get("file")
    if file is None:
        return JsonResponse({"error": _("No file came with that. Choose one and try again.")}, status=400)
    try:
        upload = keep_upload(signed_in(request), file)
    except FileTooLarge as error:
        return JsonResponse({"error": str(error)}, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    address = reverse("inbox:upload", args=[upload.pk])
    answer = {"id": str(upload.pk), "url": address, "name": upload.name, "size": upload.size}
    return JsonResponse(answer, status=HTTPStatus.CREATED)


@login_required
@require_safe
def upload(request: HttpRequest, key: UUID) -> FileResponse:
    found = get_object_or_404(Upload, pk=key, user=signed_in(request))
    return respond_with_file(opened(found.file), name=found.name, content_type=found.content_type)
