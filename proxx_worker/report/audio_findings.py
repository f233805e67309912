"""Faults of the audio: late or early, with gaps, or on the wrong channel. Pure."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from proxx_worker.report.audio_measures import POINTS_PER_SECOND, Course, Hole, holes_in, lag_between, swaps_between
from proxx_worker.report.comparison import Comparison
from proxx_worker.report.finding import Finding, Kind, label_of_frame
from proxx_worker.report.measurements import AudioPair

LAG_SECONDS, LAG_CERTAIN = 0.010, 0.020
"""Half a frame at 50 and at 25 frames a second."""

HOLE_SECONDS = 0.020
"""The shortest silence that counts as a gap."""


def loudest(courses: Sequence[Course]) -> Course:
    """One envelope for all channels: at each point the loudest of them."""
    return courses[0] if len(courses) == 1 else [max(points) for points in zip(*courses, strict=True)]


def video_delay(comparison: Comparison) -> Fraction:
    """How much later the proxy's video starts than the source's, each counted from its file's start."""
    source, proxy = (
        Fraction(0) if facts.video.start is None or facts.start is None else max(Fraction(0), facts.video.start - facts.start)
        for facts in (comparison.source, comparison.proxy)
    )
    return proxy - source


def lag_of(comparison: Comparison, pair: AudioPair) -> float | None:
    """How late the proxy's audio is relative to its video, in seconds; None if the audio does not show it."""
    if not pair.source or not pair.proxy:
        return None
    lag = lag_between(loudest(pair.source), loudest(pair.proxy))
    return None if lag is None else round(lag.points / POINTS_PER_SECOND - float(video_delay(comparison)), 3)


def _holes(comparison: Comparison, number: int, pair: AudioPair, late: int) -> Iterator[Finding]:
    """The gaps of one stream; channels that fall silent together count as one."""
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
            f"audio {number}{where} is silent for {hole.seconds * 1000:.0f} ms at {hole.start:.2f} s; the source is not",
            certain=True,
            frame=frame,
            timecode=label_of_frame(comparison, frame),
            value=round(hole.seconds, 3),
            threshold=HOLE_SECONDS,
        )


def audio_findings(comparison: Comparison, audio_streams: Sequence[AudioPair]) -> Iterator[Finding]:
    """All faults of the audio, stream by stream."""
    for number, pair in enumerate(audio_streams):
        lag = lag_of(comparison, pair)
        if lag is not None and abs(lag) > LAG_SECONDS:
            yield Finding(
                Kind.AUDIO_LAG,
                f"audio {number} is {abs(lag) * 1000:.0f} ms {'late' if lag > 0 else 'early'} in the proxy",
                certain=abs(lag) > LAG_CERTAIN,
                value=lag,
                threshold=LAG_SECONDS,
            )
        late = 0 if lag is None else round((lag + float(video_delay(comparison))) * POINTS_PER_SECOND)
        yield from _holes(comparison, number, pair, late)
    places = [
        (number, channel)
        for number, pair in enumerate(audio_streams)
        for channel in range(min(len(pair.source), len(pair.proxy)))
    ]
    source = [audio_streams[number].source[channel] for number, channel in places]
    proxy = [audio_streams[number].proxy[channel] for number, channel in places]
    for one, other in swaps_between(source, proxy, 0):
        names = " and ".join(f"audio {number} channel {channel}" for number, channel in (places[one], places[other]))
        yield Finding(Kind.CHANNEL_SWAP, f"{names} are swapped in the proxy", certain=True)
