"""TOML from outside: a text in, tables out, or words for what is wrong with it.

Knows how Python's reader fails other than by its own error. Does not know what is in the tables.
"""

import tomllib
from typing import Any

__all__ = ["NotToml", "parse"]


class NotToml(ValueError):
    """The text is no TOML; the words say where, as far as that is known."""


def parse(text: str) -> dict[str, Any]:
    """The tables in *text*. Raises NotToml."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotToml(str(error)) from None
    except RecursionError:
        raise NotToml("nested too deeply") from None
    except ValueError:  # sys.set_int_max_str_digits()
        raise NotToml("a number has too many digits") from None
