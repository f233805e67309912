"""Bare streams that say a rate: every frame is counted before the encode, and numbered by order at that rate.

Nothing in such a stream has a time, and FFmpeg takes 25 frames a second where no rate is said (ffprobe 5.1 prints the same for
25 that was said). So the stream's own headers are read, all through the file: they say the rate, and how many frames a decoder
must give, the independent count that the encode is held to. Decision 0028.
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
from proxx_worker.media.h265_video import WANTED as OF_H265
from proxx_worker.media.h265_video import H265Video
from proxx_worker.media.mpeg_video import WANTED as OF_MPEG_VIDEO
from proxx_worker.media.mpeg_video import MpegVideo
from proxx_worker.media.start_codes import Read, units
from proxx_worker.media.uncountable import PicturesMissing, Uncountable

FASTEST = 240
"""Frames a second. What is said beyond are ticks (90000, 1000), by an encoder whose frames had times."""


class Counter(Protocol):
    """Counts the frames of a stream. `frames`: that a decoder gives; `left_out`: before the first that it can decode."""

    frames: int
    left_out: int

    def feed(self, unit: bytes) -> None:
        """Take the next unit. Raises `Uncountable`, `PicturesMissing`, and `OutOfBitsError` for one that cannot be read."""

    def finish(self) -> Fraction | None:
        """The rate, None where none is said; `frames` is final. Raises `Uncountable`, `PicturesMissing`."""


@dataclass(frozen=True, slots=True)
class _Kind:
    wanted: re.Pattern[bytes]
    counter: Callable[[], Counter]
    where: str
    unknown: str = ""


_KINDS = {
    "mpegvideo": _Kind(OF_MPEG_VIDEO, MpegVideo, "sequence header says"),
    "h264": _Kind(OF_H264, H264Video, "parameter sets say"),
    "hevc": _Kind(OF_H265, H265Video, "parameter sets say", ", and nothing tells whether its last picture is whole"),
}
"""By demuxer."""

_NAMES = {"mpeg1video": "MPEG-1", "mpeg2video": "MPEG-2", "h264": "H.264", "hevc": "H.265"}


def numbered_by_order(facts: MediaFacts | RawSource, read: Read) -> MediaFacts | RawSource:
    """A bare stream's facts with the rate that it says, and with so many frames; all else as it is.

    `read(offset, size)` gives up to `size` bytes of the file; all of it is read. Raises SOURCE_UNSUPPORTED for a stream without a
    rate, or whose frames cannot be counted; SOURCE_DAMAGED for one that lacks pictures by its own numbers.
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
        raise _damaged(name, f"lacks pictures by its own numbers, at or after frame {missing.frame}") from missing
    except Uncountable as why:
        raise _refused(name, str(why), "wrap it in mov or mp4 with a time at each frame") from why
    if rate is None or not 1 <= rate <= FASTEST:
        raise _refused(name, "without a rate", "wrap it in mov or mp4 at its rate")
    said = f"its frames have no times and stand one after another at {rate} frames per second, as its {kind.where}"
    notes = [f"a bare {name} stream: {said}; it does not promise a length{kind.unknown}"]
    if counter.left_out:
        notes.append(f"pictures left out at the beginning: {counter.left_out}; they need others that are not in the stream")
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
