"""What follows from ffprobe's reports on a source."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.text import visible
from proxx_worker.media.color import color_of, dolby_vision_profile_of, refuse_ipt
from proxx_worker.media.demuxers import BARE_STREAMS, NO_VIDEO_DEMUXERS, demuxer_name
from proxx_worker.media.facts import MediaFacts, RawSource, VideoFacts
from proxx_worker.media.ffmpeg_words import Meaning, find, says
from proxx_worker.media.ffprobe_json import Section, parse_document
from proxx_worker.media.frame_rate import timing_of
from proxx_worker.media.late_tracks import end_of, without_empty_edits
from proxx_worker.media.orientation import (
    field_order_note,
    field_order_of,
    orientation_note,
    orientation_of,
    oriented_by_frames,
    refuse_single_fields,
    sample_aspect_of,
)
from proxx_worker.media.pixel_formats import pixel_format
from proxx_worker.media.played_pictures import PlayedPictures
from proxx_worker.media.quicktime import AVID_CODEC_TAGS
from proxx_worker.media.raw_dv import whole_frames
from proxx_worker.media.signatures import RAW_CODEC_TAGS, Refusal, sniff
from proxx_worker.media.streams import (
    audio_of,
    codec_tag,
    decoder_delay,
    is_video,
    kind_of,
    refuse_unreadable,
    track_id,
    video_stream_of,
)
from proxx_worker.media.timecode import find_reel, find_timecode

_EIO = 5
_COMPLAINT = re.compile(r"(?:\[[^\]]*\] )?(?!(?:file:)?/dev/fd/)(.{1,200})")
"""One line of ffprobe's stderr without object addresses and descriptor names, which change."""


_NO_TABLES: Mapping[int, PlayedPictures] = MappingProxyType({})
_NONE_LATE: Mapping[int, int] = MappingProxyType({})

_ALPHA_APART = ("vp8", "vp9")
"""Codecs whose alpha is a second stream beside each packet; the decoders that FFmpeg takes unasked do not see it."""

_THIN_RASTERS = ((1440, 1080), (1280, 1080), (960, 720))
"""HDV, DVCPRO HD and DNxHD thin rasters."""


def read_head(head: bytes, read: Callable[[int, int], bytes]) -> RawSource | None:
    """The RAW format shown by a file's own bytes, without ffprobe.

    `head`: the first HEAD_BYTES. `read(offset, size)` gives up to `size` bytes of the file. Raises SOURCE_UNSUPPORTED for an
    empty or refused file.
    """
    if not head:
        raise ProxxError(ErrorCode.SOURCE_UNSUPPORTED, "the file is empty; deliver it again")
    found = sniff(head, read)
    if isinstance(found, Refusal):
        raise ProxxError(ErrorCode.SOURCE_UNSUPPORTED, f"the file is {found.reason}", reason=found.reason)
    return None if found is None else RawSource(found.format)


def read_source(
    stdout: bytes,
    stderr: str,
    exit_code: int,
    avid_aspect: Fraction | None = None,
    gapless: frozenset[int] = frozenset(),
    played: Mapping[int, PlayedPictures] = _NO_TABLES,
    late: Mapping[int, int] = _NONE_LATE,
    first_frame: Section | None = None,
) -> MediaFacts | RawSource:
    """Facts, or the RAW format, of a source that `read_head` accepted, from ffprobe's report.

    `exit_code` is negative for a signal; `avid_aspect` is what `avid_pixel_aspect` found, `gapless` what `gapless_tracks` did,
    `played` what `played_pictures` did, `late` what `late_tracks` did. `first_frame`: the video's, if a further look found one;
    else it is sought in the report.

    Raises SOURCE_UNSUPPORTED and SOURCE_NO_VIDEO, each with its reason.
    """
    document = parse_document(stdout)
    if exit_code != 0 or document is None or not document.section("format").values:
        raise _unrecognized(document, stderr, exit_code)
    if says(Meaning.EXTERNAL_TRACK, stderr):
        # For what refuse_external_media cannot see (a compressed movie header).
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            "a source must be self-contained, but the media of a track is in another file; make the movie self-contained",
        )
    streams = document.sections("streams")
    for stream in streams:
        raw_format = RAW_CODEC_TAGS.get(stream.text("codec_tag_string") or "")
        if raw_format is not None and stream.text("codec_type") == "video":
            return RawSource(raw_format)
    shown = document.sections("frames") if first_frame is None else (first_frame,)
    return _facts(document.section("format"), streams, shown, avid_aspect, gapless, played, late)


