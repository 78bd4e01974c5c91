"""Keys: which one signs, which verify, and what the file says of each."""

from datetime import UTC, datetime, timedelta

import pytest

from sidecar.domain import verp
from sidecar.domain.key_file import KeyFile, parse
from sidecar.domain.keyring import Key, Keyring, NobodySigns, State
from sidecar.domain.verp import SidecarFormat, Verp

T0 = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
A, B, C = (letter * 4 + "0123456789abcdefghijklmnopqrstuv" for letter in "ABC")
ACCEPT = 10 * DAY


def file(*lines: str) -> KeyFile:
    found, problems = parse("\n".join(lines).encode())
    assert problems == []
    return found


def ring(*lines: str) -> Keyring:
    return Keyring(file(*lines).keys)


def signer(keys: Keyring, days: float) -> str:
    return keys.signer(T0 + days * DAY).secret.decode()


def book(*lines: str) -> Verp:
    return Verp((SidecarFormat("wiki", "bounces.example.org", ring(*lines)),), ["enwiki"], accept=ACCEPT)


def issued(by: Verp, days: float = 0) -> str:
    return by.issue("enwiki", 7, "bob@example.com", T0 + days * DAY)


@pytest.mark.parametrize(
    ("lines", "days", "who"),
    [
        ([A, B], 0, A),
        ([A, f"{B} from=2026-12-01T10:00:00Z"], -0.1, A),
        ([A, f"{B} from=2026-12-01T10:00:00Z"], 0, B),
        ([f"{B} from=2026-12-01T10:00:00Z", A], 0, B),
        ([A, f"{B} from=2026-12-01T10:00:00Z", f"{C} from=2026-12-03T10:00:00Z"], 1, B),
        ([A, f"{B} from=2026-12-01T10:00:00Z", f"{C} from=2026-12-03T10:00:00Z"], 2, C),
        ([f"{A} from=2026-12-01T10:00:00Z", f"{B} from=2026-12-01T10:00:00Z"], 0, A),
        ([f"{A} from=2026-12-05T10:00:00Z", f"{B} from=2026-12-03T10:00:00Z"], 0, B),  # none has begun
        ([f"{A} retired=2026-12-02T10:00:00Z", f"{B} from=2026-12-09T10:00:00Z"], 0, A),
        ([f"{A} retired=2026-12-02T10:00:00Z", f"{B} from=2026-12-09T10:00:00Z"], 1, B),  # nobody else can
        ([A, f"{B} from=2026-12-01T10:00:00Z retired=2026-12-02T10:00:00Z"], 1, A),
        ([A, f"{B} from=2026-12-01T10:00:00Z until=2026-12-02T10:00:00Z"], 1, A),
        ([A, f"{B} from=2026-12-01T10:00:00Z revoked=2027-01-01T10:00:00Z"], 0, A),  # whatever the time
        ([f"{B} revoked=2026-11-01T10:00:00Z", A], 0, A),
    ],
)
def test_the_newest_key_that_has_begun_signs(lines: list[str], days: float, who: str) -> None:
    assert signer(ring(*lines), days) == who


def test_a_key_verifies_from_when_it_is_in_the_file_until_its_end() -> None:
    node, other = book(A), book(A, f"{B} from=2026-12-03T10:00:00Z until=2026-12-20T10:00:00Z")
    path = issued(other, 3)
    assert other.recognise(path, T0 - DAY).user_id == 7  # before it signs
    assert other.recognise(path, T0 + 12 * DAY).user_id == 7
    with pytest.raises(verp.Forged):
        node.recognise(path, T0 + 3 * DAY)
    late = issued(other, 18)
    with pytest.raises(verp.Expired, match="verifies no more"):
        other.recognise(late, T0 + 19 * DAY)


def test_a_revoked_key_has_never_signed_anything_and_is_named() -> None:
    path, after = issued(book(A)), book(f"{A} revoked=2026-12-01T10:00:00Z", B)
    assert book(A).recognise(path, T0).user_id == 7
    for at in (T0 - DAY, T0, T0 + DAY):  # what came before and is read again, too
        with pytest.raises(verp.Forged, match=f"the key {Key(A.encode()).id}, which was revoked"):
            after.recognise(path, at)
    with pytest.raises(verp.Forged, match="no key of ours"):
        after.recognise(path.replace("-7-", "-8-"), T0)


