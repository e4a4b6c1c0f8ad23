from tickets.models.event import Event, EventKind
from tickets.models.following import Following
from tickets.models.link import LinkKind, TicketLink
from tickets.models.notification import Notification, NotificationKind
from tickets.models.pipeline import Kind, Pipeline, Reopening, Status
from tickets.models.property import CreationField, Property, PropertyKind
from tickets.models.seen import Seen
from tickets.models.sharing import Share
from tickets.models.ticket import Priority, Source, Ticket
from tickets.models.view import View, view_for, view_or_default, views_for

__all__ = [
    "CreationField",
    "Event",
    "EventKind",
    "Following",
    "Kind",
    "LinkKind",
    "Notification",
    "NotificationKind",
    "Pipeline",
    "Priority",
    "Property",
    "PropertyKind",
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
