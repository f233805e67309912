"""Reads the kinds of a source's frames from a pass with one decoder context (see `planning.field_confirmation`)."""

import re
from typing import Final

_FRAME: Final = re.compile(rb"frame\|interlaced_frame=([01])\|top_field_first=([01])\b")
_MAX_LINE: Final = 1 << 16


class FieldKinds:
    """Parses the pass's report as it arrives. Memory is bounded, however long the source is.

    `taken`: bytes of report so far, which grow as long as the pass makes progress. `frames`: how many were reported. `kinds`: of
    each kind (`progressive`, `tt`, `bb`) the number of its first frame, from 0.
    """

    def __init__(self) -> None:
        """Start before the first frame."""
        self.taken = 0
        self.frames = 0
        self.kinds: dict[str, int] = {}
        self._partial = b""

    def feed(self, data: bytes) -> None:
        """The next bytes of standard output."""
        self.taken += len(data)
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            # Other lines are of a frame's side data.
            if found := _FRAME.match(line):
                kind = "progressive" if found[1] == b"0" else "tt" if found[2] == b"1" else "bb"
                self.kinds.setdefault(kind, self.frames)
                self.frames += 1
        self._partial = self._partial[:_MAX_LINE]
