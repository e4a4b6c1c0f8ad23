"""What lower parts show, higher apps hand in: each app registers in its `AppConfig.ready`."""

from collections.abc import Callable, Hashable, Set
from typing import Any

from django.http import HttpRequest

# A figure for /health/, read with the database at hand; None when there is nothing to tell.
HealthProbe = Callable[[], int | float | str | None]

# Whether something that is set up in the settings does not work, so that every page points there.
SettingsAlert = Callable[[], bool]

# Who is to hear of a ticket, given its number and where it stood before: addresses as helpdesk.live delivers to.
LiveAudience = Callable[[int, Set[Hashable]], set[str]]

# The groups that a user belongs to, by the names that an audience calls them.
LiveGroups = Callable[[Any], set[str]]

_live: dict[str, Any] = {}
# How much a user has not read yet, for the bell.
UnreadCount = Callable[[Any], int]

# A part of everybody's profile page, printed: safe HTML.
ProfilePanel = Callable[[HttpRequest], str]

# The numbers of the tickets whose row in the list carries a mark: one column, as a subquery that depends on no row.
RowMark = Callable[[], Any]

_health_probes: dict[str, HealthProbe] = {}
_settings_alerts: dict[str, SettingsAlert] = {}
_unread_counts: dict[str, UnreadCount] = {}
_profile_panels: dict[str, ProfilePanel] = {}
_row_marks: dict[str, RowMark] = {}


def register_health_probe(name: str, probe: HealthProbe) -> None:
    """`name` becomes the key in the answer of /health/. The probe may use the ORM and has two seconds."""
    _health_probes[name] = probe


def health_probes() -> dict[str, HealthProbe]:
    return dict(_health_probes)


def register_settings_alert(name: str, alert: SettingsAlert) -> None:
    """Asked once for each whole page of somebody who may change settings: one cheap statement at most."""
    _settings_alerts[name] = alert


def settings_need_attention() -> bool:
    return any(alert() for alert in _settings_alerts.values())


def register_unread_count(name: str, count: UnreadCount) -> None:
    """Asked once for each whole page: one cheap statement."""
    _unread_counts[name] = count


def unread_count(user: Any) -> int:
    return sum(count(user) for count in _unread_counts.values())


def register_profile_panel(place: str, panel: ProfilePanel) -> None:
    """`place` is where on the profile page it stands: "signature" or "images"."""
    _profile_panels[place] = panel


def profile_panels() -> dict[str, ProfilePanel]:
    return dict(_profile_panels)


def register_row_mark(name: str, numbers: RowMark) -> None:
    """`name` is what a ticket of the list is asked, as _ticket_row.html prints it."""
    _row_marks[name] = numbers


def row_marks() -> dict[str, RowMark]:
    return dict(_row_marks)


def register_live(audience: LiveAudience, groups: LiveGroups) -> None:
    """Both may use the ORM: an audience is asked for after a commit, groups when a stream begins."""
    _live.update(audience=audience, groups=groups)


def live_audience(ticket: int, before: Set[Hashable]) -> set[str]:
    found: set[str] = _live["audience"](ticket, before)
    return found


def live_groups(user: Any) -> set[str]:
    found: set[str] = _live["groups"](user)
    return found
