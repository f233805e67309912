"""Facts of small files, for tests of the report and of relinking."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from proxx_worker.media.facts import AudioFacts, ColorFacts, MediaFacts, Timecode, VideoFacts
from proxx_worker.media.source_record import source_media

BT709 = ColorFacts(range="tv", matrix="bt709", primaries="bt709", transfer="bt709")


def video(**changes: object) -> VideoFacts:
    """1920x1080 at 25, progressive, BT.709."""
    facts = VideoFacts(
        index=0, codec="h264", profile=None, codec_tag="avc1", width=1920, height=1080, sample_aspect=Fraction(1), rotation=0,
        field_order="progressive", rate=Fraction(25), average_rate=Fraction(25), constant_rate=True, time_base=Fraction(1, 12800),
        start=Fraction(0), duration=Fraction(2), frames=50, frames_certain=True, pixel_format="yuv420p", bit_depth=8,
        has_alpha=False, color=BT709,
    )  # fmt: skip
    return replace(facts, **changes)  # type: ignore[arg-type] # the tests name fields as they are


def audio(index: int = 1, channels: int = 2) -> AudioFacts:
    """48 kHz PCM."""
    return AudioFacts(index, "pcm_s16le", channels, None, 48000, "s16", 16, Fraction(0), Fraction(2))


def media(picture: VideoFacts | None = None, *, audio_streams: int = 1, formats: tuple[str, ...] = ("mov", "mp4")) -> MediaFacts:
    """A file with timecode 10:00:00:00."""
    return MediaFacts(
        formats=formats,
        video=picture or video(),
        audio=tuple(audio(number + 1) for number in range(audio_streams)),
        timecode=Timecode("10:00:00:00", drop_frame=False, origin="stream"),
        reel=None,
        start=Fraction(0),
        duration=Fraction(2),
    )


def record_of(facts: MediaFacts) -> dict[str, Any]:
    """The facts as a result has them."""
    return source_media(facts).model_dump(mode="json")
