"""What the measurements of one task mean: findings, each with the figure that it rests on, and the verdict. Pure.

The thresholds and the clips that they were set on: docs/decisions, "What the report calls a fault".
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from statistics import median

from proxx_worker.media.ffmpeg_words import Meaning, decoder_names, says
from proxx_worker.media.timecode_count import after
from proxx_worker.report.comparison import Comparison
from proxx_worker.report.figures import Figures
from proxx_worker.report.hypotheses import LEVELS, Reading, Votes
from proxx_worker.report.measurements import Measurements, SoundPair
from proxx_worker.report.picture_measures import PictureMeasures
from proxx_worker.report.sound_measures import POINTS_PER_SECOND, Course, Hole, holes_in, lag_between, swaps_between


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
    """What a task comes to."""

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


SLIP_GAIN = 2.5
"""Code values that a run of slipped frames must be nearer to the other frames, summed over the run."""

SLIP_GAP_SECONDS = 1
BLACK_MEAN, BLACK_PEAK, BLACK_DROP = 20.0, 32, 6.0
"""Mean luma and brightest block of a black picture, and by how much the source must be brighter."""

FROZEN_FRAMES, FROZEN_MOVE = 3, 1.0
"""Repeated pictures, and how far in code values the source's must have moved on meanwhile."""

MOST_VOTES = 0.6
"""The share of unlike frames that must agree on a reading, and of all frames that must be unlike."""

BRIGHTNESS = 2.5
"""Code values of luma by which a proxy may be brighter or darker."""

FIELDS_SEEN, FIELDS_AGREE, FIELDS_MOSTLY = 3, 0.8, 0.6
"""Pictures whose field order is plain to see, the share of the source's that must agree, and that of the proxy's."""

LAG_SECONDS, LAG_CERTAIN = 0.010, 0.020
"""Half a frame at 50 and at 25 frames a second."""

HOLE_SECONDS = 0.020
"""The shortest silence that is a hole."""

BLOCK_JUMP, BLOCK_TIMES = 30, 3
"""How far one block may stand out, in code values, and as a multiple of the clip's usual worst block."""

SSIM_DROP = 0.15
"""How far one frame's SSIM may lie below the clip's median."""

MOST_OF_A_KIND = 5


def judge(measurements: Measurements) -> tuple[Finding, ...]:
    """All findings, the certain ones first, each group in the order in which they meet the eye."""
    found = list(_found(measurements))
    kept: list[Finding] = []
    seen: Counter[Kind] = Counter()
    for finding in sorted(found, key=lambda one: not one.certain):
        seen[finding.kind] += 1
        if seen[finding.kind] <= MOST_OF_A_KIND:
            kept.append(finding)
    return tuple(kept)


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """The verdict on a task that was compared."""
    certainties = {finding.certain for finding in findings}
    return Verdict.FAIL if True in certainties else Verdict.SUSPICIOUS if certainties else Verdict.PASS


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
    known = [value for value in ssim if value == value]  # noqa: PLR0124 - what is unequal to itself is no number
    return max(0.0, median(known) - SSIM_DROP) if known else None


def _found(measurements: Measurements) -> Iterator[Finding]:
    comparison, pictures, figures = measurements.comparison, measurements.pictures, measurements.figures
    yield from _whole(measurements)
    black = _black_runs(pictures)
    frozen = [
        Runs(held.first, held.first + held.frames - 1)
        for held in pictures.held
        if held.frames >= FROZEN_FRAMES and held.moved >= FROZEN_MOVE and not _inside(held.first, black)
    ]
    yield from (_black(comparison, pictures, run) for run in black)
    yield from (_frozen(comparison, run) for run in frozen)
    explained = [*black, *frozen]
    slips = list(_slips(comparison, pictures, explained))
    yield from (finding for finding, _ in slips)
    explained += [run for _, run in slips]
    yield from _colours(pictures.votes)
    yield from _fields(comparison, figures)
    yield from _odd_frames(comparison, pictures, figures, explained)
    yield from _sounds(comparison, measurements.sounds)


