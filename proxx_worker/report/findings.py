"""What the measurements of one task mean: findings, each with the figure behind it. Pure."""

import re
from collections import Counter
from collections.abc import Iterator

from proxx_worker.media.decoder_names import decoder_names
from proxx_worker.media.ffmpeg_words import Meaning, says
from proxx_worker.report.audio_findings import audio_findings
from proxx_worker.report.comparison import Comparison
from proxx_worker.report.finding import Finding, Kind
from proxx_worker.report.measurements import Measurements
from proxx_worker.report.video_findings import video_findings

MOST_OF_A_KIND = 5


def judge(measurements: Measurements) -> tuple[Finding, ...]:
    """All findings, the certain ones first, each group in the order in which a viewer notices them."""
    found = list(_found(measurements))
    kept: list[Finding] = []
    seen: Counter[Kind] = Counter()
    for finding in sorted(found, key=lambda one: not one.certain):
        seen[finding.kind] += 1
        if seen[finding.kind] <= MOST_OF_A_KIND:
            kept.append(finding)
    return tuple(kept)


def _found(measurements: Measurements) -> Iterator[Finding]:
    yield from _whole(measurements)
    yield from video_findings(measurements.comparison, measurements.video, measurements.figures)
    yield from audio_findings(measurements.comparison, measurements.audio_streams)


def _whole(measurements: Measurements) -> Iterator[Finding]:
    figures, counted, compared = measurements.figures, measurements.counted, len(measurements.figures.ssim)
    if measurements.exit_code:
        said = figures.complaints[-1] if figures.complaints else f"it ended with {measurements.exit_code}"
        yield Finding(Kind.DAMAGED, f"the comparison did not finish: {said}", certain=True, frame=compared)
    elif complaints := [line for line in figures.complaints if _is_of_decoding(measurements.comparison, line)]:
        said = f"{complaints[0]}{f' (and {len(complaints) - 1} more)' if len(complaints) > 1 else ''}"
        yield Finding(Kind.DAMAGED, f"FFmpeg reported errors while decoding the files: {said}", certain=False)
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
    """Whether a line is about decoding video or audio. A demuxer's messages were already judged by the job."""
    codecs = {
        codec
        for facts in (comparison.source, comparison.proxy)
        for codec in (facts.video.codec, *(audio.codec for audio in facts.audio))
    }
    spoken = re.match(r"\[([^\]]+)\]", line)
    by_decoder = spoken is not None and any(spoken[1] in decoder_names(codec) for codec in codecs)
    return by_decoder or says(Meaning.DECODING, line) or says(Meaning.CORRUPT, line)
