"""What is known about a piece of media, source or proxy: plain frozen values, exact rationals, `None` for unknown."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Timecode:
    """A start timecode. `text` is `HH:MM:SS:FF`, with `;` before the frames for drop-frame.

    `origin` is where it was found: `stream`, `tmcd`, `format` or `rtmd`. `own_rate`: the frames per second that it counts, where
    the video's rate varies; None for the video's.
    """

    text: str
    drop_frame: bool
    origin: str
    own_rate: Fraction | None = None


@dataclass(frozen=True, slots=True)
class ColorFacts:
    """Colour tags in FFmpeg's names (`bt709`, `smpte2084`, `tv`); `None` if the file does not state it.

    `mastering_display`: `G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)`, chromaticities in 0.00002, luminance in 0.0001 cd/m2, the notation
    of x265's `master-display`. `content_light`: `MaxCLL,MaxFALL` in cd/m2, the notation of x265's `max-cll`.
    """

    range: str | None = None
    matrix: str | None = None
    primaries: str | None = None
    transfer: str | None = None
    chroma_location: str | None = None
    mastering_display: str | None = None
    content_light: str | None = None


_TOP_FIELD_FIRST = {"tt": True, "tb": True, "bb": False, "bt": False}


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The main video stream.

    `width`, `height`: pixels as decoded, before rotation; `coded_width`, `coded_height`: with the codec's padding (1088 lines),
    None if the decoder does not report it. `sample_aspect`: pixel width / height, 1 if unspecified.
    `rotation`: degrees to turn the decoded frame clockwise for display, one of 0, 90, 180, 270; `mirrored`: whether it is
    mirrored left to right before that; `oriented_by_frames`: the frames alone say so, not the container.
    `field_order`: `progressive`, `tt`, `bb`, `tb`, `bt` or None. `rate`: the exact frame rate, nominal where it is constant, the
    average where it varies; `average_rate`: the container's average; `constant_rate` is False where frame durations vary.
    `time_base`: seconds per tick. `frames`: frames that the source presents, according to the container;
    `frames_certain`: whether that is reliable. `clean_aperture`: the container marks a part of the frame (`clap`, PixelCrop), as
    reported by an FFmpeg that would crop to it. `delay`: by how many frames FFmpeg gives every frame a later time than its place
    in the container, which has no presentation times; 0 where it has them. `told_rate`: the rate that FFmpeg tells its muxers,
    also where the rate varies.
    """

    index: int
    codec: str
    profile: str | None
    codec_tag: str | None
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
    dolby_vision_profile: int | None = None
    coded_width: int | None = None
    coded_height: int | None = None
    mirrored: bool = False
    oriented_by_frames: bool = False
    clean_aperture: bool = False
    delay: int = 0
    told_rate: Fraction | None = None

    @property
    def promised_frames(self) -> int | None:
        """How many frames the source presents according to the container, if that is reliable."""
        return self.frames if self.frames_certain else None

    @property
    def interlaced(self) -> bool:
        """Whether a frame holds two fields of different times. A file that does not state it is taken as progressive."""
        return self.field_order in _TOP_FIELD_FIRST

    @property
    def top_field_first(self) -> bool | None:
        """Which field is earlier; None for progressive.

        `tb` and `bt` are QuickTime's `fiel` 9 and 14: "first line early" and "first line late", which is top and bottom field
        first of interleaved lines, whatever the two letters seem to say about storage. DV NTSC (bottom first) carries 14.
        Source: Apple ImageCompression.h, kQTFieldDetailSpatialFirstLineEarly/Late; FFmpeg writes them the same way.
        """
        return _TOP_FIELD_FIRST.get(self.field_order) if self.field_order else None


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """One audio stream. `layout` is FFmpeg's name (`stereo`, `5.1(side)`) or None; `sample_rate` in Hz; `duration` in seconds.

    `profile`: of the codec, in FFmpeg's name (`LC`). `gapless`: the container's tables prove that its packets are played one
    after another, as they are stored (see `gapless_tracks`); False if they do not, or if nothing is known about them.
    `time_base`: seconds per tick of the container's times.
    """

    index: int
    codec: str
    channels: int
    layout: str | None
    sample_rate: int
    sample_format: str | None
    bits_per_sample: int | None
    start: Fraction | None
    duration: Fraction | None
    profile: str | None = None
    gapless: bool = False
    time_base: Fraction | None = None


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """What is incomplete at the end of a transport stream.

    `bytes`: how much of the file is read, which leaves out its last picture; None if that is complete. `packets`: the other
    streams' incomplete last packets by their time (90 kHz, 33 bits; None: it has none), which FFmpeg reports when it drops them.
    """

    bytes: int | None
    packets: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """Everything that planning and verification need about one file.

    `formats`: the demuxer's names. `other_streams`: what else is in there, `kind:codec` each (`data:tmcd`, `cover:mjpeg`).
    `notes`: what was found and ignored, as text for an operator (an impossible timecode, a second video stream).
    `open_end`: of a recording that stops within a picture or a packet; None if it does not.
    """

    formats: tuple[str, ...]
    video: VideoFacts
    audio: tuple[AudioFacts, ...]
    timecode: Timecode | None
    reel: str | None
    start: Fraction | None
    duration: Fraction | None
    other_streams: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    open_end: OpenEnd | None = None

    @property
    def demuxer(self) -> str:
        """The name for `-f`: the encoder reads the file with the demuxer that the probe detected."""
        return self.formats[0]


@dataclass(frozen=True, slots=True)
class RawSource:
    """Camera RAW, recognised by content: for Resolve, never for FFmpeg. `format` is its name in messages."""

    format: str
