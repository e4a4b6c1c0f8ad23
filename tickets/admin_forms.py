from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms import BaseInlineFormSet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from people.models import User
from tickets.models import Share, Status, Ticket


class StatusForm(forms.ModelForm):
    class Meta:
        model = Status
        fields = ["name", "kind", "position"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # Taken out when it may not be, or Django would print every ticket that stands in the way.
        if cleaned.get("DELETE") and self.instance.pk:
            count = self.instance.tickets.count()
            if count:
                cleaned.pop("DELETE")
                self.add_error(None, _in_use(self.instance, count))
        return cleaned


def _in_use(status: Status, count: int) -> str:
    return ngettext(
        "“%(status)s” still has %(count)d ticket. Move it to another status first, also when it is in the trash.",
        "“%(status)s” still has %(count)d tickets. Move them to another status first, also those in the trash.",
        count,
    ) % {"status": status.label, "count": count}


class StatusFormSet(BaseInlineFormSet):
    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.cleaned_data.get("name") and not form.cleaned_data.get("DELETE")]
        if not kept:
            raise ValidationError(_("A pipeline needs at least one status: tickets would have no place in it."))


class TicketForm(forms.ModelForm):
    class Meta:
        model = Ticket
        fields = ["name", "status", "priority", "owner", "team", "contact", "company"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "status" in self.fields:
            self.fields["status"].queryset = self.instance.pipeline.statuses.all()  # type: ignore[attr-defined]
        if "owner" in self.fields:
            # Who owns it now stays choosable, or saving anything else would be refused after they left.
            is_owner = Q(pk=self.instance.owner_id)
            assignable = User.objects.filter(pk__in=User.objects.assignable().values("pk"))
            self.fields["owner"].queryset = (assignable | User.objects.filter(is_owner)).distinct()  # type: ignore[attr-defined]


class ShareForm(forms.ModelForm):
    class Meta:
        model = Share
        fields = ["ticket", "user", "team"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if bool(cleaned.get("user")) == bool(cleaned.get("team")) and not self.errors:
            raise ValidationError(_("Choose a user or a team, one of the two."))
        return cleaned
