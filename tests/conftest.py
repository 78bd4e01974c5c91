"""Fixtures that more than one folder of tests uses; each plugin opens with what it brings."""

pytest_plugins = ["tests.support.fixtures_mediawiki", "tests.support.fixtures_mta"]
