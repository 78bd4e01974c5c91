"""Which variables may be changed by code that nobody can follow: conditions, functions, other files.

Knows the ways in which PHP changes a variable. In doubt one is changed. Does not know values.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .php_code import Code
from .php_tokens import Kind

__all__ = ["ASSIGNS", "Changes", "Doubt", "Touched", "changes"]

ASSIGNS = (
    b"=", b".=", b"+=", b"-=", b"*=", b"/=", b"??=", b"**=", b"%=", b"&=", b"|=", b"^=", b"<<=", b">>=",
)  # fmt: skip
_STEPS = (b"++", b"--")
_INCLUDES = (b"include", b"include_once", b"require", b"require_once")
_ANYTHING = (b"eval", b"extract", b"parse_str", b"\\extract", b"\\parse_str")
#: What takes its arguments by value, of all that a LocalSettings.php may call; most are keywords.
_BY_VALUE = (
    b"use", b"function", b"fn", b"catch", b"if", b"elseif", b"while", b"switch", b"match", b"echo", b"print",
    b"return", b"exit", b"die", b"and", b"or", b"array", b"isset", b"empty", b"define", b"defined",
    b"in_array", b"count", b"strlen", b"getenv", b"sprintf", b"is_array", b"str_replace", b"rtrim", b"trim",
    b"file_exists",
)  # fmt: skip
_MOST_BRACKETS = 10  # of arrays in arrays through which a target is looked for


@dataclass(frozen=True)
class Doubt:
    """Something that may set any variable."""

    line: int
    what: str


@dataclass(frozen=True)
class Touched:
    """A variable that may be changed."""

    name: bytes
    line: int
    later: bool  #: in a function, whenever that is called


@dataclass
class Changes:
    """What a piece of code may do."""

    touched: list[Touched] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    may_end: int = 0  #: the line that may end the file there; 0 if none does


def changes(code: Code, start: int, end: int, *, in_function: bool = False) -> Changes:
    """What the tokens from *start* up to *end* may change, whether or not they are carried out."""
    found = Changes()
    for at, function in _walk(code, start, end, in_function):
        token = code.tokens[at]
        if token.kind is Kind.NAME:
            _note_name(code, at, function, found)
        elif named := code.variable(at):
            if _may_change(code, at, named[1], end):
                found.touched.append(Touched(named[0], token.line, function))
        elif code.is_sign(at, b"$") or (token.kind is Kind.VARIABLE and token.text == b"GLOBALS"):
            found.doubts.append(Doubt(token.line, "may set a variable whose name is not known"))
    return found


def _walk(code: Code, start: int, end: int, in_function: bool) -> Iterator[tuple[int, bool]]:
    """Each token, and whether it is part of a function's body."""
    until = end if in_function else start
    for at in range(start, end):
        if at >= until and code.is_name(at, b"function", b"fn"):
            until = code.behind_braces(at) if code.is_name(at, b"function") else end
        yield at, at < until


def _note_name(code: Code, at: int, function: bool, found: Changes) -> None:
    token = code.tokens[at]
    if token.text in _INCLUDES:
        found.doubts.append(Doubt(token.line, "includes another file"))
    elif token.text in _ANYTHING and code.is_sign(at + 1, b"("):
        found.doubts.append(Doubt(token.line, f"calls {token.text.decode()}(), which may set anything"))
    elif token.text in (b"return", b"goto") and not function:
        found.may_end = found.may_end or token.line


def _may_change(code: Code, at: int, behind: int, end: int) -> bool:
    """Whether the variable at *at*, with what stands behind it, may be changed."""
    while behind < end and code.is_sign(behind, b"[", b"{", b"->", b"?->"):
        behind = max(code.tokens[behind].match, behind + code.is_sign(behind, b"->", b"?->")) + 1
    if code.is_sign(behind, *ASSIGNS, *_STEPS) or code.is_sign(at - 1, b"&", *_STEPS):
        return True
    if code.is_name(at - 1, b"as", b"static"):
        return True
    if code.is_sign(at - 1, b"=>") and _is_of_foreach(code, at):
        return True
    alone = code.is_sign(behind, b",", b")", b"]") and code.is_sign(at - 1, b"(", b",", b"[", b"=>")
    return alone and _may_be_given_away(code, at)


def _is_of_foreach(code: Code, at: int) -> bool:
    """`foreach ( ... as $key => $variable )`."""
    return code.is_name(code.opener(at) - 1, b"foreach")


def _may_be_given_away(code: Code, at: int) -> bool:
    """Whether the variable is an argument of a function, or a target of `[ $a, $b ] =`."""
    opener = code.opener(at)
    for _ in range(_MOST_BRACKETS):
        if not code.is_sign(opener, b"["):
            break
        if code.is_sign(code.tokens[opener].match + 1, b"=") or code.is_name(opener - 1, b"as"):
            return True
        opener = code.opener(opener)
        if not code.is_sign(opener, b"["):
            return False
    else:
        return True
    if opener < 1:
        return False
    before = code.tokens[opener - 1]
    if before.kind is Kind.NAME:
        return before.text not in _BY_VALUE
    return before.kind is Kind.VARIABLE or code.is_sign(opener - 1, b")", b"]", b"}")
