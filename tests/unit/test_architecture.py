"""Every line knows its room. The import contracts are lint-imports' part; these are the words of a room."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted(path for top in ("sidecar", "wiki_adapter") for path in (ROOT / top).rglob("*.py"))

#: word -> the only places in which it may be said
ROOMS = {
    "await": r"sidecar/(cli|daemon|demo|doctor|doors|edges|issuing|loops|replaying|scenario|services|"
    r"signing|processes/(child|hand|wire)|storage/(database|writers)|threads)",
    "create_engine": r"sidecar/storage/(engines|mediawiki)",
    "run_in_executor": r"sidecar/threads",
    "add_signal_handler": r"sidecar/daemon",
    "Retrying": r"(wiki_adapter/|sidecar/storage/(engines|writers|migrations/steps))",
    "random": r"sidecar/daemon",
    "execute": r"sidecar/storage/",
    "commit": r"sidecar/storage/(engines|writers)",
}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def words(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Await | ast.AsyncFunctionDef):
            yield "await"


def said(pattern: str) -> list[str]:
    return [str(p.relative_to(ROOT)) for p in FILES if re.search(pattern, p.read_text("utf-8"))]


def test_words_stay_in_their_rooms() -> None:
    strays = [
        (place, word)
        for path in FILES
        for place in [str(path.relative_to(ROOT))]
        for word in sorted(set(words(path)) & set(ROOMS))
        if not re.match(ROOMS[word], place)
    ]
    assert strays == []


def test_one_room_looks_at_the_clock_and_the_practice_wiki_at_its_own() -> None:
    looks = r"datetime\.(now|utcnow)\(|time\.time\("
    assert said(looks) == ["sidecar/clock.py", "wiki_adapter/practice_site.py"]


def test_reply_codes_are_spelled_in_one_table() -> None:
    spelled = said(r'"[2345]\d\d[ -][245]\.\d\.\d')
    assert [place for place in spelled if "/domain/" not in place] == ["sidecar/edges/replies.py"]


def test_every_file_introduces_itself() -> None:
    silent = [path for path in FILES if not ast.get_docstring(parsed(path))]
    assert silent == []


def test_no_file_is_longer_than_a_room() -> None:
    long = {str(p.relative_to(ROOT)): n for p in FILES if (n := len(p.read_text("utf-8").splitlines())) > 300}
    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    functions = (
        (str(path.relative_to(ROOT)), node.name, (node.end_lineno or 0) - node.lineno + 1)
        for path in FILES
        if "migrations" not in path.parts
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert [function for function in functions if function[2] > 40] == []
