"""Rules that templates, styles and scripts keep, since no build step would notice."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.base import ContentFile
from django.template import engines

from helpdesk.storage import HashedStaticFiles
from helpdesk.templatetags import ui
from tickets.models.view import VIEWS
from tickets.templatetags.tickets import ICONS

ROOT = Path(__file__).resolve().parent.parent.parent
STATIC = ROOT / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((STATIC / "css").rglob("*.css"))
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))

HTMX_2 = re.compile(r"hx-ext|sse-swap|sse-connect|sse:|hx-vars|hx-disabled-elt|hx-on|responseHandling|htmx:[a-z]+[A-Z]")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def _own(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(ROOT)))


@_own(TEMPLATES)
def test_a_template_compiles(path):
    engines["django"].get_template(str(path.relative_to(ROOT / "templates")))


@_own(TEMPLATES + SCRIPTS)
def test_nothing_is_spelled_as_in_htmx_2(path):
    assert HTMX_2.findall(path.read_text()) == []


@_own(TEMPLATES)
def test_a_template_runs_no_script_of_its_own(path):
    """Our Content-Security-Policy forbids inline scripts, handlers and everything that needs eval."""
    text = path.read_text()

    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", text) == []
    assert re.findall(r"""\son[a-z]+\s*=\s*["']""", text) == []
    assert re.findall(r"""=["'](?:js|javascript):""", text) == []
    assert re.findall(r"""hx-trigger[^=]*=["'][^"']*\[""", text) == []


@_own(TEMPLATES)
def test_a_style_attribute_sets_custom_properties_only(path):
    for style in re.findall(r"""\sstyle=["']([^"']*)["']""", path.read_text()):
        assert all(one.strip().startswith("--") for one in style.split(";") if one.strip()), style


@_own([path for path in STYLES if path.name != "tokens.css"])
def test_colours_come_from_the_tokens(path):
    text = COMMENT.sub("", path.read_text())

    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", text) == []
    assert re.findall(r"\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch)\((?!from )", text) == []
    assert re.findall(r"(?<![\w-])(?:white|black|red|green|blue|gr[ae]y|yellow|orange)(?![\w-])", text) == []


@_own([path for path in STYLES if path.name != "layers.css"])
def test_a_style_lies_in_a_layer_and_needs_no_force(path):
    text = COMMENT.sub("", path.read_text()).strip()

    assert re.match(r"@layer (reset|tokens|base|layout|components|utilities) \{", text)
    assert text.endswith("}")
    assert "!important" not in text
    assert (
        re.findall(r"(?:margin|padding|border)-(?:left|right|top|bottom)|(?<![\w-])(?:left|right|top|bottom):", text)
        == []
    )


def test_every_style_is_linked_from_a_page():
    linked = set(re.findall(r"css/[\w/-]+\.css", "".join(path.read_text() for path in TEMPLATES)))

    assert linked == {str(path.relative_to(STATIC)) for path in STYLES}


def test_every_token_that_is_read_exists():
    styles = "".join(path.read_text() for path in STYLES)
    scripts_and_templates = "".join(path.read_text() for path in SCRIPTS + TEMPLATES)
    set_somewhere = set(re.findall(r"(--[\w-]+)\s*:", styles)) | set(re.findall(r"--[\w-]+", scripts_and_templates))
    read_without_fallback = set(re.findall(r"var\((--[\w-]+)\)", styles))

    assert read_without_fallback - set_somewhere - {"--p", "--h"} == set()


def test_every_token_is_read():
    """The steps of text sizes and of space are scales, which stay whole."""
    tokens = COMMENT.sub("", (STATIC / "css" / "tokens.css").read_text())
    everything = "".join(path.read_text() for path in STYLES + SCRIPTS + TEMPLATES)
    defined = {name for name in re.findall(r"(--[\w-]+)\s*:", tokens) if not re.match(r"--(?:text|s)-\w+$", name)}

    assert defined - set(re.findall(r"var\((--[\w-]+)", everything)) == set()


