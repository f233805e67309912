"""Parses what FFmpeg's filters print about frames and audio streams on standard error, along with its error messages.

A frame is a block of lines: `frame:12 pts:12 pts_time:0.48`, then `key=value` for each figure. Each is written in one piece and
may cut a complaint in two: figures are looked for anywhere in a line, and the rest of a cut message is not a figure.
"""

import re
from array import array
from collections import Counter
from dataclasses import dataclass, field

from proxx_worker.media.ffmpeg_words import Meaning, says, without_addresses

_FRAME = re.compile(r"frame:\d+\s+pts:\S+\s+pts_time:(\S+)\s*$")
_FIGURE = re.compile(r"(of|fields|lavfi\.(?:ssim\.All|idet\.multiple\.current_frame|r128\.I))=(\S*)\s*$")
_ANY_FIGURE = re.compile(r"lavfi\.[\w.]+=\S*\s*$|^(?:of|fields)=")
_MOST_COMPLAINTS = 50
_MAX_LINE = 4096
_UNKNOWN = float("nan")


@dataclass(slots=True)
class Figures:
    """Everything that was printed.

    `source_times`, `proxy_times`: of each decoded frame, seconds from its file's start, NaN where unknown. `ssim`: of each pair.
    `source_fields`, `proxy_fields`: how often a frame was detected as `tff`, `bff`, `progressive`, `undetermined`. `loudness`:
    the latest integrated loudness in LUFS by `source0`, `proxy0` and so on. `complaints`: lines of the levels error and fatal.
    """

    source_times: "array[float]" = field(default_factory=lambda: array("d"))
    proxy_times: "array[float]" = field(default_factory=lambda: array("d"))
    ssim: "array[float]" = field(default_factory=lambda: array("f"))
    source_fields: Counter[str] = field(default_factory=Counter)
    proxy_fields: Counter[str] = field(default_factory=Counter)
    loudness: dict[str, float] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


class FigureReader:
    """Reads standard error as it comes; only numbers are kept of an hour's frames."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self.figures = Figures()
        self._partial = b""
        self._time = _UNKNOWN
        self._block: dict[str, str] = {}

    def feed(self, data: bytes) -> None:
        """Parse the next bytes."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._line(line.decode("utf-8", "replace"))
        self._partial = self._partial[-_MAX_LINE:]

    def finish(self) -> Figures:
        """All figures, after everything was fed."""
        self._line(self._partial.decode("utf-8", "replace"))
        self._end_block()
        return self.figures

    def _line(self, line: str) -> None:
        frame = _FRAME.search(line)
        if frame is not None:
            self._end_block()
            self._time = _number(frame[1])
            return
        figure = _FIGURE.search(line)
        if figure is not None:
            self._block[figure[1]] = figure[2]
        elif ("[error]" in line or "[fatal]" in line) and not _ANY_FIGURE.search(line):
            self._complain(line)

    def _complain(self, line: str) -> None:
        if len(self.figures.complaints) < _MOST_COMPLAINTS and not says(Meaning.HARMLESS, line.replace("[error] ", "")):
            self.figures.complaints.append(without_addresses(line).strip())

    def _end_block(self) -> None:
        block, figures = self._block, self.figures
        self._block = {}
        match block.get("of"):
            case "pair":
                figures.ssim.append(min(1.0, _number(block.get("lavfi.ssim.All", ""))))
            case _ if "fields" in block:
                seen = figures.source_fields if block["fields"] == "source" else figures.proxy_fields
                seen[block.get("lavfi.idet.multiple.current_frame", "undetermined")] += 1
            case "source":
                figures.source_times.append(self._time)
            case "proxy":
                figures.proxy_times.append(self._time)
            case str() as audio if "lavfi.r128.I" in block:
                figures.loudness[audio] = _number(block["lavfi.r128.I"])
            case _:
                return


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return _UNKNOWN
