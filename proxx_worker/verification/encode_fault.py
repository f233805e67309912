"""Diagnosis of an encode by FFmpeg's own messages: no space left, a damaged or unsupported source, a failed encoder."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from proxx_worker.contract.errors import JOB_LOG, ErrorCode, JobError, JsonValue
from proxx_worker.media.decoder_names import decoder_names
from proxx_worker.media.demuxers import NUMBERED
from proxx_worker.media.ffmpeg_words import Meaning, says, speaker, without_addresses
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.verification.damage_places import DamageSearchResult, Place, describe, listed, stream_of
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.ends import is_known_end
from proxx_worker.verification.frame_grid import first_gap, places_on_grid
from proxx_worker.verification.source_faults import ends_after_frames, ends_after_seconds
from proxx_worker.verification.source_times import times_fault
from proxx_worker.verification.wide_holes import wide_hole

_QUOTED_LINES = 10

_STATE_PACKET_SIZES = frozenset({"mxf", "mov", "avi"})
"""Containers that say how long each packet is. One that is not whole is the last of a file that was cut off, or has a wrong size.

The search tells which: after a wrong size, more packets of its stream follow.
"""

_AHEAD = 48
"""Frames that a decoder may work ahead of those presented: 16 for H.264's and HEVC's reordering, as many in its threads, and the
queue before the filters."""


def encode_error(plan: TaskPlan, encode: EncodeObservation, search: DamageSearchResult | None = None) -> JobError | None:
    """Why this encode cannot have made a valid proxy, from its exit code, messages and progress; None if they show no fault.

    `search`: what a pass over the whole of a damaged source found.
    """
    failed = encode.exit_code != 0
    stopped_by_times = failed and any(says(Meaning.TIMES, line) for line in encode.complaints)
    shortage = _shortage(encode, failed=failed)
    if shortage is not None:
        return shortage
    return (
        _damage(plan, encode, search, failed=failed)
        or _changes(plan, encode)
        or wide_hole(plan, encode)
        or (times_fault(plan, encode, search) if stopped_by_times else None)
        or _own_fault(encode)
    )


def _damage(plan: TaskPlan, encode: EncodeObservation, search: DamageSearchResult | None, *, failed: bool) -> JobError | None:
    decoding, reading = _faults_of_source(plan, encode.complaints)
    damage = [line for line in encode.complaints if line in decoding or (failed and line in reading)]
    if damage and not failed and begins_between_keyframes(plan, encode, damage):
        return None
    cut = _cut_off(plan, encode, damage, search)
    if cut is not None:
        return cut
    # With -xerror, a decoder may fail without a message (libdav1d).
    in_silence = failed and not encode.complaints and any(says(Meaning.GAVE_UP, line) for line in encode.stderr_tail[-1:])
    return _damaged(plan, encode, damage, search) if damage or in_silence else None


def _cut_off(
    plan: TaskPlan, encode: EncodeObservation, damage: Sequence[str], search: DamageSearchResult | None
) -> JobError | None:
    """A file that ends within a packet, if nothing else is wrong with it: it is told as any other that was cut off.

    `search` has decoded all that there is; FFmpeg stopped before its decoders had given every frame.
    """
    video, promised = plan.facts.video, plan.facts.video.promised_frames
    cut = [line for line in damage if says(Meaning.INCOMPLETE, line)]
    if plan.facts.demuxer not in _STATE_PACKET_SIZES or not cut or not _is_only_cut(damage, search):
        return None
    frames = encode.presented
    if search is not None:
        # A decoder may make a frame of what there is of the last packet.
        stream = search.places[-1].stream if search.places else stream_of(plan.facts, cut[0])
        frames = min(search.frames, search.packets - (stream == video.index))
    end = frames / video.rate
    # Where the video has all its frames, the audio was cut: that is told with its stream and place.
    if (promised is not None and frames >= promised) or end >= (video.duration or 0):
        return None
    if promised is None:
        error = ends_after_seconds(end, video.duration or Fraction(0), frames)
    else:
        error = ends_after_frames(frames, promised, end)
    if search is None:
        return error
    found = listed(search.places, search.more)
    return replace(error, details={**error.details, **found, "places_complete": search.complete})


def _is_only_cut(damage: Sequence[str], search: DamageSearchResult | None) -> bool:
    """Whether a packet that is not whole is all that is wrong: by the search's places if it found any, else by FFmpeg's messages.

    When FFmpeg stops, a decoder may already have complained about what there is of the last packet, or not yet begun with it.
    """
    if search is not None and not (search.complete and search.at_end and len(search.places) + search.more <= 1):
        return False
    if search is not None and search.places:
        return True
    # From 7 on FFmpeg also says that reading ended.
    return all(says(Meaning.INCOMPLETE, line) or says(Meaning.READING, line) for line in damage)


def _own_fault(encode: EncodeObservation) -> JobError | None:
    """A fault of the encoder itself."""
    if encode.exit_code != 0:
        how = f"signal {-encode.exit_code}" if encode.exit_code < 0 else f"exit code {encode.exit_code}"
        last = without_addresses(next(iter((*encode.complaints[-1:], *encode.stderr_tail[-1:])), "it printed nothing"))
        return JobError(
            ErrorCode.ENCODE_FAILED,
            f"FFmpeg ended with {how}: {last}; its full output is in {JOB_LOG}",
            {"exit_code": encode.exit_code, "lines": _said_last(encode)},
        )
    if not encode.progress.ended:
        return JobError(
            ErrorCode.ENCODE_FAILED,
            "FFmpeg must report that it finished, but it exited with code 0 without doing so: its output cannot be trusted; "
            f"check that the program configured as ffmpeg is FFmpeg, and see {JOB_LOG}",
            {"exit_code": encode.exit_code, "lines": _said_last(encode)},
        )
    return None


def begins_between_keyframes(plan: TaskPlan, encode: EncodeObservation, damage: Sequence[str]) -> bool:
    """Whether the decoder only missed what comes before the source's first keyframe, as in a recording cut from a broadcast.

    No player shows frames that need it. Then all presented frames are contiguous, and no error came later than a decoder works
    ahead. The same messages further in mean lost packets. In a bare stream the frames are always contiguous: those that may be
    missing at its beginning were counted.
    """
    if plan.facts.demuxer in NUMBERED:
        return False
    if not all(says(Meaning.REFERENCE, line) for line in damage) or (encode.complained_last or 0) > _AHEAD:
        return False
    video = plan.facts.video
    return video.constant_rate and first_gap(places_on_grid(encode.times, video.time_base, video.rate)) is None


def _changes(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """Video or audio whose format changes partway: FFmpeg would restart its filters, and mix up channels."""
    if encode.restarts:
        why = (
            "only the source's pictures state its orientation, and not all of them the same (or its size or format changes "
            "partway), which a single proxy cannot follow: render the video upright first"
            if plan.facts.video.oriented_by_frames
            else "the source's video changes size, format or orientation partway, which a single proxy cannot follow: split the "
            "clip there, or render it anew"
        )
        return JobError(ErrorCode.SOURCE_UNSUPPORTED, why, {"changes": encode.restarts})
    changed = next(((at, heard.restarts) for at, heard in enumerate(encode.audio) if heard is not None and heard.restarts), None)
    if changed is None:
        return None
    position, times = changed
    return JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"audio stream {position + 1} of the source changes its rate, format or channels partway, which a single proxy cannot "
        "follow: split the clip there",
        {"changes": times, "stream": plan.facts.audio[position].index},
    )


def _shortage(encode: EncodeObservation, *, failed: bool) -> JobError | None:
    """A lack of disk space or memory."""
    said = (*encode.complaints, *encode.stderr_tail)
    short = failed or not encode.progress.ended or encode.file_size < (encode.progress.total_size or 0)
    if short and any(says(Meaning.NO_SPACE, line) for line in said):
        return JobError(
            ErrorCode.NO_SPACE,
            "there was no space left for the output: free some on the output directory's filesystem, then submit again",
        )
    starved = [without_addresses(line) for line in dict.fromkeys(said) if says(Meaning.NO_MEMORY, line)]
    if failed and starved:
        return JobError(
            ErrorCode.ENCODE_OUT_OF_MEMORY,
            f"FFmpeg must get the memory that it asks for, but did not: {starved[0]}. Free some, or raise "
            "`encoder_memory_bytes`; if there is enough for frames of this size, the source is damaged",
            {"exit_code": encode.exit_code, "lines": [*starved[:_QUOTED_LINES]]},
        )
    return None


def gap_error(plan: TaskPlan, encode: EncodeObservation, search: DamageSearchResult | None = None) -> JobError | None:
    """SOURCE_DAMAGED if the demuxer reported errors and frames are missing: gaps at a constant rate, or fewer than promised."""
    _, reading = _faults_of_source(plan, encode.complaints)
    lines = [line for line in encode.complaints if line in reading]
    video = plan.facts.video
    if not lines or video.frames == encode.presented:
        return None
    if video.constant_rate and first_gap(places_on_grid(encode.times, video.time_base, video.rate)) is None:
        return None
    return _damaged(plan, encode, lines, search)


def _faults_of_source(plan: TaskPlan, complaints: Sequence[str]) -> tuple[set[str], set[str]]:
    """The error lines that are about the source: about decoding it, and about reading it.

    Read errors alone are not damage: demuxers also report indexes and tags. If source and proxy are of one kind (MXF, DNxHD,
    AAC), a library logs under one name on both sides. Then FFmpeg's own lines decide: it always reports a failure of its encoders
    and muxers, so if no line is about writing, the fault is the source's.
    """
    written = any(says(Meaning.WRITING, line) for line in complaints)
    decoding: set[str] = set()
    reading: set[str] = set()
    unclear: list[tuple[set[str], str]] = []
    for line in complaints:
        if says(Meaning.WRITING, line) or is_known_end(plan.facts.open_end, line):
            continue
        if any(says(meaning, line) for meaning in (Meaning.DECODING, Meaning.CORRUPT, Meaning.DROPPED)):
            decoding.add(line)
        elif says(Meaning.READING, line):
            reading.add(line)
        elif (name := speaker(line)) in _decoders(plan) | {_demuxer(plan)}:
            side = decoding if name in _decoders(plan) else reading  # both have the same name for a bare stream
            if name in plan.output_options:
                unclear.append((side, line))
            else:
                side.add(line)
    if not written or decoding or reading:
        for side, line in unclear:
            side.add(line)
    return decoding, reading


def _decoders(plan: TaskPlan) -> set[str]:
    """The names under which the source's decoders log.

    aac_adtstoasc parses copied audio if its first packet is overwritten so that it looks like ADTS.
    """
    codecs = {plan.facts.video.codec, *(stream.codec for stream in plan.facts.audio)}
    return {name for codec in codecs for name in (*decoder_names(codec), f"{codec}_adtstoasc")}


def _demuxer(plan: TaskPlan) -> str:
    """The name under which the source's demuxer logs: the whole list (`mov,mp4,...`). A single one of them is the muxer's."""
    return ",".join(plan.facts.formats)


def _damaged(
    plan: TaskPlan, encode: EncodeObservation, lines: Sequence[str], search: DamageSearchResult | None = None
) -> JobError:
    where = _where(plan, encode, encode.complained_at)
    met = _places_met(plan, encode, lines) or [Place(where, None, "decoding")]
    found = None if search is None else search.with_met(met)
    said = f"first near {where} s" if found is None else describe(plan.facts, found)
    quoted: list[JsonValue] = [without_addresses(line) for line in lines[:_QUOTED_LINES]]
    return JobError(
        ErrorCode.SOURCE_DAMAGED,
        f"the source could not be read and decoded without errors, {said}: "
        f"{quoted[0] if quoted else 'FFmpeg stopped there without giving a reason'}; deliver the clip again, or repair it",
        {
            "near_seconds": where if found is None else found.places[0].seconds,
            "lines": quoted,
            **(listed(met) if found is None else {**listed(found.places, found.more), "places_complete": found.complete}),
        },
    )


def _places_met(plan: TaskPlan, encode: EncodeObservation, lines: Sequence[str]) -> list[Place]:
    """The places that the encode itself met."""
    reading = _faults_of_source(plan, encode.complaints)[1]
    return [
        Place(_where(plan, encode, at), stream_of(plan.facts, line), "reading" if line in reading else "decoding")
        for line, at in zip(encode.complaints, encode.heard_at, strict=False)
        if line in lines
    ]


def _said_last(encode: EncodeObservation) -> list[JsonValue]:
    said = [without_addresses(line) for line in encode.stderr_tail if not says(Meaning.GAVE_UP, line)]
    return [*said[-_QUOTED_LINES:]]


def _where(plan: TaskPlan, encode: EncodeObservation, at: int | None) -> str:
    before, times = encode.presented if at is None else min(at, encode.presented), encode.times
    before -= bisect_left(encode.untimed, before)
    return f"{float((times[before - 1] - times[0]) * plan.facts.video.time_base):.3f}" if before else "0.000"
