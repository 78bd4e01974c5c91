"""The daemon as a service: what systemd says of it, and its doors over HTTP.

Knows systemctl(1), /readyz and /metrics. Does not know the sockets.
"""

import http.client
from collections.abc import Iterator
from pathlib import Path

from sidecar.configuration.configured import Listen
from sidecar.doctor.patient import NOT_ROOT, Patient
from sidecar.domain.finding import Finding, ok, unknown, warn, wrong
from sidecar.edges import tls_look
from sidecar.mta.sockets import START

__all__ = ["door_findings", "notes_findings", "unit_findings", "unit_said"]

UNIT = "bounce-sidecar.service"
BOOTED = Path("/run/systemd/system")  # sd_booted(3)
ASKED = ("LoadState", "ActiveState", "SubState", "Result", "NRestarts", "UnitFileState")
PATIENCE = 5.0  # seconds; /readyz gives the database 3
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # an address to listen at -> one to ask


def unit_findings(patient: Patient) -> list[Finding]:
    """Nothing where there is no systemd: the sockets tell whether the daemon is up."""
    if not BOOTED.is_dir():
        return []
    answer = patient.machine.ask("systemctl", "show", UNIT, f"--property={','.join(ASKED)}")
    if answer.code:
        return [unknown("what systemd says of the daemon", f"{NOT_ROOT}; systemctl status {UNIT}")]
    return list(unit_said(dict(line.split("=", 1) for line in answer.output.splitlines() if "=" in line)))


def unit_said(said: dict[str, str]) -> Iterator[Finding]:
    """What its properties mean."""
    if said.get("LoadState") == "not-found":
        yield wrong(f"there is no {UNIT}", "cp deploy/bounce-sidecar.service /etc/systemd/system/")
        return
    state = said.get("ActiveState", "")
    if state != "active":
        why = said.get("Result", "")
        yield wrong(f"{UNIT} is {state}" + (f" ({why})" if why not in ("", "success") else ""), START)
        return
    restarts = said.get("NRestarts", "0")
    if restarts != "0":
        yield warn(f"{UNIT} is active, and was restarted {restarts} times", f"journalctl -u {UNIT} says why")
    else:
        yield ok(f"{UNIT} is active ({said.get('SubState', '')})")
    if said.get("UnitFileState") in ("disabled", "masked"):
        yield warn(f"{UNIT} is not started when this host boots", f"systemctl enable {UNIT}")


def door_findings(listen: Listen) -> Iterator[Finding]:
    """Those that are configured."""
    if listen.http:
        yield _door("[http] listen", listen.http.address, "/readyz")
    if listen.metrics:
        yield _door("[metrics] listen", listen.metrics, "/metrics")
    if listen.dashboard:  # only whether anybody is there: who comes in needs a token
        host, port = listen.dashboard.address
        host = EVERYWHERE.get(host, host)
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        yield _reached("[dashboard] listen", url, START)


def notes_findings(url: str) -> list[Finding]:
    """The node that is told of what is signed here. Its token is not tried: that would note something."""
    return [_reached("[node] notes_to", url, "look at its [http] listen, and at a firewall between")]


def _reached(setting: str, url: str, remedy: str) -> Finding:
    try:
        tls_look.look(url)
    except tls_look.CannotReach as error:
        return wrong(f"{setting}: {error}", remedy)
    return ok(f"{setting}: {url} takes connections")


def _door(setting: str, address: tuple[str, int], path: str) -> Finding:
    host, port = EVERYWHERE.get(address[0], address[0]), address[1]
    shown = f"{setting}: {host}:{port}{path}"
    line = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        words = answer.read(200).decode("utf-8", "replace").strip().partition("\n")[0]
    except (OSError, http.client.HTTPException) as error:
        return wrong(f"{shown} does not answer: {error}", f"{START}; `ss -ltnp` shows who has the port")
    finally:
        line.close()
    if answer.status == 200:
        return ok(f"{shown} answers")
    return wrong(f"{shown} says {answer.status} {words}", "the database's lines tell more; the journal, too")
