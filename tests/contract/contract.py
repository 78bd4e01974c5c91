"""What every contract test of a wiki needs: a client with a bench behind it, and no secret in the log.

Knows the port's adapters. Does not know any promise.
"""

import logging
from collections.abc import Callable, Iterator

import pytest

from sidecar.domain.wiki import Wiki
from tests.contract.bench import WikiBench
from tests.contract.wiki_words import assert_no_secret, secrets_of
from wiki_adapter import WikiAccess
from wiki_adapter.mwclient_wiki import MwclientWiki

__all__ = ["Contract"]


class Contract:
    """A subclass brings the ``bench``, and another ``adapter`` if it is about that."""

    adapter: Callable[..., Wiki] = MwclientWiki

    @pytest.fixture
    def access(self, bench: WikiBench) -> WikiAccess:
        return WikiAccess(bench.api_url, bench.credentials, contact="postmaster@wiki.example.org")

    @pytest.fixture
    def slept(self) -> list[float]:
        """The pauses that the wiki would have made."""
        return []

    @pytest.fixture
    def wiki(self, access: WikiAccess, slept: list[float]) -> Wiki:
        return type(self).adapter(access, sleep=slept.append)

    @pytest.fixture(autouse=True)
    def nothing_secret_in_the_log(self, bench: WikiBench, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
        caplog.set_level(logging.DEBUG)
        secrets = secrets_of(bench.credentials)
        yield
        assert_no_secret(caplog.text, secrets | secrets_of(bench.credentials))
