"""What lower parts show, higher apps hand in: each app registers in its `AppConfig.ready`."""

from collections.abc import Callable

# A figure for /health/, read with the database at hand; None when there is nothing to tell.
HealthProbe = Callable[[], int | float | str | None]

_health_probes: dict[str, HealthProbe] = {}


def register_health_probe(name: str, probe: HealthProbe) -> None:
    """`name` becomes the key in the answer of /health/. The probe may use the ORM and has two seconds."""
    _health_probes[name] = probe


def health_probes() -> dict[str, HealthProbe]:
    return dict(_health_probes)
