"""Which campaigns there are: every module below tests/attack that has a function `campaign`."""

import importlib
import pkgutil
from typing import Protocol

import tests.attack
from tests.attack.tally import Tally

__all__ = ["Campaign", "campaigns"]

RUNNER = "tests.attack.__main__"  # which would begin


class Campaign(Protocol):
    """Attacks for *seconds*, at least once; the same for the same seed."""

    def __call__(self, seed: int, seconds: float) -> Tally: ...


def campaigns() -> dict[str, Campaign]:
    """By name, such as `doors.lmtp`, in the order of their names."""
    found: dict[str, Campaign] = {}
    for module in pkgutil.walk_packages(tests.attack.__path__, "tests.attack."):
        last = module.name.rpartition(".")[2]
        if module.name == RUNNER or last.startswith("test_"):
            continue
        campaign: Campaign | None = getattr(importlib.import_module(module.name), "campaign", None)
        if campaign is not None:
            found[module.name.removeprefix("tests.attack.")] = campaign
    return dict(sorted(found.items()))
