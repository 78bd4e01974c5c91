"""A wiki with a certificate that is not its own: no adapter says a word to it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.domain.wiki import CertificateRefused, WikiError, WikiUnavailable
from tests.attack.wiki.hostile import PASSWORD
from tests.attack.wiki.wire import ACTION
from tests.support.certificates import Authority, served
from wiki_adapter import Adapter, BotPassword, WikiAccess, open_wiki

DAY = timedelta(days=1)
BOTH = [Adapter.MWCLIENT, Adapter.PYWIKIBOT]


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One whom this host trusts."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    return authority


def told(certificate: Path, adapter: Adapter) -> WikiError:
    with served(certificate) as port:
        bot = BotPassword("BounceBot@sidecar", PASSWORD)
        client = open_wiki(WikiAccess(f"https://localhost:{port}/w/api.php", bot, "", adapter))
        client._caller._patiently.sleep = lambda _seconds: None  # type: ignore[attr-defined]
        with pytest.raises(WikiError) as caught:
            client.perform(ACTION)
        client.close()
    return caught.value


@pytest.mark.parametrize("adapter", BOTH)
@pytest.mark.parametrize("wrong", ["another host", "expired", "self-signed"])
def test_a_certificate_that_is_not_its_own_ends_it(
    authority: Authority, wrong: str, adapter: Adapter
) -> None:
    now = datetime.now(UTC)
    host = "evil.example" if wrong == "another host" else "localhost"
    until = now - DAY if wrong == "expired" else now + DAY
    certificate = authority.certify(host, until, by_itself=wrong == "self-signed")
    error = told(certificate, adapter)
    assert isinstance(error, CertificateRefused), error
    assert PASSWORD not in str(error)


@pytest.mark.parametrize("adapter", BOTH)
def test_a_good_one_does_not(authority: Authority, adapter: Adapter) -> None:
    """Behind it nobody answers."""
    error = told(authority.certify("localhost", datetime.now(UTC) + DAY), adapter)
    assert isinstance(error, WikiUnavailable)
    assert not isinstance(error, CertificateRefused)
