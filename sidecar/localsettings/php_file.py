"""The global variables that a PHP file sets, as far as it says so itself.

Knows which statements are carried out whatever happens, and which may be. What is set under a condition, in a
function, by reference or by something that is not in the file is not known, and it is said why and where.
Never runs anything, and takes time in proportion to the file.
"""

from dataclasses import dataclass, field

from .php_changes import ASSIGNS, Doubt, changes
from .php_code import CLASSES, CONTROLS, Code
from .php_tokens import Kind, Token, tokens
from .php_values import CannotKnow, Value, append, copied, evaluate, is_small, put

__all__ = ["Doubt", "Known", "PhpFile", "Unknown", "read"]


@dataclass(frozen=True)
class Known:
    """A value that stands in the file."""

    value: Value = field(repr=False)
    line: int


@dataclass(frozen=True)
class Unknown:
    """It is set, and to what does not stand in the file."""

    line: int
    why: str


@dataclass
class PhpFile:
    """What was read."""

    variables: dict[bytes, Known | Unknown] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)

    def get(self, name: str) -> Known | Unknown | None:
        """What `$name` is in the end; None if the file does not set it."""
        return self.variables.get(name.encode())


def read(source: bytes, *, defaults_unknown: str = "wg") -> PhpFile:
    """All of *source*. Raises PhpError if it could not be run either.

    Variables that begin with *defaults_unknown* have values before the file begins.
    """
    reader = _Reader(Code(tokens(source)), defaults_unknown.encode())
    reader.statements()
    reader.settle()
    return reader.file


_CALCULATES = {b".=": b".", b"+=": b"+", b"-=": b"-", b"*=": b"*", b"/=": b"/"}
_NOTHING = (b"use", b"const", b"global")  # change no variable
_ENDS = (b"return", b"exit", b"die", b"__halt_compiler")

Path = list[tuple[int, int]]  #: subscripts, each by its first token and its closing bracket


