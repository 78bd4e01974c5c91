"""A slice of ``make attack``: every campaign for a moment."""

import pytest

from tests.attack.registry import campaigns

pytestmark = pytest.mark.slow

MOMENT = 0.3  # seconds; each campaign has a least number of attacks beside

CAMPAIGNS = campaigns()


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_no_promise_breaks(name: str) -> None:
    tally = CAMPAIGNS[name](seed=1, seconds=MOMENT)
    assert tally.wrongs == []
    assert tally.attacks.total() > 0
