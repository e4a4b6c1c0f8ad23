from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from people.models import User
    from tickets.models import Pipeline, Status, Ticket


class TicketError(Exception):
    """Something a person asked of a ticket that its rules forbid. `str()` is the sentence to show."""


class StatusNotInPipeline(TicketError):
    def __init__(self, ticket: Ticket, status: Status) -> None:
        super().__init__(
            _("“%(status)s” is not a status of this ticket's pipeline. Reload the page and choose one of its own.")
            % {"status": status.label}
        )


class NotAssignable(TicketError):
    def __init__(self, user: User) -> None:
        super().__init__(_("%(name)s cannot own tickets. Choose an active agent.") % {"name": user.name})


class PipelineWithoutStatuses(TicketError):
    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(
            _("The pipeline “%(pipeline)s” has no statuses yet. Add one in its settings.") % {"pipeline": pipeline.name}
        )
