"""What `doctor` says, as an operator's script would read it, on a host with a name server of its own.

Knows the command. Does not know what is examined.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dns.resolver

from sidecar.domain.finding import Finding, State
from tests.support.desk import say
from tests.support.name_server import Name, NameServer

__all__ = ["MX", "about", "bad", "examined", "resolving"]

MX = {"bounces.example.org": Name(mx="mail.example.org")}


@contextmanager
def resolving(names: Mapping[str, Name]) -> Iterator[None]:
    """Who asks this process's resolver hears of *names* alone."""
    server = NameServer("127.0.0.1", names, port=0)
    server.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.port
    dns.resolver.default_resolver = resolver
    try:
        yield
    finally:
        dns.resolver.default_resolver = None
        server.stop()


def examined(folder: Path, *words: str) -> list[Finding]:
    """All lines; fails if the command says something else."""
    with resolving(MX):
        result = say(folder, "doctor", "--json", *words)
    found = [Finding(**{**one, "state": State(one["state"])}) for one in json.loads(result.stdout)]
    broken = [one for one in found if one.state in (State.WRONG, State.UNKNOWN)]
    assert result.exit_code == bool(broken), result.output
    assert not [one for one in found if "the check broke" in one.what]
    assert not [one for one in found if one.state is not State.OK and not one.remedy]
    return found


def about(subject: str, found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.subject == subject]


def bad(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.state is not State.OK]
