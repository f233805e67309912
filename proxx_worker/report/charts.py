"""Inline SVG charts of SSIM and of audio. Numbers only, so they contain no names; colours come from the page."""

from collections.abc import Sequence
from html import escape

from proxx_worker.report.summary import WAVE_HEIGHT, Summary

_WIDTH, _HEIGHT = 600, 120
_LEFT, _BOTTOM, _TOP, _RIGHT = 38, 18, 8, 4


def ssim_chart(summary: Summary, title: str, gate: float | None) -> str:
    """SSIM over time: a band from least to greatest of each column, the floor, and the caller's gate if there is one."""
    columns = summary.ssim_columns
    if not columns:
        return ""
    low = min(least for least, _ in columns)
    marked = [low, *(value for value in (summary.ssim_floor, gate) if value is not None)]
    bottom = next((step for step in (0.95, 0.9, 0.8, 0.5) if min(marked) >= step), 0.0)
    parts = [_axis(bottom, summary)]
    for value, name in ((summary.ssim_floor, "floor"), (gate, "gate")):
        if value is not None and value >= bottom:
            parts.append(f'<path class="{name}" d="M{_LEFT} {_y(value, bottom)}H{_WIDTH - _RIGHT}"/>')
    xs = [_x(number, len(columns)) for number in range(len(columns))]
    upper = "L".join(f"{x} {_y(most, bottom)}" for x, (_, most) in zip(xs, columns, strict=True))
    lower = "L".join(f"{x} {_y(least, bottom)}" for x, (least, _) in reversed(list(zip(xs, columns, strict=True))))
    parts.append(f'<path class="band" d="M{upper}L{lower}Z"/>')
    line = "L".join(f"{x} {_y(least, bottom)}" for x, (least, _) in zip(xs, columns, strict=True))
    parts.append(f'<path class="line" d="M{line}"/>')
    if summary.ssim_min is not None and summary.ssim_min_frame is not None and summary.frames:
        x = _x(summary.ssim_min_frame, summary.frames)
        parts.append(f'<circle class="worst" cx="{x}" cy="{_y(summary.ssim_min, bottom)}" r="3.5"/>')
    return f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _axis(bottom: float, summary: Summary) -> str:
    middle = (1 + bottom) / 2
    marks = "".join(
        f'<path class="grid" d="M{_LEFT} {_y(value, bottom)}H{_WIDTH - _RIGHT}"/>'
        f'<text x="{_LEFT - 5}" y="{_y(value, bottom) + 3.5:g}" text-anchor="end">{value:.3g}</text>'
        for value in (1.0, middle, bottom)
    )
    foot = _HEIGHT - 4
    return (
        f'{marks}<text x="{_LEFT}" y="{foot}">0</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{foot}" text-anchor="end">frame {max(0, summary.frames - 1)}</text>'
    )


def _x(number: int, count: int) -> float:
    return round(_LEFT + (number + 0.5) * (_WIDTH - _LEFT - _RIGHT) / count, 1)


def _y(value: float, bottom: float) -> float:
    return round(_TOP + (1 - value) / (1 - bottom) * (_HEIGHT - _TOP - _BOTTOM), 1)


def waveforms(source: Sequence[int], proxy: Sequence[int], title: str) -> str:
    """The source's peaks above the proxy's, each mirrored about its middle."""
    width = max(len(source), len(proxy), 1)
    height = 2 * WAVE_HEIGHT
    parts = [
        f'<path class="{name}" d="{_wave(columns, middle)}"/><path class="grid" d="M0 {middle}H{width}"/>'
        for name, columns, middle in (("source", source, WAVE_HEIGHT), ("proxy", proxy, height + 4 + WAVE_HEIGHT))
    ]
    return (
        f'<svg class="wave" viewBox="0 0 {width} {2 * height + 4}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _wave(columns: Sequence[int], middle: int) -> str:
    """One vertical stroke per column, at least a hairline high so that silence shows as a line."""
    return "".join(f"M{x}.5 {middle - peak}v{2 * peak or 0.5}" for x, peak in enumerate(columns))
