from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from helpdesk import live, registry
from people.models import Company, Contact, ContactAddress, Team, TicketAccess, User
from tickets.audience import Visibility
from tickets.describing import required_fields, set_properties
from tickets.errors import NotAssignable, PropertiesMissing, StatusNotInPipeline
from tickets.models.event import EventKind
from tickets.models.link import LinkKind
from tickets.models.pipeline import Kind, Pipeline, Status
from tickets.models.seen import Seen
from tickets.models.sharing import Share


class Priority(models.IntegerChoices):
    LOW = 1, _("Low")
    NORMAL = 2, _("Normal")
    HIGH = 3, _("High")
    URGENT = 4, _("Urgent")


class Source(models.TextChoices):
    EMAIL = "email", _("Email")
    CHAT = "chat", _("Chat")
    FORM = "form", _("Form")
    CALL = "call", _("Call")
    MANUAL = "manual", _("By hand")
    API = "api", _("API")


# Where one stands in a list: whose turn, since when, number.
Cursor = tuple[int, datetime, int]
TURN_ORDER = ("turn", "turn_since", "number")
ROW_FIELDS = (
    *("number", "name", "turn", "turn_since", "priority", "source", "preview", "message_count", "has_attachments"),
    *("undelivered", "last_inbound_at", "status__name", "owner__name", "contact__name"),
)


class TicketQuerySet(models.QuerySet["Ticket"]):
    def visible_to(self, user: User) -> TicketQuerySet:
        """The one door: what ARCHITECTURE's table lets this user see. Everything that shows a ticket starts here."""
        if not user.is_active:
            return self.none()
        tickets = self if user.may_delete else self.filter(trashed_at=None)
        if user.is_admin or user.ticket_access == TicketAccess.ALL:
            return tickets

        teams = user.memberships.values("team")
        seen = models.Q(owner=user)
        if user.ticket_access == TicketAccess.TEAM:
            seen |= models.Q(team__in=teams) | models.Q(owner__memberships__team__in=teams)
        else:
            seen |= models.Q(created_by=user)
        if user.sees_unassigned:
            seen |= models.Q(owner=None)
        shares = Share.objects.filter(models.Q(user=user) | models.Q(team__in=teams))
        seen |= models.Q(pk__in=shares.values("ticket"))
        # As a subquery, so that a colleague in two of my teams does not double the row.
        return tickets.filter(pk__in=Ticket.objects.filter(seen).values("pk"))

    def open(self) -> TicketQuerySet:
        return self.filter(trashed_at=None, turn__lt=Kind.CLOSED)

    def on_turn(self, kinds: Collection[Kind]) -> TicketQuerySet:
        """Those not in the trash in which it is the turn of one of `kinds`, which follow each other."""
        # As a range, so that the index gives them in the order of the list.
        return self.filter(trashed_at=None, turn__range=(min(kinds), max(kinds)))

    def in_trash(self, kinds: Collection[Kind]) -> TicketQuerySet:
        return self.filter(trashed_at__isnull=False, turn__range=(min(kinds), max(kinds)))

    def by_turn(self, *, newest_first: bool = False) -> TicketQuerySet:
        """In the order of the groups of a list, the longest wait first in each; or the newest first throughout."""
        return self.order_by("-turn", "-turn_since", "-number") if newest_first else self.order_by(*TURN_ORDER)

    def beyond(self, cursor: Cursor, *, newest_first: bool = False) -> TicketQuerySet:
        """What comes after `cursor` in that order. Keyset, so page 100 costs what page 1 costs."""
        further = "lt" if newest_first else "gt"
        turn, since, number = cursor
        return self.filter(
            models.Q(**{f"turn__{further}": turn})
            | models.Q(turn=turn, **{f"turn_since__{further}": since})
            | models.Q(turn=turn, turn_since=since, **{f"number__{further}": number}),
            **{f"turn__{further}e": turn},  # says the same again in a way that an index understands
        )

    def earlier_of(self, ticket: Ticket) -> TicketQuerySet:
        """The contact's other tickets, newest first."""
        if ticket.contact_id is None:
            return self.none()
        return (
            self.filter(contact=ticket.contact_id).exclude(pk=ticket.pk).select_related("status").order_by("-opened_at")
        )

    def for_list(self, user: User) -> TicketQuerySet:
        """Everything that _ticket_row.html prints, so a row costs no query of its own."""
        seen = Seen.objects.filter(ticket=models.OuterRef("pk"), user=user, at__gte=models.OuterRef("last_inbound_at"))
        addresses = ContactAddress.objects.filter(contact=models.OuterRef("contact")).order_by("-is_primary", "pk")
        tickets = self.select_related("status", "owner", "contact").only(*ROW_FIELDS)
        marks = {
            name: models.ExpressionWrapper(models.Q(pk__in=numbers()), output_field=models.BooleanField())
            for name, numbers in registry.row_marks().items()
        }
        return tickets.annotate(
            **marks,
            contact_address=models.Subquery(addresses.values("address")[:1]),
            is_unread=models.Case(
                models.When(last_inbound_at=None, then=models.Value(False)),
                default=~models.Exists(seen),
                output_field=models.BooleanField(),
            ),
        )

    def for_page(self) -> TicketQuerySet:
        """Everything that the header and the context sidebar print of the ticket itself."""
        return self.select_related(
            "status", "pipeline", "owner", "team", "contact__company", "company"
        ).prefetch_related("contact__addresses", "other_contacts__addresses", "other_companies", "pipeline__statuses")

    @transaction.atomic
    def begin(
        self,
        name: str,
        *,
        pipeline: Pipeline,
        source: Source,
        now: datetime,
        status: Status | None = None,
        contact: Contact | None = None,
        owner: User | None = None,
        team: Team | None = None,
        by: User | None = None,
    ) -> Ticket:
        """Open a ticket. Without a status it takes the pipeline's first new one. Raises StatusNotInPipeline."""
        status = status or pipeline.first_status(Kind.NEW)
        ticket = Ticket(
            name=name[:300],
            pipeline=pipeline,
            status=status,
            turn=status.kind,
            turn_since=now,
            source=source,
            contact=contact,
            company=contact.company if contact else None,
            owner=owner,
            team=team,
            created_by=by,
            opened_at=now,
            closed_at=now if status.closes else None,
        )
        if status.pipeline_id != pipeline.pk:
            raise StatusNotInPipeline(ticket, status)
        ticket.save()
        ticket.record(EventKind.CREATED, by=by, now=now, source=str(source))
        ticket.tell_owner(by=by, now=now)
        ticket.tell_team(by=by, now=now)
        return ticket


