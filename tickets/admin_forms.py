from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms import BaseInlineFormSet
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from people.models import User
from tickets.describing import BUILT_IN, CAN_BE_ASKED
from tickets.models import Property, Share, Status, Ticket


class PropertyForm(forms.ModelForm):
    """Options one a line, as people write lists. Key and kind stay as they are once tickets have values by them."""

    options = forms.CharField(
        label=_lazy("options"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_lazy("For the kinds that choose: one a line."),
    )

    class Meta:
        model = Property
        fields = ["name", "key", "kind", "options", "help_text", "position"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["options"] = "\n".join(self.instance.options)

    def clean_options(self) -> list[str]:
        lines = [" ".join(line.split()) for line in self.cleaned_data["options"].splitlines()]
        return [line for line in lines if line]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.instance.pk and {"key", "kind"} & set(self.changed_data):
            count = Ticket.objects.filter(properties__has_key=self.initial["key"]).count()
            if count:
                self.add_error(
                    None,
                    ngettext(
                        "%(count)d ticket has a value for it: key and kind stay as they are. Make another property.",
                        "%(count)d tickets have a value for it: key and kind stay as they are. Make another property.",
                        count,
                    )
                    % {"count": count},
                )
        return cleaned


class StatusForm(forms.ModelForm):
    required = forms.MultipleChoiceField(
        label=_lazy("required on entering"),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 4}),
        help_text=_lazy("Without these no ticket enters the status."),
    )

    class Meta:
        model = Status
        fields = ["name", "kind", "position", "required"]

    def __init__(self, *args: Any, properties: Sequence[Property] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        built_in = [(key, BUILT_IN[key].label) for key in CAN_BE_ASKED]
        own = [(each.key, each.name) for each in properties]
        # What is named and gone by now stays choosable, so that it can be taken out.
        known = {key for key, _name in [*built_in, *own]}
        gone = [(key, key) for key in self.instance.required if key not in known]
        self.fields["required"].choices = [*built_in, *own, *gone]  # type: ignore[attr-defined]

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
    @cached_property
    def properties(self) -> list[Property]:
        return list(Property.objects.all())

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"properties": self.properties}

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
