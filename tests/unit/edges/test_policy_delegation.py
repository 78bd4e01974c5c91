"""Postfix's policy delegation without a socket: any chunking, many requests, and what is no request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.edges import policy_delegation
from sidecar.edges.policy_delegation import Connection, NotUnderstood
from tests.unit.edges.lmtp_talk import octets

#: As Postfix 3.7 sends one at RCPT, with some of its empty attributes.
REQUEST = """\
request=smtpd_access_policy
protocol_state=RCPT
protocol_name=ESMTP
client_address=127.0.0.1
helo_name=mx.example.org
sender=
recipient=wiki-enwiki-7-t-k=k%@b.example
recipient_count=0
instance=1a2b.6789abcd.0
sasl_method=
ccert_subject=CN=mx, O=Bücher
policy_context=

""".encode()


@dataclass
class Asked:
    """Answers with the number of the request, and remembers what it was asked."""

    requests: list[Mapping[str, str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def decide(self, attributes: Mapping[str, str]) -> str:
        if attributes.get("request") != "smtpd_access_policy":
            raise NotUnderstood("another request")
        self.requests.append(attributes)
        return f"DUNNO {len(self.requests)}"

    def connection(self) -> Connection:
        return Connection(self.decide, self.complaints.append)


any_cut = pytest.mark.parametrize("cut", [lambda data: [data], octets], ids=["whole", "octets"])


@any_cut
def test_many_requests_are_answered_in_their_order(cut: Callable[[bytes], list[bytes]]) -> None:
    asked = Asked()
    connection = asked.connection()
    answers = b"".join(connection.receive(chunk) for chunk in cut(REQUEST * 3))
    assert answers == b"action=DUNNO 1\n\naction=DUNNO 2\n\naction=DUNNO 3\n\n"
    assert not connection.closed
    [first, *_] = asked.requests
    assert first["recipient"] == "wiki-enwiki-7-t-k=k%@b.example"
    assert (first["sender"], first["ccert_subject"]) == ("", "CN=mx, O=Bücher")


@any_cut
@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"\n", "a request without attributes"),
        (b"no attribute\n\n", "a line is no attribute"),
        (b"request=smtpd_access_policy\n=value\n\n", "a line is no attribute"),
        (b"request=smtpd_access_policy\nrecipient=a\0b@c\n\n", "a line is no attribute"),
        (b"request=smtpd_access_policy\nrecipient=a@b\nrecipient=c@d\n\n", "an attribute comes twice"),
        (b"request=another\n\n", "another request"),
        (b"recipient=a@b\n\n", "another request"),
        (b"request=smtpd_access_policy\nx=" + b"y" * policy_delegation.LINE_LIMIT + b"\n\n", "too long"),
        (b"a=" + b"y" * policy_delegation.REQUEST_LIMIT, "a request is too long"),
        (b"".join(b"a%d=\n" % n for n in range(300)) + b"\n", "too many attributes"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + b"x" * policy_delegation.REQUEST_LIMIT, "too long"),
    ],
)
def test_what_is_no_request_is_hung_up_on_without_an_answer(
    cut: Callable[[bytes], list[bytes]], said: bytes, why: str
) -> None:
    asked = Asked()
    connection = asked.connection()
    answers = [connection.receive(chunk) for chunk in cut(REQUEST + said + REQUEST)]
    assert b"".join(answers) == b"action=DUNNO 1\n\n"
    assert connection.closed
    [complaint] = asked.complaints
    assert why in complaint


def test_half_a_request_is_not_answered() -> None:
    asked = Asked()
    connection = asked.connection()
    assert connection.receive(REQUEST[:-1]) == b""
    assert (connection.closed, asked.requests) == (False, [])


@given(st.lists(st.sampled_from([b"\n", b"=", b"request=smtpd_access_policy\n", b"x", b"\xff", b"\0"])))
def test_garbage_in_any_pieces_is_answered_as_in_one(pieces: list[bytes]) -> None:
    def talk(chunks: list[bytes]) -> tuple[bytes, bool, int]:
        asked = Asked()
        connection = asked.connection()
        answers = b"".join(connection.receive(chunk) for chunk in chunks)
        return answers, connection.closed, len(asked.requests)

    assert talk(pieces) == talk([b"".join(pieces)])