class Ticket(models.Model):
    """One piece of work for a contact. Its number is its key: monotonic, with gaps, never used again."""

    number = models.BigAutoField(_("number"), primary_key=True)
    name = models.CharField(_("ticket name"), max_length=300, blank=True)
    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("pipeline"))
    status = models.ForeignKey(Status, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("status"))
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.NORMAL)
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name=_("owner"),
    )
    team = models.ForeignKey(
        Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets", verbose_name=_("team")
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets", verbose_name=_("contact")
    )
    company = models.ForeignKey(
        Company, on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets", verbose_name=_("company")
    )
    other_contacts = models.ManyToManyField(
        Contact, blank=True, related_name="further_tickets", verbose_name=_("further contacts")
    )
    other_companies = models.ManyToManyField(
        Company, blank=True, related_name="further_tickets", verbose_name=_("further companies")
    )
    properties: models.JSONField[dict[str, Any]] = models.JSONField(
        _("properties"), default=dict, blank=True, help_text=_("By the key of the property.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("created by"),
    )
    form_key = models.UUIDField(_("form key"), null=True, blank=True, unique=True, editable=False)
    opened_at = models.DateTimeField(_("opened"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    trashed_at = models.DateTimeField(_("in the trash since"), null=True, blank=True)

    # Copied here from the status and the messages, so that a list of a million tickets is read from one index.
    turn = models.PositiveSmallIntegerField(_("whose turn"), choices=Kind.choices)
    turn_since = models.DateTimeField(_("since"))
    last_message_at = models.DateTimeField(_("last message"), null=True, blank=True)
    last_inbound_at = models.DateTimeField(_("last message of the contact"), null=True, blank=True)
    preview = models.CharField(_("preview"), max_length=200, blank=True)
    message_count = models.PositiveIntegerField(_("messages"), default=0)
    has_attachments = models.BooleanField(_("has attachments"), default=False)
    undelivered = models.BooleanField(_("an answer was not delivered"), default=False)

    # Where it stood when it was last locked: those who saw it then hear of what was changed since.
    _stood: Visibility | None = None

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        indexes = [
            models.Index("turn", "turn_since", "number", name="ticket_turn", condition=models.Q(trashed_at=None)),
            models.Index(
                "owner", "turn", "turn_since", "number", name="ticket_owner_turn", condition=models.Q(trashed_at=None)
            ),
            models.Index(
                "turn", "turn_since", "number", name="ticket_trash", condition=models.Q(trashed_at__isnull=False)
            ),
            models.Index("contact", models.F("opened_at").desc(), name="ticket_of_contact"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.name or _('(no subject)')}"

    @property
    def cursor(self) -> Cursor:
        return self.turn, self.turn_since, self.number

    def get_absolute_url(self) -> str:
        return reverse("inbox:ticket", args=[self.number])

    # What a person does

    @transaction.atomic
    def move_to(self, status: Status, *, by: User | None, now: datetime) -> None:
        """Put the ticket in `status` and record who did it. Moving to the status it is in does nothing.

        Raises StatusNotInPipeline, and PropertiesMissing when it lacks what the status asks for. Only this, what a person
        chose, is asked: what moves by itself (the contact wrote, we answered, a mail came back or is sent again) and
        what is put back as it was (tickets.undoing) goes to a status with whatever the ticket holds.
        """
        self.lock()
        self.insist_on(status)
        if status.pk == self.status_id:
            return
        self._change_status(status, by=by, now=now)

    def insist_on(self, status: Status, given: Mapping[str, Any] | None = None) -> None:
        """Raises what `move_to` would raise, once the properties that are `given` are set."""
        if status.pipeline_id != self.pipeline_id:
            raise StatusNotInPipeline(self, status)
        if status.pk == self.status_id:
            return  # it is in there already
        values = given or {}
        if missing := [each for each in required_fields(status, self) if each.is_empty(values.get(each.key))]:
            raise PropertiesMissing(status, missing)

    @transaction.atomic
    def assign(self, owner: User | None, *, by: User | None, now: datetime) -> None:
        """Give the ticket to `owner`, or to nobody. Raises NotAssignable for somebody who may not answer."""
        self.lock()
        if owner and not (owner.is_active and owner.may_reply):
            raise NotAssignable(owner)
        if self.owner_id == (owner.pk if owner else None):
            return
        was = self.owner
        self.owner = owner
        self.save(update_fields=["owner"])
        self.record(
            EventKind.OWNER, by=by, now=now, **{"from": was.name if was else "", "to": owner.name if owner else ""}
        )
        self.tell_owner(by=by, now=now)

    @transaction.atomic
    def prioritise(self, priority: Priority, *, by: User | None, now: datetime) -> None:
        self.lock()
        if self.priority == priority:
            return
        was, self.priority = Priority(self.priority), priority
        self.save(update_fields=["priority"])
        self.record(
            EventKind.PRIORITY, by=by, now=now, **{"from": was.name.lower(), "to": Priority(priority).name.lower()}
        )

    def set_properties(self, values: Mapping[str, Any], *, by: User | None, now: datetime) -> list[str]:
        """Built-in fields and properties by key, in one transaction; see tickets.describing, where its errors stand."""
        return set_properties(self, values, by=by, now=now)

    @transaction.atomic
    def trash(self, *, by: User | None, now: datetime) -> None:
        self.lock()
        if self.trashed_at is None:
            self.trashed_at = now
            self.save(update_fields=["trashed_at"])
            self.record(EventKind.TRASHED, by=by, now=now)

    @transaction.atomic
    def restore(self, *, by: User, now: datetime) -> None:
        self.lock()
        if self.trashed_at is not None:
            self.trashed_at = None
            self.save(update_fields=["trashed_at"])
            self.record(EventKind.RESTORED, by=by, now=now)

    @transaction.atomic
    def link_to(self, other: Ticket, kind: LinkKind, *, now: datetime) -> None:
        """Remember that this ticket came after `other`. Linking twice does nothing."""
        _link, made = self.links.get_or_create(other=other, defaults={"kind": kind})
        if made:
            self.record(EventKind.LINKED, by=None, now=now, link=str(kind), number=other.number)

    # What messages do

    @transaction.atomic
    def reread(self, *, name: str, contact: Contact | None) -> None:
        """The mail that opened it can be read after all: what it is about and who wrote it."""
        self.lock()
        self.name, self.contact = name[:300], contact
        self.company = contact.company if contact else None
        self.save(update_fields=["name", "contact", "company"])
        self.changed()

    @transaction.atomic
    def heard(self, *, at: datetime, preview: str, has_attachments: bool = False) -> None:
        """The contact wrote: it is our turn, since the oldest message that nobody answered yet.

        A closed ticket is reopened; whether it may be is the pipeline's rule and the caller's question.
        """
        self.lock()
        self.last_inbound_at = max(filter(None, [self.last_inbound_at, at]))
        self._count_message(at, preview, has_attachments, "last_inbound_at")
        if self.message_count > 1 and self.turn != Kind.WAITING_ON_US:
            was, status = self.status, self.pipeline.first_status(Kind.WAITING_ON_US)
            if status.kind != Kind.WAITING_ON_US and not was.closes:
                return  # a pipeline without such a status leaves an open ticket where it is
            self._change_status(status, by=None, now=at, since=self.turn_since if was.kind == Kind.NEW else at)

    @transaction.atomic
    def noted(self, *, at: datetime, has_attachments: bool = False) -> None:
        """A machine of the contact's wrote (somebody is away): it is kept, and it is still whoever's turn it was."""
        self.lock()
        self._count_message(at, self.preview, has_attachments)

    @transaction.atomic
    def answered(
        self, *, at: datetime, preview: str, by: User, has_attachments: bool = False, status: Status | None = None
    ) -> None:
        """`by` wrote to the contact: it is their turn. An unassigned ticket becomes the sender's.

        A `status` that its writer chose stands; what a pipeline does by itself never changes it (SPEC S-34).
        Raises what `move_to` raises for it.
        """
        self.lock()
        self._count_message(at, preview, has_attachments)
        self.take_if_unowned(by=by, now=at)
        if status is not None:
            self.move_to(status, by=by, now=at)
        else:
            self.wait_for_contact(by=by, now=at)

    def take_if_unowned(self, *, by: User, now: datetime) -> None:
        """Whoever answers what nobody owns takes it (SPEC S-35)."""
        if self.owner_id is None and by.may_reply:
            self.assign(by, by=by, now=now)

    def wait_for_contact(self, *, by: User, now: datetime) -> None:
        """What the pipeline does by itself when `by` answered and chose no status."""
        if usual := self.status_after_answer():
            self._change_status(usual, by=by, now=now)

    def status_after_answer(self) -> Status | None:
        """Where its pipeline puts it when we answer and nobody chooses. None: it stays where it is."""
        if self.turn not in (Kind.NEW, Kind.WAITING_ON_US):
            return None
        status = self.pipeline.first_status(Kind.WAITING_ON_CONTACT)
        return status if status.kind == Kind.WAITING_ON_CONTACT else None

    @transaction.atomic
    def forwarded(self, *, at: datetime, preview: str, has_attachments: bool = False) -> None:
        """One of us wrote to somebody else about it: the contact still waits for whoever they waited for."""
        self.lock()
        self._count_message(at, preview, has_attachments)

    @transaction.atomic
    def heard_from_third(self, *, at: datetime, has_attachments: bool = False) -> None:
        """Somebody answered what we forwarded: it shows as unread, and it is our turn if we waited.

        Its words do not become the preview, since they are not the contact's.
        """
        self.lock()
        self.last_inbound_at = max(filter(None, [self.last_inbound_at, at]))
        self._count_message(at, self.preview, has_attachments, "last_inbound_at")
        if self.turn == Kind.WAITING_ON_CONTACT:
            status = self.pipeline.first_status(Kind.WAITING_ON_US)
            if status.kind == Kind.WAITING_ON_US:
                self._change_status(status, by=None, now=at)

    @transaction.atomic
    def not_delivered(self, *, at: datetime) -> None:
        """An answer of ours did not arrive: it is our turn again, since the contact wrote; also when it was closed."""
        self.lock()
        self.mark_undelivered(True)
        was = self.status
        if self.trashed_at is None and self.turn in (Kind.WAITING_ON_CONTACT, Kind.CLOSED):
            status = self.pipeline.first_status(Kind.WAITING_ON_US)
            if status.kind == Kind.WAITING_ON_US or was.closes:
                self._set_status(status, self.last_inbound_at or at)
        self.record(EventKind.UNDELIVERED, by=None, now=at, **{"from": was.name, "to": self.status.name})

    @transaction.atomic
    def sent_again(self, *, by: User, at: datetime) -> None:
        """`by` sends what did not arrive once more: it is the contact's turn again, unless they wrote meanwhile."""
        self.lock()
        if self.undelivered and self.turn == Kind.WAITING_ON_US:
            status = self.pipeline.first_status(Kind.WAITING_ON_CONTACT)
            if status.kind == Kind.WAITING_ON_CONTACT:
                self._change_status(status, by=by, now=at)

    def mark_undelivered(self, undelivered: bool) -> None:
        self.undelivered = undelivered
        self.save(update_fields=["undelivered"])
        self.changed()

    def lock(self) -> None:
        """Wait for whoever changes this ticket, then see what they left. Inside a transaction.

        Without a join: when a status changed while we waited, PostgreSQL would join the old one and find no row.
        """
        self.refresh_from_db(from_queryset=Ticket.objects.select_for_update())
        self._stood = Visibility.of(self)

    def record(self, kind: EventKind, *, by: User | None, now: datetime, **detail: Any) -> None:
        self.events.create(kind=kind, actor=by, at=now, detail=detail)
        self.changed()

    def changed(self) -> None:
        """The pages of whoever sees it, or saw it a moment ago, are told once this transaction is committed.

        Every verb here says it; verbs of higher apps say it for what the thread shows of theirs.
        """
        live.publish("ticket", ticket=self.pk, was=self._stood)

    def tell_owner(self, *, by: User | None, now: datetime) -> None:
        from tickets import notifying  # which reads models

        notifying.assigned(self, by=by, now=now)

    def tell_team(self, *, by: User | None, now: datetime) -> None:
        from tickets import notifying

        notifying.came_to_team(self, by=by, now=now)

    def _change_status(self, status: Status, *, by: User | None, now: datetime, since: datetime | None = None) -> None:
        """And record it. `since` when it is somebody else's turn by that; None: since now."""
        was = self.status
        self._set_status(status, since or now)
        if status.pk != was.pk:
            kind = EventKind.REOPENED if was.closes and not status.closes else EventKind.STATUS
            self.record(kind, by=by, now=now, **{"from": was.name, "to": status.name})

    def _set_status(self, status: Status, now: datetime) -> None:
        if status.kind != self.turn:
            self.turn_since = now
        self.status, self.turn = status, status.kind
        self.closed_at = (self.closed_at or now) if status.closes else None
        self.save(update_fields=["status", "turn", "turn_since", "closed_at"])

    def _count_message(self, at: datetime, preview: str, has_attachments: bool, *further: str) -> None:
        self.message_count += 1
        self.preview = " ".join(preview.split())[:200]
        self.last_message_at = max(filter(None, [self.last_message_at, at]))
        self.has_attachments = self.has_attachments or has_attachments
        self.save(update_fields=["message_count", "preview", "last_message_at", "has_attachments", *further])
        self.changed()
