"""Compares a proxy's audio with its plan, and with what the encode decoded of the source.

The decoded audio decides: a source's container may list audio that decodes to nothing, and does not list gaps.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.output_settings import Container
from proxx_worker.contract.result import Check
from proxx_worker.planning.containers import MATROSKA
from proxx_worker.planning.expectation import Expectation, ExpectedAudio
from proxx_worker.verification.checks import CLOCK, MILLISECOND, compare, decimal
from proxx_worker.verification.frame_grid import Scale
from proxx_worker.verification.heard_audio import HeardAudio
from proxx_worker.verification.proxy_probe import ProxyReport, StreamReport

_BLOCKS = {"aac": 1024, "opus": 312}
"""How many samples early a lossy encoder's audio may start: by one AAC frame, or by Opus's look-ahead at 48 kHz.

FFmpeg's Matroska demuxer and muxer up to 8 do not skip AAC's first frame, and the muxer of 5.1 counts Opus's look-ahead twice."""

_AAC_FRAME = 1024
_RESAMPLED = 2
"""Samples by which resampled audio may differ from the computed length: its start and end are rounded."""

_SAID = 2 * MILLISECOND
"""Matroska rounds a packet's time and duration, an MP4's edit list its start and duration."""


def audio_checks(
    expected: Expectation, report: ProxyReport, heard: Sequence[HeardAudio | None], video_duration: Fraction | None
) -> Iterator[Check]:
    """The checks of each audio stream.

    `heard`: what the engine decoded of each, if known. `video_duration`: that of the proxy's video in seconds, to which MXF
    trims and pads its audio.
    """
    for position, (wanted, found) in enumerate(zip(expected.audio or (), report.of_type("audio"), strict=False)):
        name = f"audio_{position}_"
        yield compare(f"{name}codec", wanted.codec, found.text("codec_name"))
        yield compare(f"{name}channels", wanted.channels, found.integer("channels"))
        layout = found.text("channel_layout")
        named = None if wanted.layout is None or layout is None else layout == wanted.layout
        yield Check(name=f"{name}layout", expected=wanted.layout, actual=layout, ok=named)
        yield compare(f"{name}sample_rate", wanted.sample_rate, found.integer("sample_rate"))
        stream = _AudioStream(name, expected.container, wanted, found)
        yield from stream.checks(heard[position] if position < len(heard) else None, video_duration)


