"""The files of tests that take longest begin first: the one that begins last is waited for at the end, alone.

Knows which they are. Does not know how they are shared out among processes: the Makefile says that.
"""

import pytest

__all__ = ["LONGEST"]

#: Below tests/, longest first; each takes a good part of a minute, or more.
LONGEST = (
    "e2e/test_nodes.py",
    "e2e/test_debian_life.py",
    "unit/scenario/test_stories.py",
    "e2e/test_outage_exercise.py",
    "e2e/test_database_trouble.py",
    "unit/storage/test_migrations.py",
    "unit/services/test_laws.py",
    "unit/services/test_identity_laws.py",
    "integration/test_dashboard_pages.py",
    "e2e/test_chaos.py",
    "e2e/test_mta_exim.py",
    "e2e/test_mta_postfix.py",
    "integration/test_import_interrupted.py",
    "e2e/test_migrating.py",
    "e2e/test_debian_package.py",
    "e2e/test_debian_exim.py",
    "e2e/test_debian_postfix.py",
    "e2e/test_installation.py",
    "e2e/test_whole_loop.py",
    "e2e/test_pipe_door.py",
    "e2e/test_smuggling.py",
    "bench/test_bench.py",
    "capture/test_capture.py",
    "fuzz/test_slice.py",
)


@pytest.hookimpl(trylast=True)  # after pytest has put those together that share a fixture
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one file keep their order."""
    tests = config.rootpath / "tests"
    place = {tests / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
