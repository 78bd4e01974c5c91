"""The plugins that bring what more than one folder of tests uses; each opens with what that is."""

pytest_plugins = [
    "tests.support.done_once",
    "tests.support.fixtures_browser",
    "tests.support.fixtures_databases",
    "tests.support.fixtures_debian",
    "tests.support.fixtures_logging",
    "tests.support.fixtures_logs",
    "tests.support.fixtures_mediawiki",
    "tests.support.fixtures_mta",
    "tests.support.logs_when_failed",
    "tests.support.longest_first",
]
