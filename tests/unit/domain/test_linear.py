"""No regular expression of the domain takes more than linear time, whatever is written to it.

Only growth is compared: sixteen times as much may take sixty times as long, where a quadratic expression
would need two hundred and fifty times.
"""

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from itertools import product

import pytest

import sidecar.domain

from .rulebook import shipped

pytestmark = pytest.mark.slow

BOOK = shipped()
SMALL, LARGE = 500, 8_000  # characters
MAX_GROWTH = 60.0
NOISE = 0.004  # seconds; what is done with the large text in less is quick enough at any growth

FILLERS = [
    "a",
    " ",
    "a ",
    "<",
    "(",
    "[",
    "@",
    "a@",
    "1",
    "1.",
    "-",
    ":",
    "\\",
    '"',
    "=?",
    "&",
    "\n",
    " \n",
    "\t",
]


def of_rules() -> Iterator[tuple[str, re.Pattern[str]]]:
    for entry in (*BOOK.rules, *BOOK.vetoes):
        for number, phrase in enumerate(entry.text):
            yield f"{entry.id} {number}", phrase.expression


def of_modules() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes], str]]:
    """Every expression that a module keeps, with the methods that the module's own lines call on it."""
    for found in pkgutil.iter_modules(sidecar.domain.__path__):
        module = importlib.import_module(f"sidecar.domain.{found.name}")
        source = module.__spec__.loader.get_source(module.__name__)  # type: ignore[union-attr]
        used = {
            (node.value.id, node.attr)
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                for method in ("search", "match", "fullmatch", "finditer", "findall", "sub", "split"):
                    if (name, method) in used:
                        yield f"{found.name}.{name}", value, method


def adversaries(pattern: str) -> list[str]:
    """What an expression likes to begin with: its own words over and over, and common trouble."""
    plain = re.sub(r"\\.|\(\?<?[:=!]|\{[^}]*\}|[()\[\]|?*+^$.]", " ", pattern)
    words = [word for word in plain.split() if len(word) > 2]
    return [*FILLERS, *(f"{word} " for word in dict.fromkeys(words[:3] + words[-2:]))]


def seconds(work: Callable[[], object], enough: float = NOISE) -> float:
    """What it takes at best of five times; what takes less than *enough* is not asked again."""
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
        if best < enough:
            break
    return best


def assert_linear(expression: re.Pattern[str] | re.Pattern[bytes], method: str) -> None:
    written = (
        expression.pattern if isinstance(expression.pattern, str) else expression.pattern.decode("latin-1")
    )
    for filler, end in product(adversaries(written), ("", "!")):
        small, large = (
            text if isinstance(expression.pattern, str) else text.encode("utf-8")
            for text in ((filler * (size // len(filler) + 1))[:size] + end for size in (SMALL, LARGE))
        )
        took = seconds(lambda text=large: run(expression, method, text))  # type: ignore[misc]
        if took > NOISE:
            before = seconds(lambda text=small: run(expression, method, text), enough=0.0)  # type: ignore[misc]
            assert took < MAX_GROWTH * before, (filler, took, before)


def run(expression: re.Pattern[str] | re.Pattern[bytes], method: str, text: str | bytes) -> None:
    if method == "sub":
        expression.sub(text[:0], text)  # type: ignore[call-overload]
    elif method == "finditer":
        for _ in expression.finditer(text):  # type: ignore[call-overload]
            pass
    else:
        getattr(expression, method)(text)


@pytest.mark.parametrize("expression", [pytest.param(value, id=name) for name, value in of_rules()])
def test_a_phrase_of_a_rule_is_linear(expression: re.Pattern[str]) -> None:
    assert_linear(expression, "search")


@pytest.mark.parametrize(
    ("expression", "method"),
    [pytest.param(value, how, id=f"{name}.{how}") for name, value, how in of_modules()],
)
def test_an_expression_of_a_module_is_linear(expression: re.Pattern[str], method: str) -> None:
    assert_linear(expression, method)


def test_the_walk_finds_the_expressions() -> None:
    assert len(list(of_modules())) >= 20


def test_the_test_would_see_a_quadratic_expression() -> None:
    with pytest.raises(AssertionError):
        assert_linear(re.compile(r"a[^!]*b"), "search")
