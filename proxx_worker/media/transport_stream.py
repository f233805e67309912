"""How a transport stream ends: recorders stop in the middle of a picture or an audio packet, and no header shows it.

A PES packet states its length (except video, where it is optional), or it is complete if its last transport packet is padded with
stuffing: one that continues fills all of its transport packets. So the bytes show what not every decoder reports: FFmpeg's HEVC
decoder fills in the rest of a truncated picture without a message. One complete picture in 184 needs no stuffing, and counts as
incomplete.

Structure: ISO/IEC 13818-1, 2.4.3.2 to 2.4.3.7.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.media.facts import AudioFacts, MediaFacts, OpenEnd, RawSource, VideoFacts

Read = Callable[[int, int], bytes]

CLOCK = 90_000
WRAP = 1 << 33
"""Times have 33 bits."""

_PACKET = 188
_SYNC = 0x47
_STRIDES = (188, 192, 204)
"""Bytes from one packet to the next: M2TS has a clock before each, others a checksum after it."""

_UNUSED = b"\0\xff"
"""The content of an unwritten part of a file, on disks and memory cards."""

_WINDOWS = (1 << 20, 1 << 22, 1 << 24)
"""How much of the end is read: more if it has too few pictures to know which of them is shown last."""

_PICTURES = 24
_START = b"\0\0\1"
_WITHOUT_TIMES = frozenset({0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF})
_PES_HEADER = 9
_FIELDS = Fraction(3, 4)
"""Two pictures closer together than this many frames are the fields of one."""


@dataclass(slots=True)
class _Packet:
    """A PES packet: where it begins in the file, its times, its length (0: not stated), and as much of it as there is."""

    at: int
    video: bool
    presented: int | None
    decoded: int | None
    declared: int
    received: int = 0
    stuffed: bool = False

    @property
    def whole(self) -> bool:
        return self.received >= self.declared if self.declared else self.stuffed


def with_its_end(facts: MediaFacts | RawSource, read: Read, size: int) -> MediaFacts | RawSource:
    """A transport stream's facts with `open_end` if its last picture or audio is incomplete; other facts are returned unchanged.

    `read(offset, count)` gives up to `count` bytes of the file of `size` bytes. Raises SOURCE_DAMAGED if nothing is left of the
    video or of an audio stream: FFmpeg then fails on a stream without packets, and reports only that.
    """
    if isinstance(facts, RawSource) or facts.demuxer != "mpegts":
        return facts
    start, data, pictures = _last_pictures(read, size)
    if not pictures:
        return facts
    kept = pictures if pictures[-1].whole else _without_last_frame(pictures, facts.video.rate)
    if not kept and start == 0:
        raise _refused("nothing shows that this recording's only frame is complete")
    end = None if kept is pictures else pictures[len(kept)].at
    streams = _streams(data if end is None else data[: end - start], start)
    others = (packets[-1] for packets in streams.values() if not packets[-1].video)
    open_packets = tuple(packet.decoded for packet in others if packet.declared and not packet.whole)
    if end is None and not open_packets:
        return facts
    if any(_begins_with(audio, open_packets) for audio in facts.audio):
        raise _refused("this recording ends within its first packet of audio")
    video = facts.video if end is None else replace(facts.video, duration=_duration(facts.video, kept))
    found = OpenEnd(end, open_packets)
    return replace(facts, video=video, open_end=found, notes=(*facts.notes, *_notes(found)))


def _begins_with(audio: AudioFacts, open_packets: Sequence[int | None]) -> bool:
    """Whether the first packet of an audio stream, known by its time, is one of those that are left out."""
    return audio.start is not None and round(audio.start * CLOCK) % WRAP in open_packets


def _refused(reason: str) -> ProxxError:
    return ProxxError(ErrorCode.SOURCE_DAMAGED, f"a source must have complete frames and audio, but {reason}: deliver all of it")


def _notes(found: OpenEnd) -> Iterator[str]:
    if found.bytes is not None:
        yield "the recording ends without a sign that its last frame is complete, so that frame was left out"
    if found.packets:
        yield f"the recording ends within the last packets of audio or data ({len(found.packets)}), which were left out"


def _duration(video: VideoFacts, kept: Sequence[_Packet]) -> Fraction | None:
    """From the stream's start to the end of the picture shown last; None if unknown."""
    if video.start is None or not kept:
        return None
    start = round(video.start * CLOCK)
    latest = max((packet.presented - start) % WRAP for packet in kept if packet.presented is not None)
    return Fraction(latest, CLOCK) + 1 / video.rate


