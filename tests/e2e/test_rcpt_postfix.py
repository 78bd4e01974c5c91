"""A real Postfix asks the sidecar at RCPT: forged return paths never reach DATA, and nobody else is hindered.

What was met on the way, each with its test: lookups are asked for folded keys; "+" parts a recipient where
recipient_delimiter says so; smtpd sees nothing outside its chroot; a socket is its group's; a service that is
down or hangs must neither refuse nor hold up; "%" and "!" and a final dot are rewritten after the question.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar.edges.policy_service import PolicyService
from tests.integration.return_paths import DOMAIN as SCRIPTED
from tests.integration.return_paths import ScriptedReturnPaths
from tests.support.loop_thread import LoopThread
from tests.support.postfix import OWNER, Postfix
from tests.support.rcpt import Recipients, asking, recipe, sidecar_for
from tests.support.sidecar import DOMAIN, Sidecar
from tests.support.waiting import until

pytestmark = pytest.mark.servers

OTHER = "elsewhere.example"
#: The operator's recipes.
RESTRICTION, ALIASES, LOOKUP = (
    line.partition(" = ")[2]
    for line in (recipe("smtpd_recipient_restrictions =") + recipe("relay_recipient_maps =")).splitlines()
)
SOCKET, SILENCE = "bounce-sidecar/policy.sock", "DEFER 4.3.0 Return path cannot be verified now"


def policy(socket: object = SOCKET, when_down: str = "defer", timeout: str = "3s") -> str:
    """The recipe's restriction, for another socket; or with another action for silence."""
    silence = {"defer": SILENCE, "accept": "DUNNO"}[when_down]
    text = RESTRICTION.replace("timeout=3s", f"timeout={timeout}")
    return text.replace(SOCKET, str(socket)).replace(f"= {SILENCE} ", f"= {silence} ")


@pytest.fixture
def sidecar(short_folder: Path) -> Iterator[Sidecar]:
    sidecar = sidecar_for(OWNER, short_folder / "sidecar")
    sidecar.start()
    yield sidecar
    sidecar.stop()


@pytest.fixture
def serve(postfix: Postfix, sidecar: Sidecar) -> Callable[..., int]:
    """Start Postfix with these settings; returns its port."""

    def start(**settings: str) -> int:
        routes = {DOMAIN: f"lmtp:unix:{sidecar.lmtp_socket}", OTHER: f"lmtp:unix:{sidecar.lmtp_socket}"}
        postfix.configure(routes, smtpd_error_sleep_time="0", smtpd_soft_error_limit="100", **settings)
        postfix.start()
        return postfix.port

    return start


def test_what_is_not_good_is_refused_once_and_in_our_words(serve, sidecar: Sidecar) -> None:
    port = serve(smtpd_recipient_restrictions=policy(sidecar.policy_socket), recipient_delimiter="+")
    recipients = Recipients(sidecar)
    with asking(port) as client:
        good = [*recipients.spellings(), recipients.unknown_wiki()]
        assert client.codes(good) == [250] * len(good)
        for address, words in recipients.refused().items():
            code, _, text = words.partition(" ")
            said = client.says(address)
            assert said.startswith(f"550 {code} <")
            assert said.endswith(f": Recipient address rejected: {text}")
    assert sidecar.log().count("event='refused'") == len(recipients.refused())


def test_mail_for_others_and_for_the_postmaster_is_not_touched(serve, sidecar: Sidecar) -> None:
    aliases = ALIASES.replace("= postmaster@example.org", f"= somebody@{OTHER}")
    restrictions = policy(sidecar.policy_socket)
    port = serve(smtpd_recipient_restrictions=restrictions, virtual_alias_maps=aliases)
    forged = Recipients(sidecar).forged()
    others = [forged.replace(DOMAIN, OTHER), f"PostMaster@{DOMAIN}", f"abuse@{DOMAIN}", "postmaster"]
    with asking(port, "somebody@remote.example") as client:
        assert client.codes(others) == [250] * len(others)
    assert "refused" not in sidecar.log()