def _whole(measurements: Measurements) -> Iterator[Finding]:
    figures, counted, compared = measurements.figures, measurements.counted, len(measurements.figures.ssim)
    if measurements.exit_code:
        said = figures.complaints[-1] if figures.complaints else f"it ended with {measurements.exit_code}"
        yield Finding(Kind.DAMAGED, f"the comparison did not come to its end: {said}", certain=True, frame=compared)
    elif complaints := [line for line in figures.complaints if _is_of_decoding(measurements.comparison, line)]:
        said = f"{complaints[0]}{f' (and {len(complaints) - 1} more)' if len(complaints) > 1 else ''}"
        yield Finding(Kind.DAMAGED, f"FFmpeg complains while it decodes the files: {said}", certain=False)
    if counted is not None and compared != counted and not measurements.exit_code:
        yield Finding(
            Kind.DAMAGED,
            f"{compared} frames could be compared, but the job counted {counted}: one of the files has lost or gained frames",
            certain=True,
            frame=min(compared, counted),
            value=compared,
            threshold=counted,
        )


def _is_of_decoding(comparison: Comparison, line: str) -> bool:
    """Whether a line complains of pictures or sound. What a demuxer says of a container the job has seen, and passed."""
    codecs = {
        codec
        for facts in (comparison.source, comparison.proxy)
        for codec in (facts.video.codec, *(sound.codec for sound in facts.audio))
    }
    spoken = re.match(r"\[([^\]]+)\]", line)
    by_decoder = spoken is not None and any(spoken[1] in decoder_names(codec) for codec in codecs)
    return by_decoder or says(Meaning.DECODING, line) or says(Meaning.CORRUPT, line)


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


def label_of_frame(comparison: Comparison, frame: int) -> str | None:
    """The proxy's timecode there. A variable rate has none that could be counted, and a container's default is nobody's."""
    if comparison.source.timecode is None or not (comparison.converted_rate or comparison.source.video.constant_rate):
        return None
    return after(comparison.proxy.timecode or comparison.source.timecode, frame, comparison.rate)


def _span(run: Runs) -> str:
    return f"frame {run.first}" if run.frames == 1 else f"frames {run.first} to {run.last}"


def _black_runs(pictures: PictureMeasures) -> list[Runs]:
    return _runs(
        frame
        for frame, (luma, peak) in enumerate(zip(pictures.proxy_luma, pictures.proxy_peak, strict=True))
        if luma <= BLACK_MEAN and peak <= BLACK_PEAK and pictures.source_luma[frame] - luma >= BLACK_DROP
    )


def _black(comparison: Comparison, pictures: PictureMeasures, run: Runs) -> Finding:
    there = pictures.source_luma[run.first]
    return Finding(
        Kind.BLACK_FRAMES,
        f"{_span(run)} of the proxy {'is' if run.frames == 1 else 'are'} black; the source has a picture there",
        certain=True,
        frame=run.first,
        timecode=label_of_frame(comparison, run.first),
        value=round(pictures.proxy_luma[run.first], 1),
        threshold=round(there - BLACK_DROP, 1),
    )


def _frozen(comparison: Comparison, run: Runs) -> Finding:
    seconds = float(run.frames / comparison.rate)
    return Finding(
        Kind.FROZEN_FRAMES,
        f"the proxy stands still for {run.frames} frames ({seconds:.2f} s) from frame {run.first} on, the source does not",
        certain=True,
        frame=run.first,
        timecode=label_of_frame(comparison, run.first),
        value=run.frames,
        threshold=FROZEN_FRAMES,
    )


def _slips(comparison: Comparison, pictures: PictureMeasures, explained: Sequence[Runs]) -> Iterator[tuple[Finding, Runs]]:
    offsets = {frame: offset for frame, offset in enumerate(pictures.offset) if offset and not _inside(frame, explained)}
    gap = max(1, round(SLIP_GAP_SECONDS * comparison.rate))
    for offset in sorted(set(offsets.values()), key=lambda one: min(f for f, o in offsets.items() if o == one)):
        for run in _runs((frame for frame, own in offsets.items() if own == offset), gap):
            gain = sum(pictures.gain[frame] for frame in range(run.first, run.last + 1) if offsets.get(frame) == offset)
            if gain < SLIP_GAIN:
                continue
            to_the_end = pictures.frames - run.last <= gap and run.frames > 1
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
                Runs(run.first, pictures.frames - 1 if to_the_end else run.last),
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
                f"{reading.value} in the proxy: {won} of {votes.cast} frames that were looked at say so",
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
    """`tff`, `bff` or `progressive`, as so great a share of the pictures agree; None where they do not tell."""
    decided = seen["tff"] + seen["bff"] + seen["progressive"]
    if decided < FIELDS_SEEN:
        return None
    order = max(("tff", "bff", "progressive"), key=lambda name: seen[name])
    return order if seen[order] >= agreement * decided else None


