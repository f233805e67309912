"""Small moving pictures and audio streams, as the comparison hands them on."""

import random
from array import array
from collections.abc import Callable, Sequence
from functools import cache

from proxx_worker.report.audio_measures import AudioMeter
from proxx_worker.report.comparison import AUDIO_RATE, MEAN_HEIGHT, MEAN_WIDTH, plan_comparison
from proxx_worker.report.figures import Figures
from proxx_worker.report.measurements import AudioPair, Measurements
from proxx_worker.report.video_measures import SAMPLES_BYTES, VideoMeasures, VideoMeter
from tests.unit.report.facts import media, video

LUMA = MEAN_WIDTH * MEAN_HEIGHT
GRAY_CHROMA = b"\x80" * LUMA  # two planes of a quarter each, of two pictures


def picture(number: int) -> bytes:
    """A bright bar that moves three columns a frame over a slope."""
    left = number * 3 % MEAN_WIDTH
    row = bytes(200 if (column - left) % MEAN_WIDTH < 8 else 40 + column for column in range(MEAN_WIDTH))
    return row * MEAN_HEIGHT


def mosaic(source: bytes, proxy: bytes) -> bytes:
    return source + proxy + GRAY_CHROMA


def measure(proxies: Sequence[bytes]) -> VideoMeasures:
    """What the meter makes of these proxy pictures beside the moving source."""
    meter = VideoMeter(len(proxies))
    for number, proxy in enumerate(proxies):
        meter.take_means(mosaic(picture(number), proxy))
        meter.take_samples(bytes([60]) * SAMPLES_BYTES)
    return meter.finish()


def measurements(
    pictures: VideoMeasures,
    *,
    audio_streams: tuple[AudioPair, ...] = (),
    figures: Figures | None = None,
    counted: int | None = None,
    field_order: str = "progressive",
) -> Measurements:
    """The measurements of a clip at 25 with timecode, SSIM 0.99 throughout unless `figures` say otherwise."""
    figures = figures or Figures()
    if not figures.ssim:
        figures.ssim.extend([0.99] * pictures.frames)
    facts = media(video(field_order=field_order), audio_streams=len(audio_streams))
    return Measurements(plan_comparison(facts, facts, None), figures, pictures, audio_streams, counted)


@cache
def noise(seconds: float, seed: int, beat: Callable[[float], float] = lambda _: 1.0) -> "array[int]":
    """16-bit noise of one channel, its level as `beat` says of each moment."""
    chance = random.Random(seed)  # noqa: S311 - the same noise every time
    return array("h", [round(chance.uniform(-9000, 9000) * beat(at / AUDIO_RATE)) for at in range(round(seconds * AUDIO_RATE))])


def courses(*channels: "array[int]") -> "tuple[array[int], ...]":
    """What the meter makes of these channels."""
    meter = AudioMeter(len(channels))
    meter.feed(array("h", [sample for group in zip(*channels, strict=True) for sample in group]).tobytes())
    return meter.courses
