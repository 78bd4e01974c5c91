"""The README's first installation, so that what is written there is what the tests do.

Knows how its steps are set: a number in bold, and code that is indented. Does not run anything.
"""

import re
from pathlib import Path
from textwrap import dedent

__all__ = ["steps"]

README = Path(__file__).parents[2] / "README.md"


def steps() -> dict[int, list[str]]:
    """The blocks of code of each numbered step, in order."""
    section = (
        README.read_text("utf-8").partition("\n## The first real installation\n")[2].partition("\n## ")[0]
    )
    _, *parts = re.split(r"^\*\*(\d+)\. ", section, flags=re.MULTILINE)
    return {int(number): _blocks(text) for number, text in zip(parts[::2], parts[1::2], strict=True)}


def _blocks(text: str) -> list[str]:
    found = re.findall(r"(?:^(?: {4}.*)?\n)+", text + "\n", flags=re.MULTILINE)
    return [dedent(block).strip() + "\n" for block in found if block.strip()]
