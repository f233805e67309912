"""The chart of SSIM: its axis reaches everything that is drawn on it."""

import re
from fractions import Fraction

import pytest

from proxx_worker.report.charts import ssim_chart
from proxx_worker.report.comparison import Comparison
from proxx_worker.report.summary import Summary
from proxx_worker.report.video_measures import LumaRange
from tests.unit.report.facts import media

TOP, FOOT = 8.0, 102.0
"""Where 1 and the least value of the axis are drawn."""


def summary(low: float, floor: float | None, *, frames: int = 50) -> Summary:
    return Summary(
        comparison=Comparison(media(), media(), Fraction(25), 16, 8, "bt709", "bt709"),
        frames=frames,
        ssim_mean=0.99,
        ssim_min=low,
        ssim_min_frame=7,
        ssim_floor=floor,
        ssim_columns=((0.99, 1.0), (low, 0.99)) if frames else (),
        source_luma=LumaRange(),
        proxy_luma=LumaRange(),
        audio_streams=(),
        places=(),
    )


def marks(chart: str) -> list[float]:
    return [float(mark) for mark in re.findall(r'text-anchor="end">([0-9.]+)<', chart)]


def height(chart: str, name: str) -> float | None:
    found = re.search(rf'class="{name}" d="M38 ([-0-9.]+)H', chart)
    return None if found is None else float(found[1])


@pytest.mark.parametrize(
    ("low", "floor", "gate", "bottom"),
    [
        (0.97, None, None, 0.95),
        (0.95, None, None, 0.95),
        (0.94, None, None, 0.9),
        (0.97, 0.86, None, 0.8),
        (0.97, 0.96, 0.7, 0.5),
        (0.97, 0.8, 0.96, 0.8),
        (0.6, 0.9, 0.95, 0.5),
        (0.97, 0.3, 0.9, 0.0),
        (0.97, None, 0.0, 0.0),
    ],
)
def test_the_axis_reaches_the_limits_it_names(low: float, floor: float | None, gate: float | None, bottom: float) -> None:
    chart = ssim_chart(summary(low, floor), "t", gate)
    assert marks(chart) == [1.0, float(f"{(1 + bottom) / 2:.3g}"), bottom]
    for name, limit in (("floor", floor), ("gate", gate)):
        drawn = height(chart, name)
        if limit is None:
            assert drawn is None
        else:
            assert drawn == pytest.approx(TOP + (1 - limit) / (1 - bottom) * (FOOT - TOP), abs=0.05)


def test_without_frames_there_is_no_chart() -> None:
    assert ssim_chart(summary(1.0, None, frames=0), "t", None) == ""
