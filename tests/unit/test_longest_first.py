"""The list of those that begin first names files that exist."""

from pathlib import Path

import pytest

from tests.support.longest_first import LONGEST

TESTS = Path(__file__).parents[1]


def test_each_is_a_file_and_named_once() -> None:
    assert [name for name in LONGEST if not (TESTS / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)


def test_they_begin_first(request: pytest.FixtureRequest) -> None:
    begun = [str(item.path.relative_to(TESTS)) for item in request.session.items]
    files = list(dict.fromkeys(begun))
    long = [name for name in LONGEST if name in files]
    assert files[: len(long)] == long
