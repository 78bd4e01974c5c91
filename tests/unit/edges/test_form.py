"""Forms: every octet of a value comes through, and what is damaged is refused."""

from urllib.parse import quote_plus, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.edges.form import BadForm, fields

URLENCODED = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=b"


@given(st.binary())
def test_a_value_is_the_octets_that_were_encoded(value: bytes) -> None:
    body = b"action=bouncehandler&email=" + quote_plus(value).encode()
    assert fields(URLENCODED, body) == {"action": b"bouncehandler", "email": value}


@given(st.binary().filter(lambda raw: not set(b"%&") & set(raw)))
def test_what_nobody_encoded_is_taken_as_it_is(value: bytes) -> None:
    assert fields(URLENCODED, b"email=" + value) == {"email": unquote_to_bytes(value.replace(b"+", b" "))}


@given(st.binary())
def test_a_multipart_value_is_the_octets_between_its_delimiters(value: bytes) -> None:
    if b"\r\n--b0und" in b"\r\n" + value:
        return
    body = (
        b'--b0und\r\nContent-Disposition: form-data; name="action"\r\n\r\nbouncehandler\r\n'
        b'--b0und\r\ncontent-disposition: form-data; name="email"; filename="m"\r\n'
        b"Content-Type: message/rfc822\r\n\r\n" + value + b"\r\n--b0und--\r\n"
    )
    assert fields("multipart/form-data; boundary=b0und", body) == {"action": b"bouncehandler", "email": value}


def test_of_a_field_that_comes_twice_the_first_counts() -> None:
    assert fields(URLENCODED + "; charset=utf-8", b"a=1&a=2") == {"a": b"1"}


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        ("text/plain", b"a=1", "want a form"),
        ("", b"a=1", "want a form"),
        (URLENCODED, b"email=100%", "not percent-encoded"),
        (URLENCODED, b"email=%zz", "not percent-encoded"),
        (URLENCODED, b"&".join(b"%d=1" % number for number in range(100)), "too many fields"),
        ("multipart/form-data", b"--b\r\n", "without a boundary"),
        (PARTS, b"", "cut off"),
        (PARTS, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx', "cut off"),
        (PARTS, b"--b\r\n\r\nx\r\n--b--", "no name"),
    ],
)  # fmt: skip
def test_what_is_no_form_is_told(content_type: str, body: bytes, words: str) -> None:
    with pytest.raises(BadForm, match=words):
        fields(content_type, body)


@given(st.sampled_from([URLENCODED, PARTS]), st.binary())
def test_nothing_breaks_it(content_type: str, body: bytes) -> None:
    try:
        fields(content_type, body)
    except BadForm:
        return
