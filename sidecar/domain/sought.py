"""Many words that are looked for in one text after the other, and who needs them, without trying each.

Knows pieces of three characters: where a word stands, its pieces stand. Does not know what the words are for.
"""

from collections import Counter
from collections.abc import Iterable, Set
from typing import Generic, Protocol, TypeVar

__all__ = ["InOrder", "Sought"]

PIECE = 3  # characters; two stand in nearly every text


class Needing(Protocol):
    """What is of use only where one of its words stands; where it names none, anywhere."""

    @property
    def needed(self) -> frozenset[str]: ...


T = TypeVar("T", bound=Needing)


class InOrder(Generic[T]):
    """Things that are tried one after the other, without those whose words do not stand there."""

    def __init__(self, things: Iterable[T]) -> None:
        self._things = tuple(things)
        self._anywhere = {number for number, thing in enumerate(self._things) if not thing.needed}
        self._by_word: dict[str, set[int]] = {}
        for number, thing in enumerate(self._things):
            for word in thing.needed:
                self._by_word.setdefault(word, set()).add(number)

    def among(self, present: Set[str]) -> list[T]:
        """Those that are of use where these words stand, in their order."""
        by_word = self._by_word
        some = self._anywhere.union(*[by_word[word] for word in present if word in by_word])
        return [self._things[number] for number in sorted(some)]


class Sought:
    """Words, and for each of them the piece that fewest of the others have."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        common = Counter(piece for word in self._words for piece in _pieces(word))
        self._short = frozenset(word for word in self._words if len(word) < PIECE)
        self._by_piece: dict[str, list[str]] = {}
        for word in self._words - self._short:
            self._by_piece.setdefault(min(_pieces(word), key=common.__getitem__), []).append(word)

    def present(self, text: str) -> frozenset[str]:
        """Which of them stand in *text*, letter for letter."""
        likely = [word for piece in self._by_piece.keys() & _pieces(text) for word in self._by_piece[piece]]
        return frozenset(word for word in (*self._short, *likely) if word in text)


def _pieces(text: str) -> set[str]:
    return {text[start : start + PIECE] for start in range(len(text) - PIECE + 1)}
