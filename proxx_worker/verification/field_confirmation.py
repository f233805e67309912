"""Reads the kinds of a source's frames from a pass with one decoder context (see `planning.field_confirmation`)."""

import re
from typing import Final

_FRAME: Final = re.compile(rb"frame\|interlaced_frame=([01])\|top_field_first=([01])\b")
_KINDS: Final = ("progressive", "tt", "bb")
_MAX_LINE: Final = 1 << 16


class FieldKinds:
    """Parses the pass's report as it arrives, and keeps one byte of each frame.

    `taken`: bytes of report so far, which grow as long as the pass makes progress.
    """

    def __init__(self) -> None:
        """Start before the first frame."""
        self.taken = 0
        self._kinds = bytearray()
        self._partial = b""

    @property
    def frames(self) -> int:
        """How many were reported."""
        return len(self._kinds)

    def of_last(self, frames: int) -> dict[str, int]:
        """Of each kind (`progressive`, `tt`, `bb`) among the last `frames` frames, the number of its first one, from 0."""
        last = self._kinds[-frames:]
        found = {kind: last.find(code) for code, kind in enumerate(_KINDS)}
        return {kind: first for kind, first in found.items() if first >= 0}

    def feed(self, data: bytes) -> None:
        """The next bytes of standard output."""
        self.taken += len(data)
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            # Other lines are of a frame's side data.
            if found := _FRAME.match(line):
                self._kinds.append(0 if found[1] == b"0" else 1 if found[2] == b"1" else 2)
        self._partial = self._partial[:_MAX_LINE]
