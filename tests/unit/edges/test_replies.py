"""The table of replies: nothing missing, and no door calls permanent what another calls temporary."""

import re

import pytest

from sidecar.edges import replies
from sidecar.edges.replies import REPLIES, TROUBLE, HttpReply, Reply
from sidecar.services.receipt import Receipt

#: What a door's words mean to the one who asks.
LMTP = {"2": "success", "4": "temporary", "5": "permanent"}
HTTP = {2: "success", 5: "temporary", 4: "permanent"}
SOCKETMAP = {"OK": "success", "TEMP": "temporary", "NOTFOUND": "permanent"}
POLICY = {"DUNNO": "success", "DEFER_IF_PERMIT": "temporary", "550": "permanent"}
EXIT_CODE = {0: "success", 75: "temporary", 69: "permanent", 77: "permanent"}  # sysexits(3)


def meanings(reply: Reply) -> set[str]:
    return {
        LMTP[reply.lmtp[0]],
        SOCKETMAP[reply.socketmap.partition(" ")[0]],
        POLICY[reply.policy.partition(" ")[0]],
        EXIT_CODE[reply.exit_code],
        HTTP[reply.http.status // 100],
    }


def test_every_receipt_has_a_reply():
    assert set(REPLIES) == set(Receipt)


@pytest.mark.parametrize(
    ("receipt", "meaning"),
    [
        (Receipt.TAKEN, "success"),
        (Receipt.DUPLICATE, "success"),
        (Receipt.SET_ASIDE, "success"),
        (Receipt.NOT_OURS, "permanent"),
        (Receipt.FORGED, "permanent"),
        (Receipt.TOO_LATE, "permanent"),
    ],
)
def test_all_doors_mean_the_same(receipt, meaning):
    assert meanings(REPLIES[receipt]) == {meaning}


def test_trouble_is_temporary_at_every_door():
    assert meanings(TROUBLE) == {"temporary"}


def test_each_receipt_has_a_status_that_says_it():
    assert {receipt: reply.http.status for receipt, reply in REPLIES.items()} == {
        Receipt.TAKEN: 200,
        Receipt.DUPLICATE: 200,
        Receipt.SET_ASIDE: 200,
        Receipt.NOT_OURS: 404,
        Receipt.FORGED: 403,
        Receipt.TOO_LATE: 410,
    }


def test_lmtp_and_http_say_it_in_the_same_words():
    for reply in [*REPLIES.values(), TROUBLE]:
        assert reply.lmtp.split(" ", 2)[2] == reply.http.words


def test_over_http_nothing_else_is_a_success_but_what_cannot_lose_a_bounce():
    said = {name: reply for name, reply in vars(replies).items() if isinstance(reply, HttpReply)}
    assert {name for name, reply in said.items() if reply.status < 300} == {
        "ALIVE",
        "READY",
        "NOT_BOOKED",
        "NOTED",  # of another node, what it has signed
        "SUBSCRIBED",
    }


def test_what_is_not_ours_is_not_found_with_its_trailing_blank():
    """Postfix calls a reply without the blank a protocol error, and defers."""
    assert REPLIES[Receipt.NOT_OURS].socketmap == "NOTFOUND "


def test_a_refusal_is_told_in_the_same_words_at_lmtp_and_by_the_policy_service():
    refused = [REPLIES[receipt] for receipt in Receipt if receipt.refused]
    assert [reply.policy for reply in refused] == [reply.lmtp for reply in refused]


def lines() -> dict[str, str]:
    return {name: text for name, text in vars(replies).items() if name.isupper() and isinstance(text, str)}


def test_each_line_is_spelled_as_its_protocol_asks():
    """RFC 2034 section 4: both codes are of one class; socketmap_table(5): a word, a blank."""
    lmtp = re.compile(r"([245])\d\d \1\.\d+\.\d+ [ -~]+|354 [ -~]+")
    socketmap = re.compile(r"(PERM|TEMP) [ -~]+")
    every = [*lines().values(), *(reply.lmtp for reply in [*REPLIES.values(), TROUBLE])]
    assert [text for text in every if not lmtp.fullmatch(text) and not socketmap.fullmatch(text)] == []


def test_a_mistake_of_the_peer_is_permanent():
    assert {reply[0] for reply in replies.PEER_ERRORS} == {"5"}


def test_what_hangs_up_is_421():
    """RFC 5321 section 3.8 allows no other code for it."""
    hanging_up = {text for text in lines().values() if "closing" in text and not text.startswith("PERM")}
    assert {text[:3] for text in hanging_up} == {"421"}
