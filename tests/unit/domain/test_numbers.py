"""Numbers are a set, whatever is done to them; and they are small."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.numbers import PAGE, Numbers

SOME = st.integers(0, 5) | st.integers(PAGE - 3, PAGE + 3) | st.integers(0, 2**63)
DEEDS = st.lists(st.tuples(st.sampled_from(["add", "discard"]), SOME), max_size=60)


@given(DEEDS)
def test_they_hold_what_a_set_holds_after_the_same_deeds(deeds: list[tuple[str, int]]) -> None:
    ours, plain = Numbers(), set[int]()
    for deed, number in deeds:
        getattr(ours, deed)(number)
        getattr(plain, deed)(number)
        assert len(ours) == len(plain)
    assert list(ours) == sorted(plain)
    assert all((number in ours) == (number in plain) for _, number in deeds)


def test_what_is_no_number_is_not_among_them() -> None:
    assert "7" not in Numbers([7])


@pytest.mark.slow
def test_a_hundred_thousand_of_five_million_take_an_eighth_of_a_set_at_most() -> None:
    def held(kind: type[Numbers] | type[set[int]]) -> int:
        tracemalloc.start()
        kept = kind(range(0, 5_000_000, 50))
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(kept) == 100_000
        return size

    assert held(Numbers) * 8 < held(set)


def test_pages_that_are_empty_are_given_back() -> None:
    tracemalloc.start()
    numbers = Numbers(range(0, 1000 * PAGE, PAGE))
    full, _ = tracemalloc.get_traced_memory()
    for number in range(0, 1000 * PAGE, PAGE):
        numbers.discard(number)
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left * 4 < full
