from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from inbox.errors import InboxError
from people.access import signed_in
from people.admin_bases import ReadOnly
from people.models import User


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Repairing(ReadOnly):
    """Read-only but for one verb, which a button on the page and an action on the list call."""

    change_form_template = "admin/inbox/repair.html"
    verb_path = ""
    verb_label: Any = ""

    def get_urls(self) -> list[URLPattern]:
        name = f"inbox_{self.opts.model_name}_{self.verb_path.replace('-', '_')}"
        view = self.admin_site.admin_view(require_POST(self.verb_view))
        return [path(f"<int:pk>/{self.verb_path}/", view, name=name), *super().get_urls()]

    def verb(self, thing: Any, user: User) -> None:
        raise NotImplementedError

    def verb_is_possible(self, thing: Any) -> bool:
        raise NotImplementedError

    def verb_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.do_all(request, [get_object_or_404(self.model, pk=pk)])
        return HttpResponseRedirect(reverse(f"admin:inbox_{self.opts.model_name}_change", args=[pk]))

    def do_all(self, request: HttpRequest, things: Any) -> None:
        """Each by itself: what one refuses, the others may still do."""
        done, refused = 0, set[str]()
        for thing in things:
            try:
                self.verb(thing, signed_in(request))
                done += 1
            except InboxError as problem:
                refused.add(str(problem))
        if done:
            sentence = ngettext("%(count)d mail is tried again.", "%(count)d mails are tried again.", done)
            self.message_user(request, sentence % {"count": done})
        for sentence in sorted(refused):
            self.message_user(request, sentence, messages.ERROR)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        thing = self.get_object(request, object_id)
        button = {"verb_path": self.verb_path, "verb_label": self.verb_label}
        context = (extra_context or {}) | (button if thing and self.verb_is_possible(thing) else {})
        return super().change_view(request, object_id, form_url, context)


def download_link(name: str, thing: Model) -> str:
    return format_html('<a href="{}" download>{}</a>', reverse(name, args=[thing.pk]), _("Download"))
