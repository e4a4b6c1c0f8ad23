"""The scheduler: `celery -A helpdesk.scheduler beat`.

It only sends tasks by name, so it goes without Django and the apps, and takes half their memory.
"""

from typing import Any

from celery import Celery, signals

from helpdesk.alive import note_alive


class Scheduler(Celery):
    builtin_fixups = set()  # not the one that sets up Django


app = Scheduler("helpdesk", set_as_current=False)
app.config_from_object("helpdesk.settings", namespace="CELERY")


@signals.beat_init.connect
def scheduler_starts(**_: Any) -> None:
    note_alive("scheduler")


@signals.after_task_publish.connect
def scheduler_lives(sender: str, **_: Any) -> None:
    if sender == "helpdesk.tasks.heartbeat":
        note_alive("scheduler")
