"""A stranger fills no journal: twenty lines a minute, and how many more there were."""

from structlog.testing import capture_logs

from sidecar.edges.few_lines import LAP, TOLD, FewLines
from tests.attack.forgery.messages import MESSAGE, House


def test_a_few_are_told_and_then_how_many_there_were() -> None:
    now = 0.0
    few = FewLines(lambda: now)
    said: list[tuple[str, dict[str, object]]] = []

    def write(event: str, **facts: object) -> None:
        said.append((event, facts))

    for number in range(TOLD + 7):
        few.say(write, "refused", number=number)
    assert [facts["number"] for _, facts in said] == list(range(TOLD))
    now = LAP
    few.say(write, "refused", number=0)
    few.say(write, "refused", number=1)
    assert said[TOLD:] == [("refused", {"number": 0, "left_out": 7}), ("refused", {"number": 1})]
    now = 2 * LAP
    few.say(write, "refused")
    assert said[-1] == ("refused", {})


def test_forged_messages_fill_no_journal() -> None:
    house = House()
    with capture_logs() as lines:
        for _ in range(3 * TOLD):
            house.handle(house.evil.post(Message=MESSAGE))
    assert len(lines) == TOLD
