"""PHP as tokens: what is code, what is a comment, what is a string, and which bracket closes which.

Knows the lexical part of PHP (its manual, "Basic syntax", "Strings", "Integers"). Does not know what any of
it does. Takes time in proportion to the file.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Kind", "PhpError", "Token", "Unreadable", "Variable", "tokens"]

DEEPEST = 40  # strings in strings, brackets in brackets beyond which nobody writes settings


class PhpError(Exception):
    """The file is no PHP that could be run either; the message names the line."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")


class Kind(StrEnum):
    """What a token is."""

    VARIABLE = "variable"  #: text: its name, without $
    NAME = "name"  #: a keyword, constant, function or class; text in lower case
    NUMBER = "number"
    STRING = "string"  #: parts: what it is made of
    SIGN = "sign"


@dataclass(frozen=True)
class Variable:
    """A variable in a string."""

    name: bytes


@dataclass(frozen=True)
class Unreadable:
    """A part of a string that takes more than a variable to know."""


Part = bytes | Variable | Unreadable


@dataclass
class Token:
    """One token; a bracket knows its other half."""

    kind: Kind
    text: bytes
    line: int
    parts: tuple[Part, ...] = ()
    match: int = -1  #: of a bracket: where its other half stands among the tokens


_IDENTIFIER = rb"[a-zA-Z_\x80-\xff][a-zA-Z0-9_\x80-\xff]*+"
_OPEN_TAG = re.compile(rb"<\?(?:php(?=\s|$)|=)", re.IGNORECASE)
_SPACE = re.compile(rb"[ \t\r\n\f\v]++|(?:\#(?!\[)|//)(?:[^\r\n?]|\?(?!>))*+")
_VARIABLE = re.compile(rb"\$(" + _IDENTIFIER + rb")")
_NAME = re.compile(rb"\\?" + _IDENTIFIER + rb"(?:\\" + _IDENTIFIER + rb")*+")
_NUMBER = re.compile(
    rb"0[xX][0-9a-fA-F_]++|0[bB][01_]++|0[oO][0-7_]++"
    rb"|(?:[0-9][0-9_]*+)?\.[0-9][0-9_]*+(?:[eE][+-]?[0-9]++)?"
    rb"|[0-9][0-9_]*+\.?(?:[eE][+-]?[0-9]++)?"
)
_SINGLE = re.compile(rb"'([^'\\]*+(?:\\.[^'\\]*+)*+)'", re.DOTALL)
_HEREDOC = re.compile(rb"<<<[ \t]*+([\"']?)(" + _IDENTIFIER + rb")\1\r?\n")
_SIGNS = re.compile(
    rb"\?>|\.\.\.|\*\*=|<=>|===|!==|<<=|>>=|\?\?=|\?->|\*\*|\+\+|--|->|=>|::|==|!=|<>|<=|>=|&&|\|\||\?\?"
    rb"|\+=|-=|\*=|/=|\.=|%=|&=|\|=|\^=|<<|>>|.",
    re.DOTALL,
)
_PLAIN = re.compile(rb"[^\\\"`${]++")
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u\{([0-9A-Fa-f]++)\}|(.))", re.DOTALL)
_ESCAPES = {
    b"n": b"\n",
    b"t": b"\t",
    b"r": b"\r",
    b"v": b"\v",
    b"e": b"\x1b",
    b"f": b"\f",
    b"\\": b"\\",
    b"$": b"$",
}
_MORE = re.compile(rb"\[|\??->[a-zA-Z_\x80-\xff]")  # behind a variable in a string
_BRACED_NAME = re.compile(rb"\$\{(" + _IDENTIFIER + rb")\}")
_CLOSES = {b")": b"(", b"]": b"[", b"}": b"{"}


def tokens(source: bytes) -> list[Token]:
    """Every token of *source*; `?>` is a semicolon, as it is for PHP. Raises PhpError."""
    found = _Lexer(source).file()
    _match(found)
    return found


