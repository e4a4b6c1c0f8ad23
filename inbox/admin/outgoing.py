from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy

from helpdesk.attachments import opened, respond_with_file
from inbox.admin.bases import ReadOnlyInline, Repairing, download_link
from inbox.models import Outgoing, OutgoingRecipient
from people.admin_bases import NOTHING, linked
from people.models import User


class RecipientInline(ReadOnlyInline):
    model = OutgoingRecipient
    show_change_link = False
    fields = readonly_fields = ("address", "state", "answer")


@admin.register(Outgoing)
class OutgoingAdmin(Repairing):
    verb_path = "retry"
    verb_label = gettext_lazy("Try again")
    list_display = ["id", "created_at", "state", "message_link", "to_addresses", "mailbox", "tries", "short_answer"]
    list_filter = ["state", "mailbox"]
    search_fields = ["=id", "=mail_id", "recipients__address", "message__subject", "=message__ticket__number"]
    search_help_text = gettext_lazy("Recipient, subject, ticket number or Message-ID")
    date_hierarchy = "created_at"
    list_select_related = ["mailbox", "message"]
    fieldsets = [
        (None, {"fields": ["message_link", "ticket_link", "mailbox", "envelope_from", "mail_id"]}),
        (
            gettext_lazy("How it went"),
            {
                "fields": [
                    "state",
                    "tries",
                    "due_at",
                    "handed_over",
                    "last_answer",
                    "created_at",
                    "sent_at",
                    "mail_as_sent",
                ]
            },
        ),
    ]
    readonly_fields = ["message_link", "ticket_link", "mail_as_sent"]
    inlines = [RecipientInline]
    actions = ["try_again"]

    def get_urls(self) -> list[URLPattern]:
        sent = self.admin_site.admin_view(self.sent_view)
        return [path("<int:pk>/mail/", sent, name="inbox_outgoing_mail"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Outgoing]:
        return super().get_queryset(request).prefetch_related("recipients")

    def sent_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        outgoing = get_object_or_404(Outgoing.objects.exclude(mime=""), pk=pk)
        name = f"sent-{outgoing.pk}.eml"
        return respond_with_file(opened(outgoing.mime), name=name, content_type="message/rfc822", may_show=False)

    def verb(self, thing: Outgoing, user: User) -> None:
        thing.try_again(by=user)

    def verb_is_possible(self, thing: Outgoing) -> bool:
        return thing.can_be_tried_again

    @admin.action(description=gettext_lazy("Try again"))
    def try_again(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> None:
        self.do_all(request, queryset.select_related("message__ticket"))

    @admin.display(description=gettext_lazy("mail as sent"))
    def mail_as_sent(self, outgoing: Outgoing) -> str:
        return download_link("admin:inbox_outgoing_mail", outgoing) if outgoing.mime else NOTHING

    @admin.display(description=gettext_lazy("to"))
    def to_addresses(self, outgoing: Outgoing) -> str:
        return ", ".join(recipient.address for recipient in outgoing.recipients.all()) or NOTHING

    @admin.display(description=gettext_lazy("message"))
    def message_link(self, outgoing: Outgoing) -> str:
        return linked(outgoing.message)

    @admin.display(description=gettext_lazy("ticket"))
    def ticket_link(self, outgoing: Outgoing) -> str:
        return linked(outgoing.message.ticket)

    @admin.display(description=gettext_lazy("the server's last answer"))
    def short_answer(self, outgoing: Outgoing) -> str:
        return outgoing.last_answer[:120]
