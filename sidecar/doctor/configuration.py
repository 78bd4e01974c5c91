"""The configuration: whether it can be used, and whether those who must can read it.

Knows the file, the environment over it and the rules. Does not know what the settings are for.
"""

import difflib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar import host
from sidecar.configuration.configured import Config, ConfigError
from sidecar.configuration.settings import Settings
from sidecar.doctor.patient import NOT_ROOT, Patient
from sidecar.domain.classify import RuleError
from sidecar.domain.finding import Finding, ok, unknown, warn, wrong
from sidecar.edges import rule_files

__all__ = ["Reading", "file_findings", "read", "strange_overrides"]

PREFIX = "BOUNCE_SIDECAR_"
OURS = {"BOUNCE_SIDECAR_CONFIG", "BOUNCE_SIDECAR_TEST_CACHE"}  # no settings, and meant
AGAIN = "mend it; `bounce-sidecar check-config` says all that is wrong"
DENIED = "Permission denied"


@dataclass(frozen=True)
class Reading:
    """What came of reading it."""

    config: Config | None
    secrets: tuple[Path, ...]  #: the files that it names
    findings: list[Finding]


def read(patient: Patient) -> Reading:
    """With check-config's own eyes."""
    secrets: list[Path] = []
    try:
        config = host.load_config(patient.path, secrets.append)
    except ConfigError as error:
        return Reading(None, tuple(secrets), [_problem(patient, problem) for problem in error.problems])
    findings = [*file_findings(patient), *strange_overrides(os.environ), *_of(config)]
    if not any(finding.remedy for finding in findings):
        findings = [ok(f"{patient.path} is good: {_summary(config)}")]
    return Reading(config, tuple(dict.fromkeys(secrets)), findings)


def _summary(config: Config) -> str:
    number = len(config.wikis)
    return f"{number} wiki{'s' if number != 1 else ''}, return paths at {config.verp.domain}"


def _problem(patient: Patient, problem: str) -> Finding:
    if problem.endswith(DENIED) and not patient.machine.is_root():
        return unknown(f"{patient.path}: {problem}", f"{NOT_ROOT}, or as {patient.user}")
    remedy = f"--config FILE names another; {AGAIN}" if problem.startswith("cannot be read") else AGAIN
    return wrong(f"{patient.path}: {problem}", remedy)


def file_findings(patient: Patient) -> Iterator[Finding]:
    """Who may read and change the file."""
    path = patient.path
    if path.stat().st_mode & stat.S_IWOTH:
        yield wrong(f"everybody may change {path}", f"chmod o-w {path}")
    if path.absolute().parent.stat().st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
        yield wrong(f"everybody may replace files in {path.parent}", f"chmod o-w {path.absolute().parent}")
    if (account := patient.account) and patient.machine.may(account, path.absolute(), os.R_OK) is False:
        yield wrong(
            f"{patient.user} may not read {path}",
            f"chgrp {patient.user} {path} && chmod g+r {path}, and let that group into the folders above it",
        )


def strange_overrides(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Variables that look as if they changed a setting, and do not."""
    sections = {f"{PREFIX}{name}".upper(): name for name in Settings.model_fields}
    for name in sorted(environment):
        if not name.upper().startswith(PREFIX) or name in OURS:
            continue
        if (section := name.upper().partition("__")[0]) not in sections:
            close = difflib.get_close_matches(section, sections, 1)
            meant = f": did you mean {close[0]}{name[len(section) :]}?" if close else ""
            yield warn(f"{name} in the environment is no setting{meant}", f"unset {name}")


def _of(config: Config) -> Iterator[Finding]:
    for group in host.missing_groups(config):
        yield wrong(
            f"[sockets] there is no group {group} on this host",
            "name the web server's in verp_group and the mail server's in mta_group",
        )
    try:
        rule_files.load(config.rules_directory)
    except RuleError as error:
        for problem in str(error).splitlines():
            yield wrong(problem, "mend the rule; `bounce-sidecar rules check` tells more")
    except OSError as error:
        yield unknown(f"{config.rules_directory}: {error.strerror}", NOT_ROOT)
    if not config.wikis:
        yield warn("no wiki is known yet", "an entry under [[wikis]], or `bounce-sidecar wikis refresh`")
    for note in config.farm.notes if config.farm else ():
        yield warn(f"left out of the sitematrix: {note}", "`bounce-sidecar wikis list` names all; see [farm]")
