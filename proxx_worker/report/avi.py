"""Parses the streams of an AVI file as it arrives: the one simple container in which FFmpeg sends several streams through a pipe.

RIFF: a chunk is four letters, a 32-bit little-endian size and that many bytes, padded to an even number. `RIFF` and `LIST` hold
chunks after four more letters. A stream's data is in chunks of `LIST movi` named `00dc`, `01wb` and so on.
Source: Microsoft's AVI RIFF file reference; FFmpeg's libavformat/avienc.c, which leaves sizes open where it could not seek back.
"""

import re
from collections.abc import Iterator

_HEADER = 8
_LIST_HEADER = 12
_DATA = re.compile(rb"([0-9]{2})(?:dc|db|wb)")
_MOST = 64 << 20


class AviStreams:
    """Takes bytes in pieces of any size, and returns the stream chunks that they complete."""

    def __init__(self) -> None:
        """Start before the first byte."""
        self._pending = bytearray()
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The number of the stream and the chunk's bytes, for each. Raises `ValueError` if it is not an AVI file."""
        pending = self._pending
        pending += data
        position = 0
        while True:
            taken = min(self._skip, len(pending) - position)
            position += taken
            self._skip -= taken
            if self._skip or len(pending) - position < _HEADER:
                break
            name = bytes(pending[position : position + 4])
            size = int.from_bytes(pending[position + 4 : position + _HEADER], "little")
            if name in {b"RIFF", b"LIST"}:
                if len(pending) - position < _LIST_HEADER:
                    break
                position += _LIST_HEADER
                if bytes(pending[position - 4 : position]) not in {b"AVI ", b"AVIX", b"movi", b"rec "}:
                    self._skip = size - 4 + size % 2
                continue
            match = _DATA.fullmatch(name)
            if match is None:
                self._skip = _HEADER + size + size % 2
                continue
            if size > _MOST:
                raise ValueError(f"a chunk of {size} bytes in what should be small video frames and audio")
            end = position + _HEADER + size + size % 2
            if len(pending) < end:
                break
            yield int(match[1]), bytes(pending[position + _HEADER : position + _HEADER + size])
            position = end
        del pending[:position]
