from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.attachments import opened, respond_with_file
from inbox.admin.bases import ReadOnlyInline, Repairing, download_link
from inbox.models import FetchGap, Incoming, IncomingState, MailFolder
from people.admin_bases import ReadOnly, linked, list_linked
from people.models import User


class OutcomeFilter(admin.SimpleListFilter):
    """The kinds of outcome by name, so that no list of a million rows is read for them."""

    title = gettext_lazy("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("opened", _("Opened a ticket")),
            ("appended", _("Added to a ticket")),
            ("refused", _("Refused")),
            ("duplicate", _("Was there already")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Incoming]) -> QuerySet[Incoming]:
        chosen = self.value()
        return queryset.filter(outcome__startswith=chosen) if chosen else queryset


@admin.register(Incoming)
class IncomingAdmin(Repairing):
    change_list_template = "admin/inbox/incoming/change_list.html"
    verb_path = "processing"
    verb_label = gettext_lazy("Process again")
    list_display = [
        "id",
        "received_at",
        "mailbox",
        "source",
        "state",
        "outcome",
        "message_link",
        "short_error",
        "raw_mail",
    ]
    list_filter = ["state", OutcomeFilter, "mailbox", "source"]
    search_fields = ["=id", "=content_hash", "message__subject", "message__from_address", "=message__ticket__number"]
    search_help_text = gettext_lazy("Number of the row, subject, sender, ticket number or hash")
    date_hierarchy = "stored_at"
    list_select_related = ["mailbox", "message", "folder"]
    fieldsets = [
        (None, {"fields": ["mailbox", "source", "received_at", "stored_at", "size", "raw_mail"]}),
        (
            gettext_lazy("How it went"),
            {"fields": ["state", "outcome", "error", "tries", "next_try_at", "message_link", "duplicate_link"]},
        ),
        (gettext_lazy("Where it lay"), {"fields": ["folder", "uidvalidity", "uid", "content_hash"]}),
    ]
    readonly_fields = ["raw_mail", "message_link", "duplicate_link"]
    actions = ["process_again"]

    def get_urls(self) -> list[URLPattern]:
        raw = self.admin_site.admin_view(self.raw_view)
        return [path("<int:pk>/raw/", raw, name="inbox_incoming_raw"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        quarantined = Incoming.objects.filter(state=IncomingState.QUARANTINED).count()
        return super().changelist_view(request, (extra_context or {}) | {"quarantined": quarantined})

    def raw_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The mail as it came, always as a download."""
        incoming = get_object_or_404(Incoming, pk=pk)
        name = f"mail-{incoming.pk}.eml"
        return respond_with_file(opened(incoming.raw), name=name, content_type="message/rfc822", may_show=False)

    def verb(self, thing: Incoming, user: User) -> None:
        thing.process_again(by=user)

    def verb_is_possible(self, thing: Incoming) -> bool:
        return thing.state == IncomingState.QUARANTINED

    @admin.action(description=gettext_lazy("Process again"))
    def process_again(self, request: HttpRequest, queryset: QuerySet[Incoming]) -> None:
        self.do_all(request, queryset)

    @admin.display(description=gettext_lazy("raw mail"))
    def raw_mail(self, incoming: Incoming) -> str:
        return download_link("admin:inbox_incoming_raw", incoming)

    @admin.display(description=gettext_lazy("message"))
    def message_link(self, incoming: Incoming) -> str:
        return linked(getattr(incoming, "message", None))

    @admin.display(description=gettext_lazy("duplicate of"))
    def duplicate_link(self, incoming: Incoming) -> str:
        return linked(incoming.duplicate_of)

    @admin.display(description=gettext_lazy("error"))
    def short_error(self, incoming: Incoming) -> str:
        return incoming.error[:120]


class GapInline(ReadOnlyInline):
    model = FetchGap
    fields = readonly_fields = ("uidvalidity", "uid", "reason", "tries", "next_try_at")


@admin.register(MailFolder)
class MailFolderAdmin(ReadOnly):
    list_display = ["mailbox", "name", "uidvalidity", "first_uid", "last_uid", "incoming_list"]
    list_filter = ["mailbox"]
    search_fields = ["mailbox__address", "name"]
    list_select_related = ["mailbox"]
    inlines = [GapInline]

    @admin.display(description=gettext_lazy("incoming mail"))
    def incoming_list(self, folder: MailFolder) -> str:
        return list_linked(Incoming, _("Show"), folder__id__exact=folder.pk)


@admin.register(FetchGap)
class FetchGapAdmin(ReadOnly):
    list_display = ["id", "folder", "uid", "tries", "next_try_at", "reason"]
    list_filter = ["folder__mailbox"]
    search_fields = ["folder__mailbox__address", "=uid", "reason"]
    list_select_related = ["folder__mailbox"]
    actions = ["try_again"]

    @admin.action(description=gettext_lazy("Try again at the next fetch"))
    def try_again(self, request: HttpRequest, queryset: QuerySet[FetchGap]) -> None:
        queryset.update(next_try_at=timezone.now(), tries=0)
        self.message_user(request, _("They are asked for again when the mailbox is fetched next."))
