"""keys: who signs return paths, from when, and for how long what was signed is known.

Knows the words and what to do next. Does not know the rules: domain/rotation.py does.
"""

import secrets
from datetime import datetime, timedelta
from pathlib import Path

import click

from sidecar.cli import keys_known
from sidecar.cli.common import TIME, day, in_utc, stop_with
from sidecar.cli.keys_file import FILE, KEY, changing
from sidecar.domain import rotation
from sidecar.domain.keyring import Keyring

__all__ = ["keys"]

RANDOM = 36  # octets of a new key: 48 characters of base64url, without "="

DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


@click.group()
def keys() -> None:
    """The keys that sign return paths: what each does, a new one, the end of one.

    A change takes effect when the daemon reads its file again: `systemctl reload bounce-sidecar`. How to
    change keys on one host and on many, and what to do when one has leaked: docs/operating.md.
    """


@keys.command()
@FILE
@click.option("--now", "at_once", is_flag=True, help="It signs at once: for a single host.")
@click.option("--from", "begins", type=TIME, help="When it begins to sign, as 2026-12-01T10:00 (UTC).")
@DRY_RUN
@click.pass_obj
def add(path: Path, file: Path | None, at_once: bool, begins: datetime | None, dry_run: bool) -> None:
    """Make a new key. It verifies as soon as a node has it, and begins to sign a day later.

    By then it has to be on every node, so that each knows what the others sign.
    """
    if at_once and begins:
        stop_with(2, "--now or --from, not both")
    with changing(path, file, dry_run) as change:
        overlap = timedelta(0) if at_once else rotation.OVERLAP
        time = in_utc(begins) if begins else change.now + overlap
        changed, key = rotation.added(change.file, _fresh(), time)
        change.write(changed)
    name = "a new key" if dry_run else f"key {key.id}"
    click.echo(f"{_would(dry_run)}{name} signs from {day(time)} UTC on, and verifies from when a node has it")
    _next(dry_run, change.place, f"before {day(time)} UTC" if time > change.now else "at once")


@keys.command()
@KEY
@FILE
@click.option("--now", "at_once", is_flag=True, help="Now, though no new key follows: another signs again.")
@DRY_RUN
@click.pass_obj
def retire(path: Path, key_id: str, file: Path | None, at_once: bool, dry_run: bool) -> None:
    """Let the key ID sign no more, from when another one begins.

    What it has signed is accepted for accept_days more, and a day for nodes that hear of it late; then
    `keys prune` drops it. The last key that signs cannot be retired.
    """
    with changing(path, file, dry_run) as change:
        changed, key = rotation.retired(change.file, key_id, change.now, change.accept, at_once=at_once)
        change.write(changed)
    signer = Keyring(changed.keys).signer(max(change.now, key.retired or change.now))
    click.echo(
        f"{_would(dry_run)}key {key_id} signs no more from {day(key.retired)} UTC on, and verifies until "
        f"{day(key.until)} UTC; then key {signer.id} signs"
    )
    _next(dry_run, change.place, "in the next days")


@keys.command()
@KEY
@FILE
@DRY_RUN
@click.pass_obj
def revoke(path: Path, key_id: str, file: Path | None, dry_run: bool) -> None:
    """Give up the key ID, which has leaked: what it signed is forged from the reload on.

    Bounces of mail that is under way are refused, and lost. If it was the last key that signs, a new one is
    made, which signs at once. What is in the history already: `keys pardon`.
    """
    with changing(path, file, dry_run) as change:
        changed, _, new = rotation.revoked(change.file, key_id, change.now, _fresh())
        change.write(changed)
    click.echo(
        f"{_would(dry_run)}key {key_id} is revoked: bounces of mail that it signed, up to "
        f"{change.accept / timedelta(days=1):g} days old, are refused as forged"
    )
    signer = Keyring(changed.keys).signer(change.now)
    name = "a new key" if dry_run and new else f"key {signer.id}"
    click.echo(f"{name} signs now" + (", made just now" if new and not dry_run else ""))
    _next(dry_run, change.place, "at once, hosts that take bounces first" if new else "at once")
    if not dry_run:
        click.echo(f"then: `keys pardon {key_id}` tells what the history has of it, which may be forged")


@keys.command()
@FILE
@DRY_RUN
@click.pass_obj
def prune(path: Path, file: Path | None, dry_run: bool) -> None:
    """Drop the keys that are of no more use: expired, or revoked longer than accept_days ago."""
    with changing(path, file, dry_run) as change:
        ids = [key.id for key in rotation.spent(change.file, change.now, change.accept)]
        if ids:
            change.write(change.file.without(*ids))
    if not ids:
        click.echo("every key is still of use")
        return
    click.echo(f"{_would(dry_run)}dropped: {', '.join(ids)}")
    _next(dry_run, change.place, "whenever you like")


def _fresh() -> bytes:
    return secrets.token_urlsafe(RANDOM).encode()


def _would(dry_run: bool) -> str:
    return "would be: " if dry_run else ""


def _next(dry_run: bool, place: Path, when: str) -> None:
    if dry_run:
        click.echo(f"nothing was changed in {place}")
    else:
        click.echo(f"next: hand {place} to every node, and `systemctl reload bounce-sidecar` there, {when}")


for command in (keys_known.list_, keys_known.pardon):
    keys.add_command(command)
