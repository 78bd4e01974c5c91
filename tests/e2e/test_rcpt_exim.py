"""A real Exim asks the sidecar at RCPT, by `verify = recipient` and a router that only verifies.

What was met on the way, each with its test: Exim half-closes and reads until we hang up; it lower-cases local
parts unless told otherwise; base64 has "/" and "+" in it; a socket is its group's; a local part may hold all
that its expansions and our protocol know; a service that is down or hangs must neither refuse nor hold up.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.exim import OWNER, Exim
from tests.support.rcpt import Recipients, asking, recipe, sidecar_for
from tests.support.sidecar import DOMAIN, Sidecar
from tests.support.waiting import until

pytestmark = pytest.mark.servers

OTHER = "elsewhere.example"
ACL = "  require verify = recipient\n  accept"

#: The operator's. The tainted local part stands in the request alone, never in the path. It cannot hold a
#: newline, and nothing else could begin another attribute. An empty answer is a hang-up: silence, too.
ROUTER = recipe("bounces_verify:")

#: when_down -> what is said there instead of what is written in the recipe
CHANGES = {"defer": {}, "accept": {"=DEFER}": "=DUNNO}", r"^action=DUNNO\n": "^(action=DUNNO|$)"}}


@pytest.fixture
def sidecar(short_folder: Path) -> Iterator[Sidecar]:
    sidecar = sidecar_for(OWNER, short_folder / "sidecar")
    sidecar.start()
    yield sidecar
    sidecar.stop()


@pytest.fixture
def serve(exim: Exim, sidecar: Sidecar) -> Callable[..., int]:
    """Start Exim; returns its port."""

    def start(when_down: str = "defer", case: str = "caseful_local_part") -> int:
        changes = {
            "/run/bounce-sidecar/policy.sock": str(sidecar.policy_socket),
            "caseful_local_part": case,
            **CHANGES[when_down],
        }
        router = ROUTER
        for written, meant in changes.items():
            assert router.count(written) == 1
            router = router.replace(written, meant)
        exim.configure(DOMAIN, sidecar.lmtp_socket, 9, acl=ACL, routers=router)
        exim.start()
        return exim.port

    return start


@pytest.mark.parametrize("case", ["caseful_local_part", ""], ids=["case kept", "lower-cased"])
def test_what_is_not_good_is_refused_once_and_in_our_words(serve, sidecar: Sidecar, case: str) -> None:
    port = serve(case=case)
    recipients = Recipients(sidecar)
    with asking(port) as client:
        good = [*recipients.spellings(), recipients.unknown_wiki()]
        assert client.codes(good) == [250] * len(good)
        refused = recipients.refused()
        assert {address: client.says(address) for address in refused} == {
            address: f"550 {words}" for address, words in refused.items()
        }
    assert sidecar.log().count("event='refused'") == len(refused)


def test_mail_for_others_and_for_the_postmaster_is_not_touched(serve, sidecar: Sidecar) -> None:
    port = serve()
    forged = Recipients(sidecar).forged()
    others = [forged.replace(DOMAIN, OTHER), f"PostMaster@{DOMAIN}", f"abuse@{DOMAIN}"]
    with asking(port, "somebody@remote.example") as client:
        assert client.codes(others) == [250] * len(others)
    assert "refused" not in sidecar.log()


def test_no_local_part_can_say_anything_but_a_recipient(serve, sidecar: Sidecar) -> None:
    """Each would be let in if its end, another domain's address, were taken for the recipient."""
    port = serve()
    hostile = [
        rf'"x\{separator}recipient=y@{OTHER}"@{DOMAIN}'
        for separator in ("r", "n", "\r", "\t", "=", "}", "\\")
    ]
    hostile += [
        f'"x\rrecipient=y@{OTHER}"@{DOMAIN}',
        f"x$recipient=y%{OTHER}@{DOMAIN}",
        f"${{readsocket{{x}}{{y}}}}@{DOMAIN}",
        f"x\\nrecipient=y@{DOMAIN}",
    ]
    with asking(port) as client:
        said = [client.says(recipient) for recipient in hostile]
    assert {words[:3] for words in said} <= {"550", "501"}
    assert sum(words.startswith("550 5.1.1 ") for words in said) > len(hostile) / 2
    assert "not understood" not in sidecar.log()


@pytest.mark.parametrize(("when_down", "code"), [("defer", 451), ("accept", 250)])
def test_a_sidecar_that_is_down_or_hangs_refuses_nobody_and_holds_nobody_up(
    serve, sidecar: Sidecar, when_down: str, code: int
) -> None:
    port = serve(when_down)
    recipients = Recipients(sidecar)
    with asking(port) as client:
        sidecar.hang()
        assert client.codes([recipients.good(1)]) == [code]
        sidecar.go_on()
        assert client.codes([recipients.good(2), recipients.forged()]) == [250, 550]
        sidecar.stop()
        assert client.codes([recipients.good(3)]) == [code]
    sidecar.start()
    with asking(port) as client:  # Exim 4.96 defers once more in a session that met a refused connection
        assert client.codes([recipients.good(4), recipients.forged()]) == [250, 550]


def test_what_was_let_in_is_handed_in_letter_by_letter(serve, sidecar: Sidecar) -> None:
    port = serve()
    recipients = Recipients(sidecar)
    with asking(port) as client:
        assert client.codes([recipients.bouncehandlers(), recipients.good()]) == [250, 250]
        assert client.data("Subject: x\r\n\r\nx\r\n") == 250
    until(lambda: sidecar.log().count("event='set aside'") == 2, "both are handed in")
