"""Faults of the video: slipped, black, frozen and torn frames, levels, matrix, field order. Pure.

The thresholds, and the clips that they were chosen with: docs/decisions, "What the report calls a fault".
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from proxx_worker.report.comparison import Comparison
from proxx_worker.report.figures import Figures
from proxx_worker.report.finding import Finding, Kind, label_of_frame
from proxx_worker.report.hypotheses import LEVELS, Reading, Votes
from proxx_worker.report.video_measures import VideoMeasures

SLIP_GAIN = 2.5
"""Code values that a run of slipped frames must be nearer to the other frames, summed over the run."""

SLIP_GAP_SECONDS = 1
BLACK_MEAN, BLACK_PEAK, BLACK_DROP = 20.0, 32, 6.0
"""Mean luma and brightest block of a black frame, and by how much the source must be brighter."""

FROZEN_FRAMES, FROZEN_MOVE = 3, 1.0
"""Repeated frames, and how much in code values the source must have moved meanwhile."""

MOST_VOTES = 0.6
"""The share of unlike frames that must agree on a reading, and of all frames that must be unlike."""

BRIGHTNESS = 2.5
"""Code values of luma by which a proxy may be brighter or darker."""

FIELDS_SEEN, FIELDS_AGREE, FIELDS_MOSTLY = 3, 0.8, 0.6
"""Frames with a detectable field order, the share of the source's that must agree, and that of the proxy's."""

BLOCK_JUMP, BLOCK_TIMES = 30, 3
"""How far one block may stand out, in code values, and as a multiple of the clip's usual worst block."""

SSIM_DROP = 0.15
"""How far one frame's SSIM may lie below the clip's median."""

SSIM_UNLIKE = 0.6
"""The median SSIM below which a whole proxy is unlike its source: turned, squeezed, of another clip. Good ones: 0.93 or more."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Consecutive frames with something in common: `first` and `last`, both included."""

    first: int
    last: int

    @property
    def frames(self) -> int:
        """How many."""
        return self.last - self.first + 1


def ssim_floor(ssim: Sequence[float]) -> float | None:
    """The SSIM below which a frame stands out from its clip; None without frames."""
    usual = _usual(ssim)
    return None if usual is None else max(0.0, usual - SSIM_DROP)


def _usual(ssim: Iterable[float]) -> float | None:
    known = [value for value in ssim if value == value]  # noqa: PLR0124 - what is unequal to itself is no number
    return median(known) if known else None


def video_findings(comparison: Comparison, video: VideoMeasures, figures: Figures) -> Iterator[Finding]:
    """All faults of the video; what one explains is not reported as another."""
    black = _black_runs(video)
    frozen = [
        Runs(held.first, held.first + held.frames - 1)
        for held in video.held
        if held.frames >= FROZEN_FRAMES and held.moved >= FROZEN_MOVE and not _inside(held.first, black)
    ]
    yield from (_black(comparison, video, run) for run in black)
    yield from (_frozen(comparison, run) for run in frozen)
    explained = [*black, *frozen]
    slips = list(_slips(comparison, video, explained))
    yield from (finding for finding, _ in slips)
    explained += [run for _, run in slips]
    colours = list(_colours(video.votes))
    yield from colours
    yield from _fields(comparison, figures)
    if not colours:
        yield from _unlike(figures, explained)
    yield from _odd_frames(comparison, video, figures, explained)


def _runs(frames: Iterable[int], gap: int = 1) -> list[Runs]:
    """Frames in ascending order, joined where they are no more than `gap` apart."""
    runs: list[Runs] = []
    for frame in frames:
        if runs and frame - runs[-1].last <= gap:
            runs[-1] = Runs(runs[-1].first, frame)
        else:
            runs.append(Runs(frame, frame))
    return runs


def _inside(frame: int, runs: Iterable[Runs]) -> bool:
    return any(run.first <= frame <= run.last for run in runs)


def _span(run: Runs) -> str:
    return f"frame {run.first}" if run.frames == 1 else f"frames {run.first} to {run.last}"


def _black_runs(video: VideoMeasures) -> list[Runs]:
    return _runs(
        frame
        for frame, (luma, peak) in enumerate(zip(video.proxy_luma, video.proxy_peak, strict=True))
        if luma <= BLACK_MEAN and peak <= BLACK_PEAK and video.source_luma[frame] - luma >= BLACK_DROP
    )


def _black(comparison: Comparison, video: VideoMeasures, run: Runs) -> Finding:
    there = video.source_luma[run.first]
    return Finding(
        Kind.BLACK_FRAMES,
        f"{_span(run)} of the proxy {'is' if run.frames == 1 else 'are'} black; the source is not",
        certain=True,
        frame=run.first,
        timecode=label_of_frame(comparison, run.first),
        value=round(video.proxy_luma[run.first], 1),
        threshold=round(there - BLACK_DROP, 1),
    )


def _frozen(comparison: Comparison, run: Runs) -> Finding:
    seconds = float(run.frames / comparison.rate)
    return Finding(
        Kind.FROZEN_FRAMES,
        f"the proxy is frozen for {run.frames} frames ({seconds:.2f} s) from frame {run.first} on; the source is not",
        certain=True,
        frame=run.first,
        timecode=label_of_frame(comparison, run.first),
        value=run.frames,
        threshold=FROZEN_FRAMES,
    )


