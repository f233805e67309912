"""Finds every damaged place of a source, from a pass that decodes every packet (see `planning.damage_search`).

A packet is damaged if its decoder reports an error, if it gives no frame, or if the demuxer knows that it is incomplete (ffprobe
reports that from 7.1 on). A place has the packet's own time: it is exact, and the same on FFmpeg 5.1, 7.1, 8.0 and 9.0.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from typing import Final

from proxx_worker.media.demuxers import NUMBERED
from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.ffmpeg_words import Meaning, says
from proxx_worker.media.transport_stream import WRAP
from proxx_worker.verification.damage_places import DamageSearchResult, Place

_PACKET: Final = re.compile(
    rb"packet\|stream_index=(\d{1,9})\|pts=(-?\d{1,18}|N/A)\|dts=(-?\d{1,18}|N/A)\|duration=(-?\d{1,18}|N/A)"
    rb"\|size=(\d{1,18})\|flags=([^|]*)"
)
_FRAME: Final = re.compile(rb"frame\|stream_index=(\d{1,9})\|pts=(-?\d{1,18}|N/A)")
_WORDS: Final = re.compile(rb"log\|level=(-?\d{1,9})\|message=(.*?)(?=log\|level=|$)")
"""FFmpeg up to 6 prints each message on its own line; from 7 on all are in their frame's line, with nothing between them."""

_ERROR: Final = 16
_ONE_PLACE_SECONDS: Final = Fraction(1, 2)
"""Faults of a stream that are no further apart are one place: decoders report each block, and the frames that depend on it."""

_MOST: Final = 10_000
"""Places kept per stream; in a file of noise the others are only counted."""

_MOST_WAITING: Final = 1000
"""Packets whose frames have not been output yet. Decoders hold back some 50 at most; beyond that, nothing decodes any more."""

_MAX_LINE: Final = 1 << 20

_LAST_FRAMES: Final = 2
"""A place so many frames before its stream's last packet is at the end: a frame may have two packets, one for each field."""


@dataclass(slots=True)
class _Stretch:
    """One place, in ticks of its stream."""

    begin: int
    end: int
    kind: str


class _Stream:
    """One stream that the proxy is made of: its packets, the frames decoded from them, and its faults."""

    def __init__(self, tick: Fraction, *, frame: Fraction = Fraction(0), numbered: bool = False) -> None:
        """`tick`: seconds; `frame`: the shortest duration of a frame. `numbered`: packets have no times; a frame is one tick."""
        self.tick = tick
        self.stretches: list[_Stretch] = []
        self.more = 0
        self.zero: int | None = None
        self._least = max(round(frame / tick), 1)
        self._numbered = numbered
        self.packets = 0
        self.frames = 0
        self._packet: int | None = None
        self._waiting: list[tuple[int, int]] = []
        self._begun = False
        self._shown: int | None = None
        self._keys = 0

    def packet(self, pts: int | None, dts: int | None, lasts: int | None, flags: bytes) -> None:
        """The next packet, which is decoded before anything else is read."""
        self.packets += 1
        time = self.frames if self._numbered else dts if pts is None else pts
        if time is None:
            time = self._packet or 0
        if self.zero is None and (pts is None or self._numbered):
            self.zero = time
        self._packet = time
        self._keys += self._begun and b"K" in flags
        if b"C" in flags:
            self._fault(time, "reading")
        if pts is not None and not self._numbered and b"D" not in flags:
            heappush(self._waiting, (pts, max(lasts or 0, self._least)))
            if len(self._waiting) > _MOST_WAITING:
                at, _ = heappop(self._waiting)
                if self._begun:
                    self._fault(at, "decoding")

    def frame(self, pts: int | None) -> None:
        """The next decoded frame. Earlier packets that have given no frame are damaged."""
        self.frames += 1
        self._begun = True
        if pts is None or self._numbered:
            self._waiting.clear()
            return
        if self.zero is None:
            self.zero = pts
        before, self._shown = self._shown, pts
        if before is not None and pts <= before:
            self._fault(before, "times")
        while self._waiting and self._waiting[0][0] <= pts:
            at, lasts = heappop(self._waiting)
            # Frames that depend on ones before the first cannot be decoded. A second field may be a packet of its own.
            if before is not None and 10 * min(pts - at, at - before) >= 9 * lasts:
                self._fault(at, "decoding")

    def log_message(self, level: int, message: str) -> None:
        """A decoder's message about the latest packet."""
        complaint = (level <= _ERROR or says(Meaning.CORRUPT, message)) and not says(Meaning.HARMLESS, message)
        early = self._keys == 0 and says(Meaning.REFERENCE, message)
        if self._packet is not None and complaint and not early:
            self._fault(self._packet, "decoding")

    def end(self) -> None:
        """No more frames come: packets still without one are damaged, except for one that the last frame may include."""
        while self._waiting:
            at, lasts = heappop(self._waiting)
            if self._begun and (self._shown is None or 10 * (at - self._shown) >= 9 * lasts):
                self._fault(at, "decoding")

    def is_damaged_only_at_end(self, slack: Fraction) -> bool:
        """Whether no place begins more than `slack` seconds before the last packet read."""
        last = self._packet or 0
        return not self.more and all((last - place.begin) * self.tick <= slack for place in self.stretches)

    def _fault(self, at: int, kind: str) -> None:
        near = round(_ONE_PLACE_SECONDS / self.tick)
        last = self.stretches[-1] if self.stretches else None
        if last is not None and last.begin - near <= at <= last.end + near:
            last.begin, last.end = min(last.begin, at), max(last.end, at)
            last.kind = "decoding" if kind == "decoding" else last.kind
        elif len(self.stretches) < _MOST:
            self.stretches.append(_Stretch(at, at, kind))
        else:
            self.more += 1


