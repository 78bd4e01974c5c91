"""mta: what the mail server has to be told, and whether it does it."""

from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

import click

from sidecar import host
from sidecar.cli.common import NO_WIKI, as_json, configured, stop_with
from sidecar.cli.printing import tell
from sidecar.configuration.configured import Config
from sidecar.configuration.setting_kinds import host_and_port
from sidecar.domain.finding import Finding, about, good
from sidecar.mta import exim as exim_side
from sidecar.mta import postfix as postfix_side
from sidecar.mta.asking import Machine
from sidecar.mta.exim_check import exim_findings
from sidecar.mta.exim_facts import exim_facts
from sidecar.mta.postfix_check import postfix_findings
from sidecar.mta.postfix_facts import postfix_facts
from sidecar.mta.rcpt import Probes
from sidecar.mta.site import Door, Site, Unsuitable
from sidecar.mta_site import named, probes_of, site_of

__all__ = ["SMTP", "mta"]


def _server(_: click.Context, __: click.Parameter, value: str) -> tuple[str, int]:
    try:
        return host_and_port(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


SMTP = click.option(
    "--smtp",
    default="127.0.0.1:25",
    show_default=True,
    callback=_server,
    metavar="HOST:PORT",
    help="The running mail server, to which return paths are put.",
)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What both mail servers have in common."""
    for option in (
        click.option("--json", "json_", is_flag=True, help="What --check found, as JSON."),
        SMTP,
        click.option(
            "--check",
            is_flag=True,
            help="Ask the running mail server whether it does all this; change nothing.",
        ),
        click.option(
            "--door",
            type=click.Choice([door.value for door in Door]),
            default=Door.LMTP.value,
            show_default=True,
            help="How bounces come in: LMTP, a command that speaks it, or a command that posts over HTTP.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def mta() -> None:
    """The mail server's side: a script that sets it up, and a check that it works.

    The script is made from the configuration, says what each line is for, and adds to what the mail
    server is told already. Read it, then run it as root: bounce-sidecar mta postfix | sh

    --check asks the mail server as it runs now, and says what is wrong and what to change. It names return
    paths, good and forged, to the mail server and hangs up before any mail: nothing is sent or changed. Exit
    code 0 only if all was looked at and all is well; root may look at everything.
    """


@mta.command()
@_options
@click.option(
    "--queue-directory",
    type=click.Path(path_type=PurePath),
    default=postfix_side.QUEUE_DIRECTORY,
    show_default=True,
    help="Postfix's, and its chroot.",
)
@click.pass_obj
def postfix(
    path: Path, door: str, check: bool, smtp: tuple[str, int], json_: bool, queue_directory: PurePath
) -> None:
    """Print the shell script for Postfix, or check the Postfix that runs here."""
    config = configured(path)
    site = _site(path, config)
    if check:
        probes = _probes(config)
        facts = postfix_facts(Machine(), site, probes, smtp)
        _tell("postfix", postfix_findings(site, probes, facts, named(smtp)), json_)
    else:
        _print(path, lambda: postfix_side.script(site, Door(door), queue_directory))


@mta.command()
@_options
@click.option("--unsplit", is_flag=True, help="For Debian's configuration in one file.")
@click.pass_obj
def exim(path: Path, door: str, check: bool, smtp: tuple[str, int], json_: bool, unsplit: bool) -> None:
    """Print the shell script for Debian's Exim, or check the Exim that runs here."""
    config = configured(path)
    site = _site(path, config)
    if check:
        probes = _probes(config)
        facts = exim_facts(Machine(), site, probes, smtp)
        _tell("exim", exim_findings(site, probes, facts, named(smtp)), json_)
    else:
        _print(path, lambda: exim_side.script(site, Door(door), split=not unsplit))


def _print(path: Path, script: Callable[[], str]) -> None:
    try:
        click.echo(script(), nl=False)
    except Unsuitable as unsuitable:
        stop_with(1, "\n".join(f"{path}: {problem}" for problem in unsuitable.problems))


def _tell(server: str, findings: Sequence[Finding], json_: bool) -> None:
    if json_:
        as_json(about(server, findings))
    else:
        for finding in findings:
            tell(finding)
    if not good(findings):
        raise SystemExit(1)


def _site(path: Path, config: Config) -> Site:
    if not config.listen.takes:
        stop_with(1, f"{path}: [node] roles: no bounces are taken here, so no mail server is set up")
    return site_of(path, config)


def _probes(config: Config) -> Probes:
    if not config.wikis:
        stop_with(1, NO_WIKI)
    return probes_of(config, host.now)
