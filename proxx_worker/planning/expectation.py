"""What a finished proxy must be, as values that an observation can be compared with.

None means that the plan's engine cannot know: it is not compared, and the check says so (`ok: null`).
"""

from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.output_settings import Container
from proxx_worker.planning.color_tags import Tags


@dataclass(frozen=True, slots=True)
class ExpectedVideo:
    """The proxy's video. `size`: width and height in pixels. `display_aspect`: exact.

    `field_order`: `progressive`, `tt` (top field first) or `bb`; None if the source does not state it.
    `color_range`, `tags`: the container's, None if the source has none; `frames`: those that the bitstream can carry.
    `mastering_display`, `content_light`: the source's static HDR metadata, see `ColorFacts`.
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

    `rate`: exact and constant. `varies`: there is no such rate. `duration`: of the video, in seconds, according to the source;
    None if that is not told, or not up to its end; if the rate is kept, the frames' own times are more exact. `converts`: frames
    were repeated or dropped to reach `rate`.
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

    `start`: seconds from the file's start. `duration`: seconds, according to the source; what the engine decoded takes
    precedence. `copied_from`: the source's stream whose packets these are, None if it was encoded.
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
    """The whole proxy. `audio`: every stream, in order; None if not even their number is known."""

    container: Container
    video: ExpectedVideo
    timing: ExpectedTiming
    audio: tuple[ExpectedAudio, ...] | None
