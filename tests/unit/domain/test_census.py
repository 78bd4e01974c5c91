"""What we know of a farm over time: who is new, who is gone, and what is not believed."""

from datetime import UTC, datetime, timedelta

import pytest

from sidecar.domain.census import Census, NotBelieved, from_text, merged, to_text
from sidecar.domain.sitematrix import Listed

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ACCEPT = 10 * DAY
SOURCE = "https://meta.example.org/w/api.php"


def wikis(*ids: str, kinds: tuple[str, ...] = ()) -> list[Listed]:
    return [Listed(id_, f"https://{id_}.example.org", frozenset(kinds)) for id_ in ids]


def look(before: Census | None, listed: list[Listed], days: float, *, source: str = SOURCE) -> Census:
    return merged(before, listed, source, T0 + days * DAY, ACCEPT)


def ids(census: Census) -> list[str]:
    return [known.listed.id for known in census.wikis]


def test_a_wiki_that_is_gone_is_known_for_as_long_as_its_return_paths_are_valid() -> None:
    census = look(None, wikis("a", "b", "c"), 0)
    for days in (1, 5, 9.9):
        census = look(census, wikis("a", "b"), days)
        assert (ids(census), census.present) == (["a", "b", "c"], {"a", "b"})
    assert ids(look(census, wikis("a", "b"), 10)) == ["a", "b"]
    assert look(census, wikis("a", "b", "c"), 10).present == {"a", "b", "c"}, "back again"


def test_what_a_wiki_was_is_remembered_for_as_long() -> None:
    census = look(None, wikis("a", "b"), 0)
    closed = [*wikis("a", kinds=("closed",)), *wikis("b")]
    for days in (1, 5, 10.9):
        census = look(census, closed, days)
        assert [known.formerly for known in census.wikis] == [frozenset(), None]
    assert look(census, closed, 11).wikis[0].formerly is None


@pytest.mark.parametrize(("size", "lost"), [(3, 2), (100, 10), (1000, 100)])
def test_a_matrix_that_loses_too_many_wikis_at_once_is_not_believed(size: int, lost: int) -> None:
    names = [f"w{number:04}" for number in range(size)]
    census = look(None, wikis(*names), 0)
    assert len(look(census, wikis(*names[lost:]), 1).present) == size - lost
    with pytest.raises(NotBelieved, match=f"{lost + 1} of {size} wikis are gone at once: w0000, w0001"):
        look(census, wikis(*names[lost + 1 :]), 1)
    believed = merged(census, wikis("w0000"), SOURCE, T0 + DAY, ACCEPT, believe=True)
    assert (believed.present, len(believed.wikis)) == ({"w0000"}, size)


def test_wikis_that_go_by_and_by_do_not_hide_those_that_go_at_once() -> None:
    names = [f"w{number:03}" for number in range(100)]
    census = look(None, wikis(*names), 0)
    for day in (1, 2):
        census = look(census, wikis(*names[9 * day :]), day)
    assert (len(census.present), len(census.wikis)) == (82, 100)
    with pytest.raises(NotBelieved, match="9 of 82"):
        look(census, wikis(*names[27:]), 3)


def test_another_farm_is_no_loss_of_wikis() -> None:
    census = look(None, wikis("a", "b", "c", "d"), 0)
    other = look(census, wikis("x"), 1, source="https://other.example.org/w/api.php")
    assert (other.present, ids(other)) == ({"x"}, ["x", "a", "b", "c", "d"])


def test_what_is_written_is_read_again() -> None:
    census = look(None, [*wikis("a", "ü"), *wikis("c", kinds=("closed", "private"))], 0)
    census = look(census, [*wikis("a"), *wikis("c")], 1)
    assert from_text(to_text(census)) == census


WRITTEN = to_text(look(None, wikis("a"), 0))


@pytest.mark.parametrize(
    ("old", "new"),
    [("+00:00", ""), ("2026-", "x"), ('"kinds"', '"sorts"'), ('"kinds": []', '"kinds": 7'), ("1,", "2,")],
)
def test_what_was_tampered_with_is_a_value_error(old: str, new: str) -> None:
    assert from_text(WRITTEN)
    with pytest.raises(ValueError):
        from_text(WRITTEN.replace(old, new, 1))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"version": 2}', "[" * 100_000, WRITTEN[:-9]])
def test_what_somebody_else_wrote_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        from_text(text)
