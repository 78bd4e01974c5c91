"""What `status` says of the signs of life, line by line."""

from datetime import UTC, datetime, timedelta

import pytest

from sidecar.cli.status_lines import for_people
from sidecar.domain.trouble import Tolerance, troubles
from sidecar.domain.vitals import Ailment, NodeSign, Vitals, WikiSign
from sidecar.services.vitals import Findings

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
NODE = NodeSign("mx1", "issue, take, act", "1", NOW - timedelta(days=9), NOW, synchronised=False)
LONG = "it said " + "a good deal of it, " * 20
ILL = Vitals(
    NOW,
    here="mx1",
    nodes=(NODE,),
    synchronised=False,
    wikis=tuple(WikiSign(f"wiki{n:02}", Ailment.LOGIN, LONG, NOW, None, 3) for n in range(11)),
)
FOUND = Findings(ILL, troubles(ILL, Tolerance()))


@pytest.mark.parametrize("width", [40, 80, 132])
def test_a_terminal_gets_lines_that_fit(width: int) -> None:
    lines = for_people(FOUND, Tolerance(), width)
    assert max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()) == " ".join(" ".join(for_people(FOUND, Tolerance())).split())
    assert [line[:9] for line in lines if line.startswith(("CRITICAL", "WARNING"))] == [
        "CRITICAL ",
        "WARNING  ",
    ]


def test_a_program_gets_each_trouble_in_a_line() -> None:
    lines = for_people(FOUND, Tolerance())
    [wikis] = [line for line in lines if line.startswith("CRITICAL")]
    assert wikis.startswith(
        "CRITICAL wiki-login: 11 wikis (wiki00, wiki01, wiki02 and 8 more); wiki00: it said"
    )
    assert lines[-2].startswith("wikis in trouble: wiki00 (login), ")
