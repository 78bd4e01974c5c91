"""Commands as a document gives them, so that what is written there is what the tests do.

Knows fenced code and headings. Does not run anything.
"""

import re
from pathlib import Path

__all__ = ["commands", "text_of"]

DOCS = Path(__file__).parents[2] / "docs"


def text_of(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def commands(name: str) -> dict[str, list[str]]:
    """The lines of each `sh` block, by the heading above it; without headings that have none."""
    found: dict[str, list[str]] = {}
    for section in re.split(r"^## ", text_of(name), flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        blocks = re.findall(r"^```sh\n(.*?)^```$", body, flags=re.MULTILINE | re.DOTALL)
        lines = [line for block in blocks for line in block.splitlines()]
        if lines:
            found[heading] = lines
    return found
