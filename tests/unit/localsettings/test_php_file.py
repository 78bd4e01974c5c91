"""What a PHP file sets, by our reader that never runs it and by PHP that does."""

import re
import time
from pathlib import Path
from types import ModuleType

import pytest
import tree_sitter
import tree_sitter_php
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sidecar.localsettings import php_changes, php_file, php_values
from sidecar.localsettings.php_file import Known, PhpError, PhpFile, Unknown, read
from tests.support.php import FATAL, Php

from .php_programs import programs

FILES = Path(__file__).parent / "files"  #: each says in its first line what we must know of it


def octets(source: str) -> bytes:
    return source.encode("utf-8", "surrogateescape")


@pytest.fixture(scope="module")
def php(tmp_path_factory: pytest.TempPathFactory) -> Php:
    return Php(tmp_path_factory.mktemp("php"))


def values(file: PhpFile) -> dict[bytes, object]:
    """What is known for certain: nothing that something in the file may set otherwise."""
    latest = max((doubt.line for doubt in file.doubts), default=0)
    return {
        name: found.value
        for name, found in file.variables.items()
        if isinstance(found, Known) and found.line > latest
    }


@pytest.mark.parametrize("name", sorted(path.stem for path in FILES.glob("*.php")))
def test_what_we_know_is_what_php_says(php: Php, name: str) -> None:
    source = (FILES / f"{name}.php").read_bytes()
    file, [told] = read(source), php.run([source])
    known = {name: repr(value) for name, value in values(file).items()}
    assert told is not FATAL
    assert {name: repr(told.get(name, FATAL)) for name in known} == known
    first = source.partition(b"\n")[0].decode().rstrip(" ?>\r")
    wanted = first.partition("known in the end:")[2].split()
    assert [name for name in wanted if not isinstance(file.get(name), Known)] == []


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(programs, min_size=10, max_size=10))
def test_whatever_a_file_does_we_know_nothing_that_php_does_not_say(php: Php, sources: list[str]) -> None:
    for source, told in zip(sources, php.run([octets(source) for source in sources]), strict=True):
        try:
            known = values(read(octets(source)))
        except PhpError:
            assert told is FATAL, source
            continue
        if told is not FATAL:
            wrong = {n: (v, told.get(n)) for n, v in known.items() if repr(told.get(n, FATAL)) != repr(v)}
            assert not wrong, source


WHY = {
    "if ( $x ) { $wgA = 1; }": "set under a condition",
    "$wgA = getenv( 'A' );": "set by a function (getenv)",
    "$wgA = SOMETHING;": "set by a constant (something)",
    "$wgA = $wgOther . 'x';": "set by $wgOther, which is not set in this file",
    "function f() { global $wgA; $wgA = 1; }": "set in a function, which may be called later",
    "$wgA = 1 > 2;": "set by an expression",
    "$wgA = &$b;": "set by reference: what changes another one changes it",
    "foo( $wgA );": "set in passing",
    "if ( $x ) { return; } $wgA = 1;": "set only if line 2 does not end the file before",
    "$wgA[] = 1;": "set by $wgA, which is not set in this file",
}


@pytest.mark.parametrize("code", WHY)
def test_what_is_not_known_is_told_with_its_line_and_why(code: str) -> None:
    assert read(b"<?php\n" + code.encode()).get("wgA") == Unknown(2, WHY[code])


DOUBTS = {
    'require_once "$IP/more.php";': "includes another file",
    "if ( $x ) include 'more.php';": "includes another file",
    "eval( $code );": "calls eval(), which may set anything",
    "extract( $array );": "calls extract(), which may set anything",
    "if ( $x ) { goto elsewhere; }": "goes elsewhere",
    "use function extract as take;": "gives a function of PHP another meaning",
    "function count( &$x ) {}": "gives a function of PHP another meaning",
    "$$name = 1;": "may set a variable whose name is not known",
    "$GLOBALS[$name] = 1;": "may set a variable whose name is not known",
    '$GLOBALS["wg$name"] = 1;': "may set a variable whose name is not known",
}  # fmt: skip


@pytest.mark.parametrize("code", DOUBTS)
def test_what_may_set_anything_is_told_with_its_line(code: str) -> None:
    [doubt] = read(b"<?php $wgA = 1;\n" + code.encode()).doubts
    assert (doubt.line, doubt.what) == (2, DOUBTS[code])


NO_PHP = "what begins here is no PHP; perhaps it is never closed"
BROKEN = {
    b"$wgA = 1;": "line 1: there is no <?php",
    b"<?php\n$wgA = 'never closed": f"line 2: {NO_PHP}",
    b'<?php\n\n$wgA = "never {$closed': f"line 3: {NO_PHP}",
    b"<?php /* never closed": f"line 1: {NO_PHP}",
    b"<?php $wgA = <<<EOT\nnever closed": f"line 1: {NO_PHP}",
    b"<?php\nif ( $x ) {\n$wgA = 1;": f"line 2: {NO_PHP}",
    b"<?php\n$wgA = [ 1 );": f"line 2: {NO_PHP}",
    b"<?php\n$wgA = 1;\nreturn;\n$wgB = ;": f"line 4: {NO_PHP}",
}


