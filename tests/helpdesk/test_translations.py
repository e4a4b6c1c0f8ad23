"""The program speaks Finnish, whole pages of it, and the check sees when it would not."""

import importlib.util
import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone, translation

from people.models import Role
from tests.factories import PASSWORD, make_contact, make_mailbox, make_message, make_pipeline, make_ticket, make_user
from tickets.models import Kind, Priority

ROOT = Path(__file__).resolve().parent.parent.parent
LOCALE = ROOT / "helpdesk" / "locale"
PO = Path("fi", "LC_MESSAGES", "django.po")

# Words of nearly every English page. What is Finnish or initials too is not among them ("to" is short for Thursday).
ENGLISH = set(
    "all and any attach choose close comment contact conversation customer closed from has help is mail message "
    "my new next nobody of open owner password priority reply send sent settings show sign status team the this "
    "ticket tickets unassigned view views waiting with you your".split()
)
SPOKEN = {"alt", "aria-label", "placeholder", "title", "data-failed", "data-away", "data-offline", "data-upload-failed"}


def load_check():
    spec = importlib.util.spec_from_file_location("check_translations", ROOT / ".ci" / "check_translations.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks for the names of its types
    spec.loader.exec_module(module)
    return module


check = load_check()


class Said(HTMLParser):
    """What a page says to those who see it and to those who hear it."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.silent = [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.silent = tag in ("script", "style")
        self.texts += [value for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag):
        self.silent = False

    def handle_data(self, data):
        if not self.silent and data.strip():
            self.texts.append(" ".join(data.split()))


def said(response):
    assert response.status_code == 200
    assert response.headers["Content-Language"] == "fi"
    page = response.content.decode()
    assert '<html lang="fi"' in page
    return Said(page).texts


def english(texts):
    """The texts that are still English: a whole text of the program, or one with an English word."""
    whole = {text for entry in check.entries(LOCALE / PO) for text in entry.sources if text not in entry.translations}
    whole -= {text for entry in check.entries(LOCALE / PO) for text in entry.translations}
    return [
        text for text in texts if text in whole or ENGLISH & {word.strip(".,:;!?()“”").lower() for word in text.split()}
    ]


@pytest.fixture
def finn(db, settings):
    """The browser of an admin who reads Finnish, at a desk that was begun in Finnish."""
    settings.HELPDESK_NAME = "Korpi"
    with translation.override("fi"):
        make_pipeline("Asiakaspalvelu")
    browser = Client()
    browser.force_login(make_user(Role.ADMIN, name="Aino Virtanen", language="fi"))
    return browser


@pytest.fixture
def busy_ticket(finn):
    """A ticket to which everything happened that its page can tell of."""
    now = timezone.now()
    with translation.override("fi"):
        pipeline = make_pipeline("Asiakaspalvelu")
        agent = make_user(name="Jussi Koskela")
        contact = make_contact("elina@asiakas.example", "Elina Saarinen")
        make_ticket(name="Aiempi asia", pipeline=pipeline, contact=contact)
        ticket = make_ticket(name="Väärä koko", pipeline=pipeline, contact=contact)
        mailbox = make_mailbox("tuki@korpi.example", name="Korven tuki")
        make_message(ticket, text="Takki on kokoa S.", mailbox=mailbox)
        make_message(ticket, text="Vaihdetaan.", direction="internal", author=agent)
        ticket.assign(agent, by=agent, now=now)
        ticket.assign(None, by=agent, now=now)
        ticket.prioritise(Priority.HIGH, by=agent, now=now)
        ticket.move_to(pipeline.first_status(Kind.CLOSED), by=agent, now=now)
        ticket.move_to(pipeline.first_status(Kind.WAITING_ON_US), by=agent, now=now)
    return ticket


def test_the_sign_in_page_follows_the_browser_and_says_in_finnish_what_is_wrong(db, settings):
    settings.HELPDESK_NAME = "Korpi"
    visitor = Client(headers={"accept-language": "fi,en;q=0.5"})
    page = said(visitor.get("/login/"))
    assert {"Kirjaudu sisään", "Salasana"} <= set(page)
    assert english(page) == []

    refused = visitor.post("/login/", {"username": "joku@korpi.example", "password": "väärä"})
    assert "Sähköposti ja salasana eivät täsmää." in refused.content.decode()
    assert english(Said(refused.content.decode()).texts) == []


def test_after_signing_in_the_language_is_the_users_whatever_the_browser_asks_for(db, settings):
    settings.HELPDESK_NAME = "Korpi"
    user = make_user(name="Aino Virtanen", language="fi")
    browser = Client(headers={"accept-language": "en"})
    browser.post("/login/", {"username": user.email, "password": PASSWORD})
    page = said(browser.get("/"))
    assert {"Jakamatta", "Odottaa asiakasta"} <= set(page)
    assert english(page) == []


def test_the_workspace_with_a_ticket_is_finnish(finn, busy_ticket):
    page = said(finn.get("/"))
    assert {"Kaikki avoimet", "Odottaa meitä", "2 tikettiä"} <= set(page)
    assert english(page) == []


def test_a_tickets_page_is_finnish(finn, busy_ticket):
    page = said(finn.get(f"/tickets/{busy_ticket.number}/"))
    assert {"Vastaa", "Lähetä", "Sisäinen kommentti", "Tila", "Vastuuhenkilö", "Liitä tiedosto"} <= set(page)
    assert english(page) == []


@pytest.mark.parametrize(
    "address",
    ["/settings/mailboxes/", "/settings/mailboxes/new/", "/conversations/", "/mail-room/", "/mail-room/?new=1"],
)
def test_the_other_pages_are_finnish(finn, busy_ticket, address, settings):
    settings.HELPDESK_MAIL_ROOM = True
    assert english(said(finn.get(address))) == []


@pytest.mark.parametrize("language", ["fi", "en"])
def test_the_pages_of_the_administration_open_in_either_language(finn, busy_ticket, language):
    get_user_model().objects.filter(name="Aino Virtanen").update(language=language)
    for address in ("/admin/", f"/admin/tickets/ticket/{busy_ticket.pk}/change/", "/admin/inbox/mailbox/"):
        assert finn.get(address).status_code == 200


def test_every_placeholder_of_a_text_is_in_its_translation():
    for entry in check.entries(LOCALE / PO):
        placeholders = check.placeholders(entry.sources[-1])
        assert check.placeholders(entry.translations[-1]) == placeholders, entry.sources
        # "In a minute" needs no number; what else stands in the text for one thing stands in both languages.
        assert check.placeholders(entry.sources[0]) <= check.placeholders(entry.translations[0]), entry.sources
        assert check.placeholders(entry.translations[0]) <= placeholders, entry.sources


def test_texts_keep_how_they_begin_and_end():
    for entry in check.entries(LOCALE / PO):
        for source, text in zip(entry.sources, entry.translations, strict=True):
            assert (source[:1].isspace(), source[-1:].isspace()) == (text[:1].isspace(), text[-1:].isspace()), source
            if "msgctxt" not in entry.parts:
                assert source.endswith(".") == text.endswith(".") or source.startswith(("j ", "D ")), source


@pytest.fixture
def gettext_tools():
    """Only who changes texts needs them; the program reads the compiled file that is kept."""
    if not (shutil.which("xgettext") and shutil.which("msgfmt")):
        if os.environ.get("CI") == "1":
            pytest.fail("CI=1, but gettext is not installed")
        pytest.skip("gettext is not installed (Debian: gettext)")


@pytest.fixture
def locale(tmp_path, gettext_tools):
    shutil.copytree(LOCALE, tmp_path / "locale")
    return tmp_path / "locale"


@pytest.mark.parametrize(
    ("translated", "instead", "complaint"),
    [
        ('msgid "Sign in"\nmsgstr "Kirjaudu sisään"', 'msgid "Sign in"\nmsgstr ""', "untranslated: 'Sign in'"),
        ('msgid "Sign in"\n', '#, fuzzy\nmsgid "Sign in"\n', "fuzzy: 'Sign in'"),
        ('msgstr "Tila: %(name)s"', 'msgstr "Tila: %(nimi)s"', "other placeholders: 'Status: %(name)s'"),
        ('msgid "Sign in"\nmsgstr "Kirjaudu sisään"\n\n', "", "fuzzy: 'Sign in'"),  # from one like it
    ],
)
def test_the_check_names_what_is_not_well(locale, capsys, translated, instead, complaint):
    text = (locale / PO).read_text()
    assert text.count(translated) == 1
    (locale / PO).write_text(text.replace(translated, instead))
    assert check.main([], locale) == 1
    assert f"fi: {complaint}" in capsys.readouterr().out.splitlines()


def test_updating_twice_changes_nothing(locale):
    check.main(["update"], locale)
    first = (locale / PO).read_bytes()
    check.main(["update"], locale)
    assert (locale / PO).read_bytes() == first


def test_the_compiled_texts_are_those_of_the_file(tmp_path, gettext_tools):
    fresh = tmp_path / "fresh.mo"
    subprocess.run(["msgfmt", f"--output-file={fresh}", LOCALE / PO], check=True)
    kept = (LOCALE / PO).with_suffix(".mo")
    assert fresh.read_bytes() == kept.read_bytes(), "run: python .ci/check_translations.py update"
