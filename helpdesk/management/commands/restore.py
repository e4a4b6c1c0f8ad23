"""`manage.py restore FILE`: what `backup` wrote, into an empty database or, with --replace, over a full one."""

import tarfile
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.translation import gettext as _

from helpdesk.embedded import dumping
from helpdesk.embedded.errors import CannotStart


class Command(BaseCommand):
    help = (
        "Restores a backup. Stop the web, worker and scheduler before. Refuses a database that holds tickets or people."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="A tar that `backup` wrote")
        parser.add_argument("--replace", action="store_true", help="Throw away what the database holds now")

    def handle(self, *, file: Path, replace: bool, **_options: Any) -> None:
        if not replace and self._holds_something():
            raise CommandError(
                _(
                    "The database is not empty. Add --replace to throw away what it holds and put the backup in its place."
                )
            )
        with tempfile.TemporaryDirectory(prefix="helpdesk-restore-") as folder:
            self._unpack(file, Path(folder))
            try:
                # Files first: a row must not name one that is not there. Files of later mails stay and do no harm.
                files = self._restore_files(Path(folder) / "files")
                connection.close()
                dumping.restore(connection.settings_dict, Path(folder) / "database.dump")
            except (CannotStart, OSError) as problem:
                raise CommandError(_("Nothing was restored: %(problem)s") % {"problem": problem}) from problem
        # A backup of an older version gets the tables of this one.
        call_command("migrate", verbosity=0)
        self.stdout.write(_("Restored %(file)s with %(count)d files.") % {"file": file, "count": files})

    def _holds_something(self) -> bool:
        with connection.cursor() as cursor:
            tables = connection.introspection.table_names(cursor)
            for table in ("people_user", "tickets_ticket", "inbox_incoming"):
                if table in tables:
                    cursor.execute(f"select exists (select from {connection.ops.quote_name(table)})")  # noqa: S608 (names of ours)
                    if cursor.fetchone() == (True,):
                        return True
        return False

    def _unpack(self, file: Path, folder: Path) -> None:
        try:
            with tarfile.open(file) as tar:
                tar.extractall(folder, filter="data")  # refuses names that lead out of the folder
        except (OSError, tarfile.TarError) as problem:
            raise CommandError(
                _("%(file)s cannot be read: %(problem)s") % {"file": file, "problem": problem}
            ) from problem
        if not (folder / "about.json").exists() or not (folder / "database.dump").exists():
            raise CommandError(_("%(file)s is not a backup of this help desk.") % {"file": file})

    def _restore_files(self, source: Path) -> int:
        count = 0
        target: Path | None = settings.HELPDESK_FILES_FOLDER
        if target is None or not source.exists():
            return count
        for found in source.rglob("*"):
            if found.is_file():
                place = target / found.relative_to(source)
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                draft = place.with_name(f".{place.name}.restoring")
                draft.write_bytes(found.read_bytes())
                draft.chmod(0o600)
                draft.replace(place)
                count += 1
        return count
