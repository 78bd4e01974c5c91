"""A crowd of mail is read by another process; whatever becomes of that, each mail is read, and read alike."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import partial

import pytest
from structlog.testing import capture_logs

from sidecar.domain.classify import RuleBook
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.verp import Forged
from sidecar.recorded import names, recorded
from sidecar.services.intake import BounceIntake
from sidecar.services.readers import CROWD, LARGE, MOST, Readers
from sidecar.services.reading import Reader, Understood, categories
from sidecar.services.receipt import Receipt
from sidecar.storage.entries import Notice

from .house import HARD, RULES, T0, WIKIS, House

POLICIES = {wiki: Policy(Streak(), Mode.ENFORCE) for wiki in WIKIS}
VERP = House.signer(*WIKIS)
SOON = 30.0  # seconds, on a busy machine


def reader(policies: dict[str, Policy] = POLICIES, rules: RuleBook = RULES) -> Reader:
    return Reader(VERP, rules, partial(categories, policies))


def mail(number: int, raw: bytes = HARD.raw) -> Notice:
    return Notice(VERP.issue("enwiki", number, HARD.recipient, T0), raw, T0)


READER = reader()


def storm(by: Reader = READER, **times: float) -> Readers:
    readers = Readers(spare_core=True, **times)
    readers.use(by)
    return readers


@pytest.fixture
async def readers() -> AsyncIterator[Readers]:
    with closing(storm()) as readers:
        yield readers


async def crowd(readers: Readers, by: Reader = READER, size: int = 8) -> list[Understood]:
    return await asyncio.gather(*(readers.understand(by, mail(number)) for number in range(1, size + 1)))


async def begun(readers: Readers, by: Reader = READER) -> int:
    """Come in crowds until they are read elsewhere; the other process."""
    async with asyncio.timeout(SOON):
        while not (found := readers.apart):
            await crowd(readers, by)
    return found


async def gone(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not is_so():
            await asyncio.sleep(0.01)


def same(one: Understood, other: Understood) -> bool:
    """But for the raw mail, which has done its part."""
    whole = [(*sorted(vars(it.entry).items()), it.bounce, it.about) for it in (one, other)]
    mine, theirs = (
        [fact for fact in facts if not (isinstance(fact, tuple) and fact[0] == "raw")] for facts in whole
    )
    return mine == theirs


async def test_few_mails_are_read_here(readers: Readers) -> None:
    for number in range(1, 20):
        await asyncio.gather(*(readers.understand(READER, mail(number)) for _ in range(CROWD - 1)))
    assert not readers.apart


async def test_where_there_is_one_core_all_are_read_here() -> None:
    with closing(Readers()) as readers:
        for _ in range(20):
            await crowd(readers)
        assert not readers.apart


@pytest.mark.slow
async def test_a_crowd_is_read_elsewhere_and_each_mail_is_read_as_here(readers: Readers) -> None:
    process = await begun(readers)
    for name in names():
        one = recorded(name)
        path = VERP.issue("dewiki", 5, "ann@remote.example", T0)
        entry = Notice(path, one.addressed("ann@remote.example", path), T0)
        assert same(await readers.understand(READER, entry), READER.understand(entry)), name
    assert readers.apart == process != os.getpid()


@pytest.mark.slow
async def test_what_cannot_be_read_is_told_and_set_aside_as_ever(readers: Readers) -> None:
    broken = reader({})  # a wiki without a policy: our mistake
    readers.use(broken)
    process = await begun(readers, broken)
    with capture_logs() as lines:
        read = await readers.understand(broken, mail(7))
    assert (read.entry.aside, read.entry.user_id) == ("could not be read: KeyError", 7)
    assert {line["event"] for line in lines} == {"a notice could not be read"}
    assert readers.apart == process


@pytest.mark.slow
async def test_what_is_not_ours_is_refused_as_ever(readers: Readers) -> None:
    await begun(readers)
    with pytest.raises(Forged):
        await readers.understand(READER, Notice(mail(7).return_path.replace("-7-", "-8-"), HARD.raw, T0))


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_process_that_is_lost_or_hangs_loses_no_mail(readers: Readers, blow: int) -> None:
    os.kill(await begun(readers), blow)
    with capture_logs() as lines:
        read = await crowd(readers, size=50)
    assert all(same(one, READER.understand(mail(number))) for number, one in enumerate(read, 1))
    assert [line["event"] for line in lines] == ["no longer reading apart"]
    assert not readers.apart


@pytest.mark.slow
async def test_after_a_loss_all_are_read_here_for_a_while() -> None:
    with closing(storm(again=3600)) as readers:
        os.kill(await begun(readers), signal.SIGKILL)
        for _ in range(20):
            await crowd(readers)
        assert not readers.apart


@pytest.mark.slow
async def test_and_then_by_another_process() -> None:
    with closing(storm(again=0)) as readers:
        first = await begun(readers)
        os.kill(first, signal.SIGKILL)
        await crowd(readers)
        assert await begun(readers) != first


@pytest.mark.slow
async def test_who_is_given_other_rules_lets_the_process_go_and_loses_no_mail(readers: Readers) -> None:
    first = await begun(readers)
    waiting = [asyncio.ensure_future(readers.understand(READER, mail(number))) for number in range(1, 9)]
    await asyncio.sleep(0)
    other = reader({wiki: Policy(Streak(), Mode.ENFORCE, categories=frozenset()) for wiki in WIKIS})
    readers.use(other)
    later = await asyncio.gather(*(readers.understand(other, mail(number)) for number in range(1, 9)))
    assert [one.bounce.hard for one in later if one.bounce] == [False] * 8
    assert [one.bounce.hard for one in await asyncio.gather(*waiting) if one.bounce] == [True] * 8
    assert await begun(readers, other) != first
    [read, *_] = await crowd(readers, other)
    assert read.bounce
    assert not read.bounce.hard


@pytest.mark.slow
async def test_a_mail_that_takes_seconds_holds_up_nobody(readers: Readers) -> None:
    os.kill(await begun(readers), signal.SIGSTOP)
    large = HARD.raw + b"x" * LARGE
    read = await readers.understand(READER, mail(7, large))
    assert same(read, READER.understand(mail(7, large)))
    assert readers.apart, "it was not asked"


@pytest.mark.slow
async def test_no_more_wait_for_it_than_it_may_keep(readers: Readers) -> None:
    os.kill(await begun(readers), signal.SIGSTOP)
    asked = [asyncio.ensure_future(readers.understand(READER, mail(number))) for number in range(MOST + 20)]
    await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    done, _ = await asyncio.wait(asked[MOST:])
    assert len(done) == 20
    assert readers.apart, "those before wait for it"
    await asyncio.gather(*asked)


@pytest.mark.slow
async def test_it_ends_when_there_was_no_crowd_for_long() -> None:
    with closing(storm(idle=0.5)) as readers:
        process = await begun(readers)
        await gone(lambda: not readers.apart)
        await gone(lambda: not os.path.exists(f"/proc/{process}"))
        assert (await readers.understand(READER, mail(7))).bounce


@pytest.mark.slow
async def test_the_copy_was_made_before_the_first_mail() -> None:
    mine = reader()
    with closing(storm(mine)) as readers:
        vars(mine)["known by now"] = lambda: None  # whatever a thread may put there while it reads
        assert await begun(readers, mine)


@pytest.mark.slow
async def test_closing_ends_it(readers: Readers) -> None:
    process = await begun(readers)
    readers.close()
    assert not os.path.exists(f"/proc/{process}")


async def test_closing_ends_one_that_has_only_begun() -> None:
    readers = storm()
    await crowd(readers)
    readers.close()
    await asyncio.sleep(0)
    assert not readers.apart


@pytest.mark.slow
async def test_the_intake_judges_by_the_rules_of_now_whoever_reads(house: House, readers: Readers) -> None:
    taking = partial(BounceIntake, house.database, house.paths, RULES, house.policies, house.clock)
    house.intake, user = taking(readers=readers), 100
    async with asyncio.timeout(SOON):
        while not readers.apart:
            user += 8
            receipts = await asyncio.gather(*(house.bounce(user_id=user + one) for one in range(8)))
            assert receipts == [Receipt.TAKEN] * 8
    assert await house.bounce() is Receipt.TAKEN
    house.intake.use(RuleBook(()))
    assert await house.bounce(user_id=8) is Receipt.SET_ASIDE, "no rule knows it"
    assert not readers.apart
