"""Long series of integers in little memory: the times of a day's frames, and where they are in a file."""

import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain
from operator import sub
from typing import Final, overload

BLOCK: Final = 1 << 16
"""How many of them make a block. What is not yet a whole block is kept as it is, 8 bytes each."""

_FASTEST = 1


class Integers(Sequence[int]):  # noqa: PLW1641 - it grows, so it has no hash
    """A series that grows at its end; the differences from one to the next are compressed, block by block.

    Frames come at steps that repeat, so that a block takes a few kilobytes in place of 512. Whoever passes over a long series
    need not ask for a stop: `pause` is called before each block, and an exception from it ends the pass (decision 0017).
    """

    def __init__(self, values: Iterable[int] = (), pause: Callable[[], object] = bool) -> None:
        """Begin with `values`, of at most 64 bits each, and as many from one to the next."""
        self._blocks: list[bytes] = []
        self._rest = array("q")
        self._pause = pause
        for value in values:
            self.append(value)

    def append(self, value: int) -> None:
        """Add one at the end."""
        self._rest.append(value)
        if len(self._rest) == BLOCK:
            steps = array("q", chain(self._rest[:1], map(sub, self._rest[1:], self._rest)))
            self._blocks.append(zlib.compress(steps.tobytes(), _FASTEST))
            del self._rest[:]

    def __len__(self) -> int:
        return len(self._blocks) * BLOCK + len(self._rest)

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self._with_pauses())

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...
    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        number, within = divmod(place, BLOCK)
        return self._rest[within] if number == len(self._blocks) else array("q", self._block(number))[within]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == another for one, another in zip(self, other, strict=True))

    def _with_pauses(self) -> Iterator[Iterable[int]]:
        for number in range(len(self._blocks)):
            self._pause()
            yield self._block(number)
        self._pause()
        yield self._rest

    def _block(self, number: int) -> Iterable[int]:
        steps = array("q")
        steps.frombytes(zlib.decompress(self._blocks[number]))
        return accumulate(steps)
