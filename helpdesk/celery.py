"""The background work: `celery -A helpdesk worker`. The scheduler is a program of its own, see `scheduler`."""

import logging
import os
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast

from celery import Celery, shared_task, signals
from celery.contrib.django.task import DjangoTask

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

# Said of workers that take pickled tasks; ours take JSON only. In a container root is usual.
warnings.filterwarnings("ignore", message=".*superuser privileges", append=False)

logger = logging.getLogger(__name__)


class Task(DjangoTask):
    """A task that is queued after commit. A broker that is away then costs time, not an answer.

    What a task is to do stands in the database before it is queued, and the sweeper finds it there.
    """

    abstract = True

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        self.apply_async_on_commit(args, kwargs)

    def apply_async_on_commit(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        from django.db import transaction

        transaction.on_commit(partial(self._queue, *args, **kwargs))

    def _queue(self, *args: Any, **kwargs: Any) -> None:
        from kombu.exceptions import OperationalError
        from redis.exceptions import RedisError

        try:
            self.apply_async(*args, **kwargs)
        except (OperationalError, RedisError) as problem:
            logger.error("Task %s could not be queued, the sweeper will find it: %s", self.name, problem)


P = ParamSpec("P")
R = TypeVar("R")


def task(function: Callable[P, R]) -> "DjangoTask[P, R]":
    """Celery's `shared_task`, with the type of what it really gives: a task that has `delay_on_commit`."""
    return cast("DjangoTask[P, R]", shared_task(function))


app = Celery("helpdesk", task_cls=Task)
app.set_default()  # for every thread: the web process answers pages in eight of them
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class WithoutTraceback(logging.Filter):
    """When Redis dies under a busy worker, kombu falls over its own lost connection. That is no mistake to look for."""

    def filter(self, record: logging.LogRecord) -> bool:
        from helpdesk.alive import redis_was_away

        problem = record.exc_info[1] if record.exc_info else None
        if isinstance(problem, AttributeError) and redis_was_away():
            record.exc_info = record.exc_text = None
        return True


logging.getLogger("celery.worker").addFilter(WithoutTraceback())


@signals.heartbeat_sent.connect
def worker_lives(**_: Any) -> None:
    """Sent every two seconds by the worker's own process, also while all its threads are busy."""
    from helpdesk.alive import note_alive

    note_alive("worker")
