"""What nobody understands is kept whole and never counts; when rules or wikis are new, it is judged again."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.domain.classify import Category, RuleBook
from sidecar.services.digest import compose
from sidecar.services.intake import Reread
from sidecar.services.letters import Letterhead
from sidecar.services.receipt import Receipt
from sidecar.storage import aside, ledger
from sidecar.storage.actions import State
from sidecar.storage.aside import Aside
from tests.support.fresh_history import in_memory

from .house import HARD, RULES, SOFT, T0, House, Mail

WORDS = b"rejected: User unknown in local recipient table"
#: A bounce of a server whose words and codes no rule knows.
STRANGE = HARD.raw.replace(WORDS, b"zzyzx frobnicated the gizmo").replace(b"5.1.1", b"5.0.0")
ORDINARY = Mail.of("ordinary")
NEW_RULE = """
[[rule]]
id = "frobnicated"
category = "{}"
text = '\\bfrobnicated the gizmo\\b'
samples = ["5.0.0 | 550 5.0.0 zzyzx frobnicated the gizmo"]
"""
UNDEFINED, UNKNOWN, FULL = ("undefined", False), ("user-unknown", True), ("mailbox-full", False)


def grown(category: str = "user-unknown") -> RuleBook:
    return RuleBook.parse(("operators.toml", NEW_RULE.format(category)), then=RULES)


async def waiting(house: House) -> list[Aside]:
    return await house.database.read(aside.entries)


async def whys(house: House) -> list[tuple[str, str]]:
    return [(entry.why, entry.domain) for entry in await waiting(house)]


async def reread_all(house: House) -> list[Reread | None]:
    return [await house.intake.reread(entry.id) for entry in await waiting(house)]


async def test_a_bounce_that_no_rule_knows_is_booked_soft_and_kept_for_a_person(house: House) -> None:
    assert STRANGE.count(b"frobnicated") > 0
    for _ in range(3):
        assert await house.take(STRANGE, house.path()) is Receipt.SET_ASIDE
        house.clock.tick(days=4)
    assert await house.history() == [UNDEFINED] * 3
    assert await house.actions() == []
    assert await whys(house) == [("no rule matched", "remote.example")] * 3
    kept = await house.database.read(lambda c: aside.mail(c, 1))
    assert kept is not None
    assert kept.raw == STRANGE


async def test_ordinary_mail_is_kept_with_the_domain_that_it_came_from(house: House) -> None:
    assert await house.bounce(ORDINARY) is Receipt.SET_ASIDE
    assert await house.history() == []
    [(why, domain)] = await whys(house)
    assert why == "neither a bounce nor an automatic answer"
    assert domain
    assert "@" not in domain


@pytest.mark.parametrize("case", ["mailbox-full", "busy-delayed", "success", "auto-reply"])
async def test_what_is_understood_does_not_wait_for_anybody(house: House, case: str) -> None:
    assert await house.bounce(Mail.of(case, "exim")) is Receipt.TAKEN
    assert await waiting(house) == []


async def test_a_mail_that_failed_behind_a_forwarder_does_not_wait_either(house: House) -> None:
    assert await house.bounce(Mail(STRANGE, "bob@example.com")) is Receipt.TAKEN
    assert await waiting(house) == []


async def test_when_a_rule_is_new_it_is_booked_as_if_it_had_come_then(house: House) -> None:
    for _ in range(3):
        await house.take(STRANGE, house.path())
        house.clock.tick(days=4)
    before = await house.database.read(lambda c: ledger.of_user(c, "enwiki", 7))
    house.clock.tick(days=20)  # long after the return paths have expired
    house.intake.use(grown())
    results = await reread_all(house)
    assert [result.rule for result in results if result] == ["frobnicated"] * 3
    assert [result.receipt for result in results if result] == [Receipt.TAKEN] * 3
    after = await house.database.read(lambda c: ledger.of_user(c, "enwiki", 7))
    said = {"category": "user-unknown", "hard": True, "rule": "frobnicated", "words": "frobnicated the gizmo"}
    assert after == [replace(b, **said) for b in before]
    assert await waiting(house) == []
    [action] = await house.actions()
    assert (action.state, action.created) == (State.WAITING, house.clock())
    assert house.owed == ["ring"]


async def test_rereading_is_repeatable_also_at_the_same_time(house: House) -> None:
    await house.take(STRANGE, house.path())
    house.intake.use(grown())
    first, second = await asyncio.gather(house.intake.reread(1), house.intake.reread(1))
    assert sorted(result.receipt if result else "" for result in (first, second)) == ["", Receipt.TAKEN]
    assert await house.intake.reread(1) is None
    assert await house.intake.reread(99) is None
    assert await house.history() == [UNKNOWN]


async def test_what_is_still_not_understood_stays_and_nothing_changes(house: House) -> None:
    await house.take(STRANGE, house.path())
    await house.bounce(ORDINARY)
    before = (await waiting(house), await house.history())
    house.clock.tick(days=1)
    results = await reread_all(house)
    assert [(r.receipt, r.why) for r in results if r] == [
        (Receipt.SET_ASIDE, "no rule matched"),
        (Receipt.SET_ASIDE, "neither a bounce nor an automatic answer"),
    ]
    assert (await waiting(house), await house.history()) == before


async def test_the_log_warns_once_and_in_plain_words(house: House) -> None:
    with structlog.testing.capture_logs() as lines:
        await house.take(STRANGE, house.path())
        await reread_all(house)
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "set aside"),
        ("debug", "notice"),
        ("info", "reread"),
        ("debug", "reread"),
    ]
    assert {type(value) for value in lines[0].values()} == {str, int, bool}
    assert (lines[0]["kind"], lines[0]["category"]) == ("bounce", "undefined")


async def test_a_soft_rule_clears_the_mark_and_names_the_category(house: House) -> None:
    await house.take(STRANGE, house.path())
    house.intake.use(grown("mailbox-full"))
    assert [result.category for result in await reread_all(house) if result] == ["mailbox-full"]
    assert await house.history() == [FULL]
    assert await house.actions() == []


async def test_what_a_later_bounce_of_the_same_mail_has_said_stays(house: House) -> None:
    path = house.path()
    await house.take(STRANGE, path)
    assert await house.take(HARD.raw, path) is Receipt.TAKEN
    house.intake.use(grown("mailbox-full"))
    await reread_all(house)
    assert await house.history() == [UNKNOWN]


async def test_what_was_understood_before_is_not_forgotten_for_a_strange_bounce(house: House) -> None:
    path = house.path()
    await house.take(SOFT.raw.replace(SOFT.recipient.encode(), HARD.recipient.encode()), path)
    assert await house.take(STRANGE, path) is Receipt.SET_ASIDE
    assert await house.history() == [FULL]


async def test_a_wiki_that_is_configured_later_gets_its_bounces(house: House) -> None:
    path = house.signer("frwiki").issue("frwiki", 7, HARD.recipient, T0)
    assert await house.take(HARD.raw, path) is Receipt.SET_ASIDE
    assert [r.receipt for r in await reread_all(house) if r] == [Receipt.SET_ASIDE]
    house.clock.tick(days=30)
    house.policies["frwiki"] = house.policies["enwiki"]
    wider = house.taking("enwiki", "frwiki")
    result = await wider.reread(1)
    wider.close()
    assert result == Reread(Receipt.TAKEN, "", "user-unknown", True, "user-unknown")
    [booked] = await house.database.read(lambda c: ledger.of_user(c, "frwiki", 7))
    assert (booked.sent, booked.received) == (T0, T0)


async def test_what_no_key_of_today_recognises_stays(house: House) -> None:
    other = house.signer("frwiki", key=b"y" * 32).issue("frwiki", 7, HARD.recipient, T0)
    entry = ledger.Notice(other, HARD.raw, T0, aside="signed for the wiki frwiki, which is not configured")
    await house.database.write(lambda c: ledger.append(c, entry))
    [result] = await reread_all(house)
    assert result == Reread(Receipt.SET_ASIDE, "its return path: no key of ours signed this")
    assert len(await waiting(house)) == 1


async def test_an_action_is_owed_only_if_all_of_it_is_booked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await house.take(STRANGE, house.path())
        house.clock.tick(days=4)
    house.intake.use(grown())
    await house.intake.reread(1)
    await house.intake.reread(2)
    await house.database.write(lambda c: c.execute(sa.text("ALTER TABLE action RENAME TO elsewhere")))
    with pytest.raises(sa.exc.OperationalError):
        await house.intake.reread(3)
    assert await house.history() == [UNKNOWN, UNKNOWN, UNDEFINED]
    await house.database.write(lambda c: c.execute(sa.text("ALTER TABLE elsewhere RENAME TO action")))
    result = await house.intake.reread(3)
    assert result is not None
    assert result.action_id


async def test_what_is_dropped_is_gone_but_the_same_mail_is_still_a_duplicate(house: House) -> None:
    path = house.path()
    await house.take(STRANGE, path)
    assert await house.database.write(lambda c: aside.drop(c, 1))
    assert not await house.database.write(lambda c: aside.drop(c, 1))
    assert await house.database.read(lambda c: aside.mail(c, 1)) is None
    assert await house.take(STRANGE, path) is Receipt.DUPLICATE
    assert await house.history() == [UNDEFINED]


async def test_a_category_that_a_wiki_does_not_let_count_is_recorded_and_never_counts(house: House) -> None:
    house.policies["enwiki"] = replace(
        house.policies["enwiki"], categories=frozenset({Category.HOST_UNKNOWN})
    )
    await house.fail_for_eight_days()
    assert await house.history() == [("user-unknown", False)] * 3
    await house.fail_for_eight_days(7, wiki="dewiki")
    assert [action.wiki for action in await house.actions()] == ["dewiki"]


async def test_a_category_that_may_count_no_longer_takes_back_what_was_owed(house: House) -> None:
    await house.fail_for_eight_days()
    house.policies["enwiki"] = replace(house.policies["enwiki"], categories=frozenset({Category.MOVED}))
    assert not await house.dispatcher.step()
    assert await house.states() == [(7, State.OVERTAKEN, "")]


async def test_of_several_soft_failures_the_one_that_a_rule_knows_is_booked(house: House) -> None:
    second = (
        f"    frobnicated the gizmo\r\n\r\nFinal-Recipient: rfc822; {HARD.recipient}\r\nAction: failed\r\n"
        "Status: 4.2.2\r\nDiagnostic-Code: smtp; 452 4.2.2 Mailbox full\r\n\r\n"
    )
    first = b"    zzyzx frobnicated the gizmo\r\n\r\n"
    assert STRANGE.count(first) == 1
    assert await house.take(STRANGE.replace(first, second.encode()), house.path()) is Receipt.TAKEN
    assert await house.history() == [FULL]


@pytest.mark.slow
@given(st.binary(max_size=60), st.binary(max_size=200))
@settings(max_examples=25, deadline=None)
def test_whatever_comes_is_on_disk_and_told_of(sender: bytes, body: bytes) -> None:
    async def story() -> None:
        database = await in_memory()
        house = House(database)
        raw = b"From: " + sender + b"\nSubject: hello\n\n" + body
        receipt = await house.take(raw, house.path())
        entries = await waiting(house)
        assert receipt is (Receipt.SET_ASIDE if entries else Receipt.TAKEN)
        compose(entries, Letterhead(("ops@example.org",), "b@example.org", "example.org"), T0).as_bytes()
        house.close()
        await database.close()

    asyncio.run(story())
