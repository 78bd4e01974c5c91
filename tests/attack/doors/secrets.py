"""Files of keys, of OAuth secrets and of remembered wikis that somebody damaged.

What must be: keys, or problems in an operator's words that repeat no secret; what was read is written back to
the octet.
"""

from datetime import UTC, datetime

from sidecar.configuration.oauth_files import consumer_in, token_in
from sidecar.configuration.secrets import key_problems
from sidecar.domain.census import from_text, to_text
from sidecar.domain.keyring import Keyring, NobodySigns
from tests.attack.doors.configuration import check_words
from tests.attack.doors.fuzz import Broken, Target, fuzz
from tests.attack.tally import Tally

__all__ = ["TARGET", "campaign"]

SECRET = b"k7Hq2ZfW9sXc4Vb1Nm8Lp3Tj6Ry5Gd0aEuIo"
NOW = datetime(2026, 12, 5, tzinfo=UTC)
_SHOWN = 16  # characters of a secret, by which it would be known


def _check(data: bytes) -> None:
    file, wrong = key_problems(data)
    if wrong:
        check_words(wrong)
        _discreet(wrong)
    elif file.content != data:
        raise Broken("a file of keys is not what was read")
    else:
        try:
            Keyring(file.keys).signer(NOW)
        except NobodySigns as error:
            check_words([str(error)])
    text = data.decode("utf-8", "replace")
    for read in (consumer_in, token_in):
        try:
            read(text)
        except ValueError as error:
            check_words([str(error)])
            _discreet([str(error)])
    try:
        to_text(from_text(text))
    except ValueError as error:
        check_words([str(error)])


def _discreet(words: list[str]) -> None:
    text = SECRET.decode()
    pieces = {text[at : at + _SHOWN] for at in range(len(text) - _SHOWN)}
    if any(piece in word for word in words for piece in pieces):
        raise Broken("a complaint quotes a secret")


TARGET = Target(
    __name__,
    _check,
    seeds=[
        b"# comment\n" + SECRET + b" retired=2026-12-02T10:00:00Z until=2026-12-13T10:00:00Z\n"
        b"Zt4bX1mQ8vR6nC3wK9sY5dF2gH7jL0pA1eUi from=2026-12-01T10:00:00Z\n",
        SECRET + b" revoked=2026-12-02T10:00:00+02:00\r\n",
        b"consumer_token = "
        + SECRET
        + b"\nconsumer_secret = 0123456789abcdef\naccess_token=x\naccess_secret=y\n",
        b"eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl",
    ],
    words=[
        *(
            b" from=",
            b" until=",
            b" retired=",
            b" revoked=",
            b"9999-12-31T23:59:59-23:59",
            b"0001-01-01T00:00:00+23:59",
        ),
        *(
            b"\n",
            b"\r",
            b"\0",
            b"#",
            b"=",
            b"\xc2\x85",
            b"\xe2\x80\xa8",
            b"\xff",
            b"2026-02-30T25:61:61Z",
            SECRET,
        ),
    ],
)


def campaign(seed: int, seconds: float) -> Tally:
    return fuzz(TARGET, seed, seconds)
