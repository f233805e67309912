"""Faults of sound that was copied: nothing decodes it before the proxy is verified, and what fails there is the source's own."""

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.planning.expectation import ExpectedAudio
from proxx_worker.planning.proxy_observation import ProxyObservation, ProxyReport, StreamReport

_COMPLAINT = re.compile(r"^\[([^@\]]+) @ 0x[0-9a-f]+\] (.*)", re.MULTILINE)
_DECODER = "aac"
_QUOTED_LINES = 10


def sound_damage(expected: Sequence[ExpectedAudio], proxy: ProxyObservation) -> JobError | None:
    """SOURCE_DAMAGED where the AAC decoder, and nothing else, complained about a proxy with copied sound; else None.

    A packet that does not decode leaves a hole in the times of its stream's decoded frames: that is how the place is known. The
    decoder's own words name neither stream nor place.
    """
    copied = [position for position, sound in enumerate(expected) if sound.copied_from is not None]
    complaints = _COMPLAINT.findall(proxy.stderr)
    if not copied or proxy.exit_code != 0 or {context for context, _ in complaints} != {_DECODER}:
        return None
    first = min(_holes(proxy.report, copied), default=None)
    position = copied[0] if first is None and len(expected) == 1 else None if first is None else first[1]
    sound = "its sound" if position is None else f"its audio stream {position + 1}"
    seconds = None if first is None else f"{float(max(first[0], Fraction(0))):.3f}"
    where = "at a place that is not known" if seconds is None else f"first near {seconds} s of its picture"
    lines = [f"[{context}] {said}" for context, said in complaints[:_QUOTED_LINES]]
    return JobError(
        ErrorCode.SOURCE_DAMAGED,
        f"the source could not be read and decoded without errors, {where}, in {sound}: {lines[0]}; "
        "deliver the clip again, or repair it",
        {
            "near_seconds": seconds,
            "stream": None if position is None else expected[position].copied_from,
            "lines": list(lines),
        },
    )


def _holes(report: ProxyReport, copied: Sequence[int]) -> list[tuple[Fraction, int]]:
    """The first hole of each copied stream: seconds from the first frame of the picture, and which of the audio streams it is."""
    sounds, pictures = report.of_type("audio"), report.of_type("video")
    tick = pictures[0].ratio("time_base") if pictures else None
    picture = pictures[0].times[0] * tick if tick is not None and pictures[0].times else Fraction(0)
    holes = ((_first_hole(sounds[position]), position) for position in copied if position < len(sounds))
    return [(hole - picture, position) for hole, position in holes if hole is not None]


def _first_hole(sound: StreamReport) -> Fraction | None:
    """Seconds from the file's start at which the first frame is missing; None where none is.

    Missing frames make the distance of two that are there a whole number of frames. Pauses that the source itself makes do not.
    """
    tick, start, lasts = sound.ratio("time_base"), sound.integer("start_pts"), sound.integer("duration_ts")
    times = sound.times
    if tick is None or start is None:
        return None
    steps = [later - earlier for earlier, later in pairwise(times)]
    if not steps:
        return start * tick
    frame = Counter(steps).most_common(1)[0][0]
    if times[0] - start >= frame:
        return start * tick
    hole = next((time + frame for time, step in zip(times, steps, strict=False) if step > frame and step % frame == 0), None)
    if hole is None and lasts is not None and times[-1] + frame < start + lasts:
        hole = times[-1] + frame
    return None if hole is None else hole * tick
