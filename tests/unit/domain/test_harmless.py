"""What strangers wrote is shown, and does nothing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.harmless import harmless, one_line, unmistakable

#: Format characters that are drawn: signs over numbers, and joints of hieroglyphs.
SEEN = {chr(point) for point in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)}
SEEN |= {chr(point) for point in range(0x13430, 0x13440)}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ümläut, 漢字 \\ ok", "plain, ümläut, 漢字 \\ ok"),
        ("\x1b[2J\x07\x00\x7f", "\\x1b[2J\\x07\\x00\\x7f"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb\u2066c\u200bd\ufeff", "a\\u202eb\\u2066c\\u200bd\\ufeff"),
        ("a\ufffeb\uffff", "a\\ufffeb\\uffff"),
        ("pay\U000e0070\u3164l", "pay\\U000e0070\\u3164l"),  # a tag and a filler, which nobody sees
        ("one\ntwo\tthree\r", "one\\x0atwo\\x09three\\x0d"),
        (b"\xff\xfe caf\xc3\xa9".decode("utf-8", "surrogateescape"), "\\xff\\xfe café"),
    ],
)
def test_what_is_active_is_spelled(text: str, shown: str) -> None:
    assert harmless(text) == shown


#: What nobody sees, or what does something, and how it is spelled: the first and the last of each kind.
RARE = {
    "directions": (
        "\u061c\u200e\u200f\u202a\u202e\u2066\u2069",
        r"\u061c\u200e\u200f\u202a\u202e\u2066\u2069",
    ),
    "tags": ("\U000e0000\U000e0001\U000e0070\U000e007f", r"\U000e0000\U000e0001\U000e0070\U000e007f"),
    "no width": ("\u00ad\u034f\u200b\u200d\u2060\ufeff", r"\xad\u034f\u200b\u200d\u2060\ufeff"),
    "fillers": ("\u115f\u1160\u17b4\u17b5\u3164\uffa0", r"\u115f\u1160\u17b4\u17b5\u3164\uffa0"),
    "C0 and C1": ("\x00\x1b\x1f\x7f\x80\x85\x9b\x9f", r"\x00\x1b\x1f\x7f\x80\x85\x9b\x9f"),
    "lines": ("\u2028\u2029", r"\u2028\u2029"),
    "lone surrogates": ("\ud800\udbff\udc00\udfff", r"\ud800\udbff\udc00\udfff"),
    "octets": ("\udc80\udcff", r"\x80\xff"),
    "no characters": ("\ufffe\uffff", r"\ufffe\uffff"),
    "music and shorthand": ("\U0001d173\U0001d17a\U0001bca0", r"\U0001d173\U0001d17a\U0001bca0"),
}


@pytest.mark.parametrize(("text", "shown"), RARE.values(), ids=RARE)
def test_what_is_rare_is_spelled_by_both_rules(text: str, shown: str) -> None:
    assert harmless(text) == harmless(text, lines=True) == unmistakable(text) == shown


def test_what_looks_like_something_else_is_spelled_where_somebody_has_to_mend_it() -> None:
    text = "a\u00a0b\u3000c\u2009d\ue000e\U000f0000f\u0378 ümläut 漢字"
    assert harmless(text) == text
    assert unmistakable(text) == r"a\xa0b\u3000c\u2009d\ue000e\U000f0000f\u0378 ümläut 漢字"


def test_one_line_has_nothing_but_what_is_seen_and_single_blanks() -> None:
    assert one_line(" one\r\n\ttwo\u00a0\u202e\x1b  three\U000e0001\ud800 漢字 ") == "one two three 漢字"


def test_lines_may_stay_lines() -> None:
    assert harmless("one\ntwo\tthree\r\x1b", lines=True) == "one\ntwo\tthree\\x0d\\x1b"


@given(st.text(st.characters()))
def test_whatever_it_is_it_can_be_written_and_controls_nothing(text: str) -> None:
    shown = harmless(text)
    shown.encode("utf-8")
    assert not [letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")]
    assert {letter for letter in shown if unicodedata.category(letter) == "Cf"} <= SEEN
    assert harmless(shown) == shown
    assert unmistakable(text).isprintable()
    assert one_line(text).isprintable()
