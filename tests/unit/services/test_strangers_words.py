"""Prometheus: whatever strangers send, no series is made by it, and labels are our own words."""

import re
from random import Random

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from sidecar.services.receipt import Received
from tests.attack.doors.words import EVIL, NOTICE, REPORTED
from tests.attack.web.payloads import PAYLOADS

from .house import HARD, House

WORDS = [*EVIL, *PAYLOADS]
LABEL = re.compile(r"[a-z0-9][a-z0-9 .+_-]{0,40}|\+Inf|")


def series(house: House) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    exposed = generate_latest(house.metrics.registry).decode()
    return {
        (sample.name, frozenset(sample.labels.items()))
        for family in text_string_to_metric_families(exposed)
        for sample in family.samples
    }


async def test_no_stranger_makes_a_series(house: House) -> None:
    chance = Random(1)
    kinds = ("Subject: x\r\n\r\nx", "Auto-Submitted: auto-replied\r\n\r\nx", "")
    for user in range(60):
        evil = chance.choices(WORDS, k=8)
        status, words = chance.choice((*REPORTED, ("4.0.0", chance.choice(WORDS))))
        mail = NOTICE.format(*evil, address=HARD.recipient, status=status, words=words)
        mail = chance.choice((mail, mail, mail, *kinds))
        raw = mail.encode("utf-8", "surrogatepass") + b"%d" % user
        path = house.path(user) if chance.random() < 0.8 else f"wiki-{evil[0]}@bounces.example.org"
        await house.intake.take(Received(path, chance.choice(("", evil[1])), raw))
    known = series(house)
    labels = {value for _, pairs in known for _, value in pairs}
    assert [value for value in labels if not LABEL.fullmatch(value)] == []
    assert len(known) < 300
    categories = {dict(pairs)["category"] for name, pairs in known if name == "bounce_sidecar_bounces_total"}
    assert len(categories) > 10, "they are all there from the start"
