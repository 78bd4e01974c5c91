"""Bounces that real mail servers give to a command: they come through, and wait while nobody takes them.

Knows Postfix's pipe(8) and local(8), Exim's pipe transport, and the settings that docs/operating.md gives.
The place where bounces end is no part of the product.
"""

import shutil
import smtplib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar import deliver
from sidecar.edges.lmtp_server import LmtpServer
from tests.integration.doors import ScriptedIntake
from tests.support.exim import Exim
from tests.support.lmtp_sink import LmtpSink
from tests.support.loop_thread import LoopThread
from tests.support.postfix import COMMANDS, Postfix
from tests.support.remote_mx import RemoteMx
from tests.support.waiting import until

pytestmark = pytest.mark.servers

BOUNCES = "bounces.example.org"
#: In the spelling of BounceHandler, with everything that a mail server might spoil.
RETURN_PATH = f"WIKI-testwiki-9ix-tosry7-lJ/EuStX+vPc7XXp@{BOUNCES}"
BODY = b"\r\n\r\n" + b"0123456789abcde\r\n" * 60_000  # far more than a pipe holds
BIG = b"Subject: big" + BODY

POSTFIX_SERVICES = """
bounce-sidecar unix - n n - 8 pipe
  flags=q user={user} null_sender=
  argv={command} --sender ${{sender}} -- ${{recipient}}
local unix - n n - - local
"""

EXIM_ROUTER = f"""
pipe_door:
  driver = accept
  domains = {BOUNCES}
  caseful_local_part
  transport = pipe_door
"""

EXIM_TRANSPORT = """
pipe_door:
  driver = pipe
  command = {command}
  message_prefix =
  message_suffix =
  log_defer_output
  log_fail_output
  {on_failure}
"""


def submit(port: int, sender: str, recipient: str, mail: bytes = b"Subject: Hello\r\n\r\nHello.\r\n") -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.sendmail(sender, [recipient], mail)


@pytest.fixture
def command(short_folder: Path, lmtp_sink: LmtpSink) -> str:
    """As the wheel installs it, where other accounts may start it."""
    program = short_folder / "bounce-sidecar-deliver"
    shutil.copy(deliver.__file__, program)
    program.chmod(0o755)
    return f"{program} --socket {lmtp_sink.socket} --deadline 3"


@pytest.fixture
def postfix_pipe(postfix: Postfix, remote_mx: RemoteMx, command: str) -> Postfix:
    routes = {"remote.example": f"smtp:[127.0.0.1]:{remote_mx.port}", BOUNCES: "bounce-sidecar:"}
    postfix.configure(
        routes,
        services=POSTFIX_SERVICES.format(user=COMMANDS, command=command),
        recipient_delimiter="+",
        **{"bounce-sidecar_destination_recipient_limit": "1"},
    )
    postfix.start()
    return postfix


def with_aliases(
    postfix: Postfix, remote_mx: RemoteMx, short_folder: Path, alias: str, **settings: str
) -> Postfix:
    aliases = short_folder / "aliases"
    aliases.write_text(alias)
    postfix.configure(
        {"remote.example": f"smtp:[127.0.0.1]:{remote_mx.port}"},
        services=POSTFIX_SERVICES.format(user=COMMANDS, command="/bin/false"),
        relay_domains="remote.example",
        recipient_delimiter="+",
        **settings,
    )
    postfix.start()
    return postfix


@pytest.fixture
def postfix_alias(postfix: Postfix, remote_mx: RemoteMx, short_folder: Path, command: str) -> Postfix:
    """The return path itself is an alias."""
    return with_aliases(
        postfix,
        remote_mx,
        short_folder,
        f'/^wiki-/ "|{command}"\n',
        mydestination=BOUNCES,
        alias_maps=f"regexp:{short_folder}/aliases",
    )


@pytest.fixture
def postfix_virtual_alias(postfix: Postfix, remote_mx: RemoteMx, short_folder: Path, command: str) -> Postfix:
    """All of the domain becomes one local name, and that is an alias."""
    return with_aliases(
        postfix,
        remote_mx,
        short_folder,
        f'bounces "|{command}"\n',
        mydestination="wiki.example.org",
        alias_maps=f"texthash:{short_folder}/aliases",
        virtual_alias_domains=BOUNCES,
        virtual_alias_maps=f"inline:{{ {{ @{BOUNCES} = bounces@wiki.example.org }} }}",
    )


