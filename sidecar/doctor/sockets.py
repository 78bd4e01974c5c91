"""The daemon's sockets: whether somebody listens, whether those who must may connect, and what they hear.

Knows which door is whose. Does not know the protocols: talking.py does.
"""

import grp
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sidecar.configuration.configured import Listen
from sidecar.doctor import talking
from sidecar.doctor.patient import Patient
from sidecar.domain.finding import Finding, ok, unknown, warn, wrong
from sidecar.mta.asking import Account, Connection
from sidecar.mta.sockets import START, daemon_findings, entry_findings

__all__ = ["answer_findings", "listening", "sockets_of", "visitor_findings"]

MTA_KNOWS = "`bounce-sidecar mta postfix --check`, or `mta exim --check`, asks the mail server itself"
RELOAD = "systemctl reload bounce-sidecar; if that does not help, restart it"


def sockets_of(listen: Listen) -> dict[str, Path]:
    """Those that there should be, by their settings; the wiki's first."""
    found = {"verp": listen.verp} if listen.issues else {}
    if listen.takes:
        found |= {"lmtp": listen.lmtp, "policy": listen.policy}
        found |= {"socketmap": listen.socketmap} if listen.socketmap else {}
    return found


def listening(patient: Patient, listen: Listen) -> list[Finding]:
    """One line: whether the daemon is up."""
    return daemon_findings({path: patient.machine.connect(path) for path in sockets_of(listen).values()})


def visitor_findings(patient: Patient, listen: Listen) -> Iterator[Finding]:
    """Whether the web server and the mail server may connect, each as its own user."""
    for setting, path in sockets_of(listen).items():
        group = listen.verp_group if setting == "verp" else listen.mta_group
        name = "verp_group" if setting == "verp" else "mta_group"
        who = (patient.web_user if setting == "verp" else "") or group
        yield from _open_to_all(path)
        if not who:
            remedy = (
                f"set [sockets] {name} to the group of the {'web' if setting == 'verp' else 'mail'} server"
            )
            yield wrong(f"{path} is for the daemon's own user alone: {name} is not set", remedy)
        elif (account := patient.machine.account(who)) is None:
            yield unknown(
                f"{path}: who connects to it: the group is {who}, and no user is called so",
                "name the web server's user with --web-user" if setting == "verp" else MTA_KNOWS,
            )
        else:
            yield from _visit(patient, path, account, who, (group or who, name))


def _open_to_all(path: Path) -> Iterator[Finding]:
    """A file that is not there is told elsewhere."""
    if path.exists() and path.stat().st_mode & stat.S_IWOTH:
        yield warn(f"everybody on this host may connect to {path}", f"chmod o-rwx {path}; who made it so?")


def _visit(
    patient: Patient, path: Path, account: Account, who: str, wanted: tuple[str, str]
) -> Iterator[Finding]:
    how = patient.machine.connect(path, account)
    (found,) = entry_findings({path: how}, who, *wanted)
    if how is not Connection.FORBIDDEN:
        yield found
        return
    if closed := _closed_folder(patient, path, account):
        yield wrong(
            f"{who} may not enter {closed}, in which {path} lies",
            f"chgrp {wanted[0]} {closed} && chmod g+x {closed}",
        )
        return
    status = path.stat()
    has = f"it has mode {stat.S_IMODE(status.st_mode):04o} and the group {_group(status.st_gid)}"
    yield wrong(f"{found.what}: {has}", found.remedy)


def _closed_folder(patient: Patient, path: Path, account: Account) -> Path | None:
    """The first on the way that does not let it through."""
    ways = (folder for folder in reversed(path.absolute().parents))
    return next((folder for folder in ways if patient.machine.may(account, folder, os.X_OK) is False), None)


def answer_findings(listen: Listen, return_path: str) -> Iterator[Finding]:
    """Whether each door speaks as it should. *return_path* is signed with the keys of the file."""
    for setting, path in sockets_of(listen).items():
        if setting == "lmtp":
            said = talking.lmtp(path)
        elif setting == "policy":
            if not return_path:
                continue
            said = talking.policy(path, return_path)
        else:
            said = talking.lookup(path)
        yield _answer(setting, path, said)


def _answer(setting: str, path: Path, said: talking.Said) -> Finding:
    if not said:
        return ok(f"{path} answers")
    if setting == "policy" and said.startswith("action="):
        return wrong(
            f"{path} does not know what the keys of the file have just signed ({said}): the daemon has other "
            "keys or wikis than the configuration",
            RELOAD,
        )
    return wrong(f"{path} does not answer as the sidecar does: {said}", f"see who listens: ss -xlp; {START}")


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
