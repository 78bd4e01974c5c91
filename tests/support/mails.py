"""The mails that bench and fuzz work on: the recorded ones, and a larger corpus where there is one.

Knows where they lie. Does not know what is right to think of them.
"""

import os
from pathlib import Path

from sidecar.recorded import names, recorded

__all__ = ["CORPUS", "corpus_mails", "recorded_mails"]

#: A folder whose mails/ holds a mail in each file, at any depth. No part of the project, used where it is.
CORPUS = Path(
    os.environ.get("BOUNCE_SIDECAR_CORPUS") or Path(__file__).resolve().parents[3] / "shared" / "corpus"
)


def recorded_mails() -> dict[str, bytes]:
    """The mails of fixtures/bounces by name, in the order of their names."""
    return {name: recorded(name).raw for name in names()}


def corpus_mails() -> dict[str, bytes]:
    """The mails of CORPUS by the names of their files, in order; none where the folder is absent."""
    folder = CORPUS / "mails"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
