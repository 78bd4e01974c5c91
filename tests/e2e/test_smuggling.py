"""One mail stays one behind a real Postfix and a real Exim, by LMTP and by the pipe: nothing is smuggled.

Knows every sequence of octets that some mail server has taken for the end of a mail. Each has a mail of its
own, in which a second one stands behind it. Does not know how the mail servers are hardened: what they take
for two mails is two; but then they say so to whoever brings it.
"""

import re
import shutil
import socket
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sidecar import deliver
from tests.e2e.test_pipe_door import EXIM_ROUTER, EXIM_TRANSPORT, POSTFIX_SERVICES
from tests.support.exim import Exim
from tests.support.postfix import COMMANDS, Postfix
from tests.support.rcpt import Recipients, sidecar_for
from tests.support.sidecar import DOMAIN, Sidecar
from tests.support.waiting import until

pytestmark = pytest.mark.servers

PATIENCE = 20.0  # seconds for a reply
ENDS = (
    *(b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r.\n"),
    *(b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\0\r\n.\n\0", b"\n\0.\n", b"\r\0\n.\r\0\n"),
    *(b"\r\r\n.\r\r\n", b"\r\r\n.\n", b"\r\n.\r\r\n", b"\n\r.\n\r", b"\n\n.\n\n", b"\r\n \r\n.\n"),
    *(
        b"\r\n..\r\n",
        b"\r\n. \r\n",
        b"\r\n.\t\r\n",
        b"\r\n .\r\n",
        b"\x85.\x85",
        b"\xe2\x80\xa8.\xe2\x80\xa8",
    ),
)
TAKEN = re.compile(rb"^250 .*(?:queued as|OK id=)", re.MULTILINE)
ERROR = re.compile(rb"^5", re.MULTILINE)
INNER = "MAIL FROM:<>\r\nRCPT TO:<{path}>\r\nDATA\r\nSubject: smuggled\r\n\r\nbehind\r\n.\r\n"


@pytest.fixture
def sidecar(short_folder: Path) -> Iterator[Sidecar]:
    sidecar = sidecar_for("", short_folder / "sidecar")
    sidecar.start()
    yield sidecar
    sidecar.stop()


@pytest.fixture
def command(short_folder: Path, sidecar: Sidecar) -> str:
    program = short_folder / "bounce-sidecar-deliver"
    shutil.copy(deliver.__file__, program)
    program.chmod(0o755)
    return f"{program} --socket {sidecar.lmtp_socket} --deadline 10"


@pytest.fixture
def postfix_lmtp(postfix: Postfix, sidecar: Sidecar) -> Postfix:
    """As operating.md wants it, and as it comes: lines that end in LF are taken for lines."""
    postfix.configure({DOMAIN: f"lmtp:unix:{sidecar.lmtp_socket}"}, smtpd_forbid_bare_newline="no")
    postfix.start()
    return postfix


@pytest.fixture
def postfix_pipe(postfix: Postfix, command: str) -> Postfix:
    """Hardened against what is smuggled by others through it, for clients of its own network, too."""
    hardened = {"smtpd_forbid_bare_newline": "normalize", "smtpd_forbid_bare_newline_exclusions": ""}
    postfix.configure(
        {DOMAIN: "bounce-sidecar:"},
        services=POSTFIX_SERVICES.format(user=COMMANDS, command=command),
        **hardened,
        **{"bounce-sidecar_destination_recipient_limit": "1"},
    )
    postfix.start()
    return postfix


@pytest.fixture
def exim_lmtp(exim: Exim, sidecar: Sidecar) -> Exim:
    exim.configure(DOMAIN, sidecar.lmtp_socket)
    exim.start()
    return exim


@pytest.fixture
def exim_pipe(exim: Exim, sidecar: Sidecar, command: str) -> Exim:
    transport = EXIM_TRANSPORT.format(command=command, on_failure="temp_errors = *\n  timeout_defer")
    routers = re.sub(r"domains = .*", f"domains = {DOMAIN}", EXIM_ROUTER)
    exim.configure(DOMAIN, sidecar.lmtp_socket, routers=routers, transports=transport)
    exim.start()
    return exim


@pytest.fixture(params=["postfix_lmtp", "postfix_pipe", "exim_lmtp", "exim_pipe"])
def server(request: pytest.FixtureRequest) -> Postfix | Exim:
    server: Postfix | Exim = request.getfixturevalue(request.param)
    return server


def _until(client: socket.socket, wanted: bytes) -> bytes:
    """What is heard until a reply that begins so, or a hang-up."""
    heard = b""
    with suppress(ConnectionError):
        while not re.search(rb"^" + wanted + rb"[^\n]*\n", heard, re.MULTILINE) and (
            chunk := client.recv(4096)
        ):
            heard += chunk
    return heard


def smuggle(port: int, outer: str, inner: str, end: bytes) -> tuple[int, bool]:
    """Say one mail, with *end* and all of another in it.

    For how many mails the server says that it has them; and whether what stands in them was no command to it.
    """
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        _until(client, b"220 ")
        for command, reply in (
            ("EHLO x", b"250 "),
            ("MAIL FROM:<>", b"[25]"),
            (f"RCPT TO:<{outer}>", b"[25]"),
            ("DATA", b"354"),
        ):
            client.sendall(f"{command}\r\n".encode())
            _until(client, reply)
        mail = b"Subject: outer\r\nMessage-ID: <%b@x>\r\n\r\nbefore" % outer.encode() + end
        client.sendall(mail + INNER.format(path=inner).encode() + b"QUIT\r\n")
        heard = _until(client, b"221 ")
        return len(TAKEN.findall(heard)), not ERROR.search(heard)


def test_one_mail_stays_one(server: Postfix | Exim, sidecar: Sidecar) -> None:
    recipients = Recipients(sidecar)
    paths = {end: (recipients.good(10 + 2 * n), recipients.good(11 + 2 * n)) for n, end in enumerate(ENDS)}
    said = {end: smuggle(server.port, *paths[end], end) for end in ENDS}
    taken = sum(number for number, _ in said.values())
    assert taken >= len(ENDS) / 2, "else nothing is tried"
    sidecar.booked(taken)
    _delivered(server, taken)
    kept = sidecar.rows("SELECT return_path, raw FROM notice")
    assert len(kept) == taken
    for end, (outer, inner) in paths.items():
        mails = {path: zlib.decompress(raw) for path, raw in kept if path in (outer, inner)}
        number, whole = said[end]
        assert len(mails) == number, end
        if number == 1:
            [mail] = mails.values()
            assert list(mails) == [outer]
            assert bool(re.search(rb"before.*RCPT TO:<.*Subject: smuggled.*behind", mail, re.DOTALL)) == whole
    assert not re.findall(r"level='(?:error|critical)'", sidecar.log())


def test_a_hardened_postfix_takes_none_of_them_for_two(postfix_pipe: Postfix, sidecar: Sidecar) -> None:
    recipients = Recipients(sidecar)
    taken = {end: smuggle(postfix_pipe.port, recipients.good(1), recipients.good(2), end)[0] for end in ENDS}
    assert [end for end, number in taken.items() if number > 1] == []


def _delivered(server: Postfix | Exim, mails: int) -> None:
    """Nothing is left in the queue that might come a second time."""
    if isinstance(server, Postfix):
        until(lambda: not server.queue(), "an empty queue")
    else:
        until(lambda: server.log().count(" Completed") == mails, f"{mails} mails completed")
