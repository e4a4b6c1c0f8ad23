from tickets.models.event import Event, EventKind
from tickets.models.link import LinkKind, TicketLink
from tickets.models.pipeline import Kind, Pipeline, Reopening, Status
from tickets.models.seen import Seen
from tickets.models.sharing import Share
from tickets.models.ticket import Priority, Source, Ticket
from tickets.models.view import View, view_for, view_or_default, views_for

__all__ = [
    "Event",
    "EventKind",
    "Kind",
    "LinkKind",
    "Pipeline",
    "Priority",
    "Reopening",
    "Seen",
    "Share",
    "Source",
    "Status",
    "Ticket",
    "TicketLink",
    "View",
    "view_for",
    "view_or_default",
    "views_for",
]
