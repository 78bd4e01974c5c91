"""The files of the secrets: who may read them, and how old the key is that signs.

Knows files and accounts. Never says a word of what is in them.
"""

import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sidecar.doctor.patient import NOT_ROOT, Patient
from sidecar.domain import key_file
from sidecar.domain.finding import Finding, ok, unknown, warn, wrong
from sidecar.domain.keyring import Key, Keyring

__all__ = ["file_findings", "key_findings"]

OLD = timedelta(days=365)


def file_findings(patient: Patient, files: Sequence[Path]) -> list[Finding]:
    """One line for all that are well. Others may read none: else the configuration had not been taken."""
    found = [finding for path in files for finding in [*_owner(patient, path), *_readable(patient, path)]]
    if patient.account is None:
        found.append(
            unknown(
                f"whether the daemon may read its {len(files)} files: there is no user {patient.user}",
                "make it (adduser --system --group), or name the daemon's with --user",
            )
        )
    well = f"{patient.user} may read each of the {len(files)} files, and nobody else may change one"
    return found or [ok(well)]


def _owner(patient: Patient, path: Path) -> Iterator[Finding]:
    account, status = patient.account, path.stat()
    if status.st_uid not in {0, account.uid if account else os.geteuid()}:
        yield warn(f"{path} belongs to {_name(status.st_uid)}, who may change it", f"chown root {path}")
    folder = path.absolute().parent
    if folder.stat().st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
        yield wrong(f"everybody may replace {path}", f"chmod o-w {folder}")


def _readable(patient: Patient, path: Path) -> Iterator[Finding]:
    if patient.account is None:
        return
    may = patient.machine.may(patient.account, path.absolute(), os.R_OK)
    if may is None:
        yield unknown(f"{path}: whether {patient.user} may read it", NOT_ROOT)
    elif not may:
        yield wrong(
            f"{patient.user} may not read {path}", f"chgrp {patient.user} {path} && chmod 0640 {path}"
        )


def key_findings(file: Path, now: datetime) -> Iterator[Finding]:
    """How many keys there are, and since when one of them signs."""
    ring = Keyring(key_file.parse(file.read_bytes())[0].keys)
    signer = ring.signer(now)
    since = signer.begins or datetime.fromtimestamp(file.stat().st_mtime, UTC)
    said = f"{_count(ring.keys, ring, now)}; {signer.id} signs, since {since:%Y-%m-%d}"
    if now - since > OLD:
        yield warn(f"{said}: longer than a year", "bounce-sidecar keys add")
    else:
        yield ok(said)


def _count(keys: tuple[Key, ...], ring: Keyring, now: datetime) -> str:
    good = sum(key.verifies(now) for key in keys)
    return f"{len(keys)} key{'s' if len(keys) != 1 else ''}, {good} of which good"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
