"""The operator's words."""

from pathlib import Path

import click

from sidecar import __version__
from sidecar.cli import (
    aside,
    brake,
    canary,
    classify,
    db,
    demo,
    doctor,
    history,
    inherit,
    keys,
    localsettings,
    mta,
    privacy,
    replay,
    rules,
    scenario,
    serve,
    shadow,
    stats,
    status,
    summary,
    unconfirmed,
    undo,
    verp,
    why,
    wikis,
)
from sidecar.journal import configure_logging

__all__ = ["main"]


@click.group(
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
    configure_logging("warning", "console")  # to whoever typed it; `run` logs as configured


for command in (
    serve.run,
    serve.check_config,
    status.status,
    canary.canary_command,
    localsettings.settings,
    verp.verp,
    keys.keys,
    history.history,
    history.outbox_command,
    why.why,
    undo.undo,
    unconfirmed.unconfirmed,
    aside.aside_command,
    brake.brake,
    shadow.shadow,
    stats.stats,
    summary.summary,
    inherit.import_command,
    db.db,
    privacy.export,
    privacy.forget,
    classify.classify,
    rules.rules,
    replay.replay,
    mta.mta,
    wikis.wikis,
    scenario.scenario,
    demo.demo,
    doctor.doctor,
):
    main.add_command(command)
