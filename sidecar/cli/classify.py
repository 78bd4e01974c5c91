"""classify: what a mail is, and what it says of whom, without any configuration."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
from rich.text import Text

from sidecar.cli.common import as_json, stop_with
from sidecar.cli.printing import console
from sidecar.cli.rules import rules_in_use
from sidecar.domain.classify import RuleBook
from sidecar.domain.harmless import harmless
from sidecar.domain.judgement import Judged, Judgement, judge
from sidecar.domain.notice import Kind
from sidecar.edges import archive, rule_files
from sidecar.services.replay import Archived

__all__ = ["KINDS", "classify"]

#: What the batch calls each kind.
KINDS = {
    Kind.BOUNCE: "bounce",
    Kind.DELAYED: "delayed",
    Kind.SUCCESS: "success",
    Kind.COMPLAINT: "feedback",
    Kind.READ_RECEIPT: "success",
    Kind.CHALLENGE: "challenge",
    Kind.AUTO_REPLY: "auto-reply",
    Kind.ORDINARY: "none",
}


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.option("--batch", is_flag=True, help="Lines of id, tab and file on standard input; JSON lines out.")
@click.option("--built-in", is_flag=True, help="Without rules of your own, and without a look at them.")
@click.pass_obj
def classify(config: Path, paths: tuple[Path, ...], json_: bool, batch: bool, built_in: bool) -> None:
    """Say what mails are, whom they say failed, whether it would count, and which rule says so on what words.

    PATH is a mail, a Maildir, an mbox, or a folder of such; - is one mail on standard input. Needs no
    configuration; where there is one, its own rules are tried first. Nothing is kept, and nobody is asked
    whose failure it is: a mail that was forwarded counts only if the address written to failed.
    """
    if batch == bool(paths):
        raise click.UsageError("name mails, or say --batch, not both")
    rules = rule_files.built_in() if built_in else rules_in_use(config)
    if batch:
        _batch(rules)
        return
    try:
        judged = [(mail.name, judge(mail.load(), rules)) for path in paths for mail in _mails(path)]
    except (archive.NotAnArchive, OSError) as error:
        stop_with(2, str(error))
    if json_:
        as_json([{"name": name, **_facts(judgement)} for name, judgement in judged])
    else:
        for name, judgement in judged:
            _show(name, judgement)


def _mails(path: Path) -> Iterator[Archived]:
    if str(path) == "-":
        yield Archived("-", sys.stdin.buffer.read)
    else:
        yield from archive.find(path)


def _facts(judgement: Judgement) -> dict[str, object]:
    return {
        "kind": judgement.kind,
        "decision": judgement.decision,
        "reports": [
            {
                "address": judged.report.address or judged.report.original,
                "action": judged.report.action,
                "status": judged.report.status,
                "reply": judged.report.reply,
                "category": judged.verdict.category,
                "decision": judged.decision,
                "rule": judged.verdict.rule,
                "words": judged.verdict.words,
                "veto": judged.verdict.veto,
                "diagnostic": judged.report.diagnostic,
            }
            for judged in judgement.reports
        ],
    }


def _show(name: str, judgement: Judgement) -> None:
    lines = [Text.assemble((harmless(name), "bold"), f": {judgement.kind}")]
    for judged in judgement.reports:
        report, verdict = judged.report, judged.verdict
        facts = [judged.decision, verdict.category, report.status, report.reply]
        said = Text.assemble(
            "  ", (harmless(report.address or report.original) or "nobody named", "cyan"), "  "
        )
        lines += [said.append(harmless("  ".join(filter(None, facts)))), Text(f"    {_why(judged)}")]
    for line in lines:
        console.print(line, soft_wrap=True)


def _why(judged: Judged) -> str:
    """Which rule said so, on which words; where none did, the words that it might have been."""
    verdict = judged.verdict
    if not verdict.rule:
        return f"no rule matched: {harmless(judged.report.diagnostic)}"
    veto = f"; soft because of {verdict.veto}" if verdict.veto else ""
    return f"rule {verdict.rule}, on: {harmless(verdict.words)}{veto}"


def _batch(rules: RuleBook) -> None:
    """One JSON object for each line of standard input, and how long reading and judging took."""
    seconds, done = 0.0, 0
    for line in sys.stdin.buffer:
        id_, _, path = os.fsdecode(line).rstrip("\r\n").partition("\t")
        try:
            raw = Path(path).read_bytes()
            start = time.perf_counter()
            judgement = judge(raw, rules)
            seconds += time.perf_counter() - start
        except Exception as error:  # a door: one mail does not end the batch
            why = f"{type(error).__name__}: {error}"
            _line({"id": id_, "kind": "none", "decision": "none", "recipients": [], "error": why})
            continue
        done += 1
        failed = judgement.kind in (Kind.BOUNCE, Kind.DELAYED)
        recipients = [_recipient(judged) for judged in judgement.reports] if failed else []
        kind = KINDS[judgement.kind]
        _line({"id": id_, "kind": kind, "decision": judgement.decision, "recipients": recipients})
    _line({"_timing": {"n": done, "seconds": round(seconds, 6)}})


def _recipient(judged: Judged) -> dict[str, str]:
    report = judged.report
    return {
        "address": report.address or report.original,
        "status": report.status,
        "reply": report.reply,
        "category": judged.verdict.category,
        "decision": judged.decision,
        "rule": judged.verdict.rule,
        "words": judged.verdict.words,
        "diagnostic": report.diagnostic,
    }


def _line(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
