"""TOML that breaks Python's reader is told in words, as any other that is wrong."""

from collections.abc import Callable

import pytest

from sidecar.configuration.config import ConfigError, parse
from sidecar.configuration.policies import PolicyError, policy_in
from sidecar.domain.table import read_tables
from sidecar.domain.toml_text import NotToml
from sidecar.domain.toml_text import parse as read
from sidecar.scenario.reading import ScenarioError, read_scenario

BROKEN = {
    "nested too deeply": f"a = {'[' * 2000}",
    "a number has too many digits": f"a = {'9' * 5000}",
    "Invalid value (at line 1, column 5)": "a = b",
}


def _configuration(text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        parse(text, lambda name: b"")
    return str(refused.value)


def _policy(text: str) -> str:
    with pytest.raises(PolicyError) as refused:
        policy_in(text)
    return str(refused.value)


def _story(text: str) -> str:
    with pytest.raises(ScenarioError) as refused:
        read_scenario(text)
    return str(refused.value)


def _rules(text: str) -> str:
    return read_tables((("own.toml", text),)).problems[0]


@pytest.mark.parametrize("words", BROKEN)
@pytest.mark.parametrize("told", [_configuration, _policy, _story, _rules])
def test_whatever_reads_toml_says_what_is_wrong_with_it(words: str, told: Callable[[str], str]) -> None:
    assert words in told(BROKEN[words])


def test_what_is_toml_is_read() -> None:
    assert read("a = [1]") == {"a": [1]}
    assert issubclass(NotToml, ValueError)