def test_every_class_is_used():
    """Rules that nothing needs yet come with the part that needs them."""
    names = set()
    for path in STYLES:
        for selector in re.findall(r"([^{};]+)\{", COMMENT.sub("", path.read_text())):
            names |= set(re.findall(r"\.([a-zA-Z][\w-]*)", selector))

    assert names - _classes_of_templates() - _classes_of_scripts() - _classes_of_python() == set()


def _classes_of_templates():
    """Of class attributes without what decides about them, of the block for <body>, and of drawings with a class."""
    classes = set()
    for path in TEMPLATES:
        text = path.read_text()
        for attribute in re.findall(r'\bclass="((?:\{[%{].*?[%}]\}|[^"])*)"', text):
            classes |= _words(re.sub(r"\{[%{].*?[%}]\}", " ", attribute))
            classes |= _words(" ".join(re.findall(r'"([^"]*)"', attribute)))
        for block in re.findall(r"\{% block body_class %\}([\w -]*)\{% endblock %\}", text):
            classes |= _words(block)
        for drawing in re.findall(r"\{% (?:icon|logo)\b(.*?)%\}", text):
            classes |= _words(drawing)
        classes |= {f"avatar--{size}" for size in re.findall(r'\{% avatar [\w.]+ "(\w+)"', text)}
    return classes


def _classes_of_scripts():
    texts = [re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.MULTILINE) for path in SCRIPTS]
    return {
        word for text in texts for quoted in re.findall(r"""["'`]([^"'`\n]*)["'`]""", text) for word in _words(quoted)
    }


def _classes_of_python():
    """Of form widgets and template tags, and of what `glyph` and `prio` put together."""
    files = [*ROOT.glob("*/forms.py"), *ROOT.glob("*/*/forms.py"), *ROOT.glob("*/templatetags/*.py")]
    written = {
        word for path in files for quoted in re.findall(r'"([^"\n]*)"', path.read_text()) for word in _words(quoted)
    }
    drawn = {f"glyph--{drawing}" for drawing, _ in ui.GLYPHS.values()} | {f"prio--{name}" for name in ui.PRIORITIES}
    return written | drawn


def _words(text):
    return set(re.findall(r"[\w-]+", text))


def test_every_animation_is_used():
    styles = "".join(path.read_text() for path in STYLES)

    for name in re.findall(r"@keyframes ([\w-]+)", styles):
        assert re.search(rf"animation: {name}\b", styles), name


def test_the_sprite_holds_the_drawings_that_are_used_and_no_other():
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons" / "sprite.svg").read_text()))
    icons = {name for path in TEMPLATES for name in re.findall(r"""{% icon ["']([\w-]+)["']""", path.read_text())}
    icons |= {view.icon for view in VIEWS} | set(ICONS.values())
    shapes = {f"g-{drawing}" for drawing, _ in ui.GLYPHS.values()} | {f"p-{name}" for name in ui.PRIORITIES}

    assert sprite == {f"i-{name}" for name in icons} | shapes | {"logo"}


@_own([path for path in STYLES if path.parent.name == "layout" and path.name != "responsive.css"])
def test_the_layout_leaves_to_components_what_is_theirs(path):
    """A component's layer wins over the layout's, whatever the selector: such a rule would do nothing."""
    rule = re.compile(r"([^{};]+)\{([^{}]*)\}")
    component_sets = {}
    for style in (STATIC / "css" / "components").glob("*.css"):
        for selectors, body in rule.findall(COMMENT.sub("", style.read_text())):
            for selector in selectors.split(","):
                if re.fullmatch(r"\s*\.[\w-]+\s*", selector):
                    component_sets.setdefault(selector.strip(), set()).update(_properties(body))

    for layer, text in re.findall(r"@layer (\w+) \{(.*?)\n\}", COMMENT.sub("", path.read_text()), re.DOTALL):
        for selectors, body in rule.findall(text) if layer == "layout" else ():
            for selector in selectors.split(","):
                last = re.search(r"(\.[\w-]+)\s*$", selector)
                lost = _properties(body) & component_sets.get(last[1], set()) if last else set()
                assert not lost, (selector.strip(), lost)


