"""How tickets are drawn."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from django import template
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext

from tickets import presence
from tickets.models import Event, Priority, Source
from tickets.models.pipeline import status_label

register = template.Library()
register.filter(status_label)

# In minutes.
HOUR = 60
DAY = 24 * HOUR

ICONS = {
    Source.EMAIL: "mail",
    Source.CHAT: "message-circle",
    Source.FORM: "file-text",
    Source.CALL: "phone",
    Source.MANUAL: "pencil",
    Source.API: "zap",
}


@register.simple_tag
def presence_beat() -> int:
    """How often an open ticket says that somebody is there, in seconds."""
    return presence.BEAT_SECONDS


@register.filter
def source_icon(source: str) -> str:
    """The drawing of the way a ticket came."""
    return ICONS[Source(source)]


@register.filter
def source_name(source: str) -> str:
    return str(Source(source).label) if source in Source else source


# The checks before sending, by the names under which events remember them.
WARNINGS = {
    "changed": gettext_lazy("somebody had written meanwhile"),
    "attachment": gettext_lazy("the text spoke of a file"),
    "placeholder": gettext_lazy("something was left to fill in"),
    "replaced": gettext_lazy("it had been sent already"),
    "stranger": gettext_lazy("a recipient was new"),
    "empty": gettext_lazy("the text was empty"),
}


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


@register.filter
def lines(event: Event) -> list[dict[str, str]]:
    """What changed, of an event that tells of several things at once."""
    told = event.detail.get("lines")
    return [line for line in told if isinstance(line, dict)] if isinstance(told, list) else []


@register.filter
def warnings(event: Event) -> list[str]:
    """What was said before somebody insisted."""
    told = event.detail.get("checks")
    return [str(WARNINGS.get(str(name), name)) for name in told] if isinstance(told, list) else []


@register.simple_tag
def waited(since: datetime, now: datetime | None = None) -> SafeString:
    """How long something has lasted, in the little room of a row: now, 22m, 3h, 2d. The moment is in its title."""
    minutes = max(0, int(((now or timezone.now()) - since).total_seconds() // 60))
    unit = 1 if minutes < HOUR else HOUR if minutes < DAY else DAY
    return _waited(since, minutes - minutes % unit, timezone.get_current_timezone(), get_language())


@register.filter
def message_count(number: int) -> str:
    """What a row's number is called for those who do not see where it stands."""
    return ngettext("%(n)d message", "%(n)d messages", number) % {"n": number}


@register.filter
def ticket_address(number: int) -> str:
    """Where that ticket is, as its `get_absolute_url` says."""
    return _address(number, get_script_prefix())


# Both are kept, because a list that refreshes itself says the same again and again.


@lru_cache(maxsize=5_000)
def _waited(since: datetime, minutes: int, zone: tzinfo, language: str | None) -> SafeString:
    if minutes < 1:
        words = pgettext("time since", "now")
    elif minutes < HOUR:
        words = pgettext("time since", "%(minutes)dm") % {"minutes": minutes}
    elif minutes < DAY:
        words = pgettext("time since", "%(hours)dh") % {"hours": minutes // HOUR}
    else:
        words = pgettext("time since", "%(days)dd") % {"days": minutes // DAY}
    title = date_format(since.astimezone(zone), pgettext("date format", "l j F Y, H:i"))
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', since.astimezone(UTC).isoformat(timespec="seconds"), title, words
    )


@lru_cache(maxsize=5_000)
def _address(number: int, prefix: str) -> str:
    return reverse("inbox:ticket", args=[number])
