from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from inbox.admin.bases import ReadOnlyInline, download_link
from inbox.models import Attachment, Conversation, Message
from inbox.models.message import Address
from people.admin_bases import NOTHING, ReadOnly, linked, list_linked


class MessageInline(ReadOnlyInline):
    model = Message
    fk_name = "conversation"
    fields = readonly_fields = ("at", "direction", "kind", "from_address", "subject")


@admin.register(Conversation)
class ConversationAdmin(ReadOnly):
    list_display = ["created_at", "__str__", "ticket_link", "contact_link", "mailbox", "message_count"]
    list_display_links = ["created_at", "__str__"]
    list_filter = ["kind", "mailbox", ("ticket", admin.EmptyFieldListFilter)]
    search_fields = ["subject", "=ticket__number", "contact__name", "contact__addresses__address"]
    search_help_text = gettext_lazy("Subject, ticket number, contact or their mail address")
    date_hierarchy = "created_at"
    list_select_related = ["ticket", "contact", "mailbox"]
    fields = ["subject", "kind", "mailbox", "ticket_link", "contact_link", "created_at"]
    readonly_fields = ["ticket_link", "contact_link"]
    inlines = [MessageInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        counted = super().get_queryset(request).annotate(messages_counted=Count("messages"))
        return counted.prefetch_related("contact__addresses")

    @admin.display(description=gettext_lazy("ticket"), ordering="ticket")
    def ticket_link(self, conversation: Conversation) -> str:
        return linked(conversation.ticket)

    @admin.display(description=gettext_lazy("contact"), ordering="contact__name")
    def contact_link(self, conversation: Conversation) -> str:
        return linked(conversation.contact)

    @admin.display(description=gettext_lazy("messages"))
    def message_count(self, conversation: Any) -> str:
        return list_linked(Message, conversation.messages_counted, conversation__id__exact=conversation.pk)


class AttachmentInline(ReadOnlyInline):
    model = Attachment
    fields = readonly_fields = ("name", "content_type", "size", "inline", "download")

    @admin.display(description=gettext_lazy("file"))
    def download(self, attachment: Attachment) -> str:
        return download_link("inbox:attachment", attachment)


@admin.register(Message)
class MessageAdmin(ReadOnly):
    """The words as text: what is HTML in a mail is shown in the workspace, in its frame, and nowhere else."""

    list_display = ["at", "ticket_link", "direction", "kind", "sender", "short_subject", "outgoing_link"]
    list_display_links = ["at"]
    list_filter = ["direction", "kind", "automatic"]
    search_fields = ["subject", "=ticket__number", "from_address", "from_name", "=message_id"]
    search_help_text = gettext_lazy("Subject, ticket number, sender or whole Message-ID")
    date_hierarchy = "at"
    list_select_related = ["ticket", "author", "contact", "outgoing"]
    fieldsets = [
        (None, {"fields": ["at", "direction", "kind", "sender", "to_people", "cc_people", "bcc_people", "subject"]}),
        (gettext_lazy("Words"), {"fields": ["text", "quoted_text"]}),
        (gettext_lazy("Go to"), {"fields": ["ticket_link", "conversation_link", "incoming_link", "outgoing_link"]}),
        (
            gettext_lazy("Threading"),
            {
                "fields": [
                    "origin_link",
                    "message_id",
                    "in_reply_to",
                    "references",
                    "answers_link",
                    "automatic",
                    "sent_at",
                ]
            },
        ),
    ]
    readonly_fields = [
        *("sender", "to_people", "cc_people", "bcc_people", "ticket_link", "conversation_link", "incoming_link"),
        *("outgoing_link", "origin_link", "answers_link"),
    ]
    inlines = [AttachmentInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        # A list of a thousand long mails does not read their words.
        queryset = super().get_queryset(request)
        is_list = getattr(request.resolver_match, "url_name", "") == "inbox_message_changelist"
        return queryset.defer("text", "html", "quoted_text", "quoted_html") if is_list else queryset

    @admin.display(description=gettext_lazy("from"))
    def sender(self, message: Message) -> str:
        address = f" <{message.from_address}>" if message.from_address else ""
        return f"{message.sender_name}{address}"

    @admin.display(description=gettext_lazy("subject"), ordering="subject")
    def short_subject(self, message: Message) -> str:
        return message.subject[:100]

    @admin.display(description=gettext_lazy("to"))
    def to_people(self, message: Message) -> str:
        return _people(message.to)

    @admin.display(description=gettext_lazy("cc"))
    def cc_people(self, message: Message) -> str:
        return _people(message.cc)

    @admin.display(description=gettext_lazy("bcc"))
    def bcc_people(self, message: Message) -> str:
        return _people(message.bcc)

    @admin.display(description=gettext_lazy("ticket"), ordering="ticket")
    def ticket_link(self, message: Message) -> str:
        return linked(message.ticket)

    @admin.display(description=gettext_lazy("ticket of origin"))
    def origin_link(self, message: Message) -> str:
        return linked(message.origin)

    @admin.display(description=gettext_lazy("conversation"))
    def conversation_link(self, message: Message) -> str:
        return linked(message.conversation)

    @admin.display(description=gettext_lazy("answers"))
    def answers_link(self, message: Message) -> str:
        return linked(message.answers)

    @admin.display(description=gettext_lazy("incoming mail"))
    def incoming_link(self, message: Message) -> str:
        return linked(message.incoming)

    @admin.display(description=gettext_lazy("outgoing mail"))
    def outgoing_link(self, message: Message) -> str:
        outgoing = getattr(message, "outgoing", None)
        return linked(outgoing, outgoing.get_state_display()) if outgoing else NOTHING


@admin.register(Attachment)
class AttachmentAdmin(ReadOnly):
    list_display = ["name", "content_type", "size", "inline", "message_link", "download"]
    list_filter = ["inline"]
    search_fields = ["name", "=message__ticket__number"]
    search_help_text = gettext_lazy("File name or ticket number")
    date_hierarchy = "message__at"
    list_select_related = ["message"]
    fields = ["name", "original_name", "content_type", "size", "inline", "content_id", "message_link", "download"]
    readonly_fields = ["message_link", "download"]

    @admin.display(description=gettext_lazy("message"))
    def message_link(self, attachment: Attachment) -> str:
        return linked(attachment.message)

    @admin.display(description=gettext_lazy("file"))
    def download(self, attachment: Attachment) -> str:
        return download_link("inbox:attachment", attachment)


def _people(addresses: list[Address]) -> str:
    return (
        ", ".join(f"{one['name']} <{one['address']}>" if one.get("name") else one["address"] for one in addresses)
        or NOTHING
    )
