"""How long ago something was, in words."""

from datetime import timedelta

import pytest

from sidecar.edges.dashboard.ago import ago
from tests.support.dashboard import T0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (1, "1 second ago"),
        (59, "59 seconds ago"),
        (60, "1 minute ago"),
        (7199, "1 hour ago"),
        (172_800, "2 days ago"),
        (86_400 * 400, "1 year ago"),
        (-90, "in 1 minute"),
        (-0.5, "now"),
    ],
)
def test_how_long_ago(seconds: float, words: str) -> None:
    assert ago(T0 - timedelta(seconds=seconds), T0) == words
