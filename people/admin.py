from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.db.models import Count, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from kombu.exceptions import OperationalError as QueueAway

from people import resetting
from people.admin_bases import NOTHING, Audited, ReadOnly, TellsWhoseAccessChanges, linked
from people.admin_forms import AddressForm, AddressFormSet, UserAddForm, UserChangeForm
from people.models import AuditEntry, Company, CompanyDomain, Contact, ContactAddress, Membership, Team, User
from people.tasks import send_reset_link
from people.throttling import forget_failures


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["team", "user"]


@admin.register(User)
class UserAdmin(TellsWhoseAccessChanges, Audited):
    change_form_template = "admin/people/user/change_form.html"
    secret_fields = ("new_password",)
    list_display = ["name", "email", "role", "is_active", "ticket_access", "their_teams", "last_login"]
    list_filter = ["is_active", "role", "ticket_access", "sees_unassigned", "teams"]
    search_fields = ["name", "email"]
    date_hierarchy = "created_at"
    ordering = ["name", "pk"]
    readonly_fields = ["last_login", "created_at"]
    inlines = [MembershipInline]
    actions = ["mail_links"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("teams")

    def whose_access(self, thing: Any) -> set[int]:
        return {thing.pk}

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = UserChangeForm if obj else UserAddForm
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.by = request.user
        return form

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        person = ["name", "email", "new_password"]
        account = ["is_active", *(["last_login", "created_at"] if obj else [])]
        rights = ["role", "ticket_access", "sees_unassigned", "settings_right", "reply_right", "delete_right"]
        return [
            (None, {"fields": person + account}),
            (_("What they may see and do"), {"fields": rights}),
            (_("Preferences"), {"fields": ["language", "time_zone", "theme", "signature"]}),
        ]

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "language":
            kwargs["choices"] = [("", _("The desk's language")), *settings.LANGUAGES]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        send = self.admin_site.admin_view(require_POST(self.mail_link))
        return [path("<int:pk>/reset-link/", send, name="people_user_reset_link"), *super().get_urls()]

    @admin.display(description=gettext_lazy("teams"))
    def their_teams(self, user: User) -> str:
        return ", ".join(team.name for team in user.teams.all()) or NOTHING

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only who never signed in; what the others wrote stays theirs, so they are switched off."""
        return isinstance(obj, User) and obj.last_login is None and obj != request.user

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        password = form.cleaned_data.get("new_password")
        if password or not change:
            obj.set_password(password or None)
        super().save_model(request, obj, form, change)
        if password:
            forget_failures(obj.email)
        if password and obj == request.user:
            update_session_auth_hash(request, obj)  # their other sessions end, this one goes on
        if not change and not password:
            transaction.on_commit(lambda: self._mail(request, obj))

    def mail_link(self, request: HttpRequest, pk: int) -> HttpResponse:
        user = get_object_or_404(User, pk=pk)
        self._mail(request, user)
        return HttpResponseRedirect(reverse("admin:people_user_change", args=[pk]))

    @admin.action(description=gettext_lazy("Mail a link to set a password"))
    def mail_links(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self._mail(request, user)

    def _mail(self, request: HttpRequest, user: User) -> None:
        name = {"name": user.name}
        if not resetting.can_send():
            self.message_user(
                request,
                _("The help desk cannot send mail of its own. Set HELPDESK_SYSTEM_MAIL_URL, or set a password here."),
                messages.ERROR,
            )
        elif not user.is_active:
            self.message_user(request, _("%(name)s is switched off. Switch them on first.") % name, messages.ERROR)
        else:
            try:
                send_reset_link.delay(user.email)
            except QueueAway:
                self.message_user(
                    request, _("The queue is away, no link was mailed. Try again in a minute."), messages.ERROR
                )
                return
            self.audit(request, user, {}, "was mailed a link to set a password")
            self.message_user(request, _("A link to set a password is on its way to %(name)s.") % name)


@admin.register(Team)
class TeamAdmin(TellsWhoseAccessChanges, Audited):
    list_display = ["name", "members_count"]
    search_fields = ["name"]
    inlines = [MembershipInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        return super().get_queryset(request).annotate(members_counted=Count("memberships"))

    def whose_access(self, thing: Any) -> set[int]:
        return set(thing.memberships.values_list("user", flat=True))

    @admin.display(description=gettext_lazy("members"), ordering="members_counted")
    def members_count(self, team: Any) -> int:
        return cast(int, team.members_counted)


@admin.register(Membership)
class MembershipAdmin(TellsWhoseAccessChanges, Audited):
    list_display = ["user", "team", "is_main"]
    list_filter = ["team", "is_main"]
    search_fields = ["user__name", "user__email", "team__name"]
    autocomplete_fields = ["user", "team"]
    list_select_related = ["user", "team"]

    def whose_access(self, thing: Any) -> set[int]:
        return {thing.user_id}


class AddressInline(admin.TabularInline):
    model = ContactAddress
    form = AddressForm
    formset = AddressFormSet
    extra = 0


@admin.register(Contact)
class ContactAdmin(admin.ModelAdmin):
    list_display = ["__str__", "mail", "company", "created_at"]
    list_filter = ["created_at"]
    search_fields = ["name", "addresses__address", "company__name"]
    search_help_text = gettext_lazy("Name, mail address or company")
    autocomplete_fields = ["company"]
    date_hierarchy = "created_at"
    list_select_related = ["company"]
    readonly_fields = ["created_at"]
    inlines = [AddressInline]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).prefetch_related("addresses")

    @admin.display(description=gettext_lazy("mail address"))
    def mail(self, contact: Contact) -> str:
        return contact.address or NOTHING


class DomainInline(admin.TabularInline):
    model = CompanyDomain
    extra = 0


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin):
    list_display = ["name", "mail_domains", "contacts_count", "created_at"]
    search_fields = ["name", "domains__domain"]
    search_help_text = gettext_lazy("Name or mail domain")
    date_hierarchy = "created_at"
    readonly_fields = ["created_at"]
    inlines = [DomainInline]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Company]:
        counted = super().get_queryset(request).annotate(contacts_counted=Count("contacts", distinct=True))
        return counted.prefetch_related("domains")

    @admin.display(description=gettext_lazy("mail domains"))
    def mail_domains(self, company: Company) -> str:
        return ", ".join(row.domain for row in company.domains.all()) or NOTHING

    @admin.display(description=gettext_lazy("contacts"), ordering="contacts_counted")
    def contacts_count(self, company: Any) -> int:
        return cast(int, company.contacts_counted)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ["at", "who", "what"]
    list_filter = ["at"]
    search_fields = ["what", "by__name", "by__email"]
    date_hierarchy = "at"
    list_select_related = ["by"]

    @admin.display(description=gettext_lazy("by"), ordering="by__name")
    def who(self, entry: AuditEntry) -> str:
        return linked(entry.by) if entry.by else _("the program")
