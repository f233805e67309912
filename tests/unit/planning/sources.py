"""Facts as small as they can be: what a test does not name is what an ordinary camera clip says."""

from dataclasses import replace
from fractions import Fraction
from typing import TypedDict, Unpack

from proxx_worker.contract.output_settings import Codec, Container, DnxhrLevel, FpsMode, OutputSettings, Resolution, ScaleMode
from proxx_worker.media.facts import AudioFacts, ColorFacts, MediaFacts, Timecode, VideoFacts
from proxx_worker.planning.color_tags import Tags
from proxx_worker.planning.expectation import ExpectedVideo

REC709 = ColorFacts(range="tv", matrix="bt709", primaries="bt709", transfer="bt709")
PICTURE = VideoFacts(
    index=0,
    codec="h264",
    profile="High",
    codec_tag="avc1",
    width=1920,
    height=1080,
    sample_aspect=Fraction(1),
    rotation=0,
    field_order="progressive",
    rate=Fraction(25),
    average_rate=Fraction(25),
    constant_rate=True,
    time_base=Fraction(1, 12800),
    start=Fraction(0),
    duration=Fraction(1),
    frames=25,
    frames_certain=True,
    pixel_format="yuv420p",
    bit_depth=8,
    has_alpha=False,
    color=REC709,
)
STEREO = AudioFacts(
    index=1,
    codec="aac",
    channels=2,
    layout="stereo",
    sample_rate=48000,
    sample_format="fltp",
    bits_per_sample=None,
    start=Fraction(0),
    duration=Fraction(1),
    profile="LC",
    gapless=True,
    time_base=Fraction(1, 48000),
)
CLIP = MediaFacts(
    formats=("mov", "mp4", "m4a", "3gp", "3g2", "mj2"),
    video=PICTURE,
    audio=(STEREO,),
    timecode=None,
    reel=None,
    start=Fraction(0),
    duration=Fraction(1),
)
DROP_FRAME = Timecode("01:00:00;02", drop_frame=True, origin="tmcd")


class Picture(TypedDict, total=False):
    """The fields of `VideoFacts` that tests vary."""

    width: int
    height: int
    sample_aspect: Fraction
    rotation: int
    field_order: str | None
    rate: Fraction
    average_rate: Fraction | None
    constant_rate: bool
    time_base: Fraction
    start: Fraction | None
    duration: Fraction | None
    frames: int | None
    frames_certain: bool
    pixel_format: str
    bit_depth: int
    has_alpha: bool
    color: ColorFacts
    codec: str
    mirrored: bool
    clean_aperture: bool
    delay: int


def clip(**picture: Unpack[Picture]) -> MediaFacts:
    """The ordinary clip with another picture."""
    return replace(CLIP, video=replace(PICTURE, **picture))


def settings(
    codec: Codec = Codec.H264,
    container: Container = Container.MP4,
    resolution: Resolution = Resolution(ScaleMode.SAME),  # noqa: B008 - a frozen value
    fps: Fraction | None = None,
    level: DnxhrLevel | None = None,
) -> OutputSettings:
    """Settings that keep size and rate where nothing else is said."""
    mode = FpsMode.SAME_AS_SOURCE if fps is None else FpsMode.EXPLICIT
    return OutputSettings(codec, container, resolution, mode, fps, level)


NO_TAGS = Tags(None, None, None)
UNKNOWN_PRORES = ExpectedVideo(
    codec="prores",
    profile=None,
    codec_tag=None,
    size=None,
    display_aspect=None,
    field_order=None,
    color_range=None,
    tags=NO_TAGS,
    frames=NO_TAGS,
    mastering_display=None,
    content_light=None,
)
"""Nothing but the codec is known of it, as of an engine that tells no more."""
