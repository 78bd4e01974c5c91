"""run and check-config."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click
import structlog

from sidecar import host
from sidecar.cli.common import (
    EX_CONFIG,
    EX_TEMPFAIL,
    NO_WIKI,
    as_json,
    config_troubles,
    configured,
    in_modes,
    stop_with,
    troubles,
)
from sidecar.config_reader import Reading
from sidecar.configuration.configured import Config, ConfigError
from sidecar.domain.classify import RuleError
from sidecar.edges import rule_files
from sidecar.edges.unix_socket import CannotListen
from sidecar.journal import configure_logging, hear_libraries
from sidecar.storage.database import NoHistory
from sidecar.storage.upgrading_apart import upgrade_apart
from sidecar.telemetry import report

__all__ = ["check_config", "run"]

log = structlog.get_logger()


@click.command()
@click.pass_obj
def run(path: Path) -> None:
    """Serve until told to stop (SIGTERM or SIGINT).

    Opens the sockets that the wiki asks for return paths, and that the mail server asks about recipients and
    delivers bounces to, or takes those that systemd passes; brings the database up to date, and carries out
    what is owed to the wikis. SIGHUP reads configuration, secrets and rules again. Logs to standard error.
    """
    with config_troubles(path):
        reading = Reading.begin(path)
        from sidecar import daemon, loops  # takes as long as the reading, and goes on beside it

        config = reading.wait()
    if config.node.has_history:
        upgrade_apart(config.storage_url)
    configure_logging(config.log_level, config.log_format, config.node.name)
    hear_libraries()
    try:
        with troubles(config):
            world = daemon.World(
                sockets=host.passed_sockets(),
                manager=host.service_manager(),
                reread=lambda: Reading.begin(path).wait(),
            )
            loops.run(_serve(daemon.run(config, world=world), config))
    except CannotListen as error:
        stop_with(EX_TEMPFAIL, str(error))
    except Exception as error:  # a loop that should not end has ended
        report(log, "ended by a mistake", error)
        raise SystemExit(1) from error


async def _serve(serving: Coroutine[Any, Any, None], config: Config) -> None:
    try:
        await serving
    except NoHistory as error:  # to a command it is an answer; a daemon cannot do without
        stop_with(EX_CONFIG, f"{config.storage_url}: {error}")


@click.command("check-config")
@click.option("--json", "json_", is_flag=True, help="Problems as a JSON list.")
@click.option(
    "--from-localsettings",
    "local_settings",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Print a configuration made from BounceHandler's settings in this LocalSettings.php.",
)
@click.option(
    "--write-secret",
    type=click.Path(path_type=Path),
    help="With it: put BounceHandler's secret into this new file, mode 0640.",
)
@click.pass_obj
def check_config(path: Path, json_: bool, local_settings: Path | None, write_secret: Path | None) -> None:
    """Say everything that is wrong with the configuration and its rules.

    Reads the secrets too, and says if others could read them. Exit code 78 if anything is wrong.

    With --from-localsettings nothing is checked but made: PHP is read and never run, what the file does not
    say is left open and told on standard error, and the secret is not printed. Exit code 1 if anything is
    left open.
    """
    if local_settings:
        from sidecar.cli import localsettings  # with a parser of PHP

        if json_:
            raise click.UsageError("--json has nothing to say with --from-localsettings")
        localsettings.print_configuration(path, local_settings, write_secret)
        return
    if write_secret:
        raise click.UsageError("--write-secret wants --from-localsettings")
    if json_:
        try:
            problems = _rule_problems(host.load_config(path))
        except ConfigError as error:
            problems = error.problems
        as_json(problems)
        raise SystemExit(EX_CONFIG if problems else 0)
    config = configured(path)
    if missing := host.missing_groups(config):
        stop_with(78, f"{path}: [sockets] there is no group {' or '.join(missing)} on this host")
    if problems := _rule_problems(config):
        stop_with(EX_CONFIG, "\n".join(problems))
    click.echo(f"{path}: good, {_summary(config)}")


def _rule_problems(config: Config) -> list[str]:
    try:
        rule_files.load(config.rules_directory)
    except RuleError as error:
        return str(error).splitlines()
    return []


def _summary(config: Config) -> str:
    modes = [str(policy.mode) for policy in config.policies.values()]
    if not modes:
        return f"but {NO_WIKI}"
    listed = f"; {len(config.farm.wikis)} of the sitematrix" if config.farm else ""
    return f"{in_modes(modes)}{listed}"
