"""summary: the weekly mail, to be read now or sent now."""

from pathlib import Path

import click

from sidecar import host
from sidecar.cli.common import EX_TEMPFAIL, ask, configured, stop_with
from sidecar.configuration.configured import Config
from sidecar.configuration.mail_settings import SummarySection
from sidecar.edges.mail_server import MailServer
from sidecar.services.letters import Letterhead
from sidecar.services.posting import CannotSend
from sidecar.services.summary import due, look_back, summary_letter
from sidecar.services.summary_text import Week, subject, text
from sidecar.storage.database import Database

__all__ = ["summary"]


@click.command()
@click.option("--send", is_flag=True, help="Send it to [summary] to, besides the weekly one.")
@click.pass_obj
def summary(path: Path, send: bool) -> None:
    """How the last week went, beside the week before, and what is wrong now.

    What the weekly mail says; [summary] has it sent each week.
    """
    config = configured(path)
    if send and not config.summary:
        stop_with(2, "nobody to send it to: set to and sender in [summary]")
    week = _week(config)
    if send:
        _send(config, week)
        return
    click.echo(f"Subject: {subject(week)}\n")
    click.echo("\n".join(text(week, config.verp.domain)))


def _week(config: Config) -> Week:
    default = SummarySection()
    when = config.summary or default
    weekday = config.summary.weekday if config.summary else default.day
    day = due(host.now(), weekday, when.hour).date()

    async def work(database: Database) -> Week:
        return await look_back(database, host.watchman(config, database), day)

    return ask(config, work)


def _send(config: Config, week: Week) -> None:
    assert config.summary
    told, now = config.summary, host.now()
    head = Letterhead(told.to, told.sender, config.verp.domain)
    try:
        MailServer(*told.smtp).send(summary_letter(week, head, now, f"summary.{now:%Y%m%dT%H%M%S}"))
    except CannotSend as error:
        stop_with(EX_TEMPFAIL, f"not sent: {error}")
    click.echo(f"sent to {len(told.to)} recipient{'s' * (len(told.to) != 1)}")
