"""PHP's statements: where each begins and ends, and which variable stands where.

Knows the grammar of statements and of variables' names. Does not know values, nor what a statement does.
"""

from collections.abc import Sequence

from .php_tokens import Kind, Token

__all__ = ["CLASSES", "CONTROLS", "Code"]

_LOOPS = {
    b"if": b"endif",
    b"while": b"endwhile",
    b"for": b"endfor",
    b"foreach": b"endforeach",
    b"switch": b"endswitch",
}
CONTROLS = (*_LOOPS, b"else", b"elseif", b"do", b"try", b"catch", b"finally")
CLASSES = (b"class", b"abstract", b"final", b"interface", b"trait", b"enum", b"readonly")
DEEPEST = 50  # statements in statements without braces; what is deeper is one with all that follows

#: How a statement goes on behind its first part.
_GOES_ON = {
    b"if": (b"else", b"elseif"),
    b"elseif": (b"else", b"elseif"),
    b"do": (b"while",),
    b"try": (b"catch", b"finally"),
    b"catch": (b"catch", b"finally"),
}


class Code:
    """The tokens of a file, and where its statements end."""

    def __init__(self, found: Sequence[Token]) -> None:
        self.tokens = found
        self._around = _around(found)

    def __len__(self) -> int:
        return len(self.tokens)

    def is_sign(self, at: int, *signs: bytes) -> bool:
        return 0 <= at < len(self) and self.tokens[at].kind is Kind.SIGN and self.tokens[at].text in signs

    def is_name(self, at: int, *names: bytes) -> bool:
        return 0 <= at < len(self) and self.tokens[at].kind is Kind.NAME and self.tokens[at].text in names

    def opener(self, at: int) -> int:
        """Where the bracket around a token stands, -1 if there is none."""
        return self._around[at]

    def target(self, at: int, end: int) -> tuple[bytes, list[tuple[int, int]], int] | None:
        """`$name`, `$GLOBALS['name']` or `${'name'}` with its subscripts, and what stands behind."""
        named = self.variable(at)
        if named is None:
            return None
        name, behind = named
        path = []
        while behind < end and self.is_sign(behind, b"["):
            close = self.tokens[behind].match
            path.append((behind + 1, close))
            behind = close + 1
        return name, path, behind

    def variable(self, at: int) -> tuple[bytes, int] | None:
        """The name of the variable that stands at *at*, and where it ends; None if none does."""
        if at >= len(self.tokens):
            return None
        token = self.tokens[at]
        if token.kind is Kind.VARIABLE and token.text != b"GLOBALS":
            return token.text, at + 1
        opener = at + 1 if token.kind is Kind.VARIABLE or token.text == b"$" else -1
        if opener < 0 or not self.is_sign(opener, b"[" if token.kind is Kind.VARIABLE else b"{"):
            return None
        close = self.tokens[opener].match
        inside = self.tokens[opener + 1 : close] if close == opener + 2 else []
        if inside and inside[0].kind is Kind.STRING and all(isinstance(p, bytes) for p in inside[0].parts):
            return b"".join(p for p in inside[0].parts if isinstance(p, bytes)), close + 1
        return None

    def is_function(self, at: int) -> bool:
        """A function's declaration: it has a name."""
        if not self.is_name(at, b"function"):
            return False
        named = at + 2 if self.is_sign(at + 1, b"&") else at + 1
        return named < len(self.tokens) and self.tokens[named].kind is Kind.NAME

    def end(self, at: int, depth: int) -> int:
        """Behind the statement at *at*, whatever it holds."""
        if at >= len(self.tokens) or depth > DEEPEST:
            return len(self.tokens)
        token = self.tokens[at]
        if token.kind is Kind.SIGN and token.text == b"{":
            return token.match + 1
        if token.kind is Kind.NAME and token.text in CONTROLS:
            return self._end_of_control(at, depth)
        if self.is_function(at) or (token.kind is Kind.NAME and token.text in CLASSES):
            return self.behind_braces(at)
        if self.is_name(at, b"namespace") and self.is_sign(at + 2, b"{"):
            return at + 2
        return self._semicolon(at)

    def _semicolon(self, at: int) -> int:
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.kind is Kind.SIGN and token.text == b";":
                return at + 1
            if token.kind is Kind.SIGN and token.text in (b"}", b")", b"]"):
                return at
            at = token.match + 1 if token.match > at else at + 1
        return at

    def _end_of_control(self, at: int, depth: int) -> int:
        keyword = self.tokens[at].text
        behind = at + 1
        if self.is_sign(behind, b"("):
            behind = self.tokens[behind].match + 1
        if self.is_sign(behind, b":"):
            return self._end_of_colon(behind, keyword)
        end = self.end(behind, depth + 1)
        while self._follows(keyword, end):
            keyword = self.tokens[end].text
            behind = end + 1
            if self.is_sign(behind, b"("):
                behind = self.tokens[behind].match + 1
            end = self.end(behind, depth + 1)
        return end

    def _follows(self, keyword: bytes, at: int) -> bool:
        return self.is_name(at, *_GOES_ON.get(keyword, ()))

    def _end_of_colon(self, at: int, keyword: bytes) -> int:
        """`if (...): ... endif;` and the like, which may stand in one another."""
        last, depth = _LOOPS.get(keyword, b"endif"), 0
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.kind is Kind.NAME and token.text == last:
                if depth == 0:
                    return self._semicolon(at)
                depth -= 1
            elif token.kind is Kind.NAME and token.text == keyword and self.is_sign(at + 1, b"("):
                depth += self.is_sign(self.tokens[at + 1].match + 1, b":")
            at += 1
        return at

    def behind_braces(self, at: int) -> int:
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.kind is Kind.SIGN and token.text == b"{":
                return token.match + 1
            if token.kind is Kind.SIGN and token.text == b";":
                return at + 1
            at = token.match + 1 if token.match > at else at + 1
        return at


def _around(found: Sequence[Token]) -> list[int]:
    around: list[int] = []
    waiting = [-1]
    for at, token in enumerate(found):
        if 0 <= token.match < at:
            waiting.pop()
        around.append(waiting[-1])
        if token.match > at:
            waiting.append(at)
    return around
