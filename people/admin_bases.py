"""What the admin pages of all apps share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.text import capfirst

from helpdesk.live import access_changed
from people.models import AuditEntry, User

NOTHING = "–"


def linked(thing: Model | None, text: object = None) -> str:
    """A link to the admin page of `thing`; a dash for nothing."""
    if thing is None:
        return NOTHING
    meta = thing._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[thing.pk])
    return format_html('<a href="{}">{}</a>', address, str(thing) if text is None else text)


def list_linked(model: type[Model], text: object, **filters: object) -> str:
    """A link to the list of `model`, narrowed down to `filters`."""
    meta = model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return format_html('<a href="{}?{}">{}</a>', address, query, text)


class ReadOnly(admin.ModelAdmin):
    """To look into: what is here was written by the program, and changing it would break what it knows."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Audited(admin.ModelAdmin):
    """Settings: who changed what, from what to what, is written to the audit log. Secrets appear as "changed"."""

    secret_fields: tuple[str, ...] = ()

    def save_related(
        self, request: HttpRequest, form: ModelForm, formsets: list[BaseModelFormSet], change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        changes = self._changes(form, change)
        for formset in formsets:
            for thing in formset.new_objects:
                changes[_named(thing)] = [None, str(thing)]
            for thing, fields in formset.changed_objects:
                changes[_named(thing)] = {"changed": [str(field) for field in fields]}
            for thing in formset.deleted_objects:
                changes[_named(thing)] = [str(thing), None]
        if changes or not change:
            self.audit(request, form.instance, changes, "changed" if change else "made")

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        name = _named(obj)
        super().delete_model(request, obj)
        self._write(request, f"{name} deleted", {})

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        names = [_named(thing) for thing in queryset]
        super().delete_queryset(request, queryset)
        for name in names:
            self._write(request, f"{name} deleted", {})

    def audit(self, request: HttpRequest, thing: Model, changes: dict[str, Any], verb: str) -> None:
        self._write(request, f"{_named(thing)} {verb}", changes)

    def _write(self, request: HttpRequest, what: str, changes: dict[str, Any]) -> None:
        by = request.user if isinstance(request.user, User) else None
        AuditEntry.objects.create(by=by, what=what[:200], changes=changes)

    def _changes(self, form: ModelForm, change: bool) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        filled_in = [name for name, value in form.cleaned_data.items() if value or value == 0]
        for name in form.changed_data if change else filled_in:
            if name in self.secret_fields:
                changes[name] = "changed"
                continue
            before = form.initial.get(name) if change else None
            changes[name] = [_plain(before), _plain(form.cleaned_data.get(name))]
        return changes


class TellsWhoseAccessChanges(admin.ModelAdmin):
    """What is changed here decides what people may see: their open pages learn it at once."""

    def whose_access(self, thing: Any) -> set[int]:
        raise NotImplementedError

    def save_related(
        self, request: HttpRequest, form: ModelForm, formsets: list[BaseModelFormSet], change: bool
    ) -> None:
        whose = self.whose_access(form.instance)
        if was := form.initial.get("user"):
            whose.add(was)
        super().save_related(request, form, formsets, change)
        access_changed(whose | self.whose_access(form.instance))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        whose = self.whose_access(obj)
        super().delete_model(request, obj)
        access_changed(whose)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        whose = set().union(*(self.whose_access(thing) for thing in queryset))
        super().delete_queryset(request, queryset)
        access_changed(whose)


class OneAtATime(admin.ModelAdmin):
    """Deleted on its own page, which says what stands in the way, and never in bulk."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}


def _named(thing: Model) -> str:
    with translation.override("en"):  # the log is in one language, whoever acts
        return f"{capfirst(str(thing._meta.verbose_name))} {thing}"


def _plain(value: object) -> object:
    """As JSON can hold it: a reference by its key, everything else that is no plain value by its words."""
    if isinstance(value, Model):
        return value.pk
    return value if value is None or isinstance(value, bool | int | str) else str(value)
