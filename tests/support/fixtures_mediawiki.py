"""pytest plugin: the real MediaWiki of each version for the whole session: one, and a farm of two.

Knows how long a wiki lives and what is tidied up between tests.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .mediawiki import MediaWiki
from .mediawiki_farm import CENTRALAUTH, RealFarm, real_farm
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


#: CentralAuth tells user ids since 1.41.
FARMS = ["1.43"] if CENTRALAUTH else sorted(RELEASES)


@pytest.fixture(scope="session", params=FARMS)
def farm_of_the_session(request: pytest.FixtureRequest) -> Iterator[RealFarm]:
    """Started once for all tests; they ask for ``mediawiki_farm``."""
    version: str = request.param
    with ExitStack() as life:
        try:
            farm = life.enter_context(real_farm(version))
        except PackageUnavailable as e:
            if version == REQUIRED:
                missing(f"mediawiki {version}: {e}")
            pytest.skip(f"mediawiki {version} cannot be had here: {e}")
        yield farm


@pytest.fixture
def mediawiki_farm(farm_of_the_session: RealFarm) -> RealFarm:
    """Two running MediaWikis with central accounts; a test that asks for them runs once for each version."""
    for wiki in farm_of_the_session.wikis.values():
        wiki.reset()
    return farm_of_the_session
