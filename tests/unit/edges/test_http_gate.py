"""Who comes in: peers, tokens, proxies."""

import pytest

from sidecar.edges import replies
from sidecar.edges.http_gate import Doorman
from sidecar.edges.http_talk import Gate

TOKEN = "a-token-of-some-length-0123456789"
BEARER = {"authorization": f"Bearer {TOKEN}"}
DOORMAN = Doorman(("127.0.0.0/8", "::1/128", "192.0.2.7"), TOKEN)


@pytest.mark.parametrize(
    ("peer", "refusal"),
    [
        ("127.0.0.1", None),
        ("127.9.9.9", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("::ffff:192.0.2.7", None),
        ("192.0.2.7", None),
        ("192.0.2.8", replies.NOT_ALLOWED),
        ("::ffff:192.0.2.8", replies.NOT_ALLOWED),
        ("fe80::1%eth0", replies.NOT_ALLOWED),
        ("", replies.NOT_ALLOWED),
        ("unix", replies.NOT_ALLOWED),
    ],
)
def test_peers(peer: str, refusal: object) -> None:
    assert DOORMAN.refusal(Gate(), peer, {}) == refusal


def test_what_a_proxy_says_of_the_peer_is_not_believed() -> None:
    headers = {"x-forwarded-for": "127.0.0.1", **BEARER}
    assert DOORMAN.refusal(Gate(token=True), "192.0.2.8", headers) == replies.NOT_ALLOWED


@pytest.mark.parametrize(
    ("header", "refusal"),
    [
        (None, replies.NO_TOKEN),
        (f"Bearer {TOKEN}", None),
        (f"bearer  {TOKEN}", None),
        (f"Basic {TOKEN}", replies.WRONG_TOKEN),
        (TOKEN, replies.WRONG_TOKEN),
        ("Bearer", replies.WRONG_TOKEN),
        ("Bearer ", replies.WRONG_TOKEN),
        (f"Bearer {TOKEN}x", replies.WRONG_TOKEN),
        ("Bearer \udcff\xe4", replies.WRONG_TOKEN),
        ("", replies.WRONG_TOKEN),
    ],
)
def test_tokens(header: str | None, refusal: object) -> None:
    headers = {} if header is None else {"authorization": header}
    assert DOORMAN.refusal(Gate(token=True), "127.0.0.1", headers) == refusal


def test_a_token_that_is_not_needed_must_be_right_all_the_same() -> None:
    assert DOORMAN.refusal(Gate(), "127.0.0.1", BEARER) is None
    wrong = {"authorization": "Bearer wrong"}
    assert DOORMAN.refusal(Gate(), "127.0.0.1", wrong) == replies.WRONG_TOKEN


def test_where_there_is_no_token_nobody_has_the_right_one() -> None:
    doorman = Doorman(("127.0.0.1/32",), "")
    for header in ("Bearer ", "Bearer", "Bearer x"):
        refusal = doorman.refusal(Gate(token=True), "127.0.0.1", {"authorization": header})
        assert refusal == replies.WRONG_TOKEN
    assert doorman.refusal(Gate(token=True), "127.0.0.1", {}) == replies.NO_TOKEN


def test_behind_a_proxy_an_address_is_not_enough() -> None:
    gate = Gate(proxied=False)
    for name in ("x-forwarded-for", "forwarded", "via", "x-real-ip"):
        assert DOORMAN.refusal(gate, "127.0.0.1", {name: "x"}) == replies.FORWARDED
    assert DOORMAN.refusal(gate, "127.0.0.1", {"via": "x", **BEARER}) is None
