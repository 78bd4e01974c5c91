"""What a LocalSettings.php says of a setting, in the words of our own: a value, or why there is none.

Knows how PHP's values become plain ones, and what MediaWiki makes of them. Does not know TOML.
"""

from dataclasses import dataclass
from typing import Any

from .counterparts import COUNTERPARTS
from .php_file import Known, PhpFile, Unknown
from .php_values import Value

__all__ = ["Found", "Settings"]

_DEFAULTS = {one.name: one.default for one in COUNTERPARTS}
#: Of MediaWiki itself (its DefaultSettings, and the installer always writes the rest).
_DEFAULTS |= {"ScriptPath": "/wiki", "DBprefix": ""}


@dataclass(frozen=True)
class Found:
    """A setting of theirs."""

    name: str  #: as it is called there, with $
    value: Any = None  #: str, int, bool, a list of str, or None
    whence: str = ""  #: where it stands, for a comment
    open: str = ""  #: why it is not known; "" if it is
    set: bool = False  #: in this file

    @property
    def known(self) -> bool:
        return not self.open


class Settings:
    """The settings in a file, with the defaults behind them."""

    def __init__(self, file: PhpFile) -> None:
        self._file = file

    def text(self, name: str) -> Found:
        """A string that is not empty; None where it is null, false or empty."""
        found = self._find(name)
        if not found.known or found.value in (None, False, b"", ""):
            return _with(found, None)
        if isinstance(found.value, bytes):
            try:
                return _with(found, found.value.decode())
            except UnicodeDecodeError:
                return _unfit(found, "not text")
        return found if isinstance(found.value, str) else _unfit(found, "no string")

    def number(self, name: str) -> Found:
        """A whole number."""
        found = self._find(name)
        if not found.known:
            return found
        value = found.value
        if isinstance(value, bytes) and value.isdigit() and len(value) < 19:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            return _unfit(found, "no whole number")
        return _with(found, value)

    def truth(self, name: str) -> Found:
        """What PHP takes for true."""
        found = self._find(name)
        return _with(found, bool(found.value) and found.value != b"0") if found.known else found

    def texts(self, name: str) -> Found:
        """An array of strings, in its order; a null is its default."""
        found = self._find(name)
        if not found.known:
            return found
        if isinstance(found.value, tuple):
            return _with(found, list(found.value))
        value = found.value
        if not isinstance(value, dict) or not all(isinstance(one, bytes) for one in value.values()):
            return _unfit(found, "no array of strings")
        try:
            return _with(found, [one.decode() for one in value.values()])
        except UnicodeDecodeError:
            return _unfit(found, "not text")

    def octets(self, name: str) -> Found:
        """A string as it is, for a secret."""
        found = self._find(name)
        if not found.known:
            return found
        value = found.value.encode() if isinstance(found.value, str) else found.value
        return _with(found, value) if isinstance(value, bytes) else _unfit(found, "no string")

    def _find(self, name: str) -> Found:
        told = f"$wg{name}"
        there = self._file.get(f"wg{name}")
        if isinstance(there, Unknown):
            return Found(told, open=f"{told}, line {there.line}: {there.why}", set=True)
        default = _DEFAULTS.get(name)
        # A null there is like nothing: the extension's default is taken (ExtensionRegistry).
        if isinstance(there, Known) and not (there.value is None and name in _DEFAULTS):
            return Found(told, there.value, f"{told}, line {there.line}", set=True)
        value: Value | tuple[str, ...] | str = default
        return Found(
            told, value, f"{told} is not set in this file" + (": the default" if name in _DEFAULTS else "")
        )


def _with(found: Found, value: Any) -> Found:
    return Found(found.name, value, found.whence, found.open, found.set)


def _unfit(found: Found, why: str) -> Found:
    return Found(found.name, None, found.whence, f"{found.whence}: {why}", found.set)
