"""Possible findings of a task, and their verdict. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from proxx_worker.media.timecode_count import after
from proxx_worker.report.comparison import Comparison


class Kind(StrEnum):
    """What may be found (contract section 6)."""

    FRAME_SLIP = "frame_slip"
    BLACK_FRAMES = "black_frames"
    FROZEN_FRAMES = "frozen_frames"
    LEVELS = "levels"
    MATRIX = "matrix"
    FIELD_ORDER = "field_order"
    AUDIO_LAG = "audio_lag"
    AUDIO_HOLE = "audio_hole"
    CHANNEL_SWAP = "channel_swap"
    FILE_CHANGED = "file_changed"
    DAMAGED = "damaged"


class Verdict(StrEnum):
    """The verdict on a task."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    SUSPICIOUS = "suspicious"
    FAIL = "fail"
    NOT_COMPARED = "not_compared"


@dataclass(frozen=True, slots=True)
class Finding:
    """`certain`: it makes the verdict `fail`, else `suspicious`. `value` is what was measured, `threshold` what was allowed."""

    kind: Kind
    message: str
    certain: bool
    frame: int | None = None
    timecode: str | None = None
    value: float | None = None
    threshold: float | None = None


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """The verdict on a task that was compared."""
    certainties = {finding.certain for finding in findings}
    return Verdict.FAIL if True in certainties else Verdict.SUSPICIOUS if certainties else Verdict.PASS


def label_of_frame(comparison: Comparison, frame: int) -> str | None:
    """The proxy's timecode there. A variable rate has none that could be counted, and a container's default does not count."""
    if comparison.source.timecode is None or not (comparison.converted_rate or comparison.source.video.constant_rate):
        return None
    return after(comparison.proxy.timecode or comparison.source.timecode, frame, comparison.rate)
