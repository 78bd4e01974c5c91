"""Messages of Amazon SNS that Amazon did not write for us: each way to make one, some times."""

import random

import pytest

from tests.attack.forgery.messages import AMAZONS, FORGERIES, HOSTS, MESSAGE, House


@pytest.fixture(scope="module")
def house() -> House:
    return House()


@pytest.mark.parametrize("name", FORGERIES)
def test_no_forged_message_is_booked(house: House, name: str) -> None:
    for seed in range(15):
        house.served = house.amazon.certificate
        body = FORGERIES[name](house, random.Random(f"{name}.{seed}"))
        assert house.post(body) in (400, 403, 410), body
    assert house.intake.asked == []


def test_nothing_is_visited_but_amazon(house: House) -> None:
    for host in HOSTS:
        house.visited.clear()
        house.served = house.amazon.certificate
        certificate = house.amazon.post(Message=MESSAGE, SigningCertURL=f"{host}/a.pem")
        assert house.post(certificate) == 400, host
        house.post(
            house.amazon.post("SubscriptionConfirmation", SubscribeURL=f"{host}/?Action=ConfirmSubscription")
        )
        assert all(AMAZONS.match(url) and "evil" not in url for url in house.visited), house.visited


def test_what_amazon_signed_is_booked_after_all() -> None:
    house = House()
    assert house.post(house.amazon.post(Message=MESSAGE)) == 200
    assert len(house.intake.asked) == 1
