from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from inbox.models.mailbox import Mailbox, MailFolder


class IncomingState(models.TextChoices):
    STORED = "stored", _("Stored")
    PROCESSING = "processing", _("Being processed")
    DONE = "done", _("Done")
    QUARANTINED = "quarantined", _("In quarantine")


class IncomingQuerySet(models.QuerySet["Incoming"]):
    def waiting(self, now: datetime) -> IncomingQuerySet:
        """Stored and due, or taken by a worker whose lease ran out."""
        stored = models.Q(state=IncomingState.STORED) & (models.Q(next_try_at=None) | models.Q(next_try_at__lte=now))
        lost = models.Q(state=IncomingState.PROCESSING, lease_until__lt=now)
        return self.filter(stored | lost)


class Incoming(models.Model):
    """One mail received. The raw bytes are kept as they came; everything else can be made from them again.

    `outcome` is one of opened | appended | duplicate | refused:<name>; "" until done.
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.PROTECT, related_name="incoming", verbose_name=_("mailbox"))
    source = models.CharField(
        _("came by"), max_length=10, choices=[("imap", _("IMAP")), ("pipe", _("Pipe")), ("room", _("Mail room"))]
    )
    folder = models.ForeignKey(
        MailFolder, on_delete=models.PROTECT, null=True, blank=True, related_name="incoming", verbose_name=_("folder")
    )
    uidvalidity = models.BigIntegerField(_("UIDVALIDITY"), null=True, blank=True)
    uid = models.BigIntegerField(_("UID"), null=True, blank=True)
    content_hash = models.CharField(
        _("hash"), max_length=64, help_text=_("SHA-256 of the mail without its trace headers.")
    )
    size = models.PositiveBigIntegerField(_("size in bytes"))
    raw = models.FileField(_("raw mail"), upload_to="raw/%Y/%m/%d", max_length=500)
    received_at = models.DateTimeField(
        _("received"), help_text=_("The server's date of arrival, else when it was stored.")
    )
    stored_at = models.DateTimeField(_("stored"), auto_now_add=True)

    state = models.CharField(_("state"), max_length=20, choices=IncomingState.choices, default=IncomingState.STORED)
    outcome = models.CharField(_("outcome"), max_length=60, blank=True)
    error = models.TextField(_("error"), blank=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    duplicate_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="duplicates",
        verbose_name=_("duplicate of"),
    )

    objects = IncomingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("incoming mail")
        verbose_name_plural = _("incoming mail")
        constraints = [
            models.UniqueConstraint(fields=["folder", "uidvalidity", "uid"], name="incoming_once_in_folder"),
            models.UniqueConstraint(
                fields=["mailbox", "content_hash"], condition=models.Q(folder=None), name="incoming_once_by_pipe"
            ),
        ]
        indexes = [
            models.Index("mailbox", "content_hash", name="incoming_by_hash"),
            models.Index(
                "id",
                name="incoming_waiting",
                condition=models.Q(state__in=[IncomingState.STORED, IncomingState.PROCESSING]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} · {self.get_state_display()}"


class FetchGap(models.Model):
    """A UID that the server lists but would not give us yet. The fetch position may pass it; it is tried again."""

    folder = models.ForeignKey(MailFolder, on_delete=models.CASCADE, related_name="gaps", verbose_name=_("folder"))
    uidvalidity = models.BigIntegerField(_("UIDVALIDITY"))
    uid = models.BigIntegerField(_("UID"))
    reason = models.TextField(_("reason"))
    tries = models.PositiveSmallIntegerField(_("tries"), default=1)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)

    class Meta:
        verbose_name = _("fetch gap")
        verbose_name_plural = _("fetch gaps")
        constraints = [models.UniqueConstraint(fields=["folder", "uidvalidity", "uid"], name="fetch_gap_once")]

    def __str__(self) -> str:
        return f"{self.folder} · {self.uid}"