@pytest.fixture
def exim_pipe(exim: Exim, remote_mx: RemoteMx, lmtp_sink: LmtpSink, command: str) -> Exim:
    transport = EXIM_TRANSPORT.format(command=command, on_failure="temp_errors = *\n  timeout_defer")
    exim.configure(BOUNCES, lmtp_sink.socket, remote_mx.port, routers=EXIM_ROUTER, transports=transport)
    exim.start()
    return exim


SERVERS = ["postfix_pipe", "postfix_alias", "postfix_virtual_alias", "exim_pipe"]


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Postfix | Exim:
    return request.getfixturevalue(request.param)


def deferred(server: Postfix | Exim) -> Callable[[], object]:
    if isinstance(server, Exim):
        return lambda: [line for line in server.log().splitlines() if " == " in line]
    # By the log: in the queue it is "active" whenever it is tried again, which is every second or two.
    return lambda: "status=deferred" in server.log()


def test_a_bounce_comes_back_letter_by_letter(server: Postfix | Exim, lmtp_sink: LmtpSink) -> None:
    submit(server.port, RETURN_PATH, "nouser@remote.example")
    bounce = lmtp_sink.mailbox.wait(RETURN_PATH)
    assert (bounce.sender, bounce.recipients) == ("", (RETURN_PATH,))
    assert not bounce.raw.startswith(b"From ")
    assert b"550 5.1.1 <nouser@remote.example>" in bounce.raw


def test_what_is_no_bounce_keeps_its_sender(server: Postfix | Exim, lmtp_sink: LmtpSink) -> None:
    submit(server.port, "ann@remote.example", RETURN_PATH, BIG)
    mail = lmtp_sink.mailbox.wait(RETURN_PATH)
    assert mail.sender == "ann@remote.example"
    assert mail.raw.endswith(BODY)


def test_it_waits_while_the_sidecar_is_away(server: Postfix | Exim, lmtp_sink: LmtpSink) -> None:
    lmtp_sink.stop()
    submit(server.port, "", RETURN_PATH, BIG)
    until(deferred(server), "the mail is kept")
    lmtp_sink.start()
    assert lmtp_sink.mailbox.wait(RETURN_PATH).raw.endswith(BODY)


def test_it_waits_while_the_sidecar_hangs(server: Postfix | Exim, lmtp_sink: LmtpSink) -> None:
    lmtp_sink.stop()
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(lmtp_sink.socket))
        lmtp_sink.socket.chmod(0o666)
        hanging.listen()
        submit(server.port, "", RETURN_PATH, BIG)
        until(deferred(server), "the mail is kept")
        assert "no end within 3 s" in server.log()
        lmtp_sink.socket.unlink()
    lmtp_sink.start()
    assert lmtp_sink.mailbox.wait(RETURN_PATH).raw.endswith(BODY)


@pytest.fixture
def door(short_folder: Path) -> Iterator[tuple[Path, ScriptedIntake]]:
    """The sidecar's own LMTP, which knows the recipient "nobody" for none of its own."""
    intake, path = ScriptedIntake(), short_folder / "sidecar.sock"
    server, thread = LmtpServer(intake), LoopThread("sidecar")
    thread.call(server.listen_unix(path, mode=0o666))
    yield path, intake
    thread.call(server.close())
    thread.end()


def test_exim_freezes_what_refuse_refuses(
    exim: Exim, command: str, door: tuple[Path, ScriptedIntake]
) -> None:
    """And so keeps it for a person, where Postfix would delete it."""
    refusing = EXIM_TRANSPORT.format(
        command=f"{command} --socket {door[0]} --refuse", on_failure="timeout_defer"
    )
    exim.configure(BOUNCES, door[0], routers=EXIM_ROUTER, transports=refusing)
    exim.start()
    submit(exim.port, "", f"nobody@{BOUNCES}")
    until(lambda: "Frozen (delivery error message)" in exim.log(), "it is frozen")
    assert "the sidecar said (RCPT): 550 5.1.1 No such return path" in exim.log()


def test_postfix_quotes_a_strange_sender(
    postfix: Postfix, command: str, door: tuple[Path, ScriptedIntake]
) -> None:
    """By flag q; without it MAIL would not be understood, and the mail would wait for ever."""
    services = POSTFIX_SERVICES.format(user=COMMANDS, command=f"{command} --socket {door[0]}")
    postfix.configure({BOUNCES: "bounce-sidecar:"}, services=services)
    postfix.start()
    submit(postfix.port, '"ann b"@remote.example', RETURN_PATH)
    until(lambda: door[1].finished, "it is taken")
    assert door[1].finished[0].sender == '"ann b"@remote.example'
