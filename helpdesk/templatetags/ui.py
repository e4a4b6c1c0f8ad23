"""Small drawings and phrasings that every page uses: icons, status glyphs, avatars, times, sizes."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, wraps

from django import template
from django.conf import settings
from django.core.files.storage import Storage, storages
from django.template.defaultfilters import filesizeformat
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _

from helpdesk import registry

register = template.Library()

# By kind of status: the drawing that stands for it, and what it is called where the status has no name of its own.
GLYPHS = {
    "new": ("new", gettext_lazy("New")),
    "waiting_on_us": ("open", gettext_lazy("Waiting on us")),
    "waiting_on_contact": ("waiting", gettext_lazy("Waiting on contact")),
    "closed": ("resolved", gettext_lazy("Closed")),
}
PRIORITIES = {
    "low": gettext_lazy("Low"),
    "normal": gettext_lazy("Normal"),
    "high": gettext_lazy("High"),
    "urgent": gettext_lazy("Urgent"),
}
HIDDEN = format_html('aria-hidden="{}"', "true")  # from screen readers
HUES = [176, 250, 20, 300, 85, 140, 340, 215, 48]

# A pictograph with what modifies it: skin tone, variation selector, combining mark, and joined pictographs.
PICTOGRAPH = re.compile("[^\u200d\ufe0f](?:[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\u0300-\u036f]|\u200d.)*", re.DOTALL)


def _drawn_once(draw: Callable[..., SafeString]) -> Callable[..., SafeString]:
    """Keeps what a drawing came to: a list of fifty rows draws the same few shapes, in one of a few languages."""

    @lru_cache(maxsize=2_000)
    def kept(language: str | None, sprite: str, *args: str | int | None, **named: str | int | None) -> SafeString:
        return draw(*args, **named)

    @wraps(draw)
    def once(*args: object, **named: object) -> SafeString:
        names = {name: _plain(arg) for name, arg in named.items()}
        return kept(get_language(), _sprite(), *map(_plain, args), **names)

    return once


@register.simple_tag
def desk_name() -> str:
    """What this help desk is called (HELPDESK_NAME)."""
    return str(settings.HELPDESK_NAME)


@register.simple_tag
def settings_need_attention() -> bool:
    return registry.settings_need_attention()


@register.simple_tag
def unread_count(user: object) -> int:
    """How much the bell has for this user that they have not read; for nobody, nothing."""
    return registry.unread_count(user) if getattr(user, "pk", None) else 0


@register.simple_tag
def mail_room_is_open() -> bool:
    """Whether one can write and read as a customer here (HELPDESK_MAIL_ROOM)."""
    return bool(settings.HELPDESK_MAIL_ROOM)


@register.simple_tag
@_drawn_once
def icon(name: str, cls: str = "") -> SafeString:
    """A drawing of the sprite, hidden from screen readers: the word stands beside it or on the control."""
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>', f"icon {cls}".strip(), _sprite(), name
    )


@register.simple_tag
def logo(cls: str = "icon icon--lg") -> SafeString:
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#logo"/></svg>', cls, _sprite())


@register.simple_tag
@_drawn_once
def glyph(kind: str | int, label: str | Promise | None = None) -> SafeString:
    """The shape of a status. `kind` is a status's kind, as its name or its place in the order of kinds.

    Named by `label`, or by its kind when there is none; an empty label when the word stands beside it.
    """
    drawing, name = GLYPHS[_key(kind, list(GLYPHS), first=0)]
    return _drawing("glyph", drawing, "g", None if label == "" else _("Status: %(name)s") % {"name": label or name})


@register.simple_tag
@_drawn_once
def prio(priority: str | int, label: str | Promise | None = None) -> SafeString:
    """The bars of a priority (low, normal, high, urgent, or 1 to 4). Labelled as `glyph` is."""
    key = _key(priority, list(PRIORITIES), first=1)
    named = None if label == "" else _("Priority: %(name)s") % {"name": label or PRIORITIES[key]}
    return _drawing("prio", key, "p", named)


@register.simple_tag
@_drawn_once
def avatar(name: object, size: str = "", decorative: bool | int = False) -> SafeString:
    """Initials on a colour made from the name; a dashed ring for nobody. Decorative where the name stands beside it.

    `size` is xs, sm, lg or nothing.
    """
    text = " ".join(str(name or "").split())
    cls = f"avatar avatar--{size}" if size else "avatar"
    if not text:
        label = HIDDEN if decorative else _image_label(_("Nobody"))
        return format_html('<span class="{} avatar--none" {}></span>', cls, label)

    hue = hue_of(text)
    label = HIDDEN if decorative else _image_label(text)
    return format_html('<span class="{}" style="--h:{}" {}>{}</span>', cls, hue, label, _initials(text))


def hue_of(name: str) -> int:
    """The colour that somebody has wherever their initials stand."""
    return HUES[sum(map(ord, name)) % len(HUES)]


@register.simple_tag
def relative_time(value: datetime | date | None, now: datetime | None = None) -> SafeString | str:
    """A <time>: "now", "22m", "3h", beyond twelve hours "Tue 24 Nov, 16:00"; the exact time in its title."""
    if value is None:
        return ""
    if not isinstance(value, datetime):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), date_format(value, _day_format(value)))

    aware = timezone.make_aware(value) if timezone.is_naive(value) else value
    local = timezone.localtime(aware)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        aware.astimezone(UTC).isoformat(timespec="seconds"),
        date_format(local, pgettext("date format", "l j F Y, H:i")),
        _short_time(local, now or timezone.now()),
    )


@register.simple_tag
def moment(value: datetime, now: datetime | None = None) -> SafeString:
    """`relative_time` of a message: read aloud exactly, with its zone; while it is short, <live-times> keeps it true."""
    local = timezone.localtime(value)
    exact = f"{date_format(local, pgettext('date format', 'l j F Y, H:i'))} {_zone_name(local)}"
    short = _short_time(local, now or timezone.now())
    return format_html(
        '<time datetime="{}" title="{}"><span aria-hidden="true">{}</span><span class="sr-only">{}</span></time>',
        local.astimezone(UTC).isoformat(timespec="seconds"),
        exact,
        short,
        exact,
    )


@register.simple_tag
def live_times() -> SafeString:
    """What keeps the short times of `moment` true while the page is open."""
    return format_html(
        '<live-times data-now="{}" data-minutes="{}" data-hours="{}" hidden></live-times>',
        pgettext("time since", "now"),
        pgettext("time since", "%(minutes)dm").replace("%(minutes)d", "%n"),
        pgettext("time since", "%(hours)dh").replace("%(hours)d", "%n"),
    )


@register.filter
def filesize(size: int | None) -> str:
    """214 KB, 1.8 MB; nothing for what has no size."""
    return "" if size is None else filesizeformat(size)


def _plain(arg: object) -> str | int | None:
    """What tells one drawing from another: a lazy text or a contact as the words it is now."""
    return arg if arg is None or isinstance(arg, str | int) else str(arg)


def _sprite() -> str:
    return _address_in(storages["staticfiles"], "icons/sprite.svg")


@lru_cache(maxsize=8)
def _address_in(storage: Storage, name: str) -> str:
    return static(name)


def _key(value: str | int, names: list[str], first: int) -> str:
    """The name of a choice that is given by its name or by its number."""
    if isinstance(value, int):
        value = names[value - first] if 0 <= value - first < len(names) else ""
    if value not in names:
        raise template.TemplateSyntaxError(f"{value!r} is none of {', '.join(names)}.")
    return value


def _drawing(cls: str, name: str, prefix: str, label: str | None) -> SafeString:
    return format_html(
        '<svg class="{cls} {cls}--{name}" {label}><use href="{sprite}#{prefix}-{name}"/></svg>',
        cls=cls,
        name=name,
        prefix=prefix,
        sprite=_sprite(),
        label=HIDDEN if label is None else _image_label(label),
    )


def _image_label(label: str | Promise) -> SafeString:
    return format_html('role="img" aria-label="{}"', label)


def _initials(name: str) -> str:
    """First letters of the first and last word that has one; a name without letters shows its first sign."""
    letters = [letter for word in name.split() if (letter := _first_letter(word))]
    if letters:
        return letters[0] + (letters[-1] if len(letters) > 1 else "")
    sign = PICTOGRAPH.search(name)
    return sign.group() if sign else name[:1]


def _first_letter(word: str) -> str:
    letter = next((sign for sign in word if sign.isalnum()), "")
    return unicodedata.normalize("NFC", letter.upper())[:1]


def _short_time(local: datetime, now: datetime) -> str:
    age = now - local
    if timedelta(0) <= age < timedelta(minutes=1):
        return pgettext("time since", "now")
    if timedelta(0) <= age < timedelta(hours=1):
        return pgettext("time since", "%(minutes)dm") % {"minutes": age.total_seconds() // 60}
    if timedelta(0) <= age < timedelta(hours=12):
        return pgettext("time since", "%(hours)dh") % {"hours": age.total_seconds() // 3600}
    if local.year == timezone.localtime(now).year:
        return date_format(local, pgettext("date format", "D j M, H:i"))
    return date_format(local, _day_format(local))


def _zone_name(local: datetime) -> str:
    """EET; a zone without letters of its own by its distance, UTC+04."""
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name


def _day_format(day: date) -> str:
    return pgettext("date format", "j M Y")
