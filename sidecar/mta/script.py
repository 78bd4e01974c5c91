"""Shell scripts that explain themselves: paragraphs of comment, then the commands that they are about.

Knows sh. Does not know any mail server.
"""

import shlex
import textwrap
from collections.abc import Iterable

__all__ = ["comment", "heading", "paragraphs", "words", "written"]

WIDTH = 98


def comment(text: str) -> str:
    """*text* as comment lines; an empty line parts paragraphs."""
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        lines += ["#", *(f"# {line}" for line in textwrap.wrap(" ".join(paragraph.split()), WIDTH))]
    return "\n".join(lines[1:])


def heading(program: str, version: str, configuration: str) -> str:
    """The first lines of whatever is generated."""
    return comment(
        f"Written by bounce-sidecar {version}, `{program}`, for {configuration}. "
        "Do not edit it: change the configuration and let it be written again."
    )


def words(*arguments: str) -> str:
    """A command; each argument reaches it as it stands here."""
    return shlex.join(arguments)


def written(path: str, content: str, mode: str = "644") -> str:
    """Commands that write *content* to *path* whole or not at all."""
    new, old = shlex.quote(f"{path}.new"), shlex.quote(path)
    mark = "END-OF-FILE"
    if mark in content:
        raise ValueError(f"{mark} in the content of {path}")
    text = content if content.endswith("\n") else content + "\n"
    return f"cat > {new} <<'{mark}'\n{text}{mark}\nchmod {mode} {new}\nmv {new} {old}"


def paragraphs(parts: Iterable[str]) -> str:
    """The parts, an empty line between two."""
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
