"""Settings: the texts that are written again and again. Everybody has their own; the shared ones are the desk's.

The editor's dialog posts to the same addresses and gets JSON.
"""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from library.forms import SnippetForm
from library.models import Snippet
from library.placeholders import NAMES
from people.access import signed_in
from people.models import AuditEntry, User

PER_PAGE = 200


@login_required
def snippet_list(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    asked = request.GET.get("q", "")
    found = list(Snippet.objects.visible_to(user).matching(asked)[: PER_PAGE + 1])
    for one in found:
        one.may_be_changed = one.may_be_changed_by(user)  # type: ignore[attr-defined]
    context = {"section": "settings", "snippets": found[:PER_PAGE], "more": len(found) > PER_PAGE, "asked": asked}
    return render(request, "library/settings/snippets.html", context)


@login_required
def snippet_new(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    form = SnippetForm(request.POST if request.method == "POST" else None, by=user)
    if request.method != "POST":
        return _page(request, form)
    return _saved(request, form, _("“%(name)s” is saved."))


@login_required
def snippet(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    found = _changeable(user, pk)
    form = SnippetForm(request.POST if request.method == "POST" else None, instance=found, by=user)
    if request.method != "POST":
        return _page(request, form)
    return _saved(request, form, _("“%(name)s” is saved."))


@login_required
@require_POST
def snippet_deletion(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    found = _changeable(user, pk)
    if found.is_shared:
        AuditEntry.objects.create(by=user, what=f"Snippet {found.name} deleted"[:200], changes={"html": found.html})
    found.delete()
    said = _("“%(name)s” is deleted.") % {"name": found.name}
    if _wants_json(request):
        return JsonResponse({"said": said})
    messages.success(request, said)
    return redirect("library:snippets")


def _changeable(user: User, pk: int) -> Snippet:
    found = get_object_or_404(Snippet.objects.visible_to(user), pk=pk)
    if not found.may_be_changed_by(user):
        raise PermissionDenied
    return found


def _saved(request: HttpRequest, form: SnippetForm, sentence: str) -> HttpResponse:
    made = form.instance.pk is None
    if not form.is_valid():
        if _wants_json(request):
            errors = {field: [str(error) for error in found] for field, found in form.errors.items()}
            return JsonResponse({"errors": errors}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        return _page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    kept = form.save()
    if kept.is_shared:
        verb = "made" if made else "changed"
        AuditEntry.objects.create(by=form.by, what=f"Snippet {kept.name} {verb}"[:200], changes={"html": kept.html})
    said = sentence % {"name": kept.name}
    if _wants_json(request):
        return JsonResponse({"id": kept.pk, "said": said}, status=HTTPStatus.CREATED if made else HTTPStatus.OK)
    messages.success(request, said)
    return redirect("library:snippets")


def _page(request: HttpRequest, form: SnippetForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
    saved = Snippet.objects.filter(pk=form.instance.pk).first() if form.instance.pk else None
    context = {"form": form, "snippet": saved, "section": "settings", "placeholders": NAMES}
    return render(request, "library/settings/snippet.html", context, status=status)


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")