class _Reader:
    def __init__(self, code: Code, core: bytes) -> None:
        self._code, self._core = code, core
        self.file = PhpFile()
        self._later: dict[bytes, int] = {}  #: set in a function, whenever that is called
        self._may_have_ended = 0  #: the line that may end the file before what follows

    def statements(self) -> None:
        """One after the other, to the end or to a `return`."""
        at = 0
        while at < len(self._code):
            if self._code.is_name(at, *_ENDS):
                return
            if self._code.is_sign(at, b";", b"{", b"}"):
                at += 1  # braces around statements that are carried out
                continue
            if self._code.is_sign(at, b"#"):  # an attribute, of what follows
                at = self._code.tokens[min(at + 1, len(self._code) - 1)].match + 1
                continue
            end = self._code.end(at, 0)
            self._statement(at, end)
            at = max(end, at + 1)

    def settle(self) -> None:
        """What a function sets may be set at any time after the file was read."""
        for name, line in self._later.items():
            self.file.variables[name] = Unknown(line, "set in a function, which may be called later")

    def _statement(self, at: int, end: int) -> None:
        code = self._code
        if code.is_name(at, *CONTROLS):
            self._note(at, end, "set under a condition")
        elif code.is_function(at) or code.is_name(at, *CLASSES):
            self._note(at, end, "set in a function", in_function=True)
        elif code.is_name(at, *_NOTHING) or (code.is_name(at, b"unset") and self._unset(at, end)):
            return
        elif not self._assignment(at, end - 1 if code.is_sign(end - 1, b";") else end):
            self._note(at, end, "set in passing")

    def _note(self, start: int, end: int, why: str, *, in_function: bool = False) -> None:
        """Nobody can follow this code: what it may change is not known."""
        found = changes(self._code, start, end, in_function=in_function)
        for one in found.touched:
            if one.later:
                self._later.setdefault(one.name, one.line)
            self.file.variables[one.name] = Unknown(one.line, why)
        self.file.doubts += found.doubts
        self._may_have_ended = self._may_have_ended or found.may_end

    def _assignment(self, at: int, end: int) -> bool:
        """`$a = $b = value`, `$a['b'][] = value` and the like; False if it is none."""
        targets: list[tuple[bytes, Path, bytes]] = []
        while target := self._code.target(at, end):
            name, path, behind = target
            if not (behind < end and self._code.is_sign(behind, *ASSIGNS)) or self._code.is_sign(
                behind + 1, b"&"
            ):
                break
            targets.append((name, path, self._code.tokens[behind].text))
            at = behind + 1
        if not targets:
            return False
        line = self._code.tokens[at - 1].line
        value: Known | Unknown
        try:
            value = Known(evaluate(self._code.tokens, at, end, self._look_up), line)
        except CannotKnow as error:
            self._note(at, end, "set in passing")
            value = Unknown(line, f"set by {error}")
        for name, path, sign in reversed(targets):
            value = self._set(name, path, sign, value, line)
        return True

    def _set(
        self, name: bytes, path: Path, sign: bytes, value: Known | Unknown, line: int
    ) -> Known | Unknown:
        """Carry an assignment out; what the assignment itself is worth."""
        result = value
        if self._may_have_ended:
            result = Unknown(line, f"set only if line {self._may_have_ended} does not end the file before")
        elif isinstance(value, Known):
            try:
                result = self._computed(name, path, sign, value, line)
            except CannotKnow as error:
                result = Unknown(line, f"set by {error}")
        elif sign == b"??=" and isinstance(self.file.variables.get(name), Known) and not path:
            result = self._kept(name, value)
        self.file.variables[name] = result
        if isinstance(result, Unknown):
            return result
        return value if path else Known(copied(result.value), line)

    def _kept(self, name: bytes, value: Known | Unknown) -> Known | Unknown:
        before = self.file.variables[name]
        return before if isinstance(before, Known) and before.value is not None else value

    def _computed(self, name: bytes, path: Path, sign: bytes, value: Known, line: int) -> Known | Unknown:
        if not path and sign == b"=":
            return Known(value.value, line)
        if not path and sign == b"??=":
            if name not in self.file.variables and not name.startswith(self._core):
                return Known(value.value, line)
            self._look_up(name)
            return self._kept(name, value)
        if not path:
            return Known(self._calculated(name, sign, value), line)
        if sign != b"=":
            raise CannotKnow("arithmetic within an array")
        return Known(self._with_element(name, path, value.value), line)

    def _calculated(self, name: bytes, sign: bytes, value: Known) -> Value:
        if sign not in _CALCULATES:
            raise CannotKnow("an operator")
        line = value.line
        around = [
            Token(Kind.VARIABLE, b"left", line),
            Token(Kind.SIGN, _CALCULATES[sign], line),
            Token(Kind.VARIABLE, b"right", line),
        ]
        sides = {b"left": self._look_up(name), b"right": value.value}
        return evaluate(around, 0, 3, sides.__getitem__)

    def _with_element(self, name: bytes, path: Path, value: Value) -> Value:
        fresh = name not in self.file.variables and not name.startswith(self._core)
        whole = {} if fresh else copied(self._look_up(name))
        inner: Value = {} if whole is None else whole
        top = inner
        for depth, (start, end) in enumerate(path):
            if not isinstance(inner, dict):
                raise CannotKnow("a part of what is no array")
            last = depth == len(path) - 1
            if start == end:
                append(inner, value if last else {})
                inner = inner[next(reversed(inner))]
                continue
            step: dict[int | bytes, Value] = {}
            put(step, evaluate(self._code.tokens, start, end, self._look_up), None)
            [key] = step
            if last:
                inner[key] = value
            elif inner.get(key) is None:
                inner[key] = {}
            inner = inner[key]
        if not is_small(top):
            raise CannotKnow("an array larger than any setting")
        return top

    def _look_up(self, name: bytes) -> Value:
        found = self.file.variables.get(name)
        told = name.decode("utf-8", "replace")
        if isinstance(found, Known):
            return found.value
        raise CannotKnow(f"${told}, which is {'not known' if found else 'not set in this file'}")

    def _unset(self, at: int, end: int) -> bool:
        """`unset( $a, $b )` of whole variables."""
        if not self._code.is_sign(at + 1, b"(") or self._may_have_ended:
            return False
        inside, close = at + 2, self._code.tokens[at + 1].match
        names = []
        while (
            inside < close
            and (named := self._code.variable(inside))
            and self._code.is_sign(named[1], b",", b")")
        ):
            names.append(named[0])
            inside = named[1] + 1
        if inside < close or close + 1 < end - 1:
            return False
        for name in names:
            self.file.variables.pop(name, None)
        return True
