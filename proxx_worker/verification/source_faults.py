"""Faults of a source that its decoded frames reveal: it begins late, or ends early."""

from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue
from proxx_worker.contract.output_settings import Container
from proxx_worker.media.demuxers import NUMBERED
from proxx_worker.planning.frame_timing import clip_start
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.planning.remedies import outside_mxf
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.proxy_probe import ProxyReport
from proxx_worker.verification.source_times import promised_frames

_COUNTING = frozenset({"mov", "mxf", "avi"})
"""Containers that state how many samples they contain; in all others the end is estimated from the last packets."""

_SAMPLES_OF_AMR = {"amr_nb": 160, "amr_wb": 320}
"""Samples per frame: 20 ms at 8 and at 16 kHz (3GPP TS 26.071, 26.171)."""

_TELLING = 3
"""The number of frames that have two distances between them."""

_OF_ONE_SIZE = frozenset({"dv"})
"""Containers whose size gives the number of complete frames. FFmpeg decodes a truncated last one and fills it up."""


def frames_left_out(plan: TaskPlan, encode: EncodeObservation) -> int:
    """How many frames are missing between the video's start by its container and the first frame that decodes.

    Frames that depend on others from before the source's beginning (a cut between keyframes) cannot be decoded or played.
    """
    late = _late_by(plan, encode)
    if late is None or plan.facts.video.start is None or plan.design.schedule.converts:
        return 0
    return max(0, round(late * plan.facts.video.rate))


def _late_by(plan: TaskPlan, encode: EncodeObservation) -> Fraction | None:
    """Seconds from the video's start by its container to the first frame's place; None without a frame. Negative: earlier.

    Where the decoder delays the frames, `output_shift` takes that back, except in MXF and at a variable rate.
    """
    schedule, video, first = plan.design.schedule, plan.facts.video, next(iter(encode.times[:1]), None)
    if first is None:
        return None
    place = first * video.time_base + schedule.output_shift - schedule.offset
    if plan.expected.container is Container.MXF:
        return place + schedule.audio_shift - schedule.delay
    return place - schedule.delay if schedule.rate is None else place


def ends_early(plan: TaskPlan, encode: EncodeObservation, report: ProxyReport) -> JobError | None:
    """The video ends before the container says it does; if only the file's duration is known, everything does."""
    facts, video, times = plan.facts, plan.facts.video, encode.times
    if not times:
        return JobError(
            ErrorCode.SOURCE_DAMAGED,
            "no frame of the source could be decoded: deliver the clip again",
            {"frames_before": 0},
        )
    frame = 1 / video.rate
    end = max(times) * video.time_base + frame - video.delay * frame
    missing = frames_left_out(plan, encode)
    promised = promised_frames(video, times)
    fault = None if promised is None else _miscounted(facts.demuxer, encode.presented, promised, missing, end, frame)
    if fault is not None:
        return fault
    # Containers round, decoders hold back a frame at a cut: two frames and a hundredth are no damage.
    slack = 2 * frame + Fraction(1, 100)
    if video.duration is not None:
        length = (max(times) - min(times)) * video.time_base + frame + missing * frame
        # Fragmented files may state an end instead of a duration.
        reaches = length + (max(Fraction(0), video.start or Fraction(0)) if _is_fragmented(plan) else 0)
        if promised is None and reaches + slack < video.duration:
            return ends_after_seconds(length, video.duration, len(times), end)
    elif facts.duration is not None and not any(kind.startswith("subtitle") for kind in facts.other_streams):
        # Subtitles may outlast everything, so the file's duration does not bound the video's.
        longest = max((end, *_audio_lengths(encode, report)))
        if longest + slack + Fraction(1, 2) < facts.duration:
            return ends_after_seconds(longest, facts.duration, len(times))
    return None


def _miscounted(demuxer: str, presented: int, promised: int, missing: int, end: Fraction, frame: Fraction) -> JobError | None:
    """Whether a source whose frames are counted beforehand gives as many. `missing`: left out; `end`, `frame`: seconds."""
    if demuxer in NUMBERED and presented != promised:
        return JobError(
            ErrorCode.SOURCE_DAMAGED,
            f"the source has {promised} frames by its picture headers, but {presented} were decoded: it is "
            "damaged, or its frames cannot be counted; deliver the clip again, or wrap it in mov or mp4 with times",
            {"frames": presented, "frames_promised": promised},
        )
    if demuxer in _OF_ONE_SIZE and presented > promised:
        return _cut_off(f"the source ends in the middle of frame {promised + 1}", end - frame, frames=promised)
    if presented + missing < promised:
        return ends_after_frames(presented, promised, end)
    return None


def _is_fragmented(plan: TaskPlan) -> bool:
    """Whether the container has no table of all its video samples."""
    return plan.facts.demuxer == "mov" and plan.facts.video.frames is None


