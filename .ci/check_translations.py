"""Fails when a text is untranslated or fuzzy in a language of helpdesk/locale, or when texts in the code are not in it yet.

python .ci/check_translations.py          compare, change nothing
python .ci/check_translations.py update   collect the texts of code and templates into the .po files
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "helpdesk" / "locale"
LANGUAGES = ["fi"]
SOURCES = ["helpdesk", "people", "tickets", "inbox", "templates"]


def collect(target: Path) -> None:
    """Write fresh .po files for every language below `target`, keeping the translations that stand there."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for source in SOURCES:
            shutil.copytree(
                ROOT / source, copy / source, ignore=shutil.ignore_patterns("locale", "__pycache__", "migrations")
            )
        (copy / "locale").mkdir()
        for language in LANGUAGES:
            present = target / language / "LC_MESSAGES" / "django.po"
            if present.exists():
                destination = copy / "locale" / language / "LC_MESSAGES"
                destination.mkdir(parents=True)
                shutil.copy(present, destination / "django.po")
        command = [sys.executable, "-m", "django", "makemessages", "--no-location", "--no-wrap", "-v", "0"]
        for language in LANGUAGES:
            command += ["-l", language]
        settings = copy / "collecting.py"
        settings.write_text("LOCALE_PATHS = ['locale']\nUSE_I18N = True\n")
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "collecting", "PYTHONPATH": str(copy)}
        subprocess.run(command, cwd=copy, env=environment, check=True)
        for language in LANGUAGES:
            destination = target / language / "LC_MESSAGES"
            destination.mkdir(parents=True, exist_ok=True)
            text = (copy / "locale" / language / "LC_MESSAGES" / "django.po").read_text()
            # The date would make every run a change.
            (destination / "django.po").write_text(re.sub(r'"POT-Creation-Date:.*\\n"\n', "", text))


def problems(po: Path) -> list[str]:
    """Untranslated and fuzzy entries of a .po file, as lines to print."""
    found = []
    for block in re.split(r"\n\n+", po.read_text())[1:]:
        lines = [line for line in block.splitlines() if not line.startswith("#~")]
        if not any(line.startswith("msgid") for line in lines):
            continue
        name = next(line for line in lines if line.startswith("msgid"))
        if any(line.startswith("#,") and "fuzzy" in line for line in lines):
            found.append(f"fuzzy: {name}")
        values = re.findall(r'^msgstr(?:\[\d\])? ((?:"[^\n]*"\n?)+)', "\n".join(lines) + "\n", re.MULTILINE)
        if not values or any(not value.replace('"', "").strip() for value in values):
            found.append(f"untranslated: {name}")
    return found


def main() -> int:
    if sys.argv[1:] == ["update"]:
        collect(LOCALE)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        shutil.copytree(LOCALE, fresh, dirs_exist_ok=True)
        collect(fresh)
        for language in LANGUAGES:
            po = fresh / language / "LC_MESSAGES" / "django.po"
            for line in problems(po):
                print(f"{language}: {line}")
                failed += 1
    print(f"{failed} texts to translate" if failed else "every text is translated")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
