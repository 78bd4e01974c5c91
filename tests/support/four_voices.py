"""What an operator is told, wherever he looks: `status`, `doctor`, Prometheus' alerts, and the overview.

Knows how each is asked, and where each says what is wrong and what to do. Does not know what is.
"""

import html
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sidecar.domain.finding import Finding, State
from tests.support.prometheus import Prometheus

__all__ = ["FourVoices", "Told"]

PATIENCE = 60.0  # seconds for a command
ANCHOR = r"docs/runbook\.md#([\w-]+)"
NAMED = re.compile(r"<p>((?:(?!<p>).)*)</p>\s*<p class=\"hint\">[^\n]*<code>([\w-]+)</code></p>", re.DOTALL)

Told = dict[str, str]  #: a trouble's name -> what to do


@dataclass(frozen=True)
class FourVoices:
    """Of one installation, on its own host."""

    config: Path
    environment: Mapping[str, str]
    overview_url: str
    token: str
    prometheus: Prometheus
    doctor_words: tuple[str, ...]  #: more for the command
    resolver: Path  #: resolv.conf(5), for the commands alone

    def status(self) -> Told:
        """`status`, whose exit code says how bad it is."""
        code, said = self._say("status", "--json")
        found = json.loads(said)
        assert code == found["exit_code"]
        return {one["kind"]: _plain(one["remedy"]) for one in found["troubles"]}

    def doctor(self) -> list[Finding]:
        """What is not OK."""
        code, said = self._say("doctor", "--json", *self.doctor_words)
        found = [Finding(**{**one, "state": State(one["state"])}) for one in json.loads(said)]
        assert code == any(one.state in (State.WRONG, State.UNKNOWN) for one in found)
        return [one for one in found if one.state is not State.OK]

    def alerts(self) -> Told:
        """Those that fire, by the runbook's section."""
        firing = [rule for rule in self.prometheus.rules() if rule["state"] == "firing"]
        return {_anchor(rule["annotations"]): _plain(rule["annotations"]["description"]) for rule in firing}

    def overview(self) -> Told:
        """The first page, as somebody who has the token sees it. Raises OSError if nobody answers."""
        asked = urllib.request.Request(self.overview_url, headers={"Authorization": f"Bearer {self.token}"})
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                page = answer.read().decode()
        except urllib.error.HTTPError as error:
            page = error.read().decode()
        said = {
            kind: _plain(html.unescape(re.sub(r"<.*?>", "", words))) for words, kind in NAMED.findall(page)
        }
        assert bool(said) != ("Nothing needs anybody" in page), page
        return said

    def _say(self, *words: str) -> tuple[int, str]:
        bind = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf; exec "$@"']
        command = [
            *bind,
            str(self.resolver),
            str(Path(sys.executable).with_name("bounce-sidecar")),
            "--config",
            str(self.config),
            *words,
        ]
        done = subprocess.run(
            command, env=dict(self.environment), capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.stdout, done.stderr
        return done.returncode, done.stdout


def _anchor(annotations: Mapping[str, Any]) -> str:
    found = re.search(ANCHOR, annotations["runbook_url"])
    assert found
    return found[1]


def _plain(words: str) -> str:
    """Without what each voice sets commands apart by."""
    return " ".join(words.replace("`", "").split())
