"""One mail server's cases: sent, waited for, and written down.

Knows which answer belongs to which case, and what a fixture must not show. Does not judge a mail.
"""

import json
import re
import socket
from pathlib import Path

from tests.capture.outgoing import outgoing, return_path
from tests.capture.server import Running
from tests.support.bounce_cases import Case
from tests.support.bounce_readings import cases_of, expected
from tests.support.mailbox import Mail

__all__ = ["record"]

PATIENCE = 60.0  # seconds until a mail must have come back; the servers give up within a few


def record(name: str, server: Running, folder: Path) -> None:
    """Write what *server*, called *name*, says of each of its cases into *folder*, an empty one."""
    cases = cases_of(name)
    for case in {case.recipient: case for case in cases}.values():
        server.send(outgoing(case))
    for number, case in enumerate(cases, 1):
        mail = _answer(case, server)
        _write(folder / f"{number:02}-{case.name}", name, server.version(), case, mail)


def _answer(case: Case, server: Running) -> Mail:
    def wanted(mail: Mail) -> bool:
        return mail.recipients == (return_path(case),) and server.kind(mail.raw) == case.kind

    try:
        return server.mailbox.wait_for(wanted, case.name, PATIENCE)
    except TimeoutError as late:
        late.add_note(server.log())
        raise


def _write(path: Path, server: str, version: str, case: Case, mail: Mail) -> None:
    """Two files: the mail as it arrived, and what is known of it."""
    _fit_to_keep(case, mail.raw)
    path.with_suffix(".eml").write_bytes(mail.raw)
    right = expected(case, server)
    facts = {
        "mta": server,
        "version": version,
        "case": case.name,
        "made": case.made,
        "answer": case.remote_answer(),
        "sender": mail.sender,
        "recipient": case.recipient,
        "return_path": return_path(case),
        "kind": right.kind,
        "category": right.category,
        "hard": right.hard,
    }
    # A TOML basic string is written as a JSON string.
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in facts.items() if value != ""
    ]
    path.with_suffix(".toml").write_text("".join(lines))


def _fit_to_keep(case: Case, raw: bytes) -> None:
    """Raises ValueError if an address is folded, so that it could not be replaced, or this machine shows."""
    unfolded = re.sub(rb"\r\n[ \t]*", b"", raw)
    for address in (case.recipient, return_path(case)):
        if not 0 < raw.count(address.encode()) == unfolded.count(address.encode()):
            raise ValueError(f"{case.name}: {address} is folded or not there")
    for trace in (rf"\b{re.escape(socket.gethostname())}\b", "/var/", "/tmp/"):
        if re.search(trace.encode(), raw):
            raise ValueError(f"{case.name}: {trace} shows")
