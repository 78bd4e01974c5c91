"""A reload is an operator's word that something was mended: wikis in trouble are tried at once."""

from datetime import timedelta

import pytest

from sidecar.domain.wiki import LoginRefused, WikiError, WikiMisconfigured, WikiUnavailable
from sidecar.storage import circuits
from sidecar.storage.actions import State

from .house import House


@pytest.mark.parametrize("trouble", [WikiMisconfigured("HTTP 404"), WikiUnavailable("HTTP 503")])
async def test_a_wiki_in_trouble_is_tried_at_once_after_a_reload(house: House, trouble: WikiError) -> None:
    await house.fail_for_eight_days(7)
    house.wiki.troubles = [trouble, trouble]
    await house.pay()
    assert await house.pay() == 0
    before = (await house.database.read(circuits.standing))["enwiki"]
    house.clock.now += timedelta(minutes=1)
    house.dispatcher.use(house.ways(*house.wikis), house.policies)
    assert await house.pay() == 1
    after = (await house.database.read(circuits.standing))["enwiki"]
    assert (after.failures, after.since) == (2, before.since)  # it is still the same trouble
    assert await house.pay() == 0  # a reload is one try
    house.dispatcher.use(house.ways(*house.wikis), house.policies)
    await house.pay()
    assert await house.states() == [(7, State.DONE, "unconfirmed")]


async def test_a_refused_password_is_not_tried_again_by_a_reload(house: House) -> None:
    await house.fail_for_eight_days(7)
    house.wiki.troubles = [LoginRefused("wrong password")]
    await house.pay()
    house.dispatcher.use(house.ways(*house.wikis), house.policies)
    assert await house.pay() == 0
