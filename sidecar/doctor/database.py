"""The database: whether it is there, is of this version, takes what is written, and has room.

Knows what `db status` looks up and what is healthy; of SQLite the file and its disk, too. Writes nothing.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from sidecar import host
from sidecar.configuration.configured import Config
from sidecar.doctor import clock
from sidecar.doctor.patient import NOT_ROOT, Patient
from sidecar.domain.finding import Finding, ok, unknown, warn, wrong
from sidecar.domain.trouble import Tolerance
from sidecar.domain.vitals import Vitals
from sidecar.services.circuit import FORGOTTEN
from sidecar.storage import circuits, rates, signs
from sidecar.storage.circuits import Standing
from sidecar.storage.condition import Condition, condition
from sidecar.storage.database import DatabaseSilent, NoHistory
from sidecar.storage.engines import Kind
from sidecar.telemetry import Tellable

__all__ = ["History", "disk_findings", "file_findings", "history", "judged"]

PATIENCE = 60.0  # seconds; a server is given 30 for one answer
FEW_FILES = 100  # that could still be made
SIGNED_LATELY = timedelta(days=30)
LONG_LOG = 512 * 2**20  # octets; SQLite begins the file anew after 4 MB, unless somebody reads all the time
STATUS = "`bounce-sidecar db status` tells more"


@dataclass(frozen=True)
class History:
    """What was found, and what others want to know of it."""

    findings: list[Finding]
    circuits: dict[str, Standing] = field(default_factory=dict)
    vitals: Vitals | None = None  #: None: it cannot be read
    signed: dict[str, date] = field(default_factory=dict)  #: when mail of each wiki was signed last


def history(patient: Patient, config: Config) -> History:
    """Look at it. Ends within a minute or so."""
    found: list[Finding] = []
    path = sqlite_file(config)
    if path and path.exists():
        found += file_findings(patient, path)
    if path:
        found += disk_findings(path.parent, config.tolerance)
    try:
        seen, looked = asyncio.run(_look(config))
    except NoHistory as error:
        return History(
            [wrong(str(error), "start the daemon once; on a server: bounce-sidecar db upgrade"), *found]
        )
    except (SQLAlchemyError, DatabaseSilent, Tellable, TimeoutError) as error:
        return History([_not_had(patient, config, error), *found])
    return replace(looked, findings=[*judged(config.storage_url, seen), *found])


def sqlite_file(config: Config) -> Path | None:
    """None if it is a server's."""
    url = make_url(config.storage_url)
    return Path(url.database) if url.get_backend_name() == Kind.SQLITE and url.database else None


async def _look(config: Config) -> tuple[Condition, History]:
    database = host.database_of(config)
    try:
        async with asyncio.timeout(PATIENCE):
            seen = await database.look(lambda connection: condition(connection, host.now), any_server=True)
            if seen.problems:
                return seen, History([])
            return seen, await database.read(_read)
    finally:
        await database.close()


def _read(connection: sa.Connection) -> History:
    now = host.now()
    signed = rates.last_signed(connection, (now - SIGNED_LATELY).date())
    return History([], circuits.standing(connection, now - FORGOTTEN), signs.vitals(connection, now), signed)


def _not_had(patient: Patient, config: Config, error: BaseException) -> Finding:
    said = str(getattr(error, "orig", None) or error) or type(error).__name__
    path = sqlite_file(config)
    if path and not patient.machine.is_root() and not os.access(path, os.R_OK | os.W_OK):
        return unknown(f"{config.storage_url}: {said}", f"{NOT_ROOT}, or as {patient.user}")
    return wrong(f"{config.storage_url}: {said}", f"look at [storage] url and password_file; {STATUS}")


def judged(url: str, seen: Condition) -> Iterator[Finding]:
    """The database itself."""
    version = seen.version
    for problem in seen.problems:
        yield wrong(f"{url}: {problem}", STATUS)
    if seen.only_reads:
        yield wrong(
            f"{url} lets nobody write: {seen.only_reads}", "[storage] url must name the primary server"
        )
    if seen.durable:
        yield warn(f"{url}: a power cut may lose what was promised: {seen.durable}", "set it back")
    if behind := clock.apart(f"the clock of {url}", seen.ahead):
        yield behind
    if not (seen.problems or seen.only_reads):
        yield ok(f"{url}: {seen.kind} {seen.server}, version {version.found}, {seen.octets / 2**20:,.1f} MiB")


def file_findings(patient: Patient, path: Path) -> Iterator[Finding]:
    """SQLite's file, as the daemon finds it."""
    account = patient.account
    if account:
        for place, what in ((path, "change"), (path.parent, "make files in")):
            may = patient.machine.may(account, place, os.W_OK)
            if may is None:
                yield unknown(f"whether {patient.user} may {what} {place}", NOT_ROOT)
            elif not may:
                mend = f"chown {patient.user} {place}; findmnt -T {place} shows whether it is read-only"
                yield wrong(f"{patient.user} may not {what} {place}", mend)
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and (octets := log.stat().st_size) > LONG_LOG:
        yield warn(
            f"{log} has {octets / 2**20:,.0f} MiB: somebody reads all the time, so that it cannot be emptied",
            f"fuser {path} shows who; restart the daemon",
        )


def disk_findings(folder: Path, tolerance: Tolerance) -> Iterator[Finding]:
    """Room for what is to be booked."""
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        yield unknown(f"the disk of {folder}: {error.strerror}", NOT_ROOT)
        return
    free = disk.f_bavail * disk.f_frsize
    said = f"{free / 2**20:,.0f} MiB free where {folder} is"
    mend = f"make room: du -xsh {folder}; keep_mail_days and keep_bounces_days in [storage] say what is kept"
    if free < tolerance.full:
        yield wrong(f"{said}: bounces are refused for now when it is full", mend)
    elif free < tolerance.low:
        yield warn(said, mend)
    else:
        yield ok(said)
    if disk.f_files and disk.f_favail < FEW_FILES:
        yield wrong(f"hardly a file can be made where {folder} is: no inodes are left", f"df -i {folder}")