def video_frame(stdout: bytes, index: int) -> Section | None:
    """The first decoded frame of stream `index` in a report of ffprobe's; None if it has none."""
    document = parse_document(stdout)
    return None if document is None else _frame_of(document.sections("frames"), index)


def read_look(stdout: bytes, stderr: str, exit_code: int, index: int) -> Section | None:
    """As `video_frame`, of a further look at stream `index`. Raises SOURCE_UNSUPPORTED if ffprobe failed."""
    document = parse_document(stdout)
    if exit_code != 0 or document is None:
        raise _unrecognized(document, stderr, exit_code)
    return video_frame(stdout, index)


def says_input_output_error(stdout: bytes) -> bool:
    """Whether ffprobe failed with AVERROR(EIO): the system refused a read, or the file ends before its format allows."""
    document = parse_document(stdout) if b'"error"' in stdout else None
    return document is not None and document.section("error").integer("code") == -_EIO


def _unrecognized(document: Section | None, stderr: str, exit_code: int) -> ProxxError:
    said = document.section("error").text("string") if document else None
    complaints = [visible(match[1]) for line in stderr.splitlines() if (match := _COMPLAINT.match(line))]
    if exit_code < 0:
        why = f"ffprobe was ended by signal {-exit_code} while reading it"
    elif refused := find(Meaning.REFUSED_FORMAT, stderr):
        bare = BARE_STREAMS.get(refused["format"])
        if bare is not None:
            return ProxxError(
                ErrorCode.SOURCE_UNSUPPORTED,
                f"a source must have a time at each frame, but this is a bare {bare} stream: wrap it in mov or mp4 at its rate",
                format=refused["format"],
            )
        why = f"FFmpeg detects {refused['format']}, which is not a supported format"
    else:
        why = ", ".join([*([said] if said else []), *complaints[:1]]) or f"ffprobe exited with {exit_code} and no message"
    return ProxxError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the file is not readable media: {why}; check that it is complete and a video file",
        ffprobe_error=said,
        ffprobe_exit_code=exit_code,
    )


def _facts(
    container: Section,
    streams: tuple[Section, ...],
    frames: tuple[Section, ...],
    avid_aspect: Fraction | None,
    gapless: frozenset[int],
    played: Mapping[int, PlayedPictures],
    late: Mapping[int, int],
) -> MediaFacts:
    formats = container.text("format_name") or ""
    demuxer = demuxer_name(formats)
    if demuxer is None:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED, f"the file's format ({formats!r}) is not supported; convert or rewrap the clip first"
        )
    stated, streams = streams, tuple(without_empty_edits(stream, late) for stream in streams)
    video_stream = video_stream_of(streams)
    if video_stream is None:
        what = NO_VIDEO_DEMUXERS.get(demuxer, demuxer)
        raise ProxxError(
            ErrorCode.SOURCE_NO_VIDEO,
            f"the file ({what}) has no video stream: {', '.join(map(kind_of, streams)) or 'no streams'}; leave it out",
            streams=[kind_of(stream) for stream in streams],
        )
    audio = [stream for stream in streams if stream.text("codec_type") == "audio"]
    for stream in (video_stream, *audio):
        refuse_unreadable(stream, container)
    frame = _frame_of(frames, video_stream.integer("index")) or Section({})
    video = _video(video_stream, frame, demuxer, avid_aspect)
    proven = played.get(track_id(video_stream) or 0) if demuxer == "mov" else None
    counted = whole_frames(video, container.positive("size")) if demuxer == "dv" else None if proven is None else proven.pictures
    if counted is not None:
        video = replace(video, frames=counted, frames_certain=True)
    told = None if video.constant_rate else video.told_rate
    found = find_timecode(demuxer, container, video_stream, streams, video.rate, told)
    others = [stream for stream in streams if stream is not video_stream and stream.text("codec_type") != "audio"]
    start, duration = container.seconds("start_time"), None if demuxer == "ivf" else container.seconds("duration")
    if demuxer == "matroska" and start is not None and duration is not None and 0 < start < duration:
        # FFmpeg, and anything that records with it, writes the time at which a file ends: a segment cut from the middle of a
        # recording keeps its times, and would claim everything before it. If a writer did count from the start, less is certain.
        duration -= start
    if streams != stated and duration is not None and (end := end_of(streams)) is not None:
        duration = min(duration, end - (start or 0))
    notes = [f"video stream {stream.integer('index')} is not the main one: ignored" for stream in others if is_video(stream)]
    notes += proven.notes if proven is not None else ()
    notes += filter(None, (field_order_note(video_stream, frame), orientation_note(video_stream, frame)))
    if any(stream.tag("data_type") == "audio" for stream in others):
        notes.append("the audio of this OP-Atom clip is in other files and not part of this source")
    if video.sample_aspect == 1 and (video.width, video.height) in _THIN_RASTERS:
        notes.append(
            f"{video.width}x{video.height} is usually displayed as 16:9, but its pixels are flagged square: kept as flagged"
        )
    reel = find_reel(container, video_stream, streams)
    return MediaFacts(
        formats=tuple(formats.split(",")),
        video=video,
        audio=tuple(audio_of(stream, gapless) for stream in audio),
        timecode=found.timecode,
        reel=reel.name,
        start=start,
        duration=duration,
        other_streams=tuple(kind_of(stream) for stream in others),
        notes=(*notes, *found.notes, *reel.notes),
    )


