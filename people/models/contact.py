from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from people.models.company import Company, normalised_domain

if TYPE_CHECKING:
    from people.models.user import User


def normalised(address: str) -> str:
    """How a mail address is stored and compared: without case, its domain in ASCII, so that one box has one name.

    Tags (anna+shop@) are kept, they are different boxes.
    """
    address = address.replace("\x00", "").strip().lower()
    local, at, domain = address.rpartition("@")
    return f"{local}@{normalised_domain(domain)}" if at else address


MOST_MATCHED = 200


def word_by_word(field: str, words: str) -> models.Q:
    """Whether each of `words` begins a word of `field`, or stands in it anywhere when it has three letters or more.

    Both are read from an index of trigrams.
    """
    found = models.Q()
    for word in words.split()[:8]:
        if len(word) < 3:
            found &= models.Q(**{f"{field}__istartswith": word}) | models.Q(**{f"{field}__icontains": f" {word}"})
        else:
            found &= models.Q(**{f"{field}__icontains": word})
    return found


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, user: User) -> ContactQuerySet:
        """Everybody for whoever may reply: they may write to anybody. Others see the contacts of the tickets they see."""
        if user.may_reply:
            return self
        if not user.is_active:
            return self.none()
        # By the relation: the app of tickets stands above this one.
        tickets: Any = Contact._meta.get_field("tickets").related_model
        seen, contact = tickets.objects.visible_to(user), models.OuterRef("pk")
        return self.filter(
            models.Exists(seen.filter(contact=contact)) | models.Exists(seen.filter(other_contacts=contact))
        )

    def matching(self, words: str) -> ContactQuerySet:
        """Those whose name or mail address has all of `words`; the names that begin with them first. For none: all, the newest
        first.

        Print them with `for_picking()`. Of a word that fits thousands it looks at MOST_MATCHED.
        """
        words = " ".join(words.replace("\x00", "").split())[:100]
        if not words:
            return self.order_by("-pk")
        by_name = Contact.objects.filter(word_by_word("name", words)).order_by().values("pk")[:MOST_MATCHED]
        by_address = ContactAddress.objects.filter(word_by_word("address", words)).order_by()
        addresses = by_address.values(pk=models.F("contact"))[:MOST_MATCHED]
        return (
            self.filter(pk__in=by_name.union(addresses))
            .annotate(begins=models.Case(models.When(name__istartswith=words, then=0), default=1))
            .order_by("begins", "name", "pk")
        )

    def for_picking(self) -> ContactQuerySet:
        """What a picker or a chip prints of each: name, addresses, company."""
        return self.select_related("company").prefetch_related("addresses")

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
        indexes = [GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="contact_name_trigrams")]

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
        indexes = [GinIndex(OpClass(Upper("address"), name="gin_trgm_ops"), name="contact_address_trigrams")]
        constraints = [
            models.UniqueConstraint(
                fields=["contact"], condition=models.Q(is_primary=True), name="contact_one_primary_address"
            ),
        ]

    def __str__(self) -> str:
        return self.address

    def clean(self) -> None:
        self.address = normalised(self.address)

    @transaction.atomic
    def become_primary(self) -> None:
        """The one that mail goes to. The others are kept."""
        self.contact.addresses.filter(is_primary=True).exclude(pk=self.pk).update(is_primary=False)
        self.is_primary = True
        self.save(update_fields=["is_primary"])
