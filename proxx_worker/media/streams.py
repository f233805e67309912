"""Which stream is the main video, which are audio, what else there is, and which streams cannot be used."""

import re
from collections.abc import Sequence
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.media.facts import AudioFacts
from proxx_worker.media.ffprobe_json import Section
from proxx_worker.media.unknown_durations import stated_duration

_TRACK_ID = re.compile(r"0x([0-9a-f]{1,8})")
_NOT_VIDEO = ("attached_pic", "timed_thumbnails", "still_image")
_ENCRYPTED_TAGS = frozenset({"encv", "enca", "drmi", "drms"})
_ENCRYPTION_DATA = ("Encryption info", "Encryption initialization data")


def video_stream_of(streams: Sequence[Section]) -> Section | None:
    """The main video stream; None if there is none.

    Cover art and thumbnails do not count, and position means nothing (audio, subtitles or data often come first). With several
    real video tracks: one marked default before one that is not, then the one with the most frames (a motion photo has its two
    high-resolution stills as a second track), then the larger one, then the earlier one.
    """
    candidates = [stream for stream in streams if is_video(stream)]
    return max(candidates, key=_rank, default=None)


def is_video(stream: Section) -> bool:
    """Whether a stream is a video track and not a cover or a thumbnail."""
    disposition = stream.section("disposition")
    return stream.text("codec_type") == "video" and not any(disposition.flag(name) for name in _NOT_VIDEO)


def _rank(stream: Section) -> tuple[bool, Fraction, int, int]:
    default = stream.section("disposition").flag("default")
    frames = Fraction(stream.positive("nb_frames") or 0)
    area = (stream.positive("width") or 0) * (stream.positive("height") or 0)
    return default, frames, area, -(stream.integer("index") or 0)


def refuse_unreadable(stream: Section, container: Section) -> None:
    """Raise SOURCE_UNSUPPORTED for a stream that is encrypted or whose codec is unknown."""
    place = f"{stream.text('codec_type') or 'unknown'} stream {stream.integer('index')}"
    tag = codec_tag(stream) or "no tag"
    if (
        tag in _ENCRYPTED_TAGS
        or any(stream.side_data(kind) for kind in _ENCRYPTION_DATA)
        or container.tag("asf_protection_type") is not None
    ):
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED, f"{place} is encrypted ({tag}); deliver it without protection", codec_tag=tag
        )
    if stream.text("codec_name") is None:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"{place} uses a codec that this FFmpeg does not support ({tag}); deliver it in another codec",
            codec_tag=tag,
        )


def audio_of(stream: Section, gapless: frozenset[int] = frozenset()) -> AudioFacts:
    """The facts of one audio stream. `gapless`: what `gapless_tracks` found in its file.

    Raises SOURCE_UNSUPPORTED if its channels or rate are unknown: a proxy must carry every audio stream.
    """
    index, codec = stream.integer("index"), stream.text("codec_name")
    time_base = stream.ratio("time_base")
    channels, rate = stream.positive("channels"), stream.positive("sample_rate")
    if index is None or codec is None or channels is None or rate is None:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"audio stream {index} ({codec}) reports no channels or sample rate; the file may be truncated. "
            "A proxy must carry every audio stream: deliver the whole file, or one without that stream",
            codec=codec,
        )
    return AudioFacts(
        index=index,
        codec=codec,
        channels=channels,
        layout=stream.text("channel_layout"),
        sample_rate=rate,
        sample_format=stream.text("sample_fmt"),
        bits_per_sample=stream.positive("bits_per_raw_sample") or stream.positive("bits_per_sample"),
        start=_ticks(stream, "start_pts", time_base),
        duration=stated_duration(stream, time_base),
        profile=stream.text("profile"),
        gapless=track_id(stream) in gapless,
        time_base=time_base,
    )


def track_id(stream: Section) -> int | None:
    """The track's number in a QuickTime file, which ffprobe writes like `0x2`."""
    match = _TRACK_ID.fullmatch(stream.text("id") or "")
    return None if match is None else int(match[1], 16)


def kind_of(stream: Section) -> str:
    """What another stream is, as facts list it: `data:tmcd`, `subtitle:dvb_subtitle`, `cover:mjpeg`, `video:hevc`."""
    kind = stream.text("codec_type") or "unknown"
    if kind == "video" and not is_video(stream):
        kind = "cover"
    name, tag = stream.text("codec_name"), codec_tag(stream)
    return f"{kind}:{((tag or name) if kind == 'data' else (name or tag)) or 'unknown'}"


def codec_tag(stream: Section) -> str | None:
    """The container's four-character code for the codec; None if it has none (ffprobe's `[0][0][0][0]`)."""
    tag = stream.text("codec_tag_string")
    return None if tag == "[0][0][0][0]" else tag


def decoder_delay(stream: Section, demuxer: str) -> int:
    """How many frames late FFmpeg times every frame of a video stream: `VideoFacts.delay`.

    AVI has no presentation times, and FFmpeg takes none from a Matroska track of an AVI's kind (V_MS/VFW/FOURCC): each frame gets
    the time of the packet with which it leaves the decoder. With B-frames, that is as many packets later as the decoder reorders,
    from the first frame to the last, whether or not some before the first do not decode
    (docs/decisions/0024-recordings-that-begin-between-keyframes.md).
    """
    # Other Matroska tracks have no code, except QuickTime's, of which SVQ3 alone reorders: there, times are presentation times.
    vfw = demuxer == "matroska" and codec_tag(stream) is not None and stream.text("codec_name") != "svq3"
    return (stream.positive("has_b_frames") or 0) if demuxer == "avi" or vfw else 0


def _ticks(stream: Section, key: str, time_base: Fraction | None) -> Fraction | None:
    ticks = stream.integer(key)
    return None if ticks is None or time_base is None else ticks * time_base