def _properties(body):
    return set(re.findall(r"([\w-]+)\s*:", body))


def test_every_element_that_is_used_is_defined_and_loaded():
    loading = "".join(path.read_text() for path in SCRIPTS)
    used = {tag for path in TEMPLATES for tag in re.findall(r"<([a-z]+-[a-z-]+)", path.read_text())}

    for tag in used:
        assert re.search(rf'import "\./elements/{tag}\.js";|import\("\./{tag}\.js"\)', loading), tag
        assert f'customElements.define("{tag}",' in (STATIC / "js" / "elements" / f"{tag}.js").read_text()


@_own(SCRIPTS)
def test_an_import_is_one_that_the_static_storage_rewrites(path):
    """It finds an import by its semicolon and a relative path; others would ask for a name that is not cached for ever."""
    for line in path.read_text().splitlines():
        if re.match(r"(import|export)\b.*(from\s|import\s*)[\"']", line):
            assert re.search(r"""["']\./|["']\.\./""", line), line
            assert line.endswith(";"), line


def test_collected_modules_name_each_other_by_hash(tmp_path, settings):
    storage = HashedStaticFiles(location=str(tmp_path), base_url="/static/")
    assert isinstance(storage, ManifestStaticFilesStorage)
    paths = {}
    for path in [path for path in STATIC.rglob("*") if path.is_file()]:
        name = str(path.relative_to(STATIC))
        storage._save(name, ContentFile(path.read_bytes()))
        paths[name] = (storage, name)

    problems = [processed for _, _, processed in storage.post_process(paths) if isinstance(processed, Exception)]

    assert problems == []
    editor = (tmp_path / storage.stored_name("js/elements/rich-editor.js")).read_text()
    assert Path(storage.stored_name("js/editor/editing.js")).name in editor
    editing = (tmp_path / storage.stored_name("js/editor/editing.js")).read_text()
    assert Path(storage.stored_name("vendor/squire/squire.js")).name in editing
    fonts = (tmp_path / storage.stored_name("css/fonts.css")).read_text()
    assert Path(storage.stored_name("fonts/inter-latin-wght-normal.woff2")).name in fonts


def test_the_first_load_stays_small():
    """200 kB until the list can be used, 260 kB with the editor; a page and its data take up to 21 of them."""
    when_asked_for = [STATIC / "js" / "editor" / "snippet-dialog.js", STATIC / "js" / "elements" / "form-layout.js"]
    editor = [*(STATIC / "js" / "editor").glob("*.js"), *(STATIC / "vendor").glob("[sd]*/*.js")]
    first = [
        *STYLES,
        *[path for path in SCRIPTS if path not in [*editor, *when_asked_for]],
        STATIC / "vendor" / "htmx" / "htmx.min.js",
        STATIC / "icons" / "sprite.svg",
        STATIC / "fonts" / "inter-latin-wght-normal.woff2",
    ]
    until_the_list = sum(map(_sent, first))

    assert until_the_list < 180_000
    assert until_the_list + sum(_sent(path) for path in editor if path not in when_asked_for) < 238_500


def _sent(path):
    content = path.read_bytes()
    return len(content) if path.suffix == ".woff2" else len(gzip.compress(content))


def test_vendored_files_are_the_pinned_ones():
    checking = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "vendor.py"), "check"], capture_output=True, text=True
    )

    assert checking.returncode == 0, checking.stdout


def test_the_list_of_vendored_files_holds_no_address():
    for folder in (STATIC / "vendor", ROOT / "tests" / "vendor"):
        assert "://" not in (folder / "vendor.json").read_text()