def _has_alpha_apart(video_stream: Section, codec: str, demuxer: str) -> bool:
    """Whether Matroska's AlphaMode says so. In other codecs the tag is what remained of a source that was encoded again."""
    return demuxer == "matroska" and codec in _ALPHA_APART and video_stream.tag("alpha_mode") == "1"


def _frame_of(frames: tuple[Section, ...], index: int | None) -> Section | None:
    return next((frame for frame in frames if frame.integer("stream_index") == index), None)


def _video(video_stream: Section, frame: Section, demuxer: str, avid_aspect: Fraction | None) -> VideoFacts:
    index, width, height = video_stream.integer("index"), video_stream.positive("width"), video_stream.positive("height")
    codec = video_stream.text("codec_name")
    format_name = video_stream.text("pix_fmt")
    layout = pixel_format(format_name) if format_name else None
    refuse_single_fields(video_stream, frame)
    field_order = field_order_of(video_stream, frame)
    timing = timing_of(video_stream, demuxer, field_order)
    if index is None or codec is None or width is None or height is None or format_name is None or timing is None:
        known = {"place": index, "size": width and height, "pixel format": format_name, "rate": timing}
        missing = next((name for name, value in known.items() if value is None), "codec")
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the video stream ({codec}) reports no {missing}; the file may be truncated",
            codec=codec,
        )
    if layout is None:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the pixel format {format_name} is not supported; convert the clip first",
            pixel_format=format_name,
        )
    profile = dolby_vision_profile_of(video_stream, frame)
    refuse_ipt(video_stream, profile)
    orientation = orientation_of(video_stream, frame)
    return VideoFacts(
        index=index,
        codec=codec,
        profile=video_stream.text("profile"),
        codec_tag=codec_tag(video_stream),
        width=width,
        height=height,
        sample_aspect=(codec_tag(video_stream) in AVID_CODEC_TAGS and avid_aspect) or sample_aspect_of(video_stream),
        rotation=orientation.rotation,
        mirrored=orientation.mirrored,
        oriented_by_frames=oriented_by_frames(video_stream, frame),
        field_order=field_order,
        rate=timing.rate,
        average_rate=timing.average_rate,
        constant_rate=timing.constant_rate,
        time_base=timing.time_base,
        start=timing.start,
        duration=timing.duration,
        frames=timing.frames,
        frames_certain=timing.frames_certain,
        pixel_format=format_name,
        bit_depth=layout.bit_depth,
        has_alpha=layout.has_alpha or _has_alpha_apart(video_stream, codec, demuxer),
        color=color_of(video_stream, frame),
        dolby_vision_profile=profile,
        coded_width=video_stream.positive("coded_width"),
        coded_height=video_stream.positive("coded_height"),
        clean_aperture=video_stream.side_data("Frame Cropping") is not None,
        delay=decoder_delay(video_stream, demuxer),
        told_rate=timing.told_rate,
    )
