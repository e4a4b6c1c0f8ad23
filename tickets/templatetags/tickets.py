"""How tickets are drawn."""

from django import template

from tickets.models import Event, Priority, Source

register = template.Library()

ICONS = {
    Source.EMAIL: "mail",
    Source.CHAT: "message-circle",
    Source.FORM: "file-text",
    Source.CALL: "phone",
    Source.MANUAL: "pencil",
    Source.API: "zap",
}


@register.filter
def source_icon(source: str) -> str:
    """The drawing of the way a ticket came."""
    return ICONS[Source(source)]


@register.filter
def source_name(source: str) -> str:
    return str(Source(source).label) if source in Source else source


@register.filter
def priority_name(name: str) -> str:
    """The word for a priority as an event remembers it ("high")."""
    try:
        return str(Priority[name.upper()].label)
    except KeyError:
        return name


@register.filter
def detail(event: Event, key: str) -> str:
    """What an event remembers under `key`; `from` and the like are no words for a template's dot."""
    return str(event.detail.get(key, ""))
