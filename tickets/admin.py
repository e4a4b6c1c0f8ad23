from __future__ import annotations

import re
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Count, Model, QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from people.access import signed_in
from people.admin_bases import Audited, OneAtATime, ReadOnly, TellsWhoseAccessChanges, linked, list_linked
from tickets.admin_forms import PropertyForm, ShareForm, StatusForm, StatusFormSet, TicketForm
from tickets.errors import TicketError
from tickets.models import CreationField, Event, Kind, Pipeline, Priority, Property, Share, Status, Ticket, TicketLink


class StatusInline(admin.TabularInline):
    model = Status
    form = StatusForm
    formset = StatusFormSet
    extra = 0
    min_num = 1
    ordering = ["position", "pk"]


@admin.register(Pipeline)
class PipelineAdmin(OneAtATime, Audited):
    list_display = ["name", "position", "reopening", "reopen_days", "statuses_count", "tickets_count"]
    list_filter = ["reopening"]
    search_fields = ["name", "statuses__name"]
    inlines = [StatusInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pipeline]:
        return super().get_queryset(request).annotate(statuses_counted=Count("statuses", distinct=True))

    @admin.display(description=gettext_lazy("statuses"))
    def statuses_count(self, pipeline: Any) -> int:
        return cast(int, pipeline.statuses_counted)

    @admin.display(description=gettext_lazy("tickets"))
    def tickets_count(self, pipeline: Pipeline) -> str:
        return list_linked(Ticket, _("Show"), pipeline__id__exact=pipeline.pk)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        pipeline = self.get_object(request, object_id)
        count = pipeline.tickets.count() if pipeline else 0
        if not count:
            return super().delete_view(request, object_id, extra_context)
        sentence = ngettext(
            "This pipeline still has %(count)d ticket, maybe in the trash. A pipeline with tickets stays.",
            "This pipeline still has %(count)d tickets, maybe in the trash. A pipeline with tickets stays.",
            count,
        )
        self.message_user(request, sentence % {"count": count}, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:tickets_pipeline_change", args=[object_id]))

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        """A changed kind goes through the verb: the tickets that are in the status follow."""
        if formset.model is not Status:
            super().save_formset(request, form, formset, change)
            return
        rekinded = [
            (one.instance, Kind(one.cleaned_data["kind"]))
            for one in formset.forms
            if one.instance.pk and "kind" in one.changed_data and not one.cleaned_data.get("DELETE")
        ]
        super().save_formset(request, form, formset, change)
        for status, kind in rekinded:
            status.change_kind(kind, now=timezone.now())


@admin.register(Property)
class PropertyAdmin(Audited):
    form = PropertyForm
    list_display = ["name", "key", "kind", "position"]
    list_filter = ["kind"]
    search_fields = ["name", "key"]
    prepopulated_fields = {"key": ["name"]}


@admin.register(CreationField)
class CreationFieldAdmin(ReadOnly):
    """The form itself is arranged in the workspace, with “Edit this form”; here one sees what is stored."""

    list_display = ["key", "position", "is_required"]
    search_fields = ["key"]


class EventInline(admin.TabularInline):
    model = Event
    extra = 0
    can_delete = False
    fields = readonly_fields = ("at", "kind", "actor", "detail")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return super().get_queryset(request).select_related("actor")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ShareInline(admin.TabularInline):
    model = Share
    form = ShareForm
    fk_name = "ticket"
    extra = 0
    fields = ["user", "team"]
    autocomplete_fields = ["user", "team"]


class InTheTrash(admin.SimpleListFilter):
    title = gettext_lazy("in the trash")
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("No")), ("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        if self.value() is None:
            return queryset
        return queryset.filter(trashed_at__isnull=self.value() == "no")


@admin.register(Ticket)
class TicketAdmin(TellsWhoseAccessChanges, Audited):
    """Tickets come into being by mail and in the workspace; here one looks into them and mends them."""

    form = TicketForm
    list_display = ["number", "name", "status", "priority", "owner", "contact_name", "opened_at", "trashed_at"]
    list_display_links = ["number", "name"]
    list_filter = [
        "turn",
        "pipeline",
        "priority",
        "source",
        InTheTrash,
        ("owner", admin.RelatedOnlyFieldListFilter),
        "team",
    ]
    search_fields = ["name", "contact__name", "contact__addresses__address"]
    search_help_text = gettext_lazy("Number, name, contact or their mail address")
    date_hierarchy = "opened_at"
    ordering = ["-number"]
    list_select_related = ["status", "owner", "contact"]
    autocomplete_fields = ["team", "contact", "company"]
    readonly_fields = [
        *("number", "pipeline", "source", "turn", "turn_since", "opened_at", "closed_at", "trashed_at", "created_by"),
        *("last_message_at", "message_count", "related"),
    ]
    inlines = [ShareInline, EventInline]
    actions = ["move_to_trash", "take_out_of_trash"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        return super().get_queryset(request).prefetch_related("contact__addresses")

    def whose_access(self, thing: Any) -> set[int]:
        """Those it is shared with; of all else the ticket's own verbs tell."""
        return set().union(*(share.reaches() for share in thing.shares.all()))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Ticket], search_term: str
    ) -> tuple[QuerySet[Ticket], bool]:
        number = re.fullmatch(r"#?(\d{1,18})", search_term.strip())
        if number:
            return queryset.filter(pk=int(number[1])), False
        return super().get_search_results(request, queryset, search_term)

    def get_fieldsets(self, request: HttpRequest, obj: Ticket | None = None) -> Any:
        return [
            (None, {"fields": ["number", "name", "pipeline", "status", "priority", "owner", "team", "related"]}),
            (_("Who it is about"), {"fields": ["contact", "company"]}),
            (
                _("How it stands"),
                {
                    "fields": [
                        *("source", "created_by", "turn", "turn_since", "opened_at", "closed_at"),
                        *("last_message_at", "message_count", "trashed_at"),
                    ]
                },
            ),
        ]

    @admin.display(description=gettext_lazy("contact"), ordering="contact__name")
    def contact_name(self, ticket: Ticket) -> str:
        return linked(ticket.contact)

    @admin.display(description=gettext_lazy("go to"))
    def related(self, ticket: Ticket) -> str:
        apps = {model._meta.model_name: model for model in (Event, TicketLink)}
        links = [
            list_linked(model, model._meta.verbose_name_plural, ticket__number__exact=ticket.pk)
            for model in apps.values()
        ]
        links += [
            format_html('<a href="{}?ticket__number__exact={}">{}</a>', reverse(address), ticket.pk, name)
            for address, name in (
                ("admin:inbox_conversation_changelist", _("conversations")),
                ("admin:inbox_message_changelist", _("messages")),
            )
        ]
        links.insert(0, format_html('<a href="{}">{}</a>', ticket.get_absolute_url(), _("in the workspace")))
        return format_html_join(" · ", "{}", ((link,) for link in links))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never for good: the mails of a ticket are not to be lost. There is the trash."""
        return False

    def save_model(self, request: HttpRequest, obj: Ticket, form: ModelForm, change: bool) -> None:
        """Status, owner and priority go through the verbs of the workspace, with their rules and their events."""
        by, now = signed_in(request), timezone.now()
        plain = [name for name in ("name", "team", "contact", "company") if name in form.changed_data]
        if plain:
            obj.save(update_fields=plain)
        ticket = Ticket.objects.get(pk=obj.pk)
        if plain:
            ticket.changed()
        wanted = form.cleaned_data
        if "priority" in form.changed_data:
            ticket.prioritise(Priority(wanted["priority"]), by=by, now=now)
        try:
            if "owner" in form.changed_data:
                ticket.assign(wanted["owner"], by=by, now=now)
            if "status" in form.changed_data:
                # Last, since it may ask for what else was given.
                ticket.move_to(wanted["status"], by=by, now=now)
        except TicketError as problem:
            self.message_user(request, str(problem), messages.ERROR)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        if formset.model is Share:
            for one in formset.forms:
                if not one.instance.pk:
                    one.instance.by = request.user
        super().save_formset(request, form, formset, change)

    @admin.action(description=gettext_lazy("Move to trash"))
    def move_to_trash(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        for ticket in queryset:
            ticket.trash(by=signed_in(request), now=timezone.now())
        self.message_user(request, _("Moved to the trash. They can be restored from there."))

    @admin.action(description=gettext_lazy("Restore from trash"))
    def take_out_of_trash(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        for ticket in queryset:
            ticket.restore(by=signed_in(request), now=timezone.now())
        self.message_user(request, _("Restored."))


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ["at", "ticket_link", "kind", "actor", "detail"]
    list_filter = ["kind"]
    search_fields = ["=ticket__number", "actor__name"]
    date_hierarchy = "at"
    list_select_related = ["ticket", "actor"]

    @admin.display(description=gettext_lazy("ticket"))
    def ticket_link(self, event: Event) -> str:
        return linked(event.ticket)


@admin.register(TicketLink)
class TicketLinkAdmin(ReadOnly):
    list_display = ["ticket_link", "kind", "other_link", "created_at"]
    list_display_links = ["created_at"]
    list_filter = ["kind"]
    search_fields = ["=ticket__number", "=other__number"]
    date_hierarchy = "created_at"
    list_select_related = ["ticket", "other"]

    @admin.display(description=gettext_lazy("ticket"))
    def ticket_link(self, link: TicketLink) -> str:
        return linked(link.ticket)

    @admin.display(description=gettext_lazy("other ticket"))
    def other_link(self, link: TicketLink) -> str:
        return linked(link.other)


@admin.register(Share)
class ShareAdmin(TellsWhoseAccessChanges, Audited):
    form = ShareForm
    list_display = ["__str__", "ticket_link", "user", "team", "by", "created_at"]
    search_fields = ["=ticket__number", "user__name", "team__name"]
    date_hierarchy = "created_at"
    list_select_related = ["ticket", "user", "team", "by"]
    autocomplete_fields = ["ticket", "user", "team"]

    @admin.display(description=gettext_lazy("ticket"))
    def ticket_link(self, share: Share) -> str:
        return linked(share.ticket)

    def whose_access(self, thing: Any) -> set[int]:
        reached: set[int] = thing.reaches()
        return reached

    def save_model(self, request: HttpRequest, obj: Share, form: ModelForm, change: bool) -> None:
        if not change:
            obj.by = signed_in(request)
        super().save_model(request, obj, form, change)
