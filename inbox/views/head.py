"""What stands above the editor of a reply: whom it goes to, from where, under which subject, with what below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from inbox import releasing
from inbox.addressing import OwnAddresses, Recipients, why_not, written
from inbox.addressing.desk import MOST_KEPT, conversation_of, found_for
from inbox.addressing.giving import lacks_address
from inbox.addressing.senders import sender_for, senders_for, usual_sender_of
from inbox.addressing.subject import usual_subject
from inbox.errors import ContactWithoutAddress, NobodyToWriteTo, NotAMailAddress, ReplyError, StillAside
from inbox.models import Attachment, Conversation, Draft, Mailbox, MailKind, Message
from inbox.models.message import Address
from inbox.quoting import cleaned_history
from inbox.quoting import history as quoted_history
from people.models import User
from people.models.contact import normalised
from tickets.models import Ticket

FIELDS = ("to", "cc", "bcc")
LABELS: Mapping[str, Promise] = {"to": _("To"), "cc": _("Cc"), "bcc": _("Bcc")}
PLACEHOLDERS: Mapping[str, Promise] = {"to": _("Add recipient"), "bcc": _("Hidden recipients")}
ICONS = {MailKind.REPLY: "reply", MailKind.REPLY_ALL: "reply-all", MailKind.FORWARD: "forward"}


@dataclass(frozen=True)
class Chip:
    name: str
    address: str
    value: str
    """As its field of the form holds it."""
    reason: str = ""
    """Why nothing is sent there."""
    added: bool = False
    """Somebody named this one; it does not come from the answered message."""

    @property
    def label(self) -> str:
        return self.name or self.address


@dataclass(frozen=True)
class RecipientField:
    name: str
    chips: Sequence[Chip]

    @property
    def label(self) -> Promise:
        return LABELS[self.name]

    @property
    def placeholder(self) -> Promise | str:
        return PLACEHOLDERS.get(self.name, "")

    @property
    def reasons(self) -> list[str]:
        return [chip.reason for chip in self.chips if chip.reason]


@dataclass(frozen=True)
class Sender:
    """A line of the menu "Send from"."""

    mailbox: Mailbox
    is_chosen: bool
    received_this: bool


@dataclass(frozen=True)
class Kind:
    """A line of the menu that says whom a mail goes to."""

    value: str
    label: str
    icon: str
    is_chosen: bool


@dataclass
class Head:
    ticket: Ticket
    user: User
    draft: Draft
    """With what was chosen and typed so far; empty fields are as they come. Not saved."""
    answered: Message | None = None
    is_chosen: bool = False
    """Somebody chose the message that is answered; otherwise it is the customer's newest."""
    added: Mapping[str, Sequence[Address]] = field(default_factory=dict)
    """Whom somebody named beside those that come by themselves."""
    is_open: bool = False
    moves_focus: bool = False
    """To where people are named, if nobody is yet."""
    recipients: Recipients | None = field(init=False, default=None)
    problem: str = field(init=False, default="")
    """Why nobody can be written to, or not from there."""
    lacks_address: bool = field(init=False, default=False)
    asks_address: bool = field(init=False, default=False)
    """Of the contact, whom no mail reaches."""
    lacks_sender: bool = field(init=False, default=False)
    kind: MailKind = field(init=False, default=MailKind.REPLY)
    fields: list[RecipientField] = field(init=False, default_factory=list)
    left_out: str = field(init=False, default="")
    mailbox: Mailbox | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.senders = senders_for(self.user)
        try:
            self._find()
        except ReplyError as error:
            self.problem = str(error)
            self.lacks_address = isinstance(error, NobodyToWriteTo | ContactWithoutAddress | NotAMailAddress)
            self.asks_address = self.lacks_address and lacks_address(self.ticket.contact, OwnAddresses())

    def _find(self) -> None:
        asked = self.draft.kind or None
        named = None if self.draft.to is None and self.draft.cc is None else (self.draft.to or [], self.draft.cc or [])
        found = found_for(self.ticket, self.answered, kind=asked, by=self.user, insists=named is None)
        self.kind = MailKind(found.kind)
        to, cc = named if named is not None else (found.to, found.cc)
        given = {"to": to, "cc": cc, "bcc": self.draft.bcc or []}
        self.fields = self._fields(given, {"to": found.to, "cc": found.cc}, found.own)
        self.left_out = ", ".join(written(entry) for entry in found.left_out) if named is None else ""
        self.mailbox = self.own_mailbox
        try:
            self.mailbox = sender_for(self.ticket, self.conversation, by=self.user, chosen=self.draft.mailbox)
        except ReplyError as error:
            self.lacks_sender, self.problem = True, str(error)
        else:
            self.recipients = Recipients(to, cc, self.mailbox, self.answered, kind=self.kind)

    def _fields(
        self, given: Mapping[str, Sequence[Address]], usual: Mapping[str, Sequence[Address]], own: OwnAddresses
    ) -> list[RecipientField]:
        taken: set[str] = set()
        fields = []
        for name in FIELDS:
            known = {normalised(entry["address"]) for entry in usual.get(name, ())}
            chips = []
            for entry in [*given.get(name, ()), *self.added.get(name, ())][:MOST_KEPT]:
                key = normalised(entry["address"])
                if key not in taken:
                    taken.add(key)
                    reason = why_not(entry["address"], own)
                    words = str(reason) if reason else ""
                    chips.append(Chip(entry["name"], entry["address"], written(entry), words, key not in known))
            fields.append(RecipientField(name, chips))
        return fields

    # What the template asks

    @property
    def is_writable(self) -> bool:
        """Whether there is anybody, and any address of ours, to make a mail with."""
        return not self.problem or (self.lacks_sender and bool(self.senders))

    @property
    def opens(self) -> bool:
        """The fields show where there is something to fill in or to mend, and what somebody filled in there."""
        copied = any(chip.added for chip in self.fields[1].chips)
        hidden = self.fields[2].chips or self.draft.bcc
        renamed = self.subject != usual_subject(self.kind, self.answered, self.ticket)
        filled_in = copied or bool(hidden) or renamed or bool(self.draft.quoted_html)
        to_mend = any(each.reasons for each in self.fields)
        return self.is_open or not self.fields[0].chips or to_mend or filled_in

    @property
    def named(self) -> list[RecipientField]:
        return [each for each in self.fields if each.chips]

    @property
    def kinds(self) -> list[Kind]:
        return [Kind(kind.value, str(kind.label), ICONS[kind], kind == self.kind) for kind in self.offered_kinds]

    @property
    def offered_kinds(self) -> list[MailKind]:
        return list(MailKind) if self.answered else [MailKind.REPLY]

    @property
    def icon(self) -> str:
        return ICONS[self.kind]

    @property
    def is_forward(self) -> bool:
        return self.kind == MailKind.FORWARD

    @property
    def aside(self) -> str:
        """Before anything is sent: why somebody who is named may not get the answered message, or of a forward that the
        customer may not. "" where it is theirs anyway, or neither its words nor its files go along.
        """
        if self.answered is None or not releasing.is_aside(self.answered):
            return ""
        files = any(goes_along for _file, goes_along in self.files)
        if not files and not quoted_history(self.kind, self.answered, self.draft.quoted_html).text:
            return ""
        addresses = [chip.address for each in self.fields for chip in each.chips]
        if kept := releasing.kept_from(self.answered, addresses, self.ticket):
            return str(StillAside(kept[0]))
        if not self.is_forward:
            return ""
        return gettext("The customer may not see this message yet: forward it to others, or without it and its files.")

    @property
    def is_touched(self) -> bool:
        """A mail that comes in does not change it any more."""
        chosen = bool(self.draft.kind) or self.draft.to is not None or self.draft.mailbox_id is not None
        return chosen or any(self.added.values())

    @cached_property
    def from_menu(self) -> list[Sender]:
        return [Sender(box, box == self.mailbox, box == self.own_mailbox) for box in self.senders_offered]

    @property
    def senders_offered(self) -> list[Mailbox]:
        """The conversation's own first, also where one's teams do not send from it otherwise."""
        own = self.own_mailbox
        able = own is not None and own.enabled and own.sends
        return [*([own] if own is not None and able else []), *(box for box in self.senders if box != own)]

    @cached_property
    def conversation(self) -> Conversation | None:
        return conversation_of(self.ticket, self.answered)

    @property
    def own_mailbox(self) -> Mailbox | None:
        """The one that the customer wrote to."""
        return self.conversation.mailbox if self.conversation else None

    @cached_property
    def differs_from(self) -> Mailbox | None:
        """One's default reply address, where this mail leaves from the conversation's own instead (S-21a)."""
        if self.mailbox is None or self.mailbox != self.own_mailbox or len(self.senders_offered) < 2:
            return None
        usual = usual_sender_of(self.user, self.senders)
        return usual if usual and usual != self.mailbox else None

    @property
    def subject(self) -> str:
        return self.draft.subject or usual_subject(self.kind, self.answered, self.ticket)

    @property
    def sends_history(self) -> bool:
        return self.draft.quoted_html != ""

    @property
    def history(self) -> SafeString:
        """What somebody made of the quoted history, safe to stand in the page again."""
        return cleaned_history(self.draft.quoted_html) if self.draft.quoted_html else mark_safe("")

    @cached_property
    def files(self) -> list[tuple[Attachment, bool]]:
        """Those of the forwarded message, and whether they go along."""
        if not self.is_forward or self.answered is None:
            return []
        return [(file, self.draft.takes_along(file)) for file in self.answered.attachments.all()]
