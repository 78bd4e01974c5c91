"""The signs of life, gathered: from a history, from the circuits and the host, as far as they are there."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.remedies import Kind
from sidecar.domain.trouble import Tolerance
from sidecar.domain.vitals import Ailment, NodeSign, Vitals, WikiSign
from sidecar.services.circuit import FORGOTTEN, OPINIONS
from sidecar.services.vitals import HostSigns, Watchman, gather
from sidecar.storage import circuits, nodes
from sidecar.storage.circuits import SHARED, Standing
from sidecar.storage.database import Database

from .house import DAY, T0, House

LOGINS = {"enwiki": "login of enwiki", "dewiki": "shared login", "frwiki": "shared login"}
MINUTE = timedelta(minutes=1)


def host(house: House, deaf: str = "") -> HostSigns:
    return HostSigns(house.clock, lambda: 2**40, lambda: True, "mx1", lambda: deaf)


def row(name: str, **changes: object) -> Standing:
    return replace(Standing(name, 2, T0 + MINUTE, "it said no", T0, trouble="unavailable"), **changes)  # type: ignore[arg-type]


async def suffering(house: House, *rows: Standing) -> tuple[WikiSign, ...]:
    for one in rows:
        await house.database.write(lambda c, one=one: circuits.put(c, one))  # type: ignore[misc]
    return (await gather(house.database, host(house), LOGINS)).wikis


async def test_history_and_host_together(house: House) -> None:
    found = await gather(house.database, host(house, "/run/lmtp.sock"), LOGINS)
    assert found == Vitals(T0, here="mx1", deaf="/run/lmtp.sock", free=2**40, synchronised=True)


async def test_a_wiki_suffers_from_what_it_said_last(house: House) -> None:
    since = T0 - DAY
    assert await suffering(house, row("enwiki", since=since)) == (
        WikiSign("enwiki", Ailment.UNAVAILABLE, "it said no", since, T0 + MINUTE, 2, T0),
    )


async def test_of_a_wiki_that_nobody_has_called_for_long_nobody_knows(house: House) -> None:
    since, login = T0 - DAY, "login of enwiki"
    refused = row("enwiki", since=since, trouble="login", credential=login, changed=T0 - FORGOTTEN)
    assert [one.wiki for one in await suffering(house, refused, row("dewiki", since=since))] == [
        "dewiki",
        "enwiki",
    ]
    house.clock.tick(seconds=1)
    assert [one.wiki for one in (await gather(house.database, host(house), LOGINS)).wikis] == ["dewiki"]


async def test_a_login_that_many_share_is_the_trouble_of_each(house: House) -> None:
    shared = row(f"{SHARED}shared login", trouble="login", credential="shared login", until=None)
    assert (
        await suffering(house, replace(shared, failures=OPINIONS - 1)) == ()
    )  # a wiki's own mistake, perhaps
    found = await suffering(house, replace(shared, failures=OPINIONS))
    assert [(one.wiki, one.ailment, one.since) for one in found] == [
        ("dewiki", Ailment.LOGIN, T0),
        ("frwiki", Ailment.LOGIN, T0),
    ]


async def test_a_new_password_and_a_wiki_that_is_no_more_are_no_trouble(house: House) -> None:
    old = row("enwiki", trouble="login", credential="an older login")
    gone = row("gonewiki")
    assert await suffering(house, old, gone, row(f"{SHARED}older", credential="older")) == ()


async def test_a_node_that_calls_no_wiki_tells_what_others_have_met(house: House) -> None:
    await suffering(house, row("enwiki", trouble="login", credential="login of enwiki"))
    found = await gather(house.database, host(house), dict.fromkeys(LOGINS, ""))
    assert [(one.wiki, one.ailment) for one in found.wikis] == [("enwiki", Ailment.LOGIN)]


async def test_a_row_of_an_older_program_is_read_as_down(house: House) -> None:
    [found] = await suffering(house, row("enwiki", trouble=""))
    assert (found.ailment, found.since) == (Ailment.UNAVAILABLE, T0)


async def test_without_a_database_the_host_is_asked_all_the_same(house: House) -> None:
    lost = Database("sqlite:////nowhere/history.db")
    watchman = Watchman(lost, host(house, "/run/lmtp.sock"), lambda: LOGINS, Tolerance(), beside=True)
    found = await watchman.look()
    await lost.close()
    assert [one.kind for one in found.troubles] == [Kind.NO_DAEMON, Kind.DATABASE]
    assert found.vitals.database == ("There is no database: there is no history yet: /nowhere/history.db")
    assert (found.vitals.free, found.vitals.synchronised) == (2**40, True)


async def test_a_node_that_only_issues_has_nothing_to_be_missed(house: House) -> None:
    watchman = Watchman(None, host(house), dict, Tolerance())
    found = await watchman.look()
    assert (found.troubles, found.vitals.history) == ([], False)


async def test_a_database_that_was_in_trouble_is_tried_by_the_daemon_too(house: House) -> None:
    assert (await gather(house.database, host(house), {})).database == ""
    with pytest.raises(Exception, match="no such table"):
        await house.database.write(lambda c: c.exec_driver_sql("INSERT INTO nowhere VALUES (1)"))
    assert not house.database.good
    assert (await gather(house.database, host(house), {})).database == ""
    assert house.database.good


async def test_the_tolerance_is_the_operators(house: House) -> None:
    sign = NodeSign("mx1", "take", "1", T0 - DAY, T0, synchronised=True)
    await house.database.write(lambda c: nodes.put(c, sign))
    house.clock.tick(minutes=10)
    there = Watchman(house.database, host(house), dict, Tolerance())
    ignored = Tolerance(ignore=frozenset({Kind.NO_DAEMON}))
    deaf = Watchman(house.database, host(house), dict, ignored)
    assert [one.kind for one in (await there.look()).troubles] == [Kind.NO_DAEMON]
    assert (await deaf.look()).troubles == []
