"""A child's stderr as lines of text: decoded, harmless on a terminal, and bounded however much the child prints."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from proxx_worker.contract.text import display_name, visible

LOG_BYTES: Final = 4 << 20
"""How much of one child's stderr is handed on to the log."""

MAX_LINE: Final = 4000
"""Characters of a line that are kept."""

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_PENDING: Final = MAX_LINE * 4 + 4  # a character has at most four bytes; what is over tells that the line was cut
_MARK: Final = " [cut]"


class StderrLines:
    """Splits chunks into lines. Every line reaches `observe`; `log` gets them until `log_bytes` of stderr are used up.

    A carriage return ends a line too: encoders redraw their status that way. Empty lines are dropped.
    """

    def __init__(self, observe: Callable[[str], None], log: Callable[[Sequence[str]], None], log_bytes: int = LOG_BYTES) -> None:
        """Both take text without control characters, `log` the lines of one chunk at once."""
        self._observe = observe
        self._log = log
        self._room = log_bytes
        self._pending = b""
        self._left_out = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        *ends, rest = _LINE_END.split(chunk)
        lines: list[str] = []
        for end in ends:
            self._grow(end)
            self._end_line(lines)
        self._grow(rest)
        if lines:
            self._log(lines)

    def finish(self) -> None:
        """Take the last line, which may lack its end, and say in the log how many lines it did not get."""
        lines: list[str] = []
        self._end_line(lines)
        if self._left_out:
            lines.append(f"[{self._left_out} more lines were left out of this log]")
        if lines:
            self._log(lines)

    def _grow(self, part: bytes) -> None:
        self._pending += part[: _PENDING - len(self._pending)]

    def _end_line(self, logged: list[str]) -> None:
        raw, self._pending = self._pending, b""
        if not raw:
            return
        line = _shown(raw)
        self._observe(line)
        if len(raw) <= self._room:
            self._room -= len(raw)
            logged.append(line)
        else:
            # Nothing shorter that follows may slip in: a log with holes would read as if nothing were missing.
            self._room = 0
            self._left_out += 1


def _shown(raw: bytes) -> str:
    text = display_name(raw)
    return visible(text) if len(text) <= MAX_LINE else visible(text[:MAX_LINE]) + _MARK
