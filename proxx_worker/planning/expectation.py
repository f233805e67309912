"""What a finished proxy must be: the plan's promise, as values that an observation can be compared with."""

from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.output_settings import Container
from proxx_worker.media.facts import Timecode
from proxx_worker.planning.color_tags import Tags


@dataclass(frozen=True, slots=True)
class ExpectedVideo:
    """The proxy's picture. Sizes in pixels, `display_aspect` exact, `profile` None where it is not compared.

    `field_order`: `progressive`, `tt` (top field first) or `bb`; None where the source does not say.
    `color_range`, `tags`: what the container says, None where the source says nothing; `frames`: what of it the bitstream can
    say. `mastering_display`, `content_light`: the source's static HDR metadata, see `ColorFacts`.
    """

    codec: str
    profile: str | None
    codec_tag: str | None
    width: int
    height: int
    display_aspect: Fraction
    field_order: str | None
    color_range: str | None
    tags: Tags
    frames: Tags
    mastering_display: str | None
    content_light: str | None


@dataclass(frozen=True, slots=True)
class ExpectedTiming:
    """When the proxy's frames are shown.

    `rate`: exact and constant, None for variable. `source_tick`: seconds per tick of the times that the encode reports.
    `offset`: seconds from the file's start to the first frame, as the source's container says. `shift`: seconds by which the
    proxy's frames are later than the times that the encode reports; None where the proxy starts with its first frame whenever
    that was. `end`: the end of a variable-rate picture, seconds from the file's start. `converts`: frames were repeated or
    dropped, so frame times follow the grid and not the source.
    """

    rate: Fraction | None
    source_tick: Fraction
    offset: Fraction
    shift: Fraction | None
    end: Fraction | None
    converts: bool
    timecode: Timecode | None
    reel: str | None


@dataclass(frozen=True, slots=True)
class ExpectedAudio:
    """One audio stream of the proxy.

    `layout`, `start` (seconds from the file's start), `duration` (seconds): None where the source does not say. `uncertainty`:
    how far off the duration may be, seconds. `copied_from`: the source's stream whose packets these are, None where it was
    encoded.
    """

    codec: str
    channels: int
    layout: str | None
    sample_rate: int
    start: Fraction | None
    duration: Fraction | None
    uncertainty: Fraction = Fraction(0)
    copied_from: int | None = None


@dataclass(frozen=True, slots=True)
class ExpectedSource:
    """What the source's container promises: `frames` only when certain, `picture_duration` and `duration` in seconds."""

    frames: int | None
    frame_length: Fraction
    picture_duration: Fraction | None
    duration: Fraction | None


@dataclass(frozen=True, slots=True)
class Expectation:
    """All of it."""

    container: Container
    video: ExpectedVideo
    timing: ExpectedTiming
    audio: tuple[ExpectedAudio, ...]
    source: ExpectedSource