def _last_pictures(read: Read, size: int) -> tuple[int, bytes, list[_Packet]]:
    """A part of the file's end, where it starts, and its picture packets; none if there are several video streams.

    A packet without a time continues the picture before it, and counts as a part of that.
    """
    start, data, timed = size, b"", list[_Packet]()
    for window in _WINDOWS:
        start = max(0, size - window)
        data = read(start, size - start)
        pictures = [packets for packets in _streams(data, start).values() if packets[-1].video]
        if len(pictures) > 1:
            return start, data, []
        timed = _joined(pictures[0]) if pictures else []
        if start == 0 or len(timed) > _PICTURES:
            break
    return start, data, timed


def _joined(packets: Sequence[_Packet]) -> list[_Packet]:
    joined: list[_Packet] = []
    for packet in packets:
        if packet.presented is not None:
            joined.append(packet)
        elif joined:
            joined[-1] = replace(packet, at=joined[-1].at, presented=joined[-1].presented, decoded=joined[-1].decoded)
    return joined


def _without_last_frame(pictures: list[_Packet], rate: Fraction) -> list[_Packet]:
    """All but the last picture, and its other field if fields have packets of their own."""
    *kept, last = pictures
    near = _FIELDS * CLOCK / rate
    if kept and _distance(kept[-1], last) < near:
        kept.pop()
    return kept


def _distance(before: _Packet, after: _Packet) -> int:
    apart = ((after.presented or 0) - (before.presented or 0)) % WRAP
    return min(apart, WRAP - apart)


def _streams(data: bytes, start: int) -> dict[int, list[_Packet]]:
    """The PES packets of each stream, by its number (PID). `start`: where `data` begins in the file."""
    streams: dict[int, list[_Packet]] = {}
    for at, packet in _transport_packets(data):
        number = (packet[1] & 0x1F) << 8 | packet[2]
        begins = _payload_begin(packet)
        if begins is None:
            continue
        payload = packet[begins:]
        if packet[1] & 0x40:
            begun = _begun(payload, start + at)
            if begun is None:
                streams.pop(number, None)  # a table, or noise
                continue
            streams.setdefault(number, []).append(begun)
        if number in streams:
            last = streams[number][-1]
            last.received += len(payload)
            last.stuffed = _is_stuffed(packet)
    return streams


def _transport_packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each transport packet and its offset in `data`; none if they are not evenly spaced.

    A recorder may have reserved more of the file than it filled.
    """
    filled = len(data.rstrip(_UNUSED))
    for stride in _STRIDES:
        for phase in range(stride):
            places = range(phase, min(filled, len(data) - _PACKET + 1), stride)
            if len(places) > 1 and all(data[at] == _SYNC for at in places):
                for at in places:
                    yield at, data[at : at + _PACKET]
                return


def _payload_begin(packet: bytes) -> int | None:
    """Where the payload begins; None if there is none."""
    control = packet[3] >> 4 & 3
    if not control & 1:
        return None
    return 4 if control == 1 else min(5 + packet[4], _PACKET)


def _is_stuffed(packet: bytes) -> bool:
    """Whether the adaptation field contains stuffing, or consists of nothing else."""
    if packet[3] >> 4 & 3 != 3:  # noqa: PLR2004 - both a field and a payload
        return False
    length, flags = packet[4], packet[5]
    if length == 0 or flags == 0:
        return True
    used = 1 + 6 * (flags >> 4 & 1) + 6 * (flags >> 3 & 1) + (flags >> 2 & 1)
    for extra in (flags & 2, flags & 1):
        if extra:
            used += 1 + (packet[5 + used] if 5 + used < _PACKET else 0)
    return length > used


def _begun(payload: bytes, at: int) -> _Packet | None:
    """The PES packet that begins with `payload`; None if none does."""
    if len(payload) < _PES_HEADER or not payload.startswith(_START):
        return None
    kind, declared = payload[3], int.from_bytes(payload[4:6], "big")
    presented = decoded = None
    if kind not in _WITHOUT_TIMES:
        presented = _time(payload[9:14]) if payload[7] & 0x80 else None
        decoded = _time(payload[14:19]) if payload[7] & 0xC0 == 0xC0 else presented  # noqa: PLR2004 - both times
    return _Packet(at, kind & 0xF0 == 0xE0, presented, decoded, declared + 6 if declared else 0)  # noqa: PLR2004 - ISO's video


def _time(field: bytes) -> int | None:
    if len(field) < 5:  # noqa: PLR2004 - 33 bits and their markers
        return None
    return (field[0] >> 1 & 7) << 30 | field[1] << 22 | field[2] >> 1 << 15 | field[3] << 7 | field[4] >> 1
