"""Background work of the project itself."""

from helpdesk.celery import task


@task
def heartbeat() -> None:
    """Nothing to do: that it was sent shows a living scheduler, see `health`."""
