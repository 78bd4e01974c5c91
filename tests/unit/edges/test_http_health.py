"""Readiness: bounded in time, and asked once however many ask."""

import asyncio

from sidecar.edges.http_health import Health
from sidecar.edges.http_talk import Asked


async def test_a_database_that_hangs_is_not_ready_and_is_asked_once() -> None:
    questions = 0
    answered = asyncio.Event()

    async def why_not() -> str:
        nonlocal questions
        questions += 1
        await answered.wait()
        return ""

    health = Health(why_not, patience=0.01)
    answers = await asyncio.gather(*(health.ready(Asked()) for _ in range(5)))
    assert {answer.status for answer in answers} == {503}
    assert answers[0].body == {"words": "The database does not answer"}
    answered.set()
    assert (await health.ready(Asked())).status == 200
    assert questions == 1
    assert (await health.alive(Asked())).status == 200