_ORDERS = {"tff": "top field first", "bff": "bottom field first", "progressive": "progressive"}


def _fields(comparison: Comparison, figures: Figures) -> Iterator[Finding]:
    # Fields in the wrong order make jagged pictures, which tell less clearly: of the proxy, most are enough.
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


def _odd_frames(
    comparison: Comparison, pictures: PictureMeasures, figures: Figures, explained: Sequence[Runs]
) -> Iterator[Finding]:
    """Frames that stand out from their clip for no reason that was found yet: a torn block, a broken picture."""
    if not pictures.frames:
        return
    usual = median(pictures.worst_block)
    limit = max(BLOCK_JUMP, BLOCK_TIMES * usual)
    floor = ssim_floor(figures.ssim)
    odd = [
        frame
        for frame in range(min(pictures.frames, len(figures.ssim)))
        if (pictures.worst_block[frame] > limit or (floor is not None and figures.ssim[frame] < floor))
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


def loudest(courses: Sequence[Course]) -> Course:
    """One course for all channels: at each point the loudest of them."""
    return courses[0] if len(courses) == 1 else [max(points) for points in zip(*courses, strict=True)]


def picture_late(comparison: Comparison) -> Fraction:
    """By how much later than in the source the picture starts in the proxy, each counted from its file's start."""
    source, proxy = (
        Fraction(0) if facts.video.start is None or facts.start is None else max(Fraction(0), facts.video.start - facts.start)
        for facts in (comparison.source, comparison.proxy)
    )
    return proxy - source


def lag_of(comparison: Comparison, pair: SoundPair) -> float | None:
    """How late the proxy's sound is against its picture, in seconds; None where the sound does not tell."""
    if not pair.source or not pair.proxy:
        return None
    lag = lag_between(loudest(pair.source), loudest(pair.proxy))
    return None if lag is None else round(lag.points / POINTS_PER_SECOND - float(picture_late(comparison)), 3)


def _holes(comparison: Comparison, number: int, pair: SoundPair, late: int) -> Iterator[Finding]:
    """The holes of one stream; channels that fall silent together are one."""
    together: list[list[Hole]] = []
    for hole in holes_in(pair.source, pair.proxy, late):
        group = next((one for one in together if abs(one[0].start - hole.start) <= HOLE_SECONDS), None)
        if group is None:
            together.append([hole])
        else:
            group.append(hole)
    for group in together:
        hole = max(group, key=lambda one: one.seconds)
        channels = sorted({one.channel for one in group})
        whole = len(channels) == len(pair.proxy)
        where = "" if whole else f", channel{'s' if len(channels) > 1 else ''} {', '.join(map(str, channels))},"
        frame = int(hole.start * comparison.rate)
        yield Finding(
            Kind.AUDIO_HOLE,
            f"sound {number}{where} is silent for {hole.seconds * 1000:.0f} ms at {hole.start:.2f} s; the source is not",
            certain=True,
            frame=frame,
            timecode=label_of_frame(comparison, frame),
            value=round(hole.seconds, 3),
            threshold=HOLE_SECONDS,
        )


def _sounds(comparison: Comparison, sounds: Sequence[SoundPair]) -> Iterator[Finding]:
    for number, pair in enumerate(sounds):
        lag = lag_of(comparison, pair)
        if lag is not None and abs(lag) > LAG_SECONDS:
            yield Finding(
                Kind.AUDIO_LAG,
                f"sound {number} is {abs(lag) * 1000:.0f} ms {'late' if lag > 0 else 'early'} in the proxy",
                certain=abs(lag) > LAG_CERTAIN,
                value=lag,
                threshold=LAG_SECONDS,
            )
        late = 0 if lag is None else round((lag + float(picture_late(comparison))) * POINTS_PER_SECOND)
        yield from _holes(comparison, number, pair, late)
    places = [
        (number, channel) for number, pair in enumerate(sounds) for channel in range(min(len(pair.source), len(pair.proxy)))
    ]
    source = [sounds[number].source[channel] for number, channel in places]
    proxy = [sounds[number].proxy[channel] for number, channel in places]
    for one, other in swaps_between(source, proxy, 0):
        names = " and ".join(f"sound {number} channel {channel}" for number, channel in (places[one], places[other]))
        yield Finding(Kind.CHANNEL_SWAP, f"{names} have changed places in the proxy", certain=True)
