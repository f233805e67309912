"""What a finished proxy must be: the plan's promise, as values that an observation can be compared with.

None is what the plan's engine cannot know: nothing is compared with it, and the check says so (`ok: null`).
"""

from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.output_settings import Container
from proxx_worker.planning.color_tags import Tags


@dataclass(frozen=True, slots=True)
class ExpectedVideo:
    """The proxy's picture. `size`: width and height in pixels. `display_aspect`: exact.

    `field_order`: `progressive`, `tt` (top field first) or `bb`; None where the source does not say.
    `color_range`, `tags`: what the container says, None where the source says nothing; `frames`: what of it the bitstream can
    say. `mastering_display`, `content_light`: the source's static HDR metadata, see `ColorFacts`.
    """

    codec: str
    profile: str | None
    codec_tag: str | None
    size: tuple[int, int] | None
    display_aspect: Fraction | None
    field_order: str | None
    color_range: str | None
    tags: Tags
    frames: Tags
    mastering_display: str | None
    content_light: str | None


@dataclass(frozen=True, slots=True)
class ExpectedTimecode:
    """The start timecode, as FFmpeg writes it; `text` None: the proxy has none."""

    text: str | None


@dataclass(frozen=True, slots=True)
class ExpectedTiming:
    """When the proxy's frames are shown.

    `rate`: exact and constant. `varies`: there is no such rate. `duration`: of the picture, in seconds, as the source says; of a
    rate that is kept, the frames' own times tell more. `converts`: frames were repeated or dropped to reach `rate`.
    """

    rate: Fraction | None
    varies: bool
    duration: Fraction | None
    converts: bool
    timecode: ExpectedTimecode | None
    reel: str | None


@dataclass(frozen=True, slots=True)
class ExpectedAudio:
    """One audio stream of the proxy.

    `start`: seconds from the file's start. `duration`: seconds, as the source says; what the engine decoded goes before it.
    `copied_from`: the source's stream whose packets these are, None where it was encoded.
    """

    codec: str | None
    channels: int | None
    layout: str | None
    sample_rate: int | None
    start: Fraction | None
    duration: Fraction | None
    copied_from: int | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """All of it. `audio`: every stream, in order; None where not even their number is known."""

    container: Container
    video: ExpectedVideo
    timing: ExpectedTiming
    audio: tuple[ExpectedAudio, ...] | None
