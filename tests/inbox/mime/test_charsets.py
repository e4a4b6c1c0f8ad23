import pytest

from inbox.mime.charsets import decode, find_codec, scrub

SENTENCES = {
    "utf-8": "Hyvää päivää, laskuni puuttuu – voitteko auttaa? 👍",
    "iso-8859-1": "Guten Tag, der Drucker im Büro ist gestört und läuft nicht mehr.",
    "windows-1252": "L’imprimante est cassée – pouvez-vous m’aider s’il vous plaît ?",
    "windows-1251": "Добрый день, у меня не работает принтер, помогите пожалуйста.",
    "koi8-r": "Добрый день, у меня не работает принтер, помогите пожалуйста.",
    "gb2312": "您好，我的打印机坏了，请帮助我解决这个问题，谢谢。",
    "big5": "您好，我的印表機壞了，請幫助我解決這個問題，謝謝。",
    "shift_jis": "プリンターが動きません。助けてください。よろしくお願いします。",
    "euc-jp": "プリンターが動きません。助けてください。よろしくお願いします。",
    "euc-kr": "안녕하세요, 프린터가 작동하지 않습니다. 도와주세요. 감사합니다.",
    "iso-2022-jp": "プリンターが動きません。",
    "iso-8859-2": "Dzień dobry, moja drukarka nie działa, proszę o pomoc. Dziękuję.",
    "windows-1253": "Καλημέρα, ο εκτυπωτής μου δεν λειτουργεί, βοηθήστε με.",
    "windows-1255": "שלום, המדפסת שלי לא עובדת, אנא עזרו לי.",
}


@pytest.mark.parametrize("charset", SENTENCES)
def test_a_declared_charset_is_read(charset):
    assert decode(SENTENCES[charset].encode(charset), charset) == SENTENCES[charset]


UNDECLARED = [
    "utf-8",
    "windows-1251",
    "koi8-r",
    "gb2312",
    "shift_jis",
    "euc-jp",
    "iso-2022-jp",
    "euc-kr",
    "windows-1253",
]


@pytest.mark.parametrize("charset", UNDECLARED)
def test_an_undeclared_charset_is_found_in_one_sentence(charset):
    assert decode(SENTENCES[charset].encode(charset)) == SENTENCES[charset]


def test_a_body_says_in_what_charset_the_header_is():
    assert decode("Ответ".encode("koi8-r"), hints=["koi8-r"]) == "Ответ"


def test_utf8_declared_as_latin1_is_read_as_utf8():
    assert decode("päivää".encode(), "iso-8859-1") == "päivää"


def test_utf8_that_was_cut_keeps_its_words():
    assert decode("Hyvää päivää".encode()[:-1], "utf-8") == "Hyvää päiv\u00e4\ufffd"


@pytest.mark.parametrize(
    "name", ["hex", "idna", "punycode", "undefined", "zlib", "rot13", "nonsense", "", "é", "a" * 999]
)
def test_what_is_no_charset_is_no_codec(name):
    assert find_codec(name) == ""


def test_nothing_that_the_database_refuses_comes_out():
    assert scrub("a\x00b\ud800c\x1b") == "ab\ufffdc"
