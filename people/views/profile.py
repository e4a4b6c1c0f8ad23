"""What everybody sets for themselves, in sections that save on their own."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from helpdesk import registry
from helpdesk.live import access_changed
from helpdesk.web import is_shown_again, shows_again, signed_out_meanwhile, toast, vary_on_fragment, wants_fragment
from people.access import signed_in
from people.forms import SECTIONS, OwnPasswordForm, ProfileForm
from people.models import User
from people.throttling import forget_failures

# What these change is printed all over the page, so it comes anew.
_OF_THE_PAGE = {"you", "language", "looks"}


@shows_again("name", "signature")
@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """GET shows everything; POST saves the one section that it names."""
    user = signed_in(request)
    if request.method != "POST":
        return _page(request, user)
    name = request.POST.get("section", "")
    if name not in SECTIONS:
        return HttpResponseBadRequest(_("Choose one of the sections of the page."))
    # Not the one of the request: what is typed wrong would be printed as this person's name.
    form = _form(name, User.objects.get(pk=user.pk), request.POST)
    if isinstance(form, OwnPasswordForm):
        form.request = request
    if is_shown_again(request):
        form.is_valid()
        messages.error(request, signed_out_meanwhile())
        return _refused(request, user, name, form)
    if not form.is_valid():
        return _refused(request, user, name, form)
    if isinstance(form, OwnPasswordForm):
        form.save()
        forget_failures(user.email)
        update_session_auth_hash(request, form.user)
        access_changed([user.pk])  # who is signed in with the old one elsewhere is no more
        return _saved(request, user, name, _("Your new password is set. You are signed out everywhere else."))
    form.save()
    if name == "language":
        translation.activate(form.instance.language or translation.get_language())
    return _saved(request, form.instance, name, _("Saved"))


def _form(name: str, user: User, posted: Any = None) -> OwnPasswordForm | ProfileForm:
    form: OwnPasswordForm | ProfileForm = SECTIONS[name](user, posted, auto_id=f"id_{name}_%s")
    return form


def _saved(request: HttpRequest, user: User, name: str, said: str) -> HttpResponse:
    if wants_fragment(request) and name not in _OF_THE_PAGE:
        return toast(_section(request, user, name), said)
    messages.success(request, said)
    return redirect(f"{reverse('people:profile')}#{name}")


def _refused(request: HttpRequest, user: User, name: str, form: BaseForm) -> HttpResponse:
    if wants_fragment(request):
        return _section(request, user, name, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _page(request, user, {name: form}, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _section(request: HttpRequest, user: User, name: str, form: Any = None, *, status: int = 200) -> HttpResponse:
    context = {"form": form or _form(name, user), "panels": _panels(request), "user": user}
    return vary_on_fragment(render(request, f"people/profile/_{name}.html", context, status=status))


def _page(request: HttpRequest, user: User, forms: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"forms": {name: (forms or {}).get(name) or _form(name, user) for name in SECTIONS}}
    context |= {"panels": _panels(request), "section": "profile", "user": user}
    return vary_on_fragment(render(request, "people/profile.html", context, status=status))


def _panels(request: HttpRequest) -> dict[str, str]:
    """What higher apps have to say here, by the place where it stands."""
    return {place: panel(request) for place, panel in registry.profile_panels().items()}
