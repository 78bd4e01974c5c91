"""The practice wiki without HTTP keeps what the contract says of users; it has no logins."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sidecar.domain.wiki import Wiki
from tests.contract.practice_bench import PracticeBench
from tests.contract.test_telling_contract import TellingContract
from tests.contract.test_unconfirm_contract import UnconfirmContract
from wiki_adapter.practice_port import PracticePort
from wiki_adapter.practice_wiki import PracticeWiki


class WithoutHttp:
    """The users are those of a practice wiki that serves HTTP as well, for whoever wants a second client."""

    @pytest.fixture
    def practice(self) -> Iterator[PracticeWiki]:
        with PracticeWiki() as practice:
            yield practice

    @pytest.fixture
    def bench(self, practice: PracticeWiki) -> PracticeBench:
        return PracticeBench(practice, practice.api_url)

    @pytest.fixture
    def wiki(self, practice: PracticeWiki) -> Wiki:
        return PracticePort(practice, lambda: datetime.now(UTC))


class TestUnconfirm(WithoutHttp, UnconfirmContract):
    """Un-confirm and restore."""


class TestTelling(WithoutHttp, TellingContract):
    """Warn, announce, and what was mistyped."""
