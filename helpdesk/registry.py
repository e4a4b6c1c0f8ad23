"""What lower parts show, higher apps hand in: each app registers in its `AppConfig.ready`."""

from collections.abc import Callable

# A figure for /health/, read with the database at hand; None when there is nothing to tell.
HealthProbe = Callable[[], int | float | str | None]

# Whether something that is set up in the settings does not work, so that every page points there.
SettingsAlert = Callable[[], bool]

_health_probes: dict[str, HealthProbe] = {}
_settings_alerts: dict[str, SettingsAlert] = {}


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