def _audio_lengths(encode: EncodeObservation, report: ProxyReport) -> list[Fraction]:
    """The length of each audio stream, as decoded if that was reported, because MXF cuts it at the end of the video."""
    heard = [Fraction(stream.length, stream.rate) for stream in encode.audio if stream is not None]
    return heard + [Fraction(stream.samples, stream.integer("sample_rate") or 1) for stream in report.of_type("audio")]


def undecoded_audio(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """AMR with several frames per packet, of which FFmpeg 5.1 decodes only the first: the rest would be silence.

    Every frame except the first then starts the same number of whole frames after the end of the last one. Pauses of a recorder
    that omits silence are not all alike. From 7.1 on all frames are decoded, and nothing is missing.
    """
    for position, (stream, heard) in enumerate(zip(plan.facts.audio, encode.audio, strict=False)):
        size = _SAMPLES_OF_AMR.get(stream.codec)
        if size is None or heard is None or heard.frames < _TELLING or heard.corrected != heard.frames - 1:
            continue
        missing = {correction.samples for correction in heard.corrections}
        if len(missing) == 1 and (left_out := missing.pop()) > 0 and left_out % size == 0:
            return JobError(
                ErrorCode.SOURCE_UNSUPPORTED,
                f"audio stream {position + 1} of the source has {left_out // size + 1} AMR frames in each packet, but this "
                "FFmpeg decodes only the first: deliver the clip with another audio codec (AAC, PCM), or use a newer FFmpeg",
                {"stream": stream.index, "frames_in_packet": left_out // size + 1},
            )
    return None


def empty_audio(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """An audio stream that is listed but gives no audio: some muxers leave it out, others write a stream of silence or none.

    Not one of which the container has counted samples: it is not the source that lost those.
    """
    counted = bool(_COUNTING.intersection(plan.facts.formats))
    for position, (stream, heard) in enumerate(zip(plan.facts.audio, encode.audio, strict=False)):
        if heard is not None and heard.first is None and not (counted and stream.duration):
            return JobError(
                ErrorCode.SOURCE_UNSUPPORTED,
                f"audio stream {position + 1} of the source ({stream.codec}) is empty: it gave no audio, and a proxy must carry "
                "every audio stream; deliver the clip without that stream, or again if it should have audio",
                {"stream": stream.index, "codec": stream.codec},
            )
    return None


def audio_ends_early(plan: TaskPlan, encode: EncodeObservation, report: ProxyReport) -> JobError | None:
    """Audio that ends earlier than a container that counts its samples says."""
    facts = plan.facts
    start = clip_start(facts)
    if start is None or not _COUNTING.intersection(facts.formats) or len(report.of_type("audio")) != len(facts.audio):
        return None
    if plan.expected.container is Container.MXF and facts.video.start is not None:
        start = facts.video.start  # MXF counts everything from the first video frame
    for position, (stream, heard) in enumerate(zip(facts.audio, encode.audio, strict=False)):
        if heard is None or stream.start is None or stream.duration is None:
            continue
        end, promised = Fraction(heard.length, heard.rate), stream.start + stream.duration - start
        # Lossy codecs use blocks, and decoders may or may not trim the padding at either end.
        if end + Fraction(4 * 1024, heard.rate) < promised:
            name = f"audio stream {position + 1} of the source"
            said = f"{name} ends at {float(end):.3f} s, but its container promises {float(promised):.3f} s"
            return _cut_off(said, end, stream=stream.index)
    return None


def begins_late(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """A first frame at another time than the container says, for MXF, where all streams start together at that time."""
    rate, late = plan.design.schedule.rate, _late_by(plan, encode)
    if plan.expected.container is not Container.MXF or rate is None or late is None or abs(late) * rate <= Fraction(1, 2):
        return None
    second = f"{float(late):.3f}"
    return JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source's first frame is {second} s from the time its container states, and MXF cannot store a late start: "
        + outside_mxf(interlaced=plan.facts.video.interlaced),
        {"seconds": second},
    )


def ends_after_frames(presented: int, promised: int, end: Fraction) -> JobError:
    """SOURCE_DAMAGED for a file with fewer frames than its container counts. `end`: the time in seconds at which they end."""
    said = f"the source ends after {presented} frames, but its container promises {promised} frames"
    return _cut_off(said, end, frames=presented, frames_promised=promised)


def ends_after_seconds(length: Fraction, promised: Fraction, presented: int, end: Fraction | None = None) -> JobError:
    """SOURCE_DAMAGED for a file shorter than its container says. All in seconds; `end`: when it ends, if not at `length`."""
    said = f"the source ends after {float(length):.3f} s, but its container promises {float(promised):.3f} s"
    return _cut_off(said, length if end is None else end, frames=presented, frames_promised=None)


def _cut_off(said: str, end: Fraction, **details: JsonValue) -> JobError:
    """SOURCE_DAMAGED for what ends too early, at `end` seconds, as `said`."""
    return JobError(
        ErrorCode.SOURCE_DAMAGED,
        f"{said}: it was cut off; deliver the clip again",
        {"ends_at_seconds": f"{float(end):.3f}", **details},
    )
