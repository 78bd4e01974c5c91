"""What is known of the keys: `keys list`, and `keys pardon` for what a leaked one has signed.

Knows the file and the history. Changes no key: keys.py does.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from sidecar import host
from sidecar.cli.common import TIME, as_json, ask, configured, day, in_utc
from sidecar.cli.keys_file import FILE, KEY, place_of, read
from sidecar.cli.printing import cell, console, table_of
from sidecar.configuration.configured import ConfigError
from sidecar.domain.keyring import Key, Keyring, State
from sidecar.services.undo import undo
from sidecar.storage import suspects as under_a_key
from sidecar.storage.database import Database
from sidecar.storage.suspects import Suspects

__all__ = ["list_", "pardon"]


@click.command("list")
@FILE
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(path: Path, file: Path | None, json_: bool) -> None:
    """Every key: what it does, how old it is, and how many bounces of the history it has signed.

    A key of the history that the file does not have any more stands at the end.
    """
    known, counts, now = read(place_of(path, file).file), _in_the_history(path), host.now()
    rows = [_facts(Keyring(known.keys), key, counts, now) for key in known.keys]
    ids = {key.id for key in known.keys}
    rows += [_unknown(key_id, n) for key_id, n in (counts or {}).items() if key_id not in ids]
    if json_:
        as_json(rows)
        return
    table = table_of("Keys", "id", "state", "age", "bounces", folds=["state"])
    for row in rows:
        age = f"{row['age_days']} days" if row["age_days"] is not None else ""
        bounces = "" if row["bounces"] is None else row["bounces"]
        table.add_row(*map(cell, (row["id"], _words(row), age, bounces)))
    console.print(table)


@click.command()
@KEY
@click.option("--since", type=TIME, help="Only what came then or later, as 2026-11-20T14:30 (UTC).")
@click.option("--undo", "undo_", is_flag=True, help="Confirm again whom we un-confirmed because of it, too.")
@click.option("--yes", is_flag=True, help="Do it; without this, only say what there is.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def pardon(path: Path, key_id: str, since: datetime | None, undo_: bool, yes: bool, json_: bool) -> None:
    """Let bounces that the leaked key ID signed never count: they may be forged.

    Genuine ones are pardoned with them; whose address is dead, fails again. The wiki compares before it
    confirms anybody again, as with `undo`.
    """
    now, start = host.now(), in_utc(since) if since else None

    async def work(database: Database) -> tuple[Suspects, list[int]]:
        found = await database.read(lambda c: under_a_key.suspects(c, key_id, start))
        if yes:
            await database.write(lambda c: under_a_key.pardon(c, key_id, start, now))
        again = found.unconfirmed if yes and undo_ else []
        return found, await database.write(lambda c: undo(c, again, now)) if again else []

    found, owed = ask(configured(path), work)
    if json_:
        as_json({"found": found, "pardoned": found.hard if yes else 0, "actions": owed})
        return
    click.echo(
        f"signed by {key_id}: bounces {found.bounces}, that may count {found.hard}, users {found.users}"
    )
    for one in found.unconfirmed:
        undone = "; taken back" if one.undone else ""
        click.echo(f"un-confirmed: user {one.user_id} of {one.wiki}, {day(one.settled)} UTC{undone}")
    if yes:
        click.echo(f"pardoned: {found.hard}; to be confirmed again: {len(owed)}")
    else:
        click.echo("--yes lets them never count, and with --undo confirms those users again")


def _in_the_history(path: Path) -> Mapping[str, int] | None:
    """How many bounces each key has signed; None where there is no history to ask, with the reason said."""
    try:
        config = host.load_config(path)
        return ask(config, lambda database: database.read(under_a_key.by_key))
    except ConfigError as error:
        click.echo(f"the history was not asked: {path}: {error.problems[0]}", err=True)
    except SystemExit:  # said already
        click.echo("the history was not asked", err=True)
    return None


def _facts(ring: Keyring, key: Key, counts: Mapping[str, int] | None, now: datetime) -> dict[str, Any]:
    state = ring.state(key, now)
    begun = key.begins if key.begins and key.begins <= now else None
    return {
        "id": key.id,
        "state": state,
        "signs_from": ring.next_turn(key, now) if state is State.WILL_SIGN else None,
        "signs_until": ring.next_change(now) if state is State.SIGNS else None,
        "from": key.begins,
        "retired": key.retired,
        "until": key.until,
        "revoked": key.revoked,
        "age_days": (now - begun).days if begun else None,
        "bounces": None if counts is None else counts.get(key.id, 0),
    }


def _unknown(key_id: str, bounces: int) -> dict[str, Any]:
    """A key of the history alone; BounceHandler's secret has a file of its own, and this for its id."""
    state = "BounceHandler's secret" if key_id == "bouncehandler" else "not in the file"
    return {"id": key_id, "state": state, "age_days": None, "bounces": bounces}


def _words(row: Mapping[str, Any]) -> str:
    times = {
        State.SIGNS: ("until", row.get("signs_until")),
        State.WILL_SIGN: ("from", row.get("signs_from")),
        State.VERIFIES: ("until", row.get("until")),
        State.EXPIRED: ("since", row.get("until")),
        State.REVOKED: ("since", row.get("revoked")),
    }
    word, time = times.get(row["state"], ("", None))
    return f"{row['state']} {word} {day(time)}" if time else str(row["state"])