class _Lexer:
    def __init__(self, source: bytes, line: int = 1) -> None:
        self._source, self._at, self._line, self._counted = source, 0, line, 0

    def file(self) -> list[Token]:
        found: list[Token] = []
        while tag := _OPEN_TAG.search(self._source, self._at):
            self._at = tag.end()
            found += self._code(0)
        if not found and not _OPEN_TAG.search(self._source):
            raise PhpError(1, "there is no <?php")
        return found

    def _code(self, depth: int) -> list[Token]:
        """Up to `?>`, or, inside a string, to the brace that ends it."""
        found: list[Token] = []
        braces = 0
        while self._at < len(self._source):
            if self._skipped():
                continue
            token = self._token(depth)
            if token.text == b"?>" and token.kind is Kind.SIGN:
                found.append(Token(Kind.SIGN, b";", token.line))
                return found
            if depth and token.kind is Kind.SIGN:
                braces += (token.text == b"{") - (token.text == b"}")
                if braces < 0:
                    return found
            found.append(token)
            if token.text == b"__halt_compiler" and token.kind is Kind.NAME:
                self._at = len(self._source)
        if depth:
            raise PhpError(self._now(), "a brace in a string is never closed")
        return found

    def _skipped(self) -> bool:
        """Blanks and comments of all three kinds."""
        if space := _SPACE.match(self._source, self._at):
            self._at = space.end()
            return True
        if not self._source.startswith(b"/*", self._at):
            return False
        end = self._source.find(b"*/", self._at + 2)
        if end < 0:
            raise PhpError(self._now(), "a comment is never closed")
        self._at = end + 2
        return True

    def _token(self, depth: int) -> Token:
        line, first = self._now(), self._source[self._at : self._at + 1]
        if first == b"'":
            return Token(Kind.STRING, b"", line, (self._single(line),))
        if first in (b'"', b"`"):
            self._at += 1
            parts = self._interpolated(first, depth)
            return Token(Kind.STRING, b"", line, parts if first == b'"' else (Unreadable(),))
        if heredoc := _HEREDOC.match(self._source, self._at):
            return Token(Kind.STRING, b"", line, self._heredoc(heredoc, line, depth))
        for pattern, kind in ((_VARIABLE, Kind.VARIABLE), (_NAME, Kind.NAME), (_NUMBER, Kind.NUMBER)):
            if match := pattern.match(self._source, self._at):
                self._at = match.end()
                text = match[1] if kind is Kind.VARIABLE else match[0]
                return Token(kind, text.lower() if kind is Kind.NAME else text, line)
        sign = _SIGNS.match(self._source, self._at)
        assert sign is not None  # its last branch takes any octet
        self._at = sign.end()
        return Token(Kind.SIGN, sign[0], line)

    def _single(self, line: int) -> bytes:
        match = _SINGLE.match(self._source, self._at)
        if match is None:
            raise PhpError(line, "a string is never closed")
        self._at = match.end()
        return re.sub(rb"\\([\\'])", rb"\1", match[1])

    def _interpolated(self, end: bytes, depth: int) -> tuple[Part, ...]:
        """Up to the quotation mark *end*; none: to the end of what there is."""
        line = self._now()
        parts: list[Part] = []
        while self._at < len(self._source):
            if end and self._source.startswith(end, self._at):
                self._at += 1
                return _joined(parts)
            parts.append(self._part(end, depth))
        if end:
            raise PhpError(line, "a string is never closed")
        return _joined(parts)

    def _part(self, end: bytes, depth: int) -> Part:
        if plain := _PLAIN.match(self._source, self._at):
            self._at = plain.end()
            return plain[0]
        if self._source.startswith(b"\\", self._at):
            return self._escape(end)
        if variable := _VARIABLE.match(self._source, self._at):
            self._at = variable.end()
            return Unreadable() if _MORE.match(self._source, self._at) else Variable(variable[1])
        if braced := _BRACED_NAME.match(self._source, self._at):
            self._at = braced.end()
            return Variable(braced[1])
        if self._source.startswith((b"{$", b"${"), self._at):
            return self._nested(depth)
        self._at += 1
        return self._source[self._at - 1 : self._at]

    def _nested(self, depth: int) -> Part:
        """An expression in braces: known if it is a variable alone."""
        if depth >= DEEPEST:
            raise PhpError(self._now(), "strings in strings, too deep")
        dollar = self._source.startswith(b"${", self._at)
        self._at += 2 if dollar else 1
        inside = self._code(depth + 1)
        alone = len(inside) == 1 and inside[0].kind is Kind.VARIABLE and not dollar
        return Variable(inside[0].text) if alone else Unreadable()

    def _escape(self, end: bytes) -> Part:
        match = _ESCAPE.match(self._source, self._at)
        if match is None:  # the last octet of the file
            self._at += 1
            return b"\\"
        self._at = match.end()
        octal, hexadecimal, point, letter = match.groups()
        if octal:
            return bytes([int(octal, 8) & 0xFF])
        if hexadecimal:
            return bytes([int(hexadecimal, 16)])
        if point:
            return _utf8(point)
        if letter == b"u" and self._source.startswith(b"{", self._at):
            return Unreadable()
        return letter if letter == end else _ESCAPES.get(letter, b"\\" + letter)

    def _heredoc(self, opening: re.Match[bytes], line: int, depth: int) -> tuple[Part, ...]:
        quote, name = opening.groups()
        closing = re.compile(rb"^([ \t]*+)" + name + rb"(?![a-zA-Z0-9_\x80-\xff])", re.MULTILINE)
        match = closing.search(self._source, opening.end())
        if match is None:
            raise PhpError(line, f"<<<{name.decode('utf-8', 'replace')} is never closed")
        body, self._at = self._source[opening.end() : match.start()], match.end()
        body = re.sub(rb"\r?\n\Z", b"", body)
        if indent := match[1]:
            if any(row.strip() and not row.startswith(indent) for row in body.split(b"\n")):
                return (Unreadable(),)
            body = re.sub(rb"^[ \t]{0,%d}+" % len(indent), b"", body, flags=re.MULTILINE)
        return (body,) if quote == b"'" else _Lexer(body, line + 1)._whole(depth)

    def _whole(self, depth: int) -> tuple[Part, ...]:
        if depth >= DEEPEST:
            raise PhpError(self._line, "strings in strings, too deep")
        return self._interpolated(b"", depth + 1)

    def _now(self) -> int:
        """The line of where we are, counted once."""
        self._line += self._source.count(b"\n", self._counted, self._at)
        self._counted = self._at
        return self._line


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    joined: list[Part] = []
    run: list[bytes] = []
    for part in [*parts, Unreadable()]:
        if isinstance(part, bytes):
            run.append(part)
            continue
        if run:
            joined.append(b"".join(run))
            run = []
        joined.append(part)
    return tuple(joined[:-1]) or (b"",)


def _utf8(point: bytes) -> Part:
    number = int(point[:8], 16)
    if len(point) > 8 or number > 0x10FFFF:
        return Unreadable()
    return chr(number).encode("utf-8", "surrogatepass")


def _match(found: list[Token]) -> None:
    """Tell each bracket its other half."""
    waiting: list[int] = []
    for index, token in enumerate(found):
        if token.kind is not Kind.SIGN:
            continue
        if token.text in (b"(", b"[", b"{"):
            waiting.append(index)
        elif token.text in _CLOSES:
            if not waiting or found[waiting[-1]].text != _CLOSES[token.text]:
                raise PhpError(token.line, f"a {token.text.decode()} that closes nothing")
            opener = waiting.pop()
            token.match, found[opener].match = opener, index
    if waiting:
        opener_token = found[waiting[-1]]
        raise PhpError(opener_token.line, f"a {opener_token.text.decode()} that is never closed")
