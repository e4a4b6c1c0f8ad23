from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from helpdesk.attachments import opened, respond_with_file
from inbox.admin_forms import AdminMailboxForm
from inbox.channels.steps import Step
from inbox.errors import InboxError
from inbox.forms import CONNECTION, EVERYDAY, SECRETS, MailboxForm
from inbox.models import (
    Attachment,
    Conversation,
    FetchGap,
    Incoming,
    IncomingState,
    Mailbox,
    MailFolder,
    Message,
    Outgoing,
    OutgoingRecipient,
    Upload,
)
from inbox.models.message import Address
from inbox.tasks import poll_mailbox
from people.admin_bases import NOTHING, Audited, ReadOnly, linked, list_linked
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
                self.verb(thing, cast(User, request.user))
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
        return _download("inbox:attachment", attachment)


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
        return _download("inbox:attachment", attachment)


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    list_display = ["name", "content_type", "size", "user", "created_at"]
    search_fields = ["name", "user__name", "user__email"]
    date_hierarchy = "created_at"
    list_select_related = ["user"]
    fields = ["name", "content_type", "size", "user", "created_at"]


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
        address = reverse("admin:inbox_incoming_raw", args=[incoming.pk])
        return format_html('<a href="{}" download>{}</a>', address, _("Download"))

    @admin.display(description=gettext_lazy("message"))
    def message_link(self, incoming: Incoming) -> str:
        return linked(getattr(incoming, "message", None))

    @admin.display(description=gettext_lazy("duplicate of"))
    def duplicate_link(self, incoming: Incoming) -> str:
        return linked(incoming.duplicate_of)

    @admin.display(description=gettext_lazy("error"))
    def short_error(self, incoming: Incoming) -> str:
        return incoming.error[:120]


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
        if not outgoing.mime:
            return NOTHING
        address = reverse("admin:inbox_outgoing_mail", args=[outgoing.pk])
        return format_html('<a href="{}" download>{}</a>', address, _("Download"))

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


class InTrouble(admin.SimpleListFilter):
    title = gettext_lazy("in trouble")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
        return queryset.exclude(fetch_error="", send_error="") if self.value() else queryset


@admin.register(Mailbox)
class MailboxAdmin(Audited):
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
            (_("Sending"), {"fields": [*smtp, "ca_certificate"] if obj else [*smtp, "ca_certificate", "untested"]}),
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

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only one that never had mail: the mails of the others refer to it, so they are switched off."""
        return isinstance(obj, Mailbox) and not (obj.incoming.exists() or obj.conversations.exists())

    def save_model(self, request: HttpRequest, obj: Mailbox, form: Any, change: bool) -> None:
        form.save_by(cast(User, request.user))
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


def _people(addresses: list[Address]) -> str:
    return (
        ", ".join(f"{one['name']} <{one['address']}>" if one.get("name") else one["address"] for one in addresses)
        or NOTHING
    )


def _download(name: str, thing: Model) -> str:
    return format_html('<a href="{}" download>{}</a>', reverse(name, args=[thing.pk]), _("Download"))
