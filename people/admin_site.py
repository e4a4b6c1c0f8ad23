from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class DeskAdmin(AdminSite):
    """For admins only. Strangers sign in where everybody does, so there is one throttle; the others get 403."""

    site_title = settings.HELPDESK_NAME
    site_header = settings.HELPDESK_NAME
    index_title = _("Administration")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        index = reverse("admin:index", current_app=self.name)
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or index)
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(index)  # which sends whoever is signed in on to `next`

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]  # it redirects
        from people.views.signing_in import nobody  # which reads models, and this is read before them

        return nobody(super().logout(request, extra_context))
