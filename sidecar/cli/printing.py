"""What is shown on a terminal: tables, colours, foreign words.

Knows rich, which the daemon does without. Does not know any single command.
"""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sidecar.domain.finding import Finding, State
from sidecar.domain.harmless import harmless

__all__ = ["cell", "console", "table_of", "tell"]

COLOURS = {State.OK: "green", State.WARN: "yellow", State.WRONG: "bold red", State.UNKNOWN: "yellow"}

console = Console()


def tell(finding: Finding) -> None:
    """A line for a finding, and one for its remedy."""
    about = f"{finding.subject}: " if finding.subject else ""
    state = f"[{COLOURS[finding.state]}]{finding.state:7}[/] "
    console.print(state, cell(about + finding.what), sep="", soft_wrap=True)
    if finding.remedy:
        console.print(" " * 8, cell(finding.remedy), sep="", soft_wrap=True)


def cell(value: object) -> Text:
    """Foreign words for a table or a line: no markup, nothing that moves a terminal's cursor."""
    return Text(harmless(str(value)))


def table_of(title: str, *columns: str, folds: Sequence[str]) -> Table:
    """A table in which only the columns *folds* give way on a narrow terminal."""
    table = Table(title=title, box=box.SIMPLE_HEAD, title_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=column not in folds, overflow="fold")
    return table
