"""What is kept of a task's measurements after judging: small, whatever the clip's length. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import isnan

from proxx_worker.report.audio_findings import lag_of, loudest
from proxx_worker.report.audio_measures import Course, decibels
from proxx_worker.report.comparison import Comparison
from proxx_worker.report.finding import Finding, label_of_frame
from proxx_worker.report.measurements import AudioPair, Measurements
from proxx_worker.report.video_findings import ssim_floor
from proxx_worker.report.video_measures import LumaRange

CHART_COLUMNS = 300
WAVE_COLUMNS = 240
WAVE_HEIGHT = 24
"""Of a waveform, from the middle to full scale, in its own units."""

_SILENCE_LUFS = -70.0
_WAVE_DECIBELS = 60


@dataclass(frozen=True, slots=True)
class AudioSummary:
    """One audio stream. `lag_seconds`: positive where the proxy's is late. `lufs_*`: integrated, None for silence."""

    index: int
    channels: int
    lag_seconds: float | None
    lufs_source: float | None
    lufs_proxy: float | None
    source_wave: tuple[int, ...]
    proxy_wave: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A frame to show: its number, why, its timecode and SSIM, and where it is in both files.

    `source_frame`: its number there, another one where the rate was converted. `source_time`, `proxy_time`: the times of the
    frame before it and its own, seconds from the file's start; None for a first frame or where times are not known.
    """

    frame: int
    why: str
    timecode: str | None
    ssim: float | None
    source_frame: int
    source_time: tuple[float, float] | None
    proxy_time: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Summary:
    """`ssim_columns`: (least, greatest) of the frames that share a column: one bad frame is seen."""

    comparison: Comparison
    frames: int
    ssim_mean: float | None
    ssim_min: float | None
    ssim_min_frame: int | None
    ssim_floor: float | None
    ssim_columns: tuple[tuple[float, float], ...]
    source_luma: LumaRange
    proxy_luma: LumaRange
    audio_streams: tuple[AudioSummary, ...]
    places: tuple[Place, ...]

    @property
    def seconds(self) -> float:
        """The duration of the compared video."""
        return float(self.frames / self.comparison.rate)


def summarize(measurements: Measurements, findings: Sequence[Finding], worst: int) -> Summary:
    """The summary, with first, middle and last frame among its places, and the `worst` frames: those of findings first."""
    comparison, ssim = measurements.comparison, measurements.figures.ssim
    known = [(value, frame) for frame, value in enumerate(ssim) if not isnan(value)]
    least = min(known, default=None)
    return Summary(
        comparison=comparison,
        frames=len(ssim),
        ssim_mean=sum(value for value, _ in known) / len(known) if known else None,
        ssim_min=least[0] if least else None,
        ssim_min_frame=least[1] if least else None,
        ssim_floor=ssim_floor(ssim),
        ssim_columns=tuple(extremes([value for value, _ in known], CHART_COLUMNS)),
        source_luma=measurements.video.source_range,
        proxy_luma=measurements.video.proxy_range,
        audio_streams=tuple(_audio(measurements, number, pair) for number, pair in enumerate(measurements.audio_streams)),
        places=tuple(_places(measurements, findings, worst)),
    )


def extremes(values: Sequence[float], columns: int) -> list[tuple[float, float]]:
    """(least, greatest) for each of at most `columns` groups of neighbours."""
    count = min(columns, len(values))
    bounds = [place * len(values) // count for place in range(count + 1)] if count else []
    groups = [values[start:end] for start, end in pairwise(bounds)]
    return [(min(group), max(group)) for group in groups]


def _audio(measurements: Measurements, number: int, pair: AudioPair) -> AudioSummary:
    loudness = measurements.figures.loudness
    return AudioSummary(
        index=number,
        channels=len(pair.proxy),
        lag_seconds=lag_of(measurements.comparison, pair),
        lufs_source=_heard(loudness.get(f"source{number}")),
        lufs_proxy=_heard(loudness.get(f"proxy{number}")),
        source_wave=_wave(pair.source),
        proxy_wave=_wave(pair.proxy),
    )


def _heard(lufs: float | None) -> float | None:
    return None if lufs is None or isnan(lufs) or lufs <= _SILENCE_LUFS else round(lufs, 1)


def _wave(courses: Sequence[Course]) -> tuple[int, ...]:
    """Peaks in columns, 0 to WAVE_HEIGHT, by their level: location audio is mostly far below full scale."""
    if not courses or not courses[0]:
        return ()
    return tuple(
        round(max(0.0, 1 + decibels(most) / _WAVE_DECIBELS) * WAVE_HEIGHT) for _, most in extremes(loudest(courses), WAVE_COLUMNS)
    )


def _places(measurements: Measurements, findings: Sequence[Finding], worst: int) -> list[Place]:
    ssim = measurements.figures.ssim
    frames = len(ssim)
    if frames == 0:
        return []
    chosen: dict[int, str] = {0: "first frame", frames // 2: "middle frame", frames - 1: "last frame"}
    apart = max(1, int(measurements.comparison.rate) // 4)
    bad = [(finding.frame, finding.kind.replace("_", " ")) for finding in findings if finding.frame is not None]
    by_ssim = sorted((frame for frame in range(frames) if not isnan(ssim[frame])), key=ssim.__getitem__)
    extra: list[int] = []
    for frame, why in [*bad, *((frame, "low SSIM") for frame in by_ssim[: 40 * worst])]:
        if len(extra) >= worst:
            break
        if frame < frames and (frame == by_ssim[0] or all(abs(frame - other) >= apart for other in extra)) and frame not in extra:
            extra.append(frame)
            chosen[frame] = f"{chosen[frame]}, {why}" if frame in chosen else why
    return [_place(measurements, frame, chosen[frame]) for frame in sorted(chosen)]


def _place(measurements: Measurements, frame: int, why: str) -> Place:
    figures, comparison = measurements.figures, measurements.comparison
    source_frame = _source_frame(comparison, figures.source_times, frame)
    value = figures.ssim[frame]
    return Place(
        frame=frame,
        why=why,
        timecode=label_of_frame(comparison, frame),
        ssim=None if isnan(value) else value,
        source_frame=source_frame,
        source_time=_time(figures.source_times, source_frame),
        proxy_time=_time(figures.proxy_times, frame),
    )


def _time(times: Sequence[float], frame: int) -> tuple[float, float] | None:
    if not 0 < frame < len(times):
        return None
    before, own = times[frame - 1], times[frame]
    return (before, own) if 0 <= before < own else None


def _source_frame(comparison: Comparison, times: Sequence[float], frame: int) -> int:
    """Which source frame the comparison showed as `frame`: with a converted rate the latest that was due by then."""
    rate = comparison.converted_rate
    if rate is None or not times:
        return frame
    first = times[0] if "mxf" in comparison.proxy.formats else 0.0
    start = round((times[0] - first) * rate)
    due = float((frame + start + Fraction(1, 2)) / rate) + first
    return max(0, sum(1 for time in times if time < due) - 1)
