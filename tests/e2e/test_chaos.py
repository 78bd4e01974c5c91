"""A short slice of `make chaos`: a round of each fault with SQLite; and that the audit sees what is wrong."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa

from tests.chaos.audit import audit
from tests.chaos.crowd import Mail
from tests.chaos.faults import FAULTS
from tests.chaos.house import House, furnished
from tests.chaos.load import Issued
from tests.chaos.round import Archive, play

pytestmark = [pytest.mark.servers, pytest.mark.slow]

SEED = int(os.environ.get("CHAOS_SEED", "1"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with furnished(tmp_path_factory.mktemp("c") / "h", SEED, None, None, ("aawiki",)) as house:
        house.prove_arrivals(len(FAULTS))
        yield house


@pytest.fixture(scope="module")
def archive() -> Archive:
    return Archive()


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost_nor_done_twice_nor_done_to_anybody_else(
    house: House, archive: Archive, fault: str
) -> None:
    told = play(house, fault, 1, SEED + len(house.people), archive, by_postfix=False)
    assert told.wrongs == [], "\n".join(
        [str(told), *told.wrongs[:20], *(node.log()[-2000:] for node in house.nodes)]
    )
    assert told.blows.total() == 1


def _wrongs(house: House, *, mails: list[Mail] = [], issued: list[Issued] = []) -> str:  # noqa: B006  (read only)
    house.mails += mails
    try:
        return "\n".join(audit(house, Counter(), issued))
    finally:
        del house.mails[len(house.mails) - len(mails) :]


def _change(house: House, statement: str) -> None:
    with closing(sa.create_engine(house.url, poolclass=sa.NullPool).connect()) as connection:
        connection.execute(sa.text(statement))
        connection.commit()


def test_the_audit_sees_what_is_lost_doubled_wrong_or_done_to_others(house: House) -> None:
    due = next(one for one in house.people if one.kind.due)
    alone = next(one for one in house.people if one.name == "too seldom")
    assert _wrongs(house) == ""
    lost = Mail(due.path(house.verp, 2.5), b"")
    assert f"{lost.return_path}: 0 times in the history" in _wrongs(house, mails=[lost])
    theirs = Issued(due.path(house.verp, 0), alone.wiki, alone.user_id, alone.address)
    assert f"asked for {alone.wiki} {alone.user_id}" in _wrongs(house, issued=[theirs])
    forged = Issued(theirs.return_path[:-30] + "a" * 10 + theirs.return_path[-20:], due.wiki, due.user_id, "")
    assert forged.return_path in _wrongs(house, issued=[forged])
    copied = house.mails[0].return_path
    _change(
        house,
        "INSERT INTO notice (fingerprint, received, return_path, kind, aside) "
        "SELECT 'another', received, return_path, kind, aside FROM notice "
        f"WHERE return_path = '{copied}' LIMIT 1",
    )
    assert f"{copied}: 2 times in the history" in _wrongs(house)
    _change(house, "DELETE FROM notice WHERE fingerprint = 'another'")
    assert _wrongs(house) == ""


def test_what_the_wikis_did_survives_their_death_and_is_asked_of_themselves(house: House) -> None:
    asked = [(one.wiki, one.user_id) for one in house.people]
    before = house.wikis.told(asked)
    house.wikis.kill()
    house.wikis.start()
    assert house.wikis.told(asked) == before
    assert sum(acts for acts, _ in before) == sum(one.kind.due for one in house.people)
