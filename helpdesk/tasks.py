"""Background work of the project itself."""

from celery import shared_task


@shared_task
def heartbeat() -> None:
    """Nothing to do: that it was sent shows a living scheduler, see `health`."""
