"""Mail servers that run curl for each bounce, as docs/http.md says: nothing is lost, nothing is altered.

The configuration is taken from the documentation, with this test's account, folder and port put in.
"""

import asyncio
import re
import smtplib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.services.receipt import Receipt
from tests.integration.doors import ScriptedIntake, eventually
from tests.integration.http_house import NOW, TOKEN, HttpHouse, curl
from tests.support.amazon import Amazon
from tests.support.exim import Exim
from tests.support.mail_server import MailServer
from tests.support.postfix import Postfix

pytestmark = pytest.mark.servers

DOC = Path(__file__).parents[2] / "docs" / "http.md"
DOMAIN = "bounces.example.org"
#: BounceHandler's, with all that must not be touched on the way.
RETURN_PATH = f"wiki-enwiki-1-n5iuww-zeo4R2+SEC/iYA9=@{DOMAIN}"
BODY = b"100% $HOME `id` \xff\r\n.\r\n"
MAIL = b"Subject: x\r\n\r\n" + BODY


@pytest.fixture
async def house() -> AsyncIterator[HttpHouse]:
    curl()
    house = await HttpHouse(ScriptedIntake(), Amazon(NOW)).open()
    yield house
    await house.server.close(grace=0.1)


def documented(language: str, house: HttpHouse, folder: Path) -> str:
    """The block of this language, for this test's door."""
    [block] = re.findall(rf"^```{language}\n(.*?)^```", DOC.read_text(), flags=re.MULTILINE | re.DOTALL)
    header = folder / "http.header"
    header.write_text(f"Authorization: Bearer {TOKEN}\n")
    header.chmod(0o644)
    block = block.replace("/etc/bounce-sidecar/http.header", str(header))
    return str(block.replace("127.0.0.1:8025", f"127.0.0.1:{house.port}"))


def send(port: int, sender: str = "", recipient: str = RETURN_PATH) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
        server.sendmail(sender, [recipient], MAIL)


async def test_postfix(house: HttpHouse, postfix: Postfix, short_folder: Path) -> None:
    service = documented("postfix", house, short_folder).replace("user=bounce-sidecar", "user=nobody")
    routes = {DOMAIN: "bounce-http:"}
    postfix.configure(routes, services=service, **{"bounce-http_destination_recipient_limit": "1"})
    await asyncio.to_thread(postfix.start)
    await handed_over(house, postfix)


async def test_exim(house: HttpHouse, exim: Exim, short_folder: Path, tmp_path: Path) -> None:
    transport = documented("exim", house, short_folder).replace("user = bounce-sidecar", "user = mail")
    router = (
        f"http:\n  driver = accept\n  domains = {DOMAIN}\n  caseful_local_part\n  transport = bounce_http\n"
    )
    exim.configure("none.invalid", tmp_path / "none", routers=router, transports=transport)
    await asyncio.to_thread(exim.start)
    await handed_over(house, exim)


async def handed_over(house: HttpHouse, server: MailServer) -> None:
    try:
        await each_is_handed_over(house, server.port)
    except TimeoutError as late:
        late.add_note(server.log())
        raise


async def each_is_handed_over(house: HttpHouse, port: int) -> None:
    intake = house.intake
    intake.receipts[RETURN_PATH] = RuntimeError("disk full")
    await asyncio.to_thread(send, port)
    await eventually(lambda: len(intake.finished) >= 2, "trouble, and the mail comes again")
    intake.receipts[RETURN_PATH] = Receipt.TAKEN
    done = len(intake.finished)
    await eventually(lambda: len(intake.finished) > done, "the mail is booked")
    taken = intake.finished[-1]
    assert (taken.recipient, taken.sender) == (RETURN_PATH, "")
    assert taken.raw.partition(b"\n\n")[2] == BODY.replace(b"\r\n", b"\n")
    await asyncio.to_thread(send, port, "eve@x.example")
    await eventually(lambda: intake.finished[-1].sender == "eve@x.example", "a mail with a sender")
    end = len(intake.finished)
    await asyncio.to_thread(send, port, "", f"other@{DOMAIN}")
    await eventually(lambda: intake.finished[-1].recipient == f"other@{DOMAIN}", "another mail")
    assert len(intake.finished) == end + 1
