"""The units of a bare stream that matter for counting, found by their start codes (00 00 01) in files of any size."""

import re
from collections.abc import Callable, Iterator

from proxx_worker.media.uncountable import Uncountable

Read = Callable[[int, int], bytes]

CHUNK = 4 << 20
UNIT_BYTES = 2048
"""How much of a unit is read: parameter sets have some hundred bytes at most, and of other units only the beginning matters."""

MOST_UNITS = 4_000_000
"""Six hours of 60 pictures a second, with three such units for each."""

_START = b"\0\0\1"


def units(read: Read, wanted: re.Pattern[bytes]) -> Iterator[bytes]:
    """Each unit that `wanted` matches with its start code: its bytes after that, up to the next unit, or the first UNIT_BYTES.

    `read(offset, size)` gives up to `size` bytes. Raises `Uncountable` if there are more than MOST_UNITS.
    """
    offset, found = 0, 0
    while data := read(offset, CHUNK + len(_START) + UNIT_BYTES + len(_START)):
        for match in wanted.finditer(data):
            if match.start() >= CHUNK:
                break
            found += 1
            if found > MOST_UNITS:
                raise Uncountable(f"of more than {MOST_UNITS} parts")
            yield _unit(data, match.start() + len(_START))
        offset += CHUNK


def _unit(data: bytes, start: int) -> bytes:
    end = data.find(_START, start + 1, start + UNIT_BYTES + len(_START))
    return data[start : start + UNIT_BYTES if end < 0 else end]
