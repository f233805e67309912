"""The measurements of one task's comparison, before they are judged."""

from dataclasses import dataclass

from proxx_worker.report.audio_measures import Course
from proxx_worker.report.comparison import Comparison
from proxx_worker.report.figures import Figures
from proxx_worker.report.video_measures import VideoMeasures


@dataclass(frozen=True, slots=True)
class AudioPair:
    """The envelopes of one audio stream, channel by channel, of the source and of the proxy."""

    source: tuple[Course, ...]
    proxy: tuple[Course, ...]


@dataclass(frozen=True, slots=True)
class Measurements:
    """`counted`: frames that the worker had counted in the proxy, None if its result does not say."""

    comparison: Comparison
    figures: Figures
    video: VideoMeasures
    audio_streams: tuple[AudioPair, ...]
    counted: int | None
    exit_code: int = 0
