"""The way to a web server: real sockets, real certificates, each wrong in its own way."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.edges import tls_look
from sidecar.edges.tls_look import CannotReach
from tests.support.certificates import Authority, served
from tests.support.places import free_port

LATER = (datetime.now(UTC) + timedelta(days=90)).replace(microsecond=0)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Trusted by whoever uses requests here."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    return authority


def refused(port: int, host: str = "localhost") -> CannotReach:
    with pytest.raises(CannotReach) as caught:
        tls_look.look(f"https://{host}:{port}/w/api.php")
    return caught.value


def test_a_good_certificate_tells_its_end(authority: Authority) -> None:
    with served(authority.certify("localhost", LATER)) as port:
        assert tls_look.look(f"https://localhost:{port}/w/api.php") == LATER


def test_http_has_none() -> None:
    with served(None) as port:
        assert tls_look.look(f"http://127.0.0.1:{port}/w/api.php") is None


def test_an_expired_one(authority: Authority) -> None:
    with served(authority.certify("localhost", datetime.now(UTC) - timedelta(hours=1))) as port:
        error = refused(port)
    assert (str(error), error.remedy) == (
        "the certificate of localhost: certificate has expired",
        "renew the wiki's certificate",
    )


def test_one_that_signed_itself(authority: Authority) -> None:
    with served(authority.certify("localhost", LATER, by_itself=True)) as port:
        error = refused(port)
    assert "self-signed certificate" in str(error)
    assert "REQUESTS_CA_BUNDLE" in error.remedy


def test_one_of_another_name(authority: Authority) -> None:
    with served(authority.certify("other.example.org", LATER)) as port:
        error = refused(port)
    assert "certificate is not valid for 'localhost'" in str(error)
    assert "name the host in api as its certificate does" in error.remedy


def test_one_of_an_authority_that_nobody_trusts(tmp_path: Path) -> None:
    with served(Authority(tmp_path).certify("localhost", LATER)) as port:
        error = refused(port)
    assert "unable to get local issuer certificate" in str(error)
    assert "intermediate certificates" in error.remedy


def test_no_tls_at_all() -> None:
    with served(None) as port:
        error = refused(port)
    assert str(error).startswith("no TLS with localhost")
    assert error.remedy == "check scheme and port of api"


def test_nobody_there_and_no_such_name() -> None:
    assert "takes no connection: Connection refused" in str(refused(free_port()))
    assert "cannot be looked up" in str(refused(443, "no-such-host.invalid"))


def test_by_a_proxy_the_way_from_here_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not tls_look.by_proxy("https://wiki.example.org/w/api.php")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org:3128")
    assert tls_look.by_proxy("https://wiki.example.org/w/api.php")
