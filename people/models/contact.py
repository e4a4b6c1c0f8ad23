from __future__ import annotations

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from people.models.company import Company, normalised_domain


def normalised(address: str) -> str:
    """How a mail address is stored and compared: without case, its domain in ASCII, so that one box has one name.

    Tags (anna+shop@) are kept, they are different boxes.
    """
    address = address.replace("\x00", "").strip().lower()
    local, at, domain = address.rpartition("@")
    return f"{local}@{normalised_domain(domain)}" if at else address


class ContactQuerySet(models.QuerySet["Contact"]):
    def for_address(self, address: str, name: str = "") -> Contact:
        """The contact with this address, made with `name` and the company of its domain if there is none.

        An empty name of a known contact is filled in; a given one is kept, whatever the mail says.
        """
        address = normalised(address)
        known = ContactAddress.objects.filter(address=address).select_related("contact__company").first()
        if known is None:
            try:
                with transaction.atomic():
                    contact: Contact = self.create(name=name[:200], company=Company.objects.for_address(address))
                    ContactAddress.objects.create(contact=contact, address=address, is_primary=True)
                    return contact
            except IntegrityError:
                # Another worker met the same stranger a moment ago.
                known = ContactAddress.objects.select_related("contact__company").get(address=address)
        contact = known.contact
        if name and not contact.name:
            contact.name = name[:200]
            contact.save(update_fields=["name"])
        return contact


class Contact(models.Model):
    """Somebody who writes to us."""

    name = models.CharField(_("name"), max_length=200, blank=True)
    company = models.ForeignKey(
        Company, on_delete=models.SET_NULL, null=True, blank=True, related_name="contacts", verbose_name=_("company")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return self.name or self.address or str(_("Unknown sender"))

    @property
    def address(self) -> str:
        """The primary mail address, or "". Prefetch `addresses` where many contacts are shown."""
        rows = sorted(self.addresses.all(), key=lambda row: (not row.is_primary, row.pk))
        return rows[0].address if rows else ""


class ContactAddress(models.Model):
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="addresses", verbose_name=_("contact"))
    address = models.CharField(_("mail address"), max_length=320, unique=True)
    is_primary = models.BooleanField(_("primary"), default=False)

    class Meta:
        verbose_name = _("mail address")
        verbose_name_plural = _("mail addresses")
        constraints = [
            models.UniqueConstraint(
                fields=["contact"], condition=models.Q(is_primary=True), name="contact_one_primary_address"
            ),
        ]

    def __str__(self) -> str:
        return self.address

    def clean(self) -> None:
        self.address = normalised(self.address)
