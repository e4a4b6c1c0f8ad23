"""What can be set on a ticket from its page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from people.models import User
from tickets.describing import Field, required_fields
from tickets.form_fields import form_field
from tickets.models import Priority, Status, Ticket


class StatusForm(forms.Form):
    """Offers the statuses of the ticket's own pipeline and no others."""

    status = forms.ModelChoiceField(
        Status.objects.none(),
        label=_("Status"),
        error_messages={
            "required": _("Choose a status."),
            "invalid_choice": _("That is not a status of this ticket's pipeline. Choose one from the menu."),
        },
    )

    def __init__(self, ticket: Ticket, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["status"].queryset = ticket.pipeline.statuses.all()  # type: ignore[attr-defined]


class AssignmentForm(forms.Form):
    """An empty owner means nobody."""

    owner = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        label=_("Owner"),
        error_messages={"invalid_choice": _("That person cannot own tickets any more. Choose an active agent.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = User.objects.assignable()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        if "owner" not in self.data:
            raise forms.ValidationError(_("Choose an owner, or nobody."))
        return super().clean() or {}


class PriorityForm(forms.Form):
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        choices=Priority.choices,
        coerce=lambda value: Priority(int(value)),
        error_messages={
            "required": _("Choose a priority."),
            "invalid_choice": _("That is not a priority. Choose one from the menu."),
        },
    )


class RequiredFields(forms.Form):
    """What `status` asks of `ticket` on entering and it lacks. Its names in a form are `property-<key>`.

    `values` of a valid one go into `Ticket.set_properties`; a status that asks for nothing more is valid with none.
    """

    def __init__(self, ticket: Ticket, status: Status, data: Any = None) -> None:
        super().__init__(data, prefix="property")
        self.ticket, self.status = ticket, status
        for wanted in required_fields(status, ticket):
            self.fields[wanted.key] = form_field(wanted)

    @property
    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)

    @property
    def was_given(self) -> bool:
        """Whether the answer to the dialog came with it, or the status was only just picked."""
        return any(self.add_prefix(key) in self.data for key in self.fields)


class PropertyForm(forms.Form):
    """One property of a ticket, or its name or team, changed in place."""

    def __init__(self, field: Field, data: Any = None, *, value: Any = None) -> None:
        super().__init__(data, initial={"value": value}, auto_id=f"property-{field.key}-%s")
        self.fields["value"] = form_field(replace(field, is_required=field.key == "name"))
