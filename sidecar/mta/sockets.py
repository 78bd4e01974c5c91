"""Whether the daemon is there, and whether the mail server gets in.

Pure: what connecting brought in, findings out. Knows what each outcome is remedied by.
"""

from collections.abc import Mapping
from pathlib import PurePath

from sidecar.domain.finding import Finding, ok, unknown, wrong
from sidecar.mta.asking import Connection

__all__ = ["daemon_findings", "entry_findings"]

Tried = Mapping[PurePath, Connection]

START = "start it: systemctl start bounce-sidecar; journalctl -u bounce-sidecar says why it ended"


def daemon_findings(tried: Tried) -> list[Finding]:
    """Connected as ourselves: what else is found wrong may follow from this."""
    down = [path for path, how in tried.items() if how in (Connection.SILENT, Connection.MISSING)]
    if down:
        names = " and ".join(map(str, down))
        return [wrong(f"the daemon is down, or its sockets are elsewhere: nobody listens on {names}", START)]
    unclear = [f"{path} {how}" for path, how in tried.items() if how is not Connection.ANSWERS]
    if unclear:
        return [unknown(f"the daemon: {'; '.join(unclear)}", "run this as root")]
    return [ok("the daemon listens on the sockets of the configuration")]


def entry_findings(tried: Tried, who: str, group: str, setting: str = "mta_group") -> list[Finding]:
    """Connected as the account of the mail server, or of whoever else the group of *setting* is for."""
    return [_entry(path, how, who, group, setting) for path, how in tried.items()]


def _entry(path: PurePath, how: Connection, who: str, group: str, setting: str) -> Finding:
    said = f"{path} {how} for {who}"
    if how is Connection.ANSWERS:
        return ok(f"{who} may connect to {path}")
    if how is Connection.FORBIDDEN:
        return wrong(
            said,
            f'set [sockets] {setting} = "{group}", let that group enter every folder on the way to it '
            f"(namei -l {path} shows them), name it in the unit's SupplementaryGroups, restart the daemon",
        )
    if how is Connection.UNTRIED:
        return unknown(f"whether {who} may connect to {path}", "run this as root")
    if how is Connection.NO_SOCKET:
        return wrong(said, "remove that file and restart the daemon")
    return wrong(said, START)
