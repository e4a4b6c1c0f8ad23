"""The queue, the scheduler and the files, as the settings arrange them."""

import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from helpdesk import scheduler
from helpdesk.celery import app
from helpdesk.checks import static_files_are_collected


def test_every_task_that_is_scheduled_or_routed_exists() -> None:
    app.loader.import_default_modules()
    named = {entry["task"] for entry in django_settings.CELERY_BEAT_SCHEDULE.values()}
    assert named | django_settings.CELERY_TASK_ROUTES.keys() <= app.tasks.keys()


def test_the_scheduler_sends_what_the_worker_expects_to_where_it_listens() -> None:
    assert scheduler.app.conf.beat_schedule == app.conf.beat_schedule
    assert scheduler.app.conf.broker_url == app.conf.broker_url
    assert {route["queue"] for route in app.conf.task_routes.values()} | {app.conf.task_default_queue} == set(
        django_settings.HELPDESK_QUEUES
    )


QUEUE_AFTER_COMMIT = """
import django
django.setup()
from helpdesk.tasks import heartbeat
heartbeat.delay_on_commit()
print("went on")
"""


def test_a_broker_that_is_away_costs_seconds_and_spoils_no_answer() -> None:
    """What was saved is saved; were this an error, a person would send their reply again."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", QUEUE_AFTER_COMMIT],
        env=os.environ | {"REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout == "went on\n", done.stderr
    assert "helpdesk.tasks.heartbeat could not be queued" in done.stderr
    assert time.monotonic() - began < 8


@pytest.mark.django_db
def test_a_kept_file_is_for_its_owner_only() -> None:
    name = default_storage.save("raw/one.eml", ContentFile(b"Subject: x\r\n\r\n"))
    assert isinstance(default_storage, FileSystemStorage) or hasattr(default_storage, "path")
    path = Path(default_storage.path(name))
    assert path.read_bytes() == b"Subject: x\r\n\r\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_uncollected_static_files_are_said_before_a_page_fails(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    assert [found.id for found in static_files_are_collected(None)] == ["helpdesk.E001"]
    (tmp_path / "staticfiles.json").write_text("{}")
    assert static_files_are_collected(None) == []


def test_a_worker_that_lost_its_redis_says_so_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from celery.worker.worker import logger

    monkeypatch.setattr("helpdesk.settings.HELPDESK_REDIS_URL", "redis://127.0.0.1:1/0")
    said: list[logging.LogRecord] = []
    listener = logging.Handler()
    monkeypatch.setattr(listener, "emit", said.append)
    logger.addHandler(listener)
    for problem in (AttributeError("'NoneType' object has no attribute 'hostname'"), ValueError("a bug")):
        logger.critical("Unrecoverable error: %r", problem, exc_info=problem)
    logger.removeHandler(listener)
    assert [bool(record.exc_info) for record in said] == [False, True]
