"""What ARCHITECTURE and STYLE say about the code as a whole, read from the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINE = ["helpdesk", "people", "tickets", "library", "inbox"]  # an app imports only apps to its left
FORBIDDEN = {"utils.py", "services.py", "managers.py", "constants.py"}


def sources(app: str) -> list[Path]:
    return sorted((ROOT / app).rglob("*.py"))


def all_sources() -> list[Path]:
    return [path for app in LINE for path in sources(app)]


def templates() -> list[Path]:
    return sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt"))


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', '?')}"


def imports(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Every module a file imports, also those inside functions."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            above = package[: len(package) - node.level + 1]
            yield ".".join([*above, node.module or ""]), node
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node


@pytest.mark.parametrize("app", LINE)
def test_an_app_imports_only_apps_to_its_left(app):
    assert sources(app), f"{app}/ holds no code"
    right = LINE[LINE.index(app) + 1 :]
    wrong = [
        f"{where(path, node)} imports {module}"
        for path in sources(app)
        for module, node in imports(path)
        if module.split(".")[0] in right
    ]
    assert not wrong, wrong


def test_the_program_imports_no_tests():
    wrong = [
        where(path, node) for path in all_sources() for module, node in imports(path) if module.startswith("tests")
    ]
    assert not wrong, wrong


def test_templates_take_parts_only_of_their_own_or_a_lower_app():
    wrong = []
    for path in templates():
        app = path.relative_to(ROOT / "templates").parts[0]
        if app not in LINE:
            continue
        for name in re.findall(r"{%\s*(?:include|extends)\s+[\"']([^\"']+)", path.read_text()):
            other = name.split("/")[0]
            if other in LINE and LINE.index(other) > LINE.index(app):
                wrong.append(f"{path.relative_to(ROOT)} takes {name}")
    assert not wrong, wrong


def test_a_thing_lives_beside_the_noun_it_is_about():
    wrong = [str(path.relative_to(ROOT)) for path in all_sources() if path.name in FORBIDDEN]
    assert not wrong, wrong


def test_who_asks_is_told_in_one_place():
    """`signed_in(request)`, which refuses a stranger; nobody takes it for granted that there is a user."""
    wrong = [
        f"{path.relative_to(ROOT)} takes request.user for granted"
        for path in all_sources()
        if re.search(r"cast\(User, request\.user\)|assert isinstance\(request\.user", path.read_text())
    ]
    assert not wrong, wrong


def test_foreign_html_becomes_safe_in_one_place():
    """`mark_safe` of words that stand in the code itself is no danger; of anything else only helpdesk/html/ says it."""
    wrong = []
    for path in all_sources():
        if path.parent == ROOT / "helpdesk" / "html":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            is_literal = bool(node.args) and isinstance(node.args[0], ast.Constant)
            if called in ("mark_safe", "SafeString", "SafeText") and not is_literal:
                wrong.append(where(path, node))
            if called == "format_html" and not is_literal:
                wrong.append(where(path, node))
    assert not wrong, wrong


def test_templates_escape_everything():
    wrong = []
    for path in templates():
        text = path.read_text()
        if re.search(r"\|\s*(safe|safeseq)\b", text):
            wrong.append(f"{path.relative_to(ROOT)} says |safe")
        if path.suffix == ".html" and re.search(r"{%\s*autoescape\s+off", text):
            wrong.append(f"{path.relative_to(ROOT)} switches escaping off")
    assert not wrong, wrong


def test_what_a_verb_does_is_what_one_reads_in_it():
    """No save() overrides and no post_save behind one's back."""
    wrong = []
    for path in all_sources():
        tree = ast.parse(path.read_text())
        if "models" in path.parts or path.name == "models.py":
            wrong += [
                where(path, node)
                for node in ast.walk(tree)
                if isinstance(node, ast.FunctionDef) and node.name == "save"
            ]
        wrong += [
            where(path, node)
            for node in ast.walk(tree)
            if isinstance(node, ast.Name | ast.alias)
            and (getattr(node, "id", None) or getattr(node, "name", "")) in ("pre_save", "post_save")
        ]
    assert not wrong, wrong


def test_nothing_is_left_to_do():
    wrong = [
        str(path.relative_to(ROOT)) for path in all_sources() if re.search(r"#\s*(TODO|FIXME|XXX)\b", path.read_text())
    ]
    assert not wrong, wrong
