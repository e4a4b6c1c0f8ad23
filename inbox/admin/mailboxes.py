from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from inbox.admin.forms import AdminMailboxForm
from inbox.channels.steps import Step
from inbox.forms import CONNECTION, EVERYDAY, SECRETS, MailboxForm
from inbox.models import Incoming, Mailbox
from inbox.tasks import poll_mailbox
from people.access import signed_in
from people.admin_bases import NOTHING, Audited, OneAtATime, list_linked


class InTrouble(admin.SimpleListFilter):
    title = gettext_lazy("in trouble")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
        return queryset.filter(pk__in=Mailbox.objects.in_error()) if self.value() else queryset


@admin.register(Mailbox)
class MailboxAdmin(OneAtATime, Audited):
    """The same form and the same verbs as the settings pages. Passwords go in and never come out."""

    form = AdminMailboxForm
    change_form_template = "admin/inbox/mailbox/change_form.html"
    list_display = ["address", "name", "enabled", "imap_host", "smtp_host", "last_poll_at", "trouble", "mails"]
    list_filter = ["enabled", InTrouble, "makes_tickets", "pipeline", "team"]
    search_fields = ["address", "name", "imap_host", "smtp_host"]
    autocomplete_fields = ["team"]
    health = ("last_poll_at", "next_poll_at", "failed_polls", "fetch_error", "send_error", "created_at", "mails")
    actions = ["fetch_now"]

    def get_fieldsets(self, request: HttpRequest, obj: Mailbox | None = None) -> Any:
        imap, smtp = ([name for name in (*CONNECTION, *SECRETS) if name.startswith(kind)] for kind in ("imap", "smtp"))
        beginning = ["import_all", "import_since"]
        return [
            (None, {"fields": ["address", *EVERYDAY]}),
            (_("Fetching"), {"fields": imap + beginning}),
            (_("Sending"), {"fields": [*smtp, "ca_certificate", "untested"]}),
            *([(_("How it is doing"), {"fields": self.health})] if obj else []),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Mailbox | None = None) -> Any:
        """What to import is settled when it is connected."""
        return [*self.health, "import_all", "import_since"] if obj else []

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        fetch = self.admin_site.admin_view(require_POST(self.fetch_view))
        return [
            path("<int:pk>/test/", test, name="inbox_mailbox_connection_test"),
            path("<int:pk>/fetch/", fetch, name="inbox_mailbox_fetch_now"),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only one that never had mail: the mails of the others refer to it, so they are switched off."""
        return isinstance(obj, Mailbox) and not (obj.incoming.exists() or obj.conversations.exists())

    def save_model(self, request: HttpRequest, obj: Mailbox, form: Any, change: bool) -> None:
        form.save_by(signed_in(request))
        if not change:
            obj.begin_fetching()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: the form wrote to the audit log itself, and a mailbox has no rows of its own here."""

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Try both servers as they are saved, and say each step."""
        found = MailboxForm(instance=get_object_or_404(Mailbox, pk=pk)).check()
        for server, steps in zip(("IMAP", "SMTP"), found, strict=True):
            for step in steps:
                self._say(request, server, step)
        return self._back(pk)

    def fetch_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._fetch(request, Mailbox.objects.filter(pk=pk))
        return self._back(pk)

    @admin.action(description=gettext_lazy("Fetch now"))
    def fetch_now(self, request: HttpRequest, queryset: QuerySet[Mailbox]) -> None:
        self._fetch(request, queryset)

    @admin.display(description=gettext_lazy("trouble"))
    def trouble(self, mailbox: Mailbox) -> str:
        return (mailbox.fetch_error or mailbox.send_error)[:120] or NOTHING

    @admin.display(description=gettext_lazy("incoming mail"))
    def mails(self, mailbox: Mailbox) -> str:
        return list_linked(Incoming, _("Show"), mailbox__id__exact=mailbox.pk)

    def _fetch(self, request: HttpRequest, mailboxes: QuerySet[Mailbox]) -> None:
        for mailbox in mailboxes:
            address = {"address": mailbox.address}
            if not mailbox.enabled or not mailbox.fetches:
                sentence = _("%(address)s is not fetched from a server.") % address
                self.message_user(request, sentence, messages.ERROR)
            else:
                poll_mailbox.delay_on_commit(mailbox.pk)
                self.message_user(request, _("Fetching mail of %(address)s now.") % address)

    def _say(self, request: HttpRequest, server: str, step: Step) -> None:
        said = f"{server} · {step.label}: {step.message}" if step.message else f"{server} · {step.label}"
        words = f" ({step.said})" if step.said else ""
        self.message_user(request, said + words, messages.SUCCESS if step.ok else messages.ERROR)

    def _back(self, pk: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:inbox_mailbox_change", args=[pk]))