def test_what_postfix_would_rewrite_into_a_return_path_is_refused_too(serve, sidecar: Sidecar) -> None:
    port = serve(smtpd_recipient_restrictions=policy(sidecar.policy_socket))
    forged = Recipients(sidecar).forged()
    local = forged.partition("@")[0]
    disguised = [
        f"{forged}.",
        f"{local}%{DOMAIN}",
        f"{DOMAIN}!{local}",
        f"{local}%x@{DOMAIN}",
        f"@{OTHER}:{forged}",
        f'"{forged}"',
        f'""@{DOMAIN}',
    ]
    with asking(port) as client:
        assert client.codes(disguised) == [550] * len(disguised)


@pytest.mark.parametrize(("when_down", "code"), [("defer", 450), ("accept", 250)])
def test_a_sidecar_that_is_down_or_hangs_refuses_nobody_and_holds_nobody_up(
    serve, sidecar: Sidecar, when_down: str, code: int
) -> None:
    port = serve(smtpd_recipient_restrictions=policy(sidecar.policy_socket, when_down, timeout="1s"))
    recipients = Recipients(sidecar)
    with asking(port) as client:
        sidecar.hang()
        assert client.codes([recipients.good(1)]) == [code]
        sidecar.go_on()
        assert client.codes([recipients.good(2), recipients.forged()]) == [250, 550]
        sidecar.stop()
        assert client.codes([recipients.good(3)]) == [code]
        sidecar.start()
        assert client.codes([recipients.good(4), recipients.forged()]) == [250, 550]


def test_our_own_trouble_defers_one_recipient_unless_a_later_rule_refuses_it_for_good(
    postfix: Postfix, short_folder: Path
) -> None:
    thread, server = LoopThread("policy"), PolicyService(ScriptedReturnPaths())
    path = short_folder / "policy.sock"
    later = "check_sender_access inline:{ { spammer@remote.example = REJECT } }"
    try:
        thread.call(server.listen(path, mode=0o666))
        routes = {SCRIPTED: f"lmtp:unix:{path}"}
        postfix.configure(routes, smtpd_recipient_restrictions=f"{policy(path)}, {later}")
        postfix.start()
        with asking(postfix.port) as client:
            assert client.says("broken@b.example").startswith("450 4.3.0 ")
            assert client.codes(["wiki-x@b.example"]) == [250]
        with asking(postfix.port, "spammer@remote.example") as client:
            assert client.codes(["broken@b.example"]) == [554]
    finally:
        thread.call(server.close())
        thread.end()


def test_in_a_chroot_the_sockets_are_named_relative_to_the_queue_directory(
    postfix: Postfix, short_folder: Path
) -> None:
    folder = postfix.spool / "bounce-sidecar"
    settings = {"smtpd_recipient_restrictions": policy()}
    postfix.configure({DOMAIN: "lmtp:unix:bounce-sidecar/lmtp.sock"}, chroot=True, **settings)
    folder.mkdir(mode=0o755)
    sidecar = sidecar_for(OWNER, short_folder / "sidecar", folder)
    sidecar.start()
    try:
        postfix.start()
        recipients = Recipients(sidecar)
        with asking(postfix.port) as client:
            asked = [recipients.good(), recipients.forged(), recipients.expired()]
            assert client.codes(asked) == [250, 550, 550]
            assert client.data("Subject: x\r\n\r\nx\r\n") == 250
        until(lambda: "event='set aside'" in sidecar.log(), "the mail is handed in")
    finally:
        sidecar.stop()


def test_the_lookup_is_asked_with_folded_keys_and_silence_defers(serve, sidecar: Sidecar) -> None:
    port = serve(
        relay_recipient_maps=LOOKUP.replace("bounce-sidecar/socketmap.sock", str(sidecar.socketmap)),
        recipient_delimiter="+",
    )
    recipients = Recipients(sidecar)
    with asking(port) as client:
        good = [*recipients.spellings(), recipients.unknown_wiki()]
        assert client.codes(good) == [250] * len(good)
        refused = [*recipients.refused(), f"postmaster@{DOMAIN}", f"{recipients.forged()}."]
        assert client.codes(refused) == [550] * len(refused)
        sidecar.stop()
        other = recipients.good(9)  # no answer of before can be reused
        assert client.codes([other]) == [451]
        sidecar.start()
        until(lambda: client.codes([other]) == [250], "Postfix asks again")
