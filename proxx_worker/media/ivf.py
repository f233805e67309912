"""IVF: bare VP8, VP9 or AV1 with a time at each packet. Its header states a length, in frames or ticks depending on its writer.

Layout: the WebM project's description, and FFmpeg's libavformat/ivfdec.c and ivfenc.c. A header of 32 bytes, whatever size it
states (ticks per second at 16 and 20, the count at 24); before each packet its size in 4 bytes and its time in ticks in 8,
little-endian.
"""

import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil

from proxx_worker.media.facts import MediaFacts, RawSource

MOST_PACKETS = 500_000
"""Two hours of 60 a second. Longer files are not checked: each packet costs a small read."""

_HEADER = struct.Struct("<24xI4x")
_PACKET = struct.Struct("<IQ")
_UNSAID = (0, 0xFFFFFFFF)
"""The value of recorders that do not return to the header."""

Read = Callable[[int, int], bytes]


def held_to_its_header(facts: MediaFacts | RawSource, read: Read, size: int) -> MediaFacts | RawSource:
    """An IVF's facts with the number of frames in its header, if the file of `size` bytes has fewer; other facts are unchanged.

    If it has as many, the number is not one of frames to present: VP8 has packets that are not shown.
    """
    if isinstance(facts, RawSource) or facts.demuxer != "ivf":
        return facts
    frames = missed_promise(read, size)
    return facts if frames is None else replace(facts, video=replace(facts.video, frames=frames, frames_certain=True))


def missed_promise(read: Read, size: int) -> int | None:
    """How many frames the header states, if there are fewer complete packets; None if not, or if it states none.

    FFmpeg up to 5.1 writes the length in ticks there, `packets * (last - first) / (packets - 1)`; all others count packets.
    """
    head = read(0, _HEADER.size)
    if len(head) < _HEADER.size:
        return None
    said, at = _count(head), _HEADER.size
    packets, first, last = 0, 0, 0
    while said not in _UNSAID and len(fields := read(at, _PACKET.size)) == _PACKET.size:
        length, time = _PACKET.unpack(fields)
        at += _PACKET.size + length
        if at > size:
            break
        first, last, packets = (first if packets else time), time, packets + 1
        if packets > MOST_PACKETS:
            return None
    step = Fraction(last - first, packets - 1) if packets > 1 else Fraction(1)
    ticks = int(packets * step)
    if said in _UNSAID or said <= packets or ticks - 2 * step <= said <= ticks:
        return None
    return max(packets + 1, ceil(said / step)) if said > ticks > packets else said


def _count(head: bytes) -> int:
    (count,) = _HEADER.unpack(head)
    return int(count)
