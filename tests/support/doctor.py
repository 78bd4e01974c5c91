"""What `doctor` says, as an operator's script would read it.

Knows the command. Does not know what is examined.
"""

import json
from pathlib import Path

from sidecar.domain.finding import Finding, State
from tests.support.desk import say

__all__ = ["about", "bad", "examined"]


def examined(folder: Path, *words: str) -> list[Finding]:
    """All lines; fails if the command says something else."""
    result = say(folder, "doctor", "--json", *words)
    found = [Finding(**{**one, "state": State(one["state"])}) for one in json.loads(result.stdout)]
    broken = [one for one in found if one.state in (State.WRONG, State.UNKNOWN)]
    assert result.exit_code == bool(broken), result.output
    assert not [one for one in found if "the check broke" in one.what]
    assert not [one for one in found if one.state is not State.OK and not one.remedy]
    return found


def about(subject: str, found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.subject == subject]


def bad(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.state is not State.OK]
