"""Choices read off a fuzzer's bytes: the same bytes always make the same input, and every byte flipped makes another one."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_ASCII_MODE = 4


class Choices:
    """Takes bytes from the front; where they have run out, every choice is the first one."""

    def __init__(self, data: bytes) -> None:
        """Start at the first byte."""
        self._data = data
        self._at = 0

    def byte(self) -> int:
        """The next byte, 0 at the end."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def below(self, limit: int) -> int:
        """A number from 0 up to `limit`, which is not reached."""
        return self.byte() % limit if limit <= 1 << 8 else (self.byte() << 8 | self.byte()) % limit

    def one_of(self, items: Sequence[T]) -> T:
        """One of `items`."""
        return items[self.below(len(items))]

    def take(self, size: int) -> bytes:
        """Up to `size` bytes as they stand."""
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def text(self, limit: int) -> str:
        """Up to `limit` characters: mostly UTF-8 as it comes, else one character per byte, so that controls are common."""
        mode, raw = self.byte(), self.take(self.below(limit + 1))
        return raw.decode("latin-1") if mode % _ASCII_MODE == 0 else raw.decode("utf-8", "ignore")

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data))

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return max(0, len(self._data) - self._at)
