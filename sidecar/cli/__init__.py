"""The operator's words.

Each command is imported when it is said: all of them together take more than a second.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import click

from sidecar import __version__
from sidecar.processes.lean import without_rich

__all__ = ["main"]

#: Where each command stands.
COMMANDS = {
    "run": "serve:run",
    "check-config": "serve:check_config",
    "status": "status:status",
    "canary": "canary:canary_command",
    "settings": "localsettings:settings",
    "verp": "verp:verp",
    "keys": "keys:keys",
    "history": "history:history",
    "outbox": "history:outbox_command",
    "why": "why:why",
    "undo": "undo:undo",
    "unconfirmed": "unconfirmed:unconfirmed",
    "aside": "aside:aside_command",
    "brake": "brake:brake",
    "shadow": "shadow:shadow",
    "stats": "stats:stats",
    "summary": "summary:summary",
    "import": "inherit:import_command",
    "db": "db:db",
    "export": "privacy:export",
    "forget": "privacy:forget",
    "classify": "classify:classify",
    "rules": "rules:rules",
    "replay": "replay:replay",
    "mta": "mta:mta",
    "wikis": "wikis:wikis",
    "scenario": "scenario:scenario",
    "demo": "demo:demo",
    "doctor": "doctor:doctor",
}


class _Commands(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        _journal()  # first: the command brings structlog, too
        module, _, attribute = COMMANDS[name].partition(":")
        command: click.Command = getattr(import_module(f"sidecar.cli.{module}"), attribute)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done; 1 the answer is no; 2 wrong usage; 75 try again later; 78 configuration.",
)
@click.version_option(__version__)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("/etc/bounce-sidecar/config.toml"),
    envvar="BOUNCE_SIDECAR_CONFIG",
    show_default=True,
    help="The configuration file.",
)
@click.pass_context
def main(context: click.Context, config: Path) -> None:
    """Bounce handling beside a MediaWiki.

    Signs a return path for each mail of the wiki, takes the bounces from the MTA, and un-confirms addresses
    that have failed for long enough. `bounce-sidecar demo` shows all of it at work, with nothing set up.
    """
    context.obj = config
    _journal().configure_logging("warning", "console")  # to whoever typed it; `run` logs as configured


def _journal() -> ModuleType:
    with without_rich():
        return import_module("sidecar.journal")
