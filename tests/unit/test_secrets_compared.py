"""Whoever compares a secret does so in constant time: ``hmac.compare_digest``, and never ``==``.

How long ``==`` takes says how much of a guess is right. The names of values are what this goes by.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECRET = re.compile(
    r"(?i)(^|_)(secrets?|passwords?|(lg|csrf)?tokens?|macs?|hmac|signatures?|digests?|sealed|cookies?|bond|authorization)$"
)
OPERATORS = (ast.Eq, ast.NotEq)

#: Where such a name is none of a secret, or nobody can measure.
ELSE = {
    "sidecar/storage/": "columns: SQL compares",
    "sidecar/domain/pattern.py": "the tokens of a regular expression",
    "wiki_adapter/practice_": "a wiki to practise with, on this host",
}
COMPARED = {"sidecar/domain/verp.py", "sidecar/edges/http_gate.py", "sidecar/edges/dashboard/gate.py"}


def name_of(node: ast.expr) -> str:
    """What a value is called: the last word of it."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return name_of(function)
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
            return name or name_of(value)
    return ""


def compared_openly(text: str) -> Iterator[str]:
    """Comparisons of something named like a secret with something that is no constant."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Compare) or not any(isinstance(one, OPERATORS) for one in node.ops):
            continue
        sides = [node.left, *node.comparators]
        constant = any(isinstance(side, ast.Constant | ast.Tuple | ast.List | ast.Set) for side in sides)
        if not constant and any(SECRET.search(name_of(side)) for side in sides):
            yield ast.unparse(node)


FILES = [
    path
    for top in ("sidecar", "wiki_adapter")
    for path in sorted((ROOT / top).rglob("*.py"))
    if not str(path.relative_to(ROOT)).startswith(tuple(ELSE))
]


def test_no_secret_is_compared_with_the_sign_of_equality() -> None:
    found = {str(path.relative_to(ROOT)): list(compared_openly(path.read_text("utf-8"))) for path in FILES}
    assert {place: these for place, these in found.items() if these} == {}


def test_those_who_compare_one_do_so_in_constant_time() -> None:
    said = {str(p.relative_to(ROOT)) for p in FILES if "hmac.compare_digest(" in p.read_text("utf-8")}
    assert said >= COMPARED


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("token == brought", ["token == brought"]),
        ("a.secret != b", ["a.secret != b"]),
        ("mac(x) == known", ["mac(x) == known"]),
        ('given["lgtoken"] == right', ["given['lgtoken'] == right"]),
        ("token == ''", []),
        ("hmac.compare_digest(token, brought)", []),
        ("tokens_left == other", []),
    ],
)
def test_what_is_found(text: str, found: list[str]) -> None:
    assert list(compared_openly(text)) == found