def test_what_each_key_does_is_told_with_its_times() -> None:
    lines = (
        f"{A} retired=2026-12-03T10:00:00Z until=2026-12-14T10:00:00Z",
        f"{B} from=2026-12-03T10:00:00Z",
        f"{C} revoked=2026-11-30T10:00:00Z",
    )
    keys = ring(*lines)
    a, b, c = keys.keys

    def states(days: float) -> list[str]:
        return [keys.state(key, T0 + days * DAY).value for key in keys.keys]

    assert states(0) == ["signs", "will sign", "revoked"]
    assert states(2) == ["verifies", "signs", "revoked"]
    assert states(13) == ["expired", "signs", "revoked"]
    assert (keys.next_change(T0), keys.next_turn(b, T0), keys.next_turn(a, T0)) == (
        T0 + 2 * DAY,
        T0 + 2 * DAY,
        None,
    )
    assert keys.last_signed(a, T0 + 5 * DAY) == T0 + 2 * DAY
    assert keys.last_signed(c, T0) is None
    assert keys.state(c, T0) is State.REVOKED


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (f"{A} retired=2026-12-02T10:00:00Z",),
        (f"{A} until=2026-12-02T10:00:00Z", f"{B} revoked=2026-12-02T10:00:00Z"),
    ],
)
def test_keys_that_all_end_are_no_keyring(lines: tuple[str, ...]) -> None:
    found, _ = parse("\n".join(lines).encode())
    with pytest.raises(NobodySigns):
        Keyring(found.keys)


PHRASE = "a phrase of many words, with = and ==, is a key too"
OLD_FILE = f"# made in 2024\n{A}\r\n\n  # the one before\n  {B}\t\n{PHRASE}\n"


def test_an_old_file_keeps_its_meaning() -> None:
    found, problems = parse(OLD_FILE.encode())
    assert problems == []
    assert [key.secret.decode() for key in found.keys] == [
        A, B, PHRASE
    ]  # fmt: skip
    assert all(key.lasts for key in found.keys)
    assert signer(Keyring(found.keys), 0) == A
    assert found.content == OLD_FILE.encode()


def test_a_change_touches_its_own_line_alone() -> None:
    found, _ = parse(OLD_FILE.rstrip("\n").encode())
    key = found.keys[1]
    changed = found.with_changed(Key(key.secret, until=T0, retired=T0 - DAY)).with_key(
        Key(C.encode(), begins=T0)
    )
    before, after = OLD_FILE.splitlines(), changed.content.decode().splitlines()
    assert after[4] == f"{B} retired=2026-11-30T10:00:00Z until=2026-12-01T10:00:00Z"
    assert after[-1] == f"{C} from=2026-12-01T10:00:00Z"
    assert [*after[:4], after[5]] == [*before[:4], before[5]]
    assert parse(changed.content) == (changed, [])
    assert changed.without(key.id).content.decode().splitlines() == after[:4] + after[5:]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"{B} from=tomorrow", "line 2: from= wants a time, as 2026-12-01T10:00:00Z"),
        (f"{B} from=2026-12-01", "line 2: from= wants a time, as 2026-12-01T10:00:00Z"),
        (f"{B} from=2026-12-01T10:00:00", "line 2: from= wants a time, as 2026-12-01T10:00:00Z"),
        (f"{B} until=2026-02-30T10:00:00Z", "line 2: until= wants a time, as 2026-12-01T10:00:00Z"),
        (f"{B} until=0001-01-01T00:00+10:00", "line 2: until= wants a time, as 2026-12-01T10:00:00Z"),
        (
            f"{B} form=2026-12-01T10:00:00Z",
            "line 2: ends with a word and = that say nothing of a key; "
            "known are from=, retired=, until=, revoked=",
        ),
        (f"{B} from=2026-12-01T10:00:00Z from=2026-12-02T10:00:00Z", "line 2: from= stands twice"),
        (f"from=2026-12-01T10:00:00Z {B}", "line 2: from= stands behind a key"),
        (
            f"{B} from=2026-12-02T10:00:00Z until=2026-12-02T10:00:00Z",
            "line 2: until= is not behind from= and retired=: what it signs last could not come back",
        ),
    ],
)  # fmt: skip
def test_a_slip_of_the_pen_is_told_without_the_key(line: str, words: str) -> None:
    _, problems = parse(f"{A}\n{line}\n".encode())
    assert problems == [words]


def test_a_key_of_which_two_things_are_said_is_refused() -> None:
    _, problems = parse(f"{A}\n{B} revoked=2026-12-01T10:00:00Z\n{B}\n".encode())
    assert problems == [f"key {Key(B.encode()).id} stands twice, and other things are said of it"]


def test_times_may_have_another_zone_and_no_seconds() -> None:
    [key] = file(f"{A} from=2026-12-01T12:00+02:00").keys
    assert key.begins == T0
