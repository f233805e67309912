"""Bare streams that state a rate: every frame is counted before the encode, and numbered in order at that rate.

Such a stream has no times, and FFmpeg assumes 25 frames a second if it states no rate (ffprobe 5.1 prints the same for a stated
25). So the stream's own headers are read throughout the file: they state the rate, and how many frames a decoder must output, an
independent count that the encode is checked against. Decision 0028.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.media.bits import OutOfBitsError
from proxx_worker.media.demuxers import NUMBERED
from proxx_worker.media.facts import MediaFacts, RawSource
from proxx_worker.media.h264_video import WANTED as OF_H264
from proxx_worker.media.h264_video import H264Video
from proxx_worker.media.mpeg_video import WANTED as OF_MPEG_VIDEO
from proxx_worker.media.mpeg_video import MpegVideo
from proxx_worker.media.start_codes import Read, units
from proxx_worker.media.uncountable import PicturesMissing, Uncountable

FASTEST = 240
"""Frames a second. Higher values are ticks (90000, 1000), by an encoder whose frames had times."""


class Counter(Protocol):
    """Counts the frames of a stream. `frames`: as a decoder outputs them; `left_out`: before the first that it can decode."""

    frames: int
    left_out: int

    def feed(self, unit: bytes) -> None:
        """Read the next unit. Raises `Uncountable`, `PicturesMissing`, and `OutOfBitsError` for one that cannot be read."""

    def finish(self) -> Fraction | None:
        """The rate, None if none is stated; `frames` is final. Raises `Uncountable`, `PicturesMissing`."""


@dataclass(frozen=True, slots=True)
class _Kind:
    wanted: re.Pattern[bytes]
    counter: Callable[[], Counter]
    where: str


_KINDS = {
    "mpegvideo": _Kind(OF_MPEG_VIDEO, MpegVideo, "sequence header states"),
    "h264": _Kind(OF_H264, H264Video, "parameter sets state"),
}
"""By demuxer."""

_NAMES = {"mpeg1video": "MPEG-1", "mpeg2video": "MPEG-2", "h264": "H.264"}


def numbered_by_order(facts: MediaFacts | RawSource, read: Read) -> MediaFacts | RawSource:
    """A bare stream's facts with its stated rate and its counted frames; other facts are returned unchanged.

    `read(offset, size)` gives up to `size` bytes of the file; all of it is read. Raises SOURCE_UNSUPPORTED for a stream without a
    rate, or whose frames cannot be counted; SOURCE_DAMAGED for one whose own numbering shows missing pictures.
    """
    if isinstance(facts, RawSource) or facts.demuxer not in NUMBERED:
        return facts
    kind = _KINDS[facts.demuxer]
    name = _NAMES.get(facts.video.codec, facts.video.codec)
    counter = kind.counter()
    try:
        for unit in units(read, kind.wanted):
            counter.feed(unit)
        rate = counter.finish()
    except OutOfBitsError as error:
        raise _damaged(name, "has headers that cannot be read") from error
    except PicturesMissing as missing:
        raise _damaged(name, f"has gaps in its own picture numbering, at or after frame {missing.frame}") from missing
    except Uncountable as why:
        raise _refused(name, str(why), "wrap it in mov or mp4 with a time at each frame") from why
    if rate is None or not 1 <= rate <= FASTEST:
        raise _refused(name, "without a rate", "wrap it in mov or mp4 at its rate")
    said = f"its frames have no times and are taken as {rate} frames per second, as its {kind.where}"
    notes = [f"a bare {name} stream: {said}; it states no duration"]
    if counter.left_out:
        notes.append(f"frames left out at the beginning: {counter.left_out}; they depend on others that are not in the stream")
    length = counter.frames / rate
    video = replace(
        facts.video, rate=rate, average_rate=None, constant_rate=True, time_base=1 / rate, start=Fraction(0), duration=length,
        frames=counter.frames, frames_certain=True,
    )  # fmt: skip
    return replace(facts, video=video, start=Fraction(0), duration=length, notes=(*facts.notes, *notes))


def _refused(name: str, reason: str, remedy: str) -> ProxxError:
    return ProxxError(ErrorCode.SOURCE_UNSUPPORTED, f"the file is a bare {name} stream {reason}; {remedy}", stream=name)


def _damaged(name: str, reason: str) -> ProxxError:
    return ProxxError(
        ErrorCode.SOURCE_DAMAGED,
        f"the source, a bare {name} stream, {reason}: it was cut off or damaged; deliver the clip again",
        stream=name,
    )
