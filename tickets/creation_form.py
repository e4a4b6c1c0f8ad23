"""The form that makes a ticket by hand, as the desk arranged it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from helpdesk.html import has_words
from tickets.creating import creation_layout
from tickets.describing import Field, required_fields
from tickets.form_fields import form_field
from tickets.models import Kind, Pipeline, Status

DAYS = (30, 90, 365)
# Two of them stand beside each other in a narrow panel.
SHORT = {"pipeline", "status", "priority", "owner", "team", "number", "date", "choice", "text"}


def first_open_status(pipeline: Pipeline) -> Status:
    """Where a ticket of that pipeline begins (SPEC S-09). Raises PipelineWithoutStatuses."""
    return pipeline.first_status(Kind.NEW)


def _periods() -> list[tuple[str, str]]:
    days = [
        (str(days), ngettext("The last %(days)d day", "The last %(days)d days", days) % {"days": days}) for days in DAYS
    ]
    return [*days, ("", _now("From the beginning"))]


class CreationForm(forms.Form):
    """Its statuses are those of the chosen pipeline; what the chosen status asks for stands on it and is required."""

    form_key = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None, layout: list[Field] | None = None):
        super().__init__(data, initial=initial, auto_id="new-%s")
        self.layout = creation_layout() if layout is None else layout
        self.pipelines = list(Pipeline.objects.filter(statuses__isnull=False).distinct()) or [Pipeline.first()]
        self.chosen_pipeline = self._chosen_pipeline()
        self.statuses = list(self.chosen_pipeline.statuses.all())
        self.asked: list[str] = []
        self._build()
        self.initial.setdefault("pipeline", self.chosen_pipeline.pk)
        self.initial.setdefault("status", first_open_status(self.chosen_pipeline).pk)

    def _build(self) -> None:
        status = self._chosen_status()
        asked = {each.key: each for each in required_fields(status, None)} if status else {}
        layout = [*self.layout, *(each for key, each in asked.items() if key not in {f.key for f in self.layout})]
        self.asked = list(asked)
        for each in layout:
            if each.kind == "pipeline":
                made: Any = forms.ModelChoiceField(
                    Pipeline.objects.filter(pk__in=[pipeline.pk for pipeline in self.pipelines]),
                    label=each.label,
                    empty_label=None,
                    widget=forms.Select(attrs={"class": "select"}),
                    error_messages={
                        "required": _("Choose a pipeline."),
                        "invalid_choice": _("That pipeline is not there any more. Choose another."),
                    },
                )
            elif each.kind == "status":
                made = forms.ModelChoiceField(
                    self.chosen_pipeline.statuses.all(),
                    label=each.label,
                    empty_label=None,
                    widget=forms.Select(attrs={"class": "select"}),
                    error_messages={
                        "required": _("Choose a status."),
                        "invalid_choice": _("That is not a status of this pipeline. Choose one of its own."),
                    },
                )
            elif each.kind == "message":
                made = forms.CharField(
                    label=each.label,
                    required=False,
                    max_length=100_000,
                    widget=forms.Textarea(attrs={"class": "textarea", "rows": 4}),
                )
                # As the editor sends it, instead of the plain text.
                self.fields["message_html"] = forms.CharField(
                    required=False, max_length=500_000, widget=forms.HiddenInput
                )
            else:
                made = form_field(asked.get(each.key, each))
            made.kind, made.key, made.is_short = each.kind, each.key, each.kind in SHORT
            self.fields[each.key] = made
        if "contact" in self.fields or "company" in self.fields:
            self.fields["earlier"] = forms.BooleanField(label=_("Add earlier activities"), required=False)
            self.fields["period"] = forms.ChoiceField(
                label=_("From when"),
                choices=_periods,
                required=False,
                initial="90",
                widget=forms.Select(attrs={"class": "select"}),
            )

    def _chosen_pipeline(self) -> Pipeline:
        wanted = str(self.data.get("pipeline") or self.initial.get("pipeline") or "")
        return next((each for each in self.pipelines if str(each.pk) == wanted), self.pipelines[0])

    def _chosen_status(self) -> Status | None:
        """What the chosen one asks for is asked from the first answer on, not before one has chosen."""
        wanted = str(self.data.get("status", ""))
        return next((each for each in self.statuses if str(each.pk) == wanted), None)

    @property
    def printed(self) -> list[forms.BoundField]:
        """What stands on the form in its order; the tick for earlier activities comes after the people it is about."""
        keys = [key for key in self.fields if key not in ("form_key", "message_html", "earlier", "period")]
        return [self[key] for key in keys]

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).replace("\x00", "").split())
        if not name:
            raise forms.ValidationError(_now("Write a ticket name: in a few words, what the customer needs."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        written = str(cleaned.get("message") or "").strip() or has_words(str(cleaned.get("message_html") or ""))
        if written and not cleaned.get("contact") and "contact" not in self.errors:
            self.add_error("message", _now("Add a contact to write to, or take the message out."))
        return cleaned

    def earlier_since(self, now: datetime) -> tuple[bool, datetime | None]:
        """Whether earlier activities are wanted, and from when on; None is everything."""
        if not self.cleaned_data.get("earlier"):
            return False, None
        days = self.cleaned_data.get("period") or ""
        return True, now - timedelta(days=int(days)) if days else None
