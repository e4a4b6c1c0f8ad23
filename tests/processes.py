"""`manage.py` as a process of its own, on the database and the files of the test that starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection

CHECKOUT = Path(__file__).resolve().parent.parent


def environment(**further: str) -> dict[str, str]:
    """Settings for the process. The test needs `transactional_db`, or its rows are not there for another process."""
    database: dict[str, Any] = connection.settings_dict
    login = f"{quote(database['USER'])}:{quote(database['PASSWORD'])}@" if database["USER"] else ""
    host, port = database["HOST"], database["PORT"]
    where = f"?host={quote(host, safe='')}" if host.startswith("/") else ""
    server = "" if where else f"{host}{':' + str(port) if port else ''}"
    return {
        "PATH": os.environ["PATH"],
        "HELPDESK_STATE_DIR": os.environ["HELPDESK_STATE_DIR"],
        "DATABASE_URL": f"postgresql://{login}{server}/{database['NAME']}{where}",
        "REDIS_URL": settings.HELPDESK_REDIS_URL,
        "HELPDESK_SECRET_KEY": settings.SECRET_KEY,
        "HELPDESK_ENCRYPTION_KEYS": ",".join(settings.HELPDESK_ENCRYPTION_KEYS),
        "HELPDESK_PUBLIC_URL": "http://testserver",
        "HELPDESK_FILES": str(default_storage.location),  # type: ignore[attr-defined]
        "PYTHONDONTWRITEBYTECODE": "1",
        **further,
    }


def start(*words: str, **further: str) -> subprocess.Popen[bytes]:
    """Not waited for; its output goes nowhere. It leads a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *words],
        cwd=CHECKOUT,
        env=environment(**further),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def run(*words: str, stdin: bytes = b"", **further: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=CHECKOUT,
        env=environment(**further),
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
