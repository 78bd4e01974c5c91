"""What strangers wrote is shown, and does nothing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.harmless import harmless

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
        ("pay\U000e0070\u3164l", "pay\\ue0070\\u3164l"),  # a tag and a filler, which nobody sees
        ("one\ntwo\tthree\r", "one\\x0atwo\\x09three\\x0d"),
        (b"\xff\xfe caf\xc3\xa9".decode("utf-8", "surrogateescape"), "\\xff\\xfe café"),
    ],
)
def test_what_is_active_is_spelled(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_lines_may_stay_lines() -> None:
    assert harmless("one\ntwo\tthree\r\x1b", lines=True) == "one\ntwo\tthree\\x0d\\x1b"


@given(st.text(st.characters()))
def test_whatever_it_is_it_can_be_written_and_controls_nothing(text: str) -> None:
    shown = harmless(text)
    shown.encode("utf-8")
    assert not [letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")]
    assert {letter for letter in shown if unicodedata.category(letter) == "Cf"} <= SEEN
    assert harmless(shown) == shown
