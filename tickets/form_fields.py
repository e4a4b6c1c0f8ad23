"""The form fields of a ticket's fields: one for each kind, built in or a property, wherever it is asked for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from people.models import Company, Contact, Team, User
from people.picking import NewContact, NotFound, find_companies, find_contacts
from tickets.describing import Field
from tickets.errors import NotAValue
from tickets.models.property import PropertyKind
from tickets.models.ticket import Priority


class PropertyField(forms.Field):
    """Takes what `Property.clean_value` takes, and says its errors. Its widget fits the kind."""

    def __init__(self, field: Field, **kwargs: Any) -> None:
        if field.property is None:
            raise TypeError("a built-in field has a form field of its own")
        self.of, self.property = field, field.property
        super().__init__(widget=_widget(field), **kwargs)

    def to_python(self, value: Any) -> Any:
        try:
            return self.property.clean_value(value)
        except NotAValue as error:
            raise ValidationError(error.why) from None

    def validate(self, value: Any) -> None:
        if self.required and self.of.is_empty(value):
            raise ValidationError(self.error_messages["required"], code="required")


class PickerWidget(forms.Widget):
    """Prints <record-picker>: chips and a search box; without scripts the box alone, for a name or an address."""

    template_name = "people/_picker.html"

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(**kwargs)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name) if hasattr(data, "getlist") else list(data.get(name) or [])

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        find: Any = find_contacts if self.kind == "contact" else find_companies
        chosen: list[Any] = []
        typed = ""
        for each in value or []:
            try:
                found = [each] if isinstance(each, (Contact, Company)) else find([each])
            except NotFound:
                found = []
            if known := [one for one in found if not isinstance(one, NewContact)]:
                chosen += known
            elif str(each).strip():
                typed = str(each).replace(
                    "\x00", ""
                )  # for an address that nobody has a contact is made when the form is sent
        described = context["widget"]["attrs"]
        return context | {
            "kind": self.kind,
            "chosen": chosen,
            "typed": typed,
            "is_invalid": "aria-invalid" in described,
            "described_by": described.get("aria-describedby", ""),
        }

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        # Not by Django's renderer of forms, which does not look among our own templates.
        return render_to_string(self.template_name, self.get_context(name, value, attrs))


class PickerField(forms.Field):
    """Contacts or companies, each by its number, or by what somebody typed: the primary one first.

    It writes nothing. An address that nobody has comes as a NewContact, which `people_made` makes with the ticket.
    """

    widget: PickerWidget

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(widget=PickerWidget(kind), **kwargs)

    def to_python(self, value: Any) -> list[Any]:
        find: Any = find_contacts if self.kind == "contact" else find_companies
        try:
            return list(find(value or []))
        except NotFound as error:
            raise ValidationError(str(error)) from None


REQUIRED = {
    "name": _("Write a ticket name: in a few words, what the customer needs."),
    "owner": _("Choose an owner."),
    "team": _("Choose a team."),
    "priority": _("Choose a priority."),
    "contact": _("Choose a contact."),
    "company": _("Choose a company."),
    "description": _("Write a description."),
}


def form_field(field: Field) -> forms.Field:
    """Not for pipeline and status, which belong together and are the create form's own."""
    common: dict[str, Any] = {"label": field.label, "required": field.is_required, "help_text": field.help_text}
    common["error_messages"] = {"required": REQUIRED.get(field.key) or _required_sentence(field)}
    if field.property:
        return _marked(PropertyField(field, **common), field)
    if field.kind in ("contact", "company"):
        return _marked(PickerField(field.kind, **common), field)
    if field.kind == "owner":
        return _marked(_choice(User.objects.assignable(), _("Nobody"), **common), field)
    if field.kind == "team":
        return _marked(_choice(Team.objects.all(), _("No team"), **common), field)
    if field.kind == "priority":
        priority = forms.TypedChoiceField(
            choices=list(reversed(Priority.choices)),
            coerce=lambda value: Priority(int(value)),
            empty_value=None,
            widget=forms.Select(attrs={"class": "select"}),
            **common,
        )
        priority.initial = Priority.NORMAL
        return _marked(priority, field)
    if field.kind == "description":
        text = forms.Textarea(attrs={"class": "textarea", "rows": 3})
        return _marked(forms.CharField(max_length=20_000, widget=text, **common), field)
    return _marked(forms.CharField(max_length=300, widget=forms.TextInput(attrs={"class": "input"}), **common), field)


def _marked(made: Any, field: Field) -> forms.Field:
    """The template asks what kind it prints."""
    made.kind = field.kind
    made.key = field.key
    return made


def _choice(rows: Any, nothing: Any, **common: Any) -> forms.ModelChoiceField:
    errors = {"invalid_choice": _("That cannot be chosen any more. Choose another from the menu.")}
    common["error_messages"] = common["error_messages"] | errors
    return forms.ModelChoiceField(rows, empty_label=nothing, widget=forms.Select(attrs={"class": "select"}), **common)


def _required_sentence(field: Field) -> str:
    if field.kind in (PropertyKind.CHOICE, PropertyKind.CHOICES, PropertyKind.DATE):
        return _now("Choose a value for “%(name)s”.") % {"name": field.label}
    if field.kind == PropertyKind.CHECKBOX:
        return _now("Tick “%(name)s”.") % {"name": field.label}
    return _now("Fill in “%(name)s”.") % {"name": field.label}


def _widget(field: Field) -> forms.Widget:
    options = [(option, option) for option in field.options]
    if field.kind == PropertyKind.LONG_TEXT:
        return forms.Textarea(attrs={"class": "textarea", "rows": 3})
    if field.kind == PropertyKind.NUMBER:
        return forms.TextInput(attrs={"class": "input", "inputmode": "decimal"})
    if field.kind == PropertyKind.DATE:
        return forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d")
    if field.kind == PropertyKind.CHECKBOX:
        return forms.CheckboxInput()
    if field.kind == PropertyKind.CHOICE:
        return forms.Select(attrs={"class": "select"}, choices=[("", _now("Choose…")), *options])
    if field.kind == PropertyKind.CHOICES:
        return forms.CheckboxSelectMultiple(choices=options)
    if field.kind == PropertyKind.URL:
        return forms.URLInput(attrs={"class": "input", "placeholder": "https://"})
    return forms.TextInput(attrs={"class": "input"})
