from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tickets.errors import PipelineWithoutStatuses


class Kind(models.IntegerChoices):
    """Whose turn it is. The numbers are the order of the groups in a list."""

    NEW = 0, _("New")
    WAITING_ON_US = 1, _("Waiting on us")
    WAITING_ON_CONTACT = 2, _("Waiting on contact")
    CLOSED = 3, _("Closed")


# The statuses that a pipeline starts with. They are stored in English and shown in each reader's language until somebody
# gives them another name.
USUAL_STATUSES = {
    Kind.NEW: "New",
    Kind.WAITING_ON_US: "Waiting on us",
    Kind.WAITING_ON_CONTACT: "Waiting on contact",
    Kind.CLOSED: "Closed",
}


def status_label(name: str) -> str:
    """How the status of that name is called in the reader's language."""
    return gettext(name) if name in USUAL_STATUSES.values() else name


class Reopening(models.TextChoices):
    ALWAYS = "always", _("Always reopen the ticket")
    WITHIN = "within", _("Reopen within the days below, later open a new linked ticket")
    NEVER = "never", _("Always open a new linked ticket")


class Pipeline(models.Model):
    name = models.CharField(_("name"), max_length=100, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    reopening = models.CharField(
        _("when a customer answers a closed ticket"), max_length=10, choices=Reopening.choices, default=Reopening.WITHIN
    )
    reopen_days = models.PositiveSmallIntegerField(_("days"), default=30)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("pipeline")
        verbose_name_plural = _("pipelines")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def first(cls) -> Pipeline:
        """The pipeline that is used when nothing says otherwise; made with the usual statuses when there is none."""
        pipeline = cls.objects.filter(statuses__isnull=False).first()
        return pipeline or cls.with_usual_statuses(str(_("Support")))

    @classmethod
    @transaction.atomic
    def with_usual_statuses(cls, name: str) -> Pipeline:
        pipeline, _made = cls.objects.get_or_create(name=name)
        for kind, status in USUAL_STATUSES.items():
            pipeline.statuses.get_or_create(kind=kind, defaults={"name": status, "position": kind.value})
        return pipeline

    def first_status(self, kind: Kind) -> Status:
        """The first status of that kind; when this pipeline has none of it, its first open one.

        Raises PipelineWithoutStatuses.
        """

        def order(status: Status) -> tuple[bool, bool, int, int]:
            return status.kind != kind, status.closes, status.position, status.pk

        statuses = sorted(self.statuses.all(), key=order)
        if not statuses:
            raise PipelineWithoutStatuses(self)
        return statuses[0]

    def reopens(self, closed_at: datetime, now: datetime) -> bool:
        """Whether an answer at `now` (aware) reopens a ticket closed at `closed_at`, or opens a new linked one."""
        if self.reopening == Reopening.WITHIN:
            return now - closed_at <= timedelta(days=self.reopen_days)
        return self.reopening == Reopening.ALWAYS


class Status(models.Model):
    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.CASCADE, related_name="statuses", verbose_name=_("pipeline")
    )
    name = models.CharField(_("name"), max_length=60)
    kind = models.PositiveSmallIntegerField(_("kind"), choices=Kind.choices)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    required: models.JSONField[list[str]] = models.JSONField(
        _("required on entering"),
        default=list,
        blank=True,
        help_text=_("Keys of properties, or of built-in fields, without which no ticket enters this status."),
    )

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("status")
        verbose_name_plural = _("statuses")
        constraints = [models.UniqueConstraint(fields=["pipeline", "name"], name="status_name_once_in_pipeline")]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return status_label(self.name)

    @property
    def closes(self) -> bool:
        return self.kind == Kind.CLOSED

    @transaction.atomic
    def change_kind(self, kind: Kind, *, now: datetime) -> None:
        """Say anew whose turn a ticket in this status is; the tickets that are in it follow."""
        self.kind = kind
        self.save(update_fields=["kind"])
        tickets = self.tickets.exclude(turn=kind)
        if kind == Kind.CLOSED:
            tickets.filter(closed_at=None).update(closed_at=now)
        else:
            tickets.update(closed_at=None)
        tickets.update(turn=kind, turn_since=now)
