"""pytest plugin: the real MediaWiki, one of each version for the whole session.

Knows how long a wiki lives and what is tidied up between tests.
"""

from collections.abc import Iterator

import pytest

from .mediawiki import MediaWiki
from .mediawiki_package import RELEASES, PackageUnavailable
from .places import missing

#: The one that this machine's own release has: it must be there. The others are tested where they can be had.
REQUIRED = "1.39"


@pytest.fixture(scope="session", params=sorted(RELEASES))
def mediawiki_of_the_session(request: pytest.FixtureRequest) -> Iterator[MediaWiki]:
    """Started once for all tests; they ask for ``mediawiki``."""
    version: str = request.param
    try:
        wiki = MediaWiki(version)
    except PackageUnavailable as e:
        if version == REQUIRED:
            missing(f"mediawiki {version}: {e}")
        pytest.skip(f"mediawiki {version} cannot be had here: {e}")
    with wiki:
        yield wiki


@pytest.fixture
def mediawiki(mediawiki_of_the_session: MediaWiki) -> MediaWiki:
    """A running MediaWiki with our extension; a test that asks for it runs once for each version.

    Settings, mail, logs, sessions and throttles are as fresh; users of earlier tests may be there.
    """
    mediawiki_of_the_session.reset()
    return mediawiki_of_the_session
