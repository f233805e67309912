"""The comparisons of a proxy's audio with what was planned, and with what the encode decoded of the source.

What the encode heard decides: a source's container may promise sound that decodes to nothing, and say nothing of holes.
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
"""How many samples a lossy encoder's sound may stand early: before it, one frame of AAC, and of Opus its look-ahead at 48 kHz.

Readers and muxers of Matroska up to FFmpeg 8 do not leave out AAC's first frame, and the muxer of 5.1 counts Opus's twice."""

_AAC_FRAME = 1024
_RESAMPLED = 2
"""Samples by which resampled sound may be longer or shorter than computed: it is rounded at its start and at its end."""

_SAID = 2 * MILLISECOND
"""Matroska rounds a packet's time and its length, an MP4's edit list its start and its length."""


def audio_checks(
    expected: Expectation, report: ProxyReport, heard: Sequence[HeardAudio | None], picture: Fraction | None
) -> Iterator[Check]:
    """Each audio stream.

    `heard`: what the engine decoded of each, as far as it knows. `picture`: the length of the proxy's picture in seconds, to
    which MXF cuts and pads its sound.
    """
    for position, (wanted, found) in enumerate(zip(expected.audio or (), report.of_type("audio"), strict=False)):
        name = f"audio_{position}_"
        yield compare(f"{name}codec", wanted.codec, found.text("codec_name"))
        yield compare(f"{name}channels", wanted.channels, found.integer("channels"))
        layout = found.text("channel_layout")
        named = None if wanted.layout is None or layout is None else layout == wanted.layout
        yield Check(name=f"{name}layout", expected=wanted.layout, actual=layout, ok=named)
        yield compare(f"{name}sample_rate", wanted.sample_rate, found.integer("sample_rate"))
        sound = _Sound(name, expected.container, wanted, found)
        yield from sound.checks(heard[position] if position < len(heard) else None, picture)


@dataclass(frozen=True, slots=True)
class _Sound:
    """One stream of a proxy beside what it must be."""

    name: str
    container: Container
    wanted: ExpectedAudio
    found: StreamReport

    def checks(self, heard: HeardAudio | None, picture: Fraction | None) -> Iterator[Check]:
        # Of a stream that gave no sound at all there is no first sample.
        yield self._start(None if heard is not None and heard.first is None else self.wanted.start)
        if self.container is Container.MXF and (heard is not None or picture is not None):
            # Its sound is as long as its picture, whatever it holds. Of other engines' blocks nothing is known.
            slack = (4 * _AAC_FRAME if heard is None else 1) / self.rate
            yield self._seconds("duration", picture, self.found.samples / self.rate, slack)
        elif heard is None or not heard.certain:
            yield self._as_promised()
        else:
            yield self._as_heard(heard)
        yield self._holes()
        if heard is not None and heard.placed is not None and heard.certain:
            length = self._length(heard)
            placed = Fraction(heard.placed) / self.rate
            yield self._seconds("end", length, placed, self._slack(heard))

    @property
    def rate(self) -> Fraction:
        """Samples per second: those expected, since a stream with others has failed its own check already."""
        return Fraction(self.wanted.sample_rate or self.found.integer("sample_rate") or 1)

    @property
    def tick(self) -> Fraction | None:
        return self.found.ratio("time_base")

    @property
    def first(self) -> Fraction | None:
        """When the first decoded frame stands."""
        return None if self.tick is None or not self.found.times else self.found.times[0] * self.tick

    def _start(self, wanted: Fraction | None) -> Check:
        """Where the first sample stands; of a lossy codec in Matroska, also where the block before it does."""
        actual = self.first
        if self.wanted.copied_from is not None and self.tick is not None:
            # A first packet may hold nothing that sounds (libfaac): it begins the stream all the same.
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
        """The length in samples: to the last one where the codec can tell, else as the container says it."""
        length, slack = self._length(heard), self._slack(heard)
        decoded = self.found.samples / self.rate
        if self.wanted.codec != "aac":
            return self._seconds("duration", length, decoded, slack)
        # AAC comes in whole frames. Some decoders leave out what fills the last one up, others give it.
        frames = -(-length * self.rate // _AAC_FRAME) * _AAC_FRAME / self.rate
        said, end = self._said(), decoded
        whole = length - slack <= decoded <= frames + slack
        if self.container in MATROSKA:
            first = self.first
            if first is None:
                return Check(name=f"{self.name}duration", expected=decimal(length), actual=None, ok=None)
            end += first
            whole = abs(end - frames) <= MILLISECOND + slack
        if not whole:
            return Check(name=f"{self.name}duration", expected=decimal(length), actual=decimal(end), ok=False)
        if said is None:
            return Check(name=f"{self.name}duration", expected=decimal(length), actual=None, ok=None)
        return self._seconds("duration", length, said, _SAID + slack)

    def _as_promised(self) -> Check:
        """What nobody decoded on the way is compared with the source's word: copies by what the container says of the proxy."""
        said = self._said() if self.wanted.copied_from is not None else None
        if said is not None:
            return self._seconds("duration", self.wanted.duration, said, _SAID)
        # Lossy codecs work in blocks on both sides of the conversion, and containers round to their own ticks.
        blocks = 4 * _AAC_FRAME / self.rate
        return self._seconds("duration", self.wanted.duration, self.found.samples / self.rate, blocks)

    def _said(self) -> Fraction | None:
        """How long the sound is as the proxy's container says."""
        tick, ticks, text = self.tick, self.found.integer("duration_ts"), self.found.text("tag:DURATION")
        if self.container not in MATROSKA:
            return None if tick is None or ticks is None else ticks * tick
        clock = None if text is None else CLOCK.fullmatch(text)
        if clock is None:
            return None
        end = 3600 * int(clock[1]) + 60 * int(clock[2]) + Fraction(clock[3])
        # FFmpeg's muxer counts what comes before the sound where it says how long that is, which ffprobe then tells.
        return end - Fraction(self.found.integer("initial_padding") or 0) / self.rate

    def _holes(self) -> Check:
        """Frames that do not stand where the one before them ended: a player would wait there, and an editor close the gap."""
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
        """Seconds of sound in the proxy, as what was heard gives them: whole samples at the proxy's rate."""
        return Fraction(round(heard.length * self.rate / heard.rate)) / self.rate

    def _slack(self, heard: HeardAudio) -> Fraction:
        return Fraction(0) if heard.rate == self.rate else _RESAMPLED / self.rate

    def _seconds(self, what: str, wanted: Fraction | None, actual: Fraction, slack: Fraction) -> Check:
        ok = None if wanted is None else abs(actual - wanted) <= slack
        return Check(name=f"{self.name}{what}", expected=decimal(wanted), actual=decimal(actual), ok=ok)