@pytest.mark.parametrize("source", BROKEN)
def test_a_file_that_php_could_not_run_either_is_refused_with_the_line(php: Php, source: bytes) -> None:
    with pytest.raises(PhpError) as caught:
        read(source)
    assert str(caught.value) == BROKEN[source]
    assert php.run([source]) == [FATAL if source.startswith(b"<?php") else {}]


def test_a_short_tag_is_code_or_not_as_php_is_set_up_and_refused() -> None:
    with pytest.raises(PhpError, match="line 2: <\\? without php"):
        read(b"<?php $wgA = 1; ?>\n<? $wgA = 2; ?>")


def test_a_file_larger_than_any_settings_is_refused() -> None:
    with pytest.raises(PhpError, match="line 1: more than 4,000,000 octets"):
        read(b"<?php " + b" " * 4_000_000)


def test_each_word_of_the_grammar_that_is_asked_for_is_one() -> None:
    """A grammar that calls something otherwise would hide it from us."""
    language = tree_sitter.Language(tree_sitter_php.language_php())
    asked = {word for module in (php_changes, php_file, php_values) for word in words_of(module)}
    assert {"update_expression", "by_ref", "heredoc_body", "encapsed_string", "exit_statement"} <= asked
    assert {word for word in asked if language.id_for_node_kind(word, True) is None} == set()


def words_of(module: ModuleType) -> set[str]:
    """What the source compares with the type of a node."""
    source = Path(str(module.__file__)).read_text()
    return set(re.findall(r'(?<!b)"([a-z]+(?:_[a-z]+)+)"', source)) - set(vars(module))


def only_its_own_error(source: bytes) -> None:
    try:
        read(source)
    except PhpError:
        return


@pytest.mark.slow
@settings(deadline=None)
@given(st.binary())
@example(b"<?php \\")
@example(b'<?php "\\')
@example(b"<?php $a = 0x; $b = 1__2; $c = 08; $d = 1e999; $e = 9 ** 9 ** 9 ** 9; $f = 1 / 0; $g = 1 % 0;")
@example(b"<?php $a = '\\u{'; $b = \"\\u{110000}\\u{\\u{zz}\";")
@example(b"<?php " + b"if(1)" * 5000 + b"$a=1;")
@example(b"<?php $a = " + b"(" * 5000 + b")" * 5000 + b";")
@example(b"<?php $a = " + b"[" * 5000 + b"]" * 5000 + b";")
@example(b"<?php " + b"$a = " * 5000 + b"1;")
@example(b"<?php $a = " + b"-" * 5000 + b"1; $b = " + b"2 **" * 5000 + b"1;")
@example(b"<?php " + b'"{$a["' * 500 + b"x" + b'"]}"' * 500 + b";")
def test_of_any_octets_it_says_what_it_is_or_its_own_error(source: bytes) -> None:
    only_its_own_error(source)
    only_its_own_error(b"<?php " + source)


_PIECES = b"""$wgA = ' " <<<A A; {$ } [ ] ( ) ; /* */ // if else : endif function return ${ \\ 1 ?> <?php
list global unset as => array . fn class do while try catch switch & ++ , -> $GLOBALS"""


@settings(deadline=None)
@given(st.lists(st.sampled_from(_PIECES.split()), max_size=60))
def test_of_pieces_of_php_too(pieces: list[bytes]) -> None:
    only_its_own_error(b"<?php " + b"\n".join(pieces))


SIZE = 200_000  # octets
LONG = {
    "statements": b"$wgA = 'x' . $wgB; $wgC[] = 1;\n",
    "open strings in braces": b'"{$a}',
    "comments": b"/* x */ # y\n",
    "open comments": b"/* ( ",
    "dots": b"$a = 'x'" + b" . 'x'" * 50 + b";",
    "conditions": b"if ( $x ): $wgA = 1; else: $wgA = 2; endif;\n",
    "nested alternatives": b"if ( $x ): ",
    "heredocs": b"$a = <<<EOT\nx\nEOT;\n",
    "doubled strings": b"$a = 'xxxxxxxx'; $a .= $a; $a .= $a;\n",
    "doubled arrays": b"$a = [ 1 ]; $b = [ $a, $a ]; $a = [ $b, $b ];\n",
    "functions": b"function f() { global $a; $a = 1; }\n",
    "brackets": b"foo( [ $a, [ $b ] ] );",
    "arguments": b"foo( $a, $b, $c, ",
    "backslashes": b"\\",
    "targets": b"[ $a, ",
}


@pytest.mark.slow
@pytest.mark.parametrize("piece", LONG)
def test_a_long_file_takes_time_in_proportion(piece: str) -> None:
    """Ten seconds for a megabyte at the worst; what is quadratic would take minutes."""
    source = b"<?php " + LONG[piece] * (SIZE // len(LONG[piece]))
    start = time.process_time()
    only_its_own_error(source)
    assert time.process_time() - start < 20 * SIZE / 1_000_000
