from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest
from django.template import TemplateSyntaxError
from django.utils import timezone, translation

from helpdesk.templatetags.ui import avatar, filesize, glyph, icon, prio, relative_time

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)


class _Seen(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Aino Virtanen", "AV"),
        ("aino", "A"),
        ("Åke von Öhman", "ÅÖ"),
        ("  Anna   Maria  Lind ", "AL"),
        ("مريم حداد", "مح"),
        ("ßmith", "S"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("❤️ Pekka", "P"),
        ("!!", "!"),
        ("x" * 200, "X"),
    ],
)
def test_an_avatar_shows_initials_and_says_the_whole_name(name, initials):
    seen = _Seen(avatar(name))

    assert seen.text == initials
    assert seen.tags[0][1]["aria-label"] == " ".join(name.split())


@pytest.mark.parametrize("name", ["", "   ", None])
def test_nobody_has_an_empty_ring(name):
    tag, attrs = _Seen(avatar(name, "xs")).tags[0]

    assert tag == "span"
    assert attrs["class"] == "avatar avatar--xs avatar--none"
    assert attrs["aria-label"] == "Nobody"


def test_an_avatar_beside_its_name_is_not_read_twice():
    attrs = _Seen(avatar("Aino Virtanen", decorative=1)).tags[0][1]

    assert attrs["aria-hidden"] == "true"
    assert "aria-label" not in attrs


def test_a_name_with_markup_stays_text():
    seen = _Seen(avatar('"><script>alert(1)</script>'))

    assert [tag for tag, _ in seen.tags] == ["span"]
    assert seen.tags[0][1]["aria-label"] == '"><script>alert(1)</script>'


@pytest.mark.parametrize(
    ("kind", "drawing"), [("new", "g-new"), (1, "g-open"), ("waiting_on_contact", "g-waiting"), (3, "g-resolved")]
)
def test_a_kind_of_status_has_its_own_shape(kind, drawing):
    assert _Seen(glyph(kind, "")).tags[1][1]["href"].endswith(f".svg#{drawing}")


def test_a_shape_without_a_word_beside_it_is_named():
    assert _Seen(glyph(1)).tags[0][1]["aria-label"] == "Status: Waiting on us"
    assert _Seen(glyph(3, "Won & done")).tags[0][1]["aria-label"] == "Status: Won & done"
    assert _Seen(prio(4)).tags[0][1]["aria-label"] == "Priority: Urgent"
    assert _Seen(prio("low", "")).tags[0][1]["aria-hidden"] == "true"


def test_a_kind_that_is_none_is_refused():
    with pytest.raises(TemplateSyntaxError, match="none of new"):
        glyph("resolved")


def test_an_icon_is_hidden_and_points_into_the_sprite():
    seen = _Seen(icon("reply", "icon--sm"))

    assert seen.tags[0] == ("svg", {"class": "icon icon--sm", "aria-hidden": "true"})
    assert seen.tags[1][1]["href"].endswith(".svg#i-reply")


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(minutes=22, seconds=59), "22m"),
        (timedelta(hours=3, minutes=59), "3h"),
        (timedelta(hours=12), "Tue 24 Nov, 04:00"),
        (timedelta(days=3), "Sat 21 Nov, 16:00"),
        (timedelta(days=400), "20 Oct 2025"),
        (timedelta(minutes=-5), "Tue 24 Nov, 16:05"),
    ],
)
def test_a_time_is_told_as_people_say_it(age, text):
    assert _Seen(relative_time(NOW - age, NOW)).text == text


def test_a_time_carries_the_exact_one_in_the_readers_zone():
    with timezone.override("Europe/Helsinki"):
        _, attrs = _Seen(relative_time(NOW - timedelta(minutes=1), NOW)).tags[0]

    assert attrs == {"datetime": "2026-11-24T15:59:00+00:00", "title": "Tuesday 24 November 2026, 17:59"}


def test_no_time_is_nothing_and_a_day_is_a_day():
    assert relative_time(None) == ""
    assert _Seen(relative_time(date(2026, 11, 24))).text == "24 Nov 2026"


def test_sizes_are_told_in_the_readers_language():
    assert filesize(None) == ""
    assert filesize(219136) == "214.0\xa0KB"
    with translation.override("fi"):
        assert filesize(219136) == "214,0\xa0KB"