@dataclass(frozen=True, slots=True)
class _AudioStream:
    """One audio stream of a proxy, and its expectation."""

    name: str
    container: Container
    wanted: ExpectedAudio
    found: StreamReport

    def checks(self, heard: HeardAudio | None, video_duration: Fraction | None) -> Iterator[Check]:
        # A stream that decoded to nothing has no first sample.
        yield self._start(None if heard is not None and heard.first is None else self.wanted.start)
        if self.container is Container.MXF and (heard is not None or video_duration is not None):
            # MXF audio is always as long as its video. Other engines' block sizes are unknown.
            slack = (4 * _AAC_FRAME if heard is None else 1) / self.rate
            yield self._seconds("duration", video_duration, self.found.samples / self.rate, slack)
        elif heard is None:
            yield self._as_promised()
        else:
            yield self._as_heard(heard)
        yield self._holes()
        if heard is not None and heard.placed is not None:
            length = self._length(heard)
            placed = Fraction(heard.placed) / self.rate
            yield self._seconds("end", length, placed, self._slack(heard))

    @property
    def rate(self) -> Fraction:
        """The expected samples per second; a stream with another rate fails its own check."""
        return Fraction(self.wanted.sample_rate or self.found.integer("sample_rate") or 1)

    @property
    def tick(self) -> Fraction | None:
        return self.found.ratio("time_base")

    @property
    def first(self) -> Fraction | None:
        """The time of the first decoded frame, in seconds."""
        return None if self.tick is None or not self.found.times else self.found.times[0] * self.tick

    def _start(self, wanted: Fraction | None) -> Check:
        """The time of the first sample; for a lossy codec in Matroska, that of the block before it is accepted too."""
        actual = self.first
        if self.wanted.copied_from is not None and self.tick is not None:
            # The first packet may decode to nothing (libfaac), but still starts the stream.
            ticks = self.found.integer("start_pts")
            actual = None if ticks is None else ticks * self.tick
        places = [wanted]
        if self.container in MATROSKA and wanted is not None and self.wanted.codec in _BLOCKS:
            places.append(wanted - _BLOCKS[self.wanted.codec] / self.rate)
        close = actual is not None and any(abs(actual - place) <= MILLISECOND for place in places if place is not None)
        return Check(
            name=f"{self.name}start", expected=decimal(wanted), actual=decimal(actual), ok=None if wanted is None else close
        )

    def _as_heard(self, heard: HeardAudio) -> Check:
        """The length: exact to the sample if the codec allows it, else according to the container."""
        length, slack = self._length(heard), self._slack(heard)
        decoded = self.found.samples / self.rate
        if self.wanted.codec != "aac":
            return self._seconds("duration", length, decoded, slack)
        # AAC has whole frames only. Some decoders trim the padding of the last one, others do not.
        frames = -(-length * self.rate // _AAC_FRAME) * _AAC_FRAME / self.rate
        said, end, first = self._said(), decoded, self.first
        whole = length - slack <= decoded <= frames + slack
        if self.container in MATROSKA and first is not None:
            end += first
            whole = abs(end - frames) <= MILLISECOND + slack
        if not whole or first is None or said is None:
            # Without a duration of the container, or without any frame, the decoded samples decide alone.
            ok = None if whole and self.tick is None else whole
            return Check(name=f"{self.name}duration", expected=decimal(length), actual=decimal(end), ok=ok)
        lengths = range(round((length - slack) * self.rate), round((length + slack) * self.rate) + 1)
        ok = any(self._is_said(said, samples) for samples in lengths)
        return Check(name=f"{self.name}duration", expected=decimal(length), actual=decimal(said), ok=ok)

    def _is_said(self, said: Fraction, samples: int) -> bool:
        """Whether FFmpeg's muxer says so of AAC of this length.

        It counts a packet without a duration as a whole frame (libavformat/mux.c, guess_pkt_duration). In Matroska the last one
        is such a packet if so little of it is audio that it rounds to 0 ms.
        """
        if self.container in MATROSKA and 0 < samples % _AAC_FRAME / self.rate < MILLISECOND / 2:
            last, frame = self.found.times[-1], round(_AAC_FRAME / self.rate / MILLISECOND)
            return abs(said - (last + frame) * MILLISECOND) <= MILLISECOND / 2
        return abs(said - samples / self.rate) <= _SAID

    def _as_promised(self) -> Check:
        """Audio that was not decoded is compared with the source's container; for a copy, by the proxy container's duration."""
        said = self._said() if self.wanted.copied_from is not None else None
        if said is not None:
            return self._seconds("duration", self.wanted.duration, said, _SAID)
        # Lossy codecs use blocks on both sides of the conversion, and containers round to their own ticks.
        blocks = 4 * _AAC_FRAME / self.rate
        return self._seconds("duration", self.wanted.duration, self.found.samples / self.rate, blocks)

    def _said(self) -> Fraction | None:
        """The audio's duration according to the proxy's container."""
        tick, ticks, text = self.tick, self.found.integer("duration_ts"), self.found.text("tag:DURATION")
        if self.container not in MATROSKA:
            return None if tick is None or ticks is None else ticks * tick
        clock = None if text is None else CLOCK.fullmatch(text)
        if clock is None:
            return None
        end = 3600 * int(clock[1]) + 60 * int(clock[2]) + Fraction(clock[3])
        # FFmpeg's muxer includes the priming if it declares its length, which ffprobe then reports.
        return end - Fraction(self.found.integer("initial_padding") or 0) / self.rate

    def _holes(self) -> Check:
        """Frames that do not start where the last one ended: a player would pause there, and an editor would close the gap."""
        tick, times, sizes = self.tick, self.found.times, self.found.sizes
        if tick is None or len(times) != len(sizes):
            return Check(name=f"{self.name}holes", expected=0, actual=None, ok=None if tick is None else False)
        scale = Scale.common(tick, 1 / self.rate, MILLISECOND)
        ticks, sample, slack = scale.of(tick), scale.of(1 / self.rate), scale.of(MILLISECOND)
        if self.container in MATROSKA:
            slack *= 2  # at both ends
        holes, end = 0, times[0] * ticks if times else 0
        for time, size in zip(times, sizes, strict=True):
            if abs(time * ticks - end) > slack:
                holes += 1
                end = time * ticks
            end += size * sample
        return Check(name=f"{self.name}holes", expected=0, actual=holes, ok=holes == 0)

    def _length(self, heard: HeardAudio) -> Fraction:
        """The expected seconds of audio in the proxy, from the decoded audio: whole samples at the proxy's rate."""
        return Fraction(round(heard.length * self.rate / heard.rate)) / self.rate

    def _slack(self, heard: HeardAudio) -> Fraction:
        return Fraction(0) if heard.rate == self.rate else _RESAMPLED / self.rate

    def _seconds(self, what: str, wanted: Fraction | None, actual: Fraction, slack: Fraction) -> Check:
        ok = None if wanted is None else abs(actual - wanted) <= slack
        return Check(name=f"{self.name}{what}", expected=decimal(wanted), actual=decimal(actual), ok=ok)