def _slips(comparison: Comparison, video: VideoMeasures, explained: Sequence[Runs]) -> Iterator[tuple[Finding, Runs]]:
    offsets = {frame: offset for frame, offset in enumerate(video.offset) if offset and not _inside(frame, explained)}
    gap = max(1, round(SLIP_GAP_SECONDS * comparison.rate))
    for offset in sorted(set(offsets.values()), key=lambda one: min(f for f, o in offsets.items() if o == one)):
        for run in _runs((frame for frame, own in offsets.items() if own == offset), gap):
            gain = sum(video.gain[frame] for frame in range(run.first, run.last + 1) if offsets.get(frame) == offset)
            if gain < SLIP_GAIN:
                continue
            to_the_end = video.frames - run.last <= gap and run.frames > 1
            where = f"from frame {run.first} on" if to_the_end else f"at {_span(run)}"
            yield (
                Finding(
                    Kind.FRAME_SLIP,
                    f"{where} the proxy is {abs(offset)} frame{'s' if abs(offset) > 1 else ''} "
                    f"{'ahead' if offset > 0 else 'behind'}: "
                    f"frame {run.first} is nearest to source frame {run.first + offset}",
                    certain=True,
                    frame=run.first,
                    timecode=label_of_frame(comparison, run.first),
                    value=offset,
                    threshold=0,
                ),
                Runs(run.first, video.frames - 1 if to_the_end else run.last),
            )


def _colours(votes: Votes) -> Iterator[Finding]:
    if votes.cast == 0:
        return
    if votes.unlike >= MOST_VOTES * votes.cast:
        reading, won = max(((one, votes.won[one]) for one in Reading), key=lambda pair: pair[1])
        if won >= MOST_VOTES * votes.unlike:
            apart = round(median(votes.apart), 2)
            is_levels = reading in LEVELS
            yield Finding(
                Kind.LEVELS if is_levels else Kind.MATRIX,
                f"{reading.value} in the proxy: {won} of {votes.cast} frames that were examined show it",
                certain=True,
                value=apart,
                threshold=Votes.NOTHING_TO_SEE,
            )
            return
    brighter = median(votes.brightness)
    if abs(brighter) > BRIGHTNESS:
        yield Finding(
            Kind.LEVELS,
            f"the proxy is {'brighter' if brighter > 0 else 'darker'} than the source by {abs(brighter):.1f} of 255 code values",
            certain=False,
            value=round(brighter, 2),
            threshold=BRIGHTNESS,
        )


def _order(seen: Counter[str], agreement: float) -> str | None:
    """`tff`, `bff` or `progressive`, if that share of the frames agrees; None if they do not show it."""
    decided = seen["tff"] + seen["bff"] + seen["progressive"]
    if decided < FIELDS_SEEN:
        return None
    order = max(("tff", "bff", "progressive"), key=lambda name: seen[name])
    return order if seen[order] >= agreement * decided else None


_ORDERS = {"tff": "top field first", "bff": "bottom field first", "progressive": "progressive"}


def _fields(comparison: Comparison, figures: Figures) -> Iterator[Finding]:
    # Fields in the wrong order make jagged frames, which are harder to detect: for the proxy, a majority is enough.
    source, proxy = _order(figures.source_fields, FIELDS_AGREE), _order(figures.proxy_fields, FIELDS_MOSTLY)
    if source in {"tff", "bff"} and proxy is not None and source != proxy:
        seen = figures.proxy_fields[proxy]
        yield Finding(
            Kind.FIELD_ORDER,
            f"the source moves {_ORDERS[source]}, the proxy {_ORDERS[proxy]}: "
            + ("its fields are blended" if proxy == "progressive" else "its fields are in the wrong order"),
            certain=True,
            value=round(seen / max(1, figures.proxy_fields.total()), 3),
            threshold=FIELDS_MOSTLY,
        )
        return
    said, says = comparison.source.video.top_field_first, comparison.proxy.video.top_field_first
    if said is not None and says is not None and said != says:
        yield Finding(
            Kind.FIELD_ORDER,
            f"the source says {_ORDERS['tff' if said else 'bff']}, the proxy {_ORDERS['tff' if says else 'bff']}",
            certain=True,
        )


def _unlike(figures: Figures, explained: Sequence[Runs]) -> Iterator[Finding]:
    """A proxy that is unlike its source throughout, for no reason found so far. No frame of it stands out from the others."""
    usual = _usual(value for frame, value in enumerate(figures.ssim) if not _inside(frame, explained))
    if usual is not None and usual < SSIM_UNLIKE:
        yield Finding(
            Kind.DAMAGED,
            f"the proxy looks unlike the source throughout (SSIM {usual:.3f}): turned, squeezed, or made from another clip",
            certain=False,
            value=round(usual, 4),
            threshold=SSIM_UNLIKE,
        )


def _odd_frames(comparison: Comparison, video: VideoMeasures, figures: Figures, explained: Sequence[Runs]) -> Iterator[Finding]:
    """Frames that stand out from their clip for no reason found so far: a torn block, a broken frame."""
    if not video.frames:
        return
    usual = median(video.worst_block)
    limit = max(BLOCK_JUMP, BLOCK_TIMES * usual)
    floor = ssim_floor(figures.ssim)
    odd = [
        frame
        for frame in range(min(video.frames, len(figures.ssim)))
        if (video.worst_block[frame] > limit or (floor is not None and figures.ssim[frame] < floor))
        and not _inside(frame, explained)
    ]
    for run in _runs(odd):
        worst = min(range(run.first, run.last + 1), key=lambda frame: figures.ssim[frame])
        similarity = round(figures.ssim[worst], 4)
        yield Finding(
            Kind.DAMAGED,
            f"{_span(run)} of the proxy {'looks' if run.frames == 1 else 'look'} unlike the source (SSIM {similarity:.3f}) "
            "and unlike the rest of the clip",
            certain=False,
            frame=worst,
            timecode=label_of_frame(comparison, worst),
            value=similarity,
            threshold=None if floor is None else round(floor, 4),
        )
