"""`manage.py backup FILE`: the database and the files in one tar, while the desk runs."""

import json
import os
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.translation import gettext as _

from helpdesk.embedded import dumping
from helpdesk.embedded.errors import CannotStart


class Command(BaseCommand):
    help = "Writes the database and all files into one tar. Keys and settings are not in it: keep them apart."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="The tar to write, for instance desk.tar")
        parser.add_argument("--replace", action="store_true", help="Overwrite the tar if there is one")

    def handle(self, *, file: Path, replace: bool, **_options: Any) -> None:
        if file.exists() and not replace:
            raise CommandError(_("%(file)s is there already. Choose another name or add --replace.") % {"file": file})
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            with tempfile.TemporaryDirectory(prefix="helpdesk-backup-") as folder:
                # The database first: a file that comes later is not missed, one that a row names is there.
                dumped = Path(folder) / "database.dump"
                dumping.dump(connection.settings_dict, dumped)
                about = Path(folder) / "about.json"
                about.write_text(json.dumps({"format": 1, "made": datetime.now(UTC).isoformat()}))
                with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                    with tarfile.open(fileobj=out, mode="w") as tar:
                        tar.add(about, "about.json")
                        tar.add(dumped, "database.dump")
                        files = settings.HELPDESK_FILES_FOLDER
                        if files is not None and files.exists():
                            tar.add(files, "files")
                    out.flush()
                    os.fsync(out.fileno())
            draft.replace(file)
        except (CannotStart, OSError) as problem:
            draft.unlink(missing_ok=True)
            raise CommandError(_("No backup was made: %(problem)s") % {"problem": problem}) from problem
        self.stdout.write(_("Backed up to %(file)s.") % {"file": file})
        if settings.HELPDESK_FILES_FOLDER is None:
            self.stdout.write(_("The files lie in the bucket of HELPDESK_FILES and are not in the backup."))
        if not settings.HELPDESK_PRODUCTION:
            keys = settings.HELPDESK_STATE_DIR / "encryption-keys"
            self.stdout.write(_("Keep %(keys)s too: without it the stored passwords are lost.") % {"keys": keys})
