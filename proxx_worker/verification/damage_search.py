"""Where a damaged source is damaged, all of it, from a pass that decodes on behind each fault (see `planning.damage_search`).

A damaged spot makes FFmpeg complain several times: of each block, of each packet. What is said of one stream within half a second
is one place. Its time is that of the stream's last frame before the complaint: near, as decoders work some frames ahead.
"""

import re

from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.ffmpeg_words import Meaning, says
from proxx_worker.planning.damage_search import AUDIO, VIDEO
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.verification.damage_places import DamageSearchResult, Place, stream_of
from proxx_worker.verification.encode_fault import complaints_of_source
from proxx_worker.verification.encode_observation import is_complaint

_FRAME = re.compile(r"frame:\d+\s+pts:\S+\s+pts_time:(-?\d+(?:\.\d+)?)\s*$")
_OF = re.compile(rf"of=({VIDEO}|{AUDIO}\d{{1,4}})$")
_ONE_PLACE_SECONDS = 0.5
_MOST = 10_000
"""Complaints that are kept: a file of noise has more, and no use for more."""


class DamageSearch:
    """Takes the lines of the search's standard error, in order."""

    def __init__(self, facts: MediaFacts) -> None:
        """Start before the first frame of a source with these facts."""
        self.frames = 0
        self._facts = facts
        self._started = False
        self._time: float | None = None
        self._first: float | None = None
        self._last: dict[str, float] = {}
        self._heard: list[tuple[str, dict[str, float]]] = []

    def feed_line(self, line: str) -> None:
        """The next line, without its newline."""
        if frame := _FRAME.search(line):
            self._time = float(frame[1])
        elif self._time is not None and (of := _OF.search(line)):
            self._frame_of(of[1], self._time)
        else:
            self._started = self._started or says(Meaning.STARTED, line)
            if is_complaint(line, started=self._started) and len(self._heard) < _MOST:
                self._heard.append((line, dict(self._last)))

    def _frame_of(self, name: str, time: float) -> None:
        self.frames += 1
        self._last[name] = time
        if name == VIDEO and self._first is None:
            self._first = time

    def finish(self, plan: TaskPlan, *, complete: bool) -> DamageSearchResult:
        """The result. `complete`: whether FFmpeg came to the source's end."""
        decoding, reading = complaints_of_source(plan, [line for line, _ in self._heard])
        found: list[tuple[float, int | None, str]] = []
        latest: dict[tuple[int | None, str], float] = {}
        for line, last in self._heard:
            if line not in decoding and line not in reading:
                continue
            stream, kind = stream_of(self._facts, line), "reading" if line in reading else "decoding"
            name = VIDEO if stream in {None, self._facts.video.index} else f"{AUDIO}{stream}"
            first = self._first or 0.0
            seconds = max(last.get(name, last.get(VIDEO, first)) - first, 0.0)
            before = latest.get((stream, kind))
            latest[stream, kind] = seconds
            if before is None or abs(seconds - before) > _ONE_PLACE_SECONDS:
                found.append((seconds, stream, kind))
        found.sort(key=lambda it: it[0])
        return DamageSearchResult(tuple(Place(f"{seconds:.3f}", stream, kind) for seconds, stream, kind in found), complete)
