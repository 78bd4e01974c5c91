"""Keys follow each other without a mail that is lost: whatever node has which of two neighbouring files."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.key_file import KeyFile, parse
from sidecar.domain.keyring import Key, Keyring
from sidecar.domain.rotation import (
    LATE,
    OVERLAP,
    CannotRetire,
    UnknownKey,
    added,
    retired,
    revoked,
    spent,
)
from sidecar.domain.verp import Forged, SidecarFormat, Verp

T0 = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ACCEPT = 10 * DAY


def secret(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).hexdigest().encode()


def begun(*numbers: int) -> KeyFile:
    return parse(b"".join(secret(number) + b"\n" for number in numbers))[0]


def ident(number: int) -> str:
    return Key(secret(number)).id


def node(file: KeyFile) -> Verp:
    again, problems = parse(file.content)  # as a node reads it
    assert problems == []
    form = SidecarFormat("wiki", "bounces.example.org", Keyring(again.keys))
    return Verp((form,), ["enwiki"], accept=ACCEPT)


def understands(reader: Verp, signer: Verp, signed: datetime, came: datetime) -> bool:
    path = signer.issue("enwiki", 7, "bob@example.com", signed)
    return reader.recognise(path, came).user_id == 7


def change(file: KeyFile, what: str, which: int, now: datetime, number: int) -> KeyFile:
    """One command of an operator; what is refused changes nothing."""
    keys = file.keys
    try:
        if what == "add":
            return added(file, secret(number), now + OVERLAP)[0]
        if what == "prune":
            return file.without(*(key.id for key in spent(file, now, ACCEPT)))
        at_once = what == "retire now"
        return retired(file, keys[which % len(keys)].id, now, ACCEPT, at_once=at_once)[0]
    except CannotRetire:
        return file


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "add", "retire", "retire now", "prune"]),
            st.integers(0, 9),
            st.integers(0, 20 * 24),  # hours since the command before
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([0, 5, OVERLAP // timedelta(hours=1) - 1]),  # hours until the last node has the file
    st.sampled_from([0, 50, ACCEPT // timedelta(hours=1)]),  # hours until the bounce comes
)
def test_nodes_with_neighbouring_files_understand_each_other(
    commands: list[tuple[str, int, int]], late: int, under_way: int
) -> None:
    file, now = begun(0), T0
    for number, (what, which, pause) in enumerate(commands, 1):
        now += timedelta(hours=max(pause, late + 1))  # the change before has arrived everywhere
        before, file = file, change(file, what, which, now, number)
        old, new = node(before), node(file)
        for signed in (now, now + timedelta(hours=late)):
            came = signed + timedelta(hours=under_way)
            assert understands(new, old, signed, came)
            assert understands(new, new, signed, came)
            assert understands(old, new, signed, came)


@given(st.integers(0, 40 * 24))
def test_what_a_key_signed_is_known_as_long_as_ever_after_its_retirement(hours: int) -> None:
    """Signed at any time, by a node that has the file at once, or a day late."""
    file = added(begun(0), secret(1), T0 + OVERLAP)[0]
    before, after = node(file), node(retired(file, ident(0), T0, ACCEPT)[0])
    signed = T0 - ACCEPT + timedelta(hours=hours)
    assert understands(after, before, signed, signed + ACCEPT)
    assert understands(after, after, signed, signed + ACCEPT)


def test_without_a_follower_it_is_retired_only_for_another_one_at_once() -> None:
    file = begun(0, 1)
    with pytest.raises(CannotRetire, match="none is there to follow"):
        retired(file, ident(0), T0, ACCEPT)
    changed, key = retired(file, ident(0), T0, ACCEPT, at_once=True)
    assert (key.retired, key.until) == (T0, T0 + ACCEPT + LATE)
    assert Keyring(changed.keys).signer(T0).id == ident(1)


def test_a_key_that_signs_no_more_is_known_for_as_long_as_from_when_it_stopped() -> None:
    file = added(begun(0), secret(1), T0)[0]
    _, key = retired(file, ident(0), T0 + 3 * DAY, ACCEPT)
    assert (key.retired, key.until) == (T0, T0 + ACCEPT + LATE)
    _, key = retired(file, ident(0), T0 + 30 * DAY, ACCEPT)
    assert key.until == T0 + 30 * DAY  # nothing of its is under way


def test_a_key_that_has_not_begun_may_be_called_off() -> None:
    file = added(begun(0), secret(1), T0 + OVERLAP)[0]
    changed, _ = retired(file, ident(1), T0, ACCEPT)
    assert Keyring(changed.keys).signer(T0 + 2 * OVERLAP).id == ident(0)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda file: file, "is the last one that signs"),
        (lambda file: retired(added(file, secret(1), T0)[0], ident(0), T0, ACCEPT)[0], "is retired already"),
        (lambda file: revoked(file, ident(0), T0, secret(1))[0], "is revoked"),
    ],
)
def test_what_cannot_be_retired_says_why(prepare: Callable[[KeyFile], KeyFile], words: str) -> None:
    with pytest.raises(CannotRetire, match=words):
        retired(prepare(begun(0)), ident(0), T0, ACCEPT, at_once=True)


def test_the_last_key_is_revoked_for_a_new_one() -> None:
    file, leaked, new = revoked(begun(0), ident(0), T0, secret(9))
    assert (leaked.revoked, new) == (T0, Key(secret(9), begins=T0))
    assert Keyring(file.keys).signer(T0) == new
    with pytest.raises(Forged, match="revoked"):
        understands(node(file), node(begun(0)), T0, T0)
    again, leaked, other = revoked(file, ident(0), T0 + DAY, secret(8))
    assert (again.content, leaked.revoked, other) == (file.content, T0, None)


def test_a_key_that_was_to_follow_signs_at_once_if_it_must() -> None:
    file, _, new = revoked(added(begun(0), secret(1), T0 + OVERLAP)[0], ident(0), T0, secret(9))
    assert new is None
    assert Keyring(file.keys).signer(T0).id == ident(1)


def test_an_unknown_key_is_named() -> None:
    for command in (
        lambda: retired(begun(0), "0badc0de", T0, ACCEPT),
        lambda: revoked(begun(0), "0badc0de", T0, secret(1)),
    ):
        with pytest.raises(UnknownKey, match="no key of the file is called 0badc0de"):
            command()


def test_only_keys_of_which_nothing_is_under_way_are_spent() -> None:
    file = retired(added(begun(0), secret(1), T0)[0], ident(0), T0, ACCEPT)[0]
    file = revoked(added(file, secret(2), T0)[0], ident(2), T0, secret(9))[0]
    end = T0 + ACCEPT + LATE
    assert spent(file, end - timedelta(seconds=1), ACCEPT) == []
    assert [key.id for key in spent(file, end, ACCEPT)] == [ident(0), ident(2)]
