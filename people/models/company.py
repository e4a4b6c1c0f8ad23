from __future__ import annotations

from functools import cache
from pathlib import Path

import idna
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

FREE_MAIL = Path(__file__).resolve().parent.parent / "free_mail_domains.txt"


def normalised_domain(domain: str) -> str:
    """The one form in which a domain is stored and compared: in lower case, foreign letters in punycode as mail has them."""
    domain = domain.replace("\x00", "").strip().lower()
    if domain.isascii() or len(domain) > 253:
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return domain


@cache
def free_mail_domains() -> frozenset[str]:
    """Domains whose addresses say nothing about an employer (kept in people/free_mail_domains.txt)."""
    lines = (line.strip() for line in FREE_MAIL.read_text().splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))


class CompanyQuerySet(models.QuerySet["Company"]):
    def matching(self, words: str) -> CompanyQuerySet:
        """Those whose name or mail domain has all of `words`; the names that begin with them first. For none: all,
        the newest first."""
        from people.models.contact import MOST_MATCHED, word_by_word

        words = " ".join(words.replace("\x00", "").split())[:100]
        if not words:
            return self.order_by("-pk")
        by_name = Company.objects.filter(word_by_word("name", words)).order_by().values("pk")[:MOST_MATCHED]
        by_domain = CompanyDomain.objects.filter(word_by_word("domain", words)).order_by()
        domains = by_domain.values(pk=models.F("company"))[:MOST_MATCHED]
        return (
            self.filter(pk__in=by_name.union(domains))
            .annotate(begins=models.Case(models.When(name__istartswith=words, then=0), default=1))
            .order_by("begins", "name", "pk")
        )

    def for_picking(self) -> CompanyQuerySet:
        return self.prefetch_related("domains")

    def for_address(self, address: str) -> Company | None:
        """The company that this mail address belongs to, made on first sight; None for free mail.

        Two mails at once from one new domain get the same company: the domain is unique and the loser looks again.
        """
        domain = normalised_domain(address.rpartition("@")[2])
        if not domain or "." not in domain or domain in free_mail_domains():
            return None
        known = CompanyDomain.objects.filter(domain=domain[:253]).select_related("company").first()
        if known:
            return known.company
        company = self.create(name=domain[:200])
        row, made = CompanyDomain.objects.get_or_create(domain=domain[:253], defaults={"company": company})
        if not made:
            company.delete()
        return row.company


class Company(models.Model):
    name = models.CharField(_("name"), max_length=200)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        indexes = [GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="company_name_trigrams")]

    def __str__(self) -> str:
        return self.name


class CompanyDomain(models.Model):
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="domains", verbose_name=_("company"))
    domain = models.CharField(_("mail domain"), max_length=253, unique=True)

    class Meta:
        ordering = ["domain"]
        verbose_name = _("mail domain")
        verbose_name_plural = _("mail domains")
        indexes = [GinIndex(OpClass(Upper("domain"), name="gin_trgm_ops"), name="company_domain_trigrams")]

    def __str__(self) -> str:
        return self.domain

    def clean(self) -> None:
        self.domain = normalised_domain(self.domain)
