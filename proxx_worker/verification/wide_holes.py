"""Audio with a hole that FFmpeg cannot fill with silence.

`aresample` holds a hole in memory, up to 1 GiB of it: of stereo at 48 kHz 93 minutes with 16 bits, and 46 with more bits or where
the rate changes, too; AAC decodes to 32 bits. At a wider one it puts the next frame into the middle of the silence, says so, and
goes on. It counts samples in 32 bits, and says nothing of a hole that has more.
"""

from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.media.ffmpeg_words import Meaning, says
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.verification.encode_observation import EncodeObservation

_COUNTED = (1 << 31) - 1
"""The most samples that it can insert or leave out at once (libswresample: swr_inject_silence, swr_drop_output)."""


def wide_hole(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """SOURCE_UNSUPPORTED for a hole that was not filled. FFmpeg does not say in which stream: the longest of all is named."""
    holes = [
        (abs(Fraction(heard.widest.samples, heard.rate)), Fraction(heard.widest.at, heard.rate), position)
        for position, heard in enumerate(encode.audio)
        if heard is not None
    ]
    unfilled = any(says(Meaning.UNFILLED, line) for line in encode.complaints)
    uncounted = any(heard is not None and abs(heard.widest.samples) > _COUNTED for heard in encode.audio)
    if not holes or not (unfilled or uncounted):
        return None
    length, at, position = max(holes)
    return JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"audio stream {position + 1} of the source jumps by {float(length):.3f} s at {float(at):.3f} s, which is more than "
        "FFmpeg can fill with silence: split the clip there, or deliver it without that stream",
        {"stream": plan.facts.audio[position].index, "at_seconds": f"{float(at):.3f}", "seconds": f"{float(length):.3f}"},
    )
