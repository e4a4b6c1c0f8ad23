"""Contacts and companies as people name them: picked by number, or typed as a name or an address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.numbers import as_number
from people.models import Company, CompanyDomain, Contact, ContactAddress
from people.models.company import free_mail_domains, normalised_domain
from people.models.contact import normalised


class PickingError(Exception):
    """`str()` is the sentence to show."""


class NotFound(PickingError):
    def __init__(self, text: str) -> None:
        super().__init__(
            _("Nobody is called “%(text)s” here. Pick one from the list, or give a mail address.") % {"text": text[:80]}
        )


class NoSuchCompany(NotFound):
    def __init__(self, text: str) -> None:
        PickingError.__init__(
            self, _("No company is called “%(text)s” here. Pick one from the list, or make it.") % {"text": text[:80]}
        )


class Invalid(PickingError):
    pass


class ContactKnown(PickingError):
    """There is a contact with that address already: take that one."""

    def __init__(self, contact: Contact, address: str) -> None:
        self.contact = contact
        super().__init__(_("%(address)s belongs to %(name)s already.") % {"address": address, "name": str(contact)})


class CompanyKnown(PickingError):
    def __init__(self, company: Company, domain: str) -> None:
        self.company = company
        super().__init__(_("%(domain)s belongs to %(name)s already.") % {"domain": domain, "name": company.name})


@dataclass(frozen=True)
class NewContact:
    """Somebody who is not here yet: a mail address that nobody has. `people_made` makes the contact."""

    address: str
    name: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


def find_contacts(given: Iterable[str | int]) -> list[Contact | NewContact]:
    """Each once, in the order given. It only looks: a mail address that nobody has is a NewContact. Raises NotFound."""
    return list(dict.fromkeys(map(_contact, _texts(given))))


def people_made(picked: Iterable[Any]) -> list[Any]:
    """With a contact for each NewContact among `picked`, each once. Inside the transaction of what they are for."""
    made = [
        Contact.objects.for_address(each.address, each.name) if isinstance(each, NewContact) else each
        for each in picked
    ]
    return list(dict.fromkeys(made))


def find_companies(given: Iterable[str | int]) -> list[Company]:
    """Raises NotFound."""
    found: dict[int, Company] = {}
    for text in _texts(given):
        company = _company(text)
        found.setdefault(company.pk, company)
    return list(found.values())


@transaction.atomic
def make_contact(*, name: str, address: str) -> Contact:
    """A new contact, with the company of its domain. An address is not necessary, something to call them is.

    Raises Invalid and ContactKnown.
    """
    name, address = _line(name, 200), normalised(address)
    if not name and not address:
        raise Invalid(_("Give a name or a mail address."))
    if not address:
        return Contact.objects.create(name=name)
    check_address(address)
    known = ContactAddress.objects.filter(address=address).select_related("contact").first()
    if known:
        raise ContactKnown(known.contact, address)
    return Contact.objects.for_address(address, name)


@transaction.atomic
def make_company(*, name: str, domain: str) -> Company:
    """Raises Invalid and CompanyKnown."""
    name = _line(name, 200)
    domain = normalised_domain(domain.strip().removeprefix("https://").removeprefix("http://").removeprefix("@")).strip(
        "/"
    )
    if not name and not domain:
        raise Invalid(_("Give a name or a mail domain."))
    if domain:
        if "." not in domain or any(each.isspace() or each in "/@" for each in domain) or len(domain) > 253:
            raise Invalid(
                _("“%(domain)s” is not a mail domain. Write what stands after the @.") % {"domain": domain[:80]}
            )
        if domain in free_mail_domains():
            raise Invalid(_("%(domain)s is for everybody, no company's own. Leave it out.") % {"domain": domain})
        known = CompanyDomain.objects.filter(domain=domain).select_related("company").first()
        if known:
            raise CompanyKnown(known.company, domain)
    company = Company.objects.create(name=name or domain)
    if domain:
        CompanyDomain.objects.create(company=company, domain=domain)
    return company


@transaction.atomic
def give_address(contact: Contact, address: str) -> ContactAddress:
    """Raises Invalid and ContactKnown."""
    address = normalised(address)
    check_address(address)
    known = ContactAddress.objects.filter(address=address).select_related("contact").first()
    if known and known.contact_id != contact.pk:
        raise ContactKnown(known.contact, address)
    if known:
        return known
    is_primary = not contact.addresses.filter(is_primary=True).exists()
    return contact.addresses.create(address=address, is_primary=is_primary)


def check_address(address: str) -> None:
    """Raises Invalid."""
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid(
            _("“%(address)s” is not a mail address. It looks like name@example.com.") % {"address": address[:80]}
        ) from None


def _contact(text: str) -> Contact | NewContact:
    if (pk := as_number(text)) is not None:
        contact = Contact.objects.filter(pk=pk).select_related("company").first()
        if contact is None:
            raise NotFound(text)
        return contact
    name, address = parseaddr(text)
    if "@" in address:
        try:
            check_address(address)
        except Invalid:
            raise NotFound(text) from None
        known = ContactAddress.objects.filter(address=normalised(address)).select_related("contact__company").first()
        return known.contact if known else NewContact(normalised(address), _line(name, 200))
    named = list(Contact.objects.filter(name__iexact=text)[:2])
    if len(named) != 1:
        raise NotFound(text)
    return named[0]


def _company(text: str) -> Company:
    if (pk := as_number(text)) is not None:
        company = Company.objects.filter(pk=pk).first()
    else:
        named = list(Company.objects.filter(name__iexact=text)[:2])
        company = named[0] if len(named) == 1 else None
    if company is None:
        raise NoSuchCompany(text)
    return company


def _texts(given: Iterable[str | int]) -> list[str]:
    """Without what no database takes."""
    return [text for each in given if (text := str(each).replace("\x00", "").strip())]


def _line(text: str, most: int) -> str:
    return " ".join(text.replace("\x00", "").split())[:most]
