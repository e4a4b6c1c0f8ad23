"""The README is true where a program can tell."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from helpdesk.settings import DOCUMENTED

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_every_setting_has_its_line_with_its_default() -> None:
    table = README.partition("<!-- settings")[2].partition("<!-- /settings")[0]
    rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in table.splitlines()
        if line.startswith("| `")
    ]
    assert {row[0].strip("`"): (row[1].strip("`"), row[2]) for row in rows} == {
        setting.name: (setting.default, setting.meaning) for setting in DOCUMENTED.values()
    }


def test_every_dependency_has_a_reason() -> None:
    table = README.partition("## What it stands on")[2]
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for requirement in wanted:
        name = re.split(r"[\[<>=]", requirement)[0]
        assert re.search(rf"^\|[^|]*\b{re.escape(name)}\b[^|]*\| \w", table, re.MULTILINE | re.IGNORECASE), (
            f"{name} has no reason"
        )


def test_every_file_that_the_readme_and_docs_point_to_is_there() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} points to {target}"
