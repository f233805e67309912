"""Sources whose frames are not all of one kind: progressive and interlaced ones, or both field orders (decision 0032)."""

from collections.abc import Iterator

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.result import Check
from proxx_worker.media.pixel_formats import pixel_format
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.verification.encode_observation import EncodeObservation

_PROGRESSIVE = "progressive"
_WORDS = {"tt": "interlaced, top field first", "bb": "interlaced, bottom field first"}
_LINES_OF_CHROMA = {"420": 2, "440": 2, "410": 4}
"""How many lines share one line of chroma, where it is more than one."""


def depends_on_threads(plan: TaskPlan, encode: EncodeObservation) -> bool:
    """Whether another number of decoder threads, and so of CPUs, might have reported other kinds of frames (decision 0032)."""
    return plan.facts.video.codec == "h264" and len(encode.kinds) > 1


def fields_fault(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """SOURCE_UNSUPPORTED if the proxy would blend a frame's two fields, or show them in the wrong order.

    A progressive plan blends them unless every line stays what it is. An interlaced plan scales field by field, which keeps
    progressive frames, too; but it has one order. Frames that all say the other order are no change: the container's word counts.
    """
    planned = plan.expected.video.field_order
    others = [kind for kind in encode.kinds if kind not in {_PROGRESSIVE, planned}]
    if not others:
        return None
    if planned in _WORDS:
        if len(encode.kinds) == 1:
            return None
        why = "which one proxy cannot follow: split the clip where it changes"
    elif _keeps_lines(plan):
        return None
    else:
        why = (
            "and this proxy would blend its fields: split the clip where it changes, deinterlace it, or ask for resolution "
            '"same" and a codec that keeps its lines of chroma'
        )
    kind = next(kind for kind in _in_order(encode) if kind in others)
    second = _seconds(plan, encode, encode.kinds[kind])
    return JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source's frame at {second} s is {_WORDS[kind]}, but the clip is taken as "
        f"{_WORDS.get(planned or '', 'progressive')}, {why}",
        {"near_seconds": second, "frame": encode.kinds[kind], "field_orders": [*_in_order(encode)]},
    )


def mixed_fields(plan: TaskPlan, encode: EncodeObservation) -> Iterator[Check]:
    """What kinds of frames the source has, if not only the one that was planned; nothing about the proxy itself.

    Frames that all differ from a container's interlaced order are in the source's notes already.
    """
    planned, kinds = plan.expected.video.field_order, encode.kinds
    if len(kinds) < 2 and (planned in _WORDS or not kinds.keys() - {_PROGRESSIVE}):  # noqa: PLR2004 - two kinds are a mix
        return
    seen = ", ".join(f"{kind} from {_seconds(plan, encode, kinds[kind])} s" for kind in _in_order(encode))
    ok = None if fields_fault(plan, encode) is None else False
    yield Check(name="field_order_of_source", expected=planned, actual=f"mixed: {seen}" if len(kinds) > 1 else seen, ok=ok)


def _in_order(encode: EncodeObservation) -> list[str]:
    """The kinds by their first frames."""
    return sorted(encode.kinds, key=encode.kinds.__getitem__)


def _keeps_lines(plan: TaskPlan) -> bool:
    """Whether each line of the proxy comes from one line of the source."""
    video, design = plan.facts.video, plan.design
    lines = _lines_of_chroma(video.pixel_format)
    return (
        video.rotation == 0
        and design.geometry.height == video.height
        and lines is not None
        and lines == _lines_of_chroma(design.encoder.pixel_format)
        and not design.color.filters  # colormatrix takes the mean of lines that share their chroma
    )


def _lines_of_chroma(name: str) -> int | None:
    known = pixel_format(name)
    return None if known is None else _LINES_OF_CHROMA.get(known.chroma, 1)


def _seconds(plan: TaskPlan, encode: EncodeObservation, frame: int) -> str:
    """When a frame is shown, from the first one."""
    video, times = plan.facts.video, encode.times
    place = (times[frame] - times[0]) * video.time_base if frame < len(times) else frame / video.rate
    return f"{float(place):.3f}"
