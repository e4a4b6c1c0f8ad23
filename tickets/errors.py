from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from people.models import User
    from tickets.describing import Field
    from tickets.models import Pipeline, Property, Status, Ticket


class TicketError(Exception):
    """Something a person asked of a ticket that its rules forbid. `str()` is the sentence to show."""


class StatusNotInPipeline(TicketError):
    def __init__(self, ticket: Ticket, status: Status) -> None:
        super().__init__(
            _("“%(status)s” is not a status of this ticket's pipeline. Reload the page and choose one of its own.")
            % {"status": status.label}
        )


class PropertiesMissing(TicketError):
    """A ticket does not enter `status` without values for the fields of `keys`."""

    def __init__(self, status: Status, missing: Sequence[Field]) -> None:
        self.status, self.keys = status, [each.key for each in missing]
        self.names = [str(each.label) for each in missing]
        super().__init__(
            _("“%(status)s” asks for more of the ticket first: %(names)s.")
            % {"status": status.label, "names": ", ".join(self.names)}
        )


class NotAssignable(TicketError):
    def __init__(self, user: User) -> None:
        super().__init__(_("%(name)s cannot own tickets. Choose an active agent.") % {"name": user.name})


class PipelineWithoutStatuses(TicketError):
    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(
            _("The pipeline “%(pipeline)s” has no statuses yet. Add one in its settings.") % {"pipeline": pipeline.name}
        )


class NotAValue(TicketError):
    """`why` is the sentence alone, for where the property's name stands beside it anyway."""

    def __init__(self, of: Property, why: str) -> None:
        self.key, self.why = of.key, why
        super().__init__(f"{of.name}: {why}")


class NoSuchProperty(TicketError):
    def __init__(self, key: str) -> None:
        super().__init__(
            _("There is no property “%(key)s” any more. Reload the page and look again.") % {"key": key[:60]}
        )


class NameMissing(TicketError):
    def __init__(self) -> None:
        super().__init__(_("A ticket needs a name. Write in a few words what it is about."))