class DamageSearch:
    """Parses the search's report as it arrives. Memory is bounded, however long the source is."""

    def __init__(self, facts: MediaFacts) -> None:
        """Start before the first packet of a source with these facts."""
        self.taken = 0
        """Bytes of report so far: this grows as long as the search makes progress."""
        video, numbered = facts.video, facts.demuxer in NUMBERED
        self._facts = facts
        regular = video.constant_rate or video.interlaced
        self._video = _Stream(
            1 / video.rate if numbered else video.time_base, frame=1 / video.rate if regular else Fraction(0), numbered=numbered
        )
        self._streams = {video.index: self._video}
        for audio in facts.audio:
            self._streams[audio.index] = _Stream(audio.time_base or Fraction(1, audio.sample_rate))
        self._current: _Stream | None = None
        self._known_end = False
        self._partial = b""

    def feed(self, data: bytes) -> None:
        """The next bytes of standard output."""
        self.taken += len(data)
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._line(line)
        self._partial = self._partial[:_MAX_LINE]

    def _line(self, line: bytes) -> None:
        if packet := _PACKET.match(line):
            self._current = self._streams.get(int(packet[1]))
            if self._current is not None:
                self._packet(self._current, packet)
            return
        if frame := _FRAME.match(line):
            self._current = self._streams.get(int(frame[1]))
            if self._current is not None:
                self._current.frame(_number(frame[2]))
        if self._current is not None and not self._known_end:
            for level, message in _WORDS.findall(line):
                self._current.log_message(int(level), message.decode("utf-8", "replace"))

    def _packet(self, stream: _Stream, packet: re.Match[bytes]) -> None:
        dts, end = _number(packet[3]), self._facts.open_end
        # A recording that stops within a packet is not damaged there: that packet is left out of the proxy.
        self._known_end = end is not None and (None if dts is None else dts % WRAP) in end.packets
        if self._known_end or packet[5] == b"0":
            # It gives no frame: an empty packet repeats the frame before it.
            stream.packet(None, dts, None, b"")
        else:
            stream.packet(_number(packet[2]), dts, _number(packet[4]), packet[6])

    def finish(self, *, complete: bool) -> DamageSearchResult:
        """What was found, in order of time. `complete`: whether ffprobe reached the source's end."""
        zero = (self._video.zero or 0) * self._video.tick
        found: list[tuple[Fraction, int, Fraction, str]] = []
        for index, stream in self._streams.items():
            if complete:
                stream.end()
            found += [
                (place.begin * stream.tick - zero, index, place.end * stream.tick - zero, place.kind)
                for place in stream.stretches
            ]
        places = (Place(_text(begin), index, kind, until=_text(end)) for begin, index, end, kind in sorted(found))
        more = sum(stream.more for stream in self._streams.values())
        slack = _LAST_FRAMES / self._facts.video.rate
        at_end = all(stream.is_damaged_only_at_end(slack) for stream in self._streams.values())
        return DamageSearchResult(
            places=tuple(places),
            complete=complete,
            more=more,
            packets=self._video.packets,
            frames=self._video.frames,
            at_end=at_end,
        )


def _number(text: bytes) -> int | None:
    return None if text == b"N/A" else int(text)


def _text(seconds: Fraction) -> str:
    return f"{float(max(seconds, Fraction(0))):.3f}"
