"""Exim judged by tables of facts; that Exim says so itself is shown on a real one."""

from dataclasses import replace
from typing import Any

import pytest

from sidecar.domain.finding import State, good
from sidecar.mta.asking import Connection, Reply
from sidecar.mta.exim_check import exim_findings
from sidecar.mta.exim_facts import EximFacts, Route
from tests.unit.mta.sites import DOMAIN, EXIM, FORGED, GOOD, LMTP, POLICY, PROBES, SITE

PIPE = {"driver": "pipe", "command": "/d --socket x", "temp_errors": "*", "timeout_defer": "yes", "user": "u"}
HAND_OVER = "/usr/local/lib/bounce-sidecar/hand-over"
TAKEN = {GOOD: Reply(250, ""), FORGED: Reply(250, "")}


def piped(**changes: Any) -> EximFacts:
    command = changes.get("command", PIPE["command"]).partition(" ")[0]
    return replace(EXIM, transports={"bounce_sidecar_lmtp": {**PIPE, **changes}}, programs={command: True})


def transport(**changes: str) -> EximFacts:
    (options,) = EXIM.transports.values()
    return replace(EXIM, transports={"bounce_sidecar_lmtp": {**options, **changes}})


WRONG = {
    "daemon down": (replace(EXIM, ourselves={LMTP: Connection.SILENT}), "the daemon is down"),
    "forbidden": (
        replace(EXIM, entered={("Debian-exim", POLICY): Connection.FORBIDDEN}),
        "may not be opened",
    ),
    "local": (replace(EXIM, member={("local_domains", DOMAIN): True}), "is in local_domains"),
    "not relayed": (replace(EXIM, member={}), "is not in relay_to_domains"),
    "no way": (replace(EXIM, routes={}), "Exim finds no way"),
    "elsewhere": (transport(driver="smtp"), "(smtp), not to the sidecar"),
    "another socket": (transport(socket="/run/x"), "goes to /run/x; the sidecar listens on"),
    "folded": (replace(EXIM, routers={"bounce_sidecar": {"caseful_local_part": "no"}}), "folds return paths"),
    "cut": (
        replace(
            EXIM, routers={"bounce_sidecar": {"caseful_local_part": "yes", "local_part_prefix": "wiki-"}}
        ),
        "cuts return paths: local_part_prefix",
    ),
    "tainted": (piped(command="/d $local_part"), "has $local_part in its command"),
    "lossy": (piped(temp_errors="73:75"), "when its command fails"),
    "lossy when slow": (piped(timeout_defer="no"), "when its command hangs"),
    "no program": (replace(piped(), programs={}), "starts /d"),
    "not for its user": (replace(piped(), entered={("u", LMTP): Connection.FORBIDDEN}), "u, who runs /d"),
    "http nobody listens": (replace(piped(command=HAND_OVER), http=Connection.SILENT), "nobody listens at"),
    "four days": (
        replace(EXIM, retry={DOMAIN: "Retry rule: *  *  F,2h,15m; G,16h,1h,1.5; F,4d,6h;"}),
        "for 4 days",
    ),
    "no rule": (replace(EXIM, retry={}), "(no retry rule)"),
    "forged taken": (replace(EXIM, replies=TAKEN), "does not refuse a forged return path"),
}


@pytest.mark.parametrize("facts", [EXIM, piped(), piped(command=HAND_OVER)], ids=["lmtp", "pipe", "http"])
def test_what_is_right_is_called_right(facts: EximFacts) -> None:
    assert good(exim_findings(SITE, PROBES, facts, "x:25"))


@pytest.mark.parametrize("name", WRONG)
def test_one_wrong_fact_is_one_finding_with_a_remedy(name: str) -> None:
    facts, words = WRONG[name]
    (found,) = [one for one in exim_findings(SITE, PROBES, facts, "x:25") if one.state is not State.OK]
    assert found.state is State.WRONG
    assert words in found.what
    assert found.remedy


def test_a_trusted_host_cannot_tell_whether_strangers_are_asked() -> None:
    findings = exim_findings(SITE, PROBES, replace(EXIM, replies=TAKEN, trusted=True), "x:25")
    (found,) = [one for one in findings if one.state is not State.OK]
    assert found.state is State.UNKNOWN


def test_the_same_way_for_two_return_paths_is_told_once() -> None:
    routes = {address: Route("bounce_sidecar", "bounce_sidecar_lmtp") for address in (GOOD, FORGED)}
    probes = replace(PROBES, good=(GOOD, FORGED))
    findings = exim_findings(SITE, probes, replace(EXIM, routes=routes), "x:25")
    assert len([one for one in findings if "goes to the sidecar by lmtp" in one.what]) == 1


def test_no_exim_is_one_finding() -> None:
    (found,) = exim_findings(SITE, PROBES, None, "x:25")
    assert found.state is State.WRONG
