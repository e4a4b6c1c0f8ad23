"""Fails when a text has no translation in a language of helpdesk/locale, or one that does not fit it.

python .ci/check_translations.py          collect the texts of code and templates and compare, change nothing
python .ci/check_translations.py update   collect them into the .po files too, keeping what is translated, and compile
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "helpdesk" / "locale"
LANGUAGES = {"fi": "Finnish"}
SOURCES = ["helpdesk", "people", "tickets", "library", "inbox", "templates"]
# Whole, so that no date and no name of a translator makes a run a change. Both languages have the same two plurals.
HEADER = r"""# {name} texts of the help desk. See .ci/check_translations.py for how to update them.
msgid ""
msgstr ""
"Project-Id-Version: helpdesk\n"
"PO-Revision-Date: \n"
"Last-Translator: \n"
"Language-Team: \n"
"Language: {language}\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
"""
PLACEHOLDER = re.compile(r"%\(\w+\)[-#0 +]*[\d.]*[a-z]")
LINE = re.compile(r'(?:(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) )?(".*")$')


@dataclass
class Entry:
    """A text of a .po file: `parts` by keyword (msgctxt, msgid, msgid_plural, msgstr or msgstr[0] and so on)."""

    parts: dict[str, str] = field(default_factory=dict)
    fuzzy: bool = False

    @property
    def sources(self) -> list[str]:
        return [self.parts[key] for key in ("msgid", "msgid_plural") if key in self.parts]

    @property
    def translations(self) -> list[str]:
        return [text for key, text in self.parts.items() if key.startswith("msgstr")]

    def problem(self) -> str:
        """What is wrong with it in a word or two, nothing when it is well."""
        if not self.translations or not all(self.translations):
            return "untranslated"
        if self.fuzzy:
            return "fuzzy"
        # A text for exactly one thing may leave its number out, in either language.
        *_, source = self.sources
        if placeholders(source) != placeholders(self.translations[-1]) or any(
            not placeholders(text) <= placeholders(source) for text in self.translations
        ):
            return "other placeholders"
        return ""


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def entries(po: Path) -> Iterator[Entry]:
    """The texts of a .po file without its header and what is commented out."""
    for block in re.split(r"\n\n+", po.read_text())[1:]:
        entry, keyword = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#,") and "fuzzy" in line:
                entry.fuzzy = True
            if match := LINE.match(line):
                keyword = match[1] or keyword
                entry.parts[keyword] = entry.parts.get(keyword, "") + ast.literal_eval(match[2])
        if entry.parts:
            yield entry


def problems(po: Path) -> list[str]:
    """The entries of a .po file that are not well, as lines to print."""
    return [f"{problem}: {entry.parts['msgid']!r}" for entry in entries(po) if (problem := entry.problem())]


def collect(target: Path) -> None:
    """Write fresh .po files for every language below `target`, keeping the translations that stand there."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for source in SOURCES:
            shutil.copytree(
                ROOT / source, copy / source, ignore=shutil.ignore_patterns("locale", "__pycache__", "migrations")
            )
        (copy / "locale").mkdir()
        command = [sys.executable, "-m", "django", "makemessages", "--no-location", "--no-wrap", "--no-obsolete"]
        command += ["-v", "0"]
        for language in LANGUAGES:
            command += ["-l", language]
            present = _po(target, language)
            if present.exists():
                _po(copy / "locale", language).parent.mkdir(parents=True)
                shutil.copy(present, _po(copy / "locale", language))
        settings = copy / "collecting.py"
        settings.write_text("LOCALE_PATHS = ['locale']\nUSE_I18N = True\n")
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "collecting", "PYTHONPATH": str(copy)}
        subprocess.run(command, cwd=copy, env=environment, check=True)
        for language, name in LANGUAGES.items():
            _header, texts = _po(copy / "locale", language).read_text().split("\n\n", 1)
            po = _po(target, language)
            po.parent.mkdir(parents=True, exist_ok=True)
            po.write_text(HEADER.format(language=language, name=name) + "\n" + texts)


def compile_texts(target: Path) -> None:
    for language in LANGUAGES:
        po = _po(target, language)
        subprocess.run(["msgfmt", "--check-format", f"--output-file={po.with_suffix('.mo')}", po], check=True)


def _po(folder: Path, language: str) -> Path:
    return folder / language / "LC_MESSAGES" / "django.po"


def main(arguments: list[str], locale: Path = LOCALE) -> int:
    if arguments == ["update"]:
        collect(locale)
        compile_texts(locale)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        shutil.copytree(locale, fresh, dirs_exist_ok=True)
        collect(fresh)
        for language in LANGUAGES:
            for line in problems(_po(fresh, language)):
                print(f"{language}: {line}")
                failed += 1
    print(f"{failed} texts to translate" if failed else "every text is translated")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
