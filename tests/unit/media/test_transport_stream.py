"""Which of a transport stream's last packets are whole, from its bytes alone."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.media.facts import MediaFacts, OpenEnd, RawSource
from proxx_worker.media.transport_stream import CLOCK, WRAP, with_its_end
from tests.unit.planning.sources import CLIP

VIDEO, AUDIO, SECOND, TABLE = 256, 257, 258, 0
FRAME = 3600
FIRST = 90_000
WHOLE = 176
"""Bytes of a transport packet's payload behind an adaptation field of 7 bytes and its length."""

STREAM = replace(CLIP, formats=("mpegts",), video=replace(CLIP.video, start=Fraction(1), duration=Fraction(1), frames=None))


def packet(number: int, payload: bytes, *, begins: bool = False, field: bytes | None = None) -> bytes:
    """A transport packet; what `payload` does not fill is stuffing, unless `field` is there and fits."""
    head = bytes((0x47, begins << 6 | number >> 8, number & 0xFF))
    room = 184 - len(payload)
    if room == 0:
        return head + b"\x10" + payload
    content = field if field is not None else b"" if room == 1 else b"\0" + b"\xff" * (room - 2)
    assert len(content) == room - 1
    return head + b"\x30" + bytes((room - 1,)) + content + payload


def time(mark: int, ticks: int) -> bytes:
    return bytes((
        mark << 4 | ticks >> 29 & 0xE | 1, ticks >> 22 & 0xFF, ticks >> 14 & 0xFE | 1, ticks >> 7 & 0xFF, ticks << 1 & 0xFE | 1
    ))  # fmt: skip


def pes(kind: int, body: int, presented: int | None = None, decoded: int | None = None, *, bounded: bool = False) -> bytes:
    times = b"" if presented is None else time(2 if decoded is None else 3, presented)
    times += b"" if decoded is None else time(1, decoded)
    flags = 0 if presented is None else 0x80 if decoded is None else 0xC0
    rest = bytes((0x80, flags, len(times))) + times + b"\x55" * body
    return b"\0\0\1" + bytes((kind,)) + (len(rest) if bounded else 0).to_bytes(2, "big") + rest


def packets(number: int, content: bytes) -> list[bytes]:
    return [packet(number, content[at : at + 184], begins=at == 0) for at in range(0, len(content), 184)]


def picture(place: int, body: int = 400, number: int = VIDEO) -> list[bytes]:
    return packets(number, pes(0xE0, body, FIRST + place * FRAME, FIRST + place * FRAME - 10))


def sound(place: int, number: int = AUDIO) -> list[bytes]:
    return packets(number, pes(0xC0, 300, FIRST + place * FRAME, bounded=True))


def table() -> list[bytes]:
    clock_alone = bytes((0x47, VIDEO >> 8, VIDEO & 0xFF, 0x20, 183, 0x10)) + bytes(6) + b"\xff" * 176
    return [packet(TABLE, bytes(184), begins=True), clock_alone]


RECORDING = [*table(), *picture(0), *sound(0), *picture(3), *sound(1), *picture(1), *sound(2)]


def judged(content: bytes, facts: MediaFacts = STREAM) -> MediaFacts:
    found = with_its_end(facts, lambda offset, size: content[offset : offset + size], len(content))
    assert isinstance(found, MediaFacts)
    return found


def test_a_whole_recording_stays_as_it_is() -> None:
    assert judged(b"".join(RECORDING)) is STREAM


PICTURE_NOTE = "the recording ends without a sign that its last frame is complete, so that frame was left out"
PACKETS_NOTE = "the recording ends within the last packets of audio or data (1), which were left out"


def test_a_last_picture_that_is_not_whole_is_left_out() -> None:
    begun = [*RECORDING, *picture(2)[:-1]]
    found = judged(b"".join(begun))
    assert found.open_end == OpenEnd(len(RECORDING) * 188)
    assert found.notes == (PICTURE_NOTE,)
    assert found.video.duration == Fraction(4, 25)  # up to the end of the picture at place 3
    assert judged(b"".join(begun), replace(STREAM, video=replace(STREAM.video, start=None))).video.duration is None


def test_a_recording_that_ends_within_its_first_picture_is_refused() -> None:
    with pytest.raises(
        ProxxError, match="nothing shows that this recording's only frame is complete: deliver all of it"
    ) as refused:
        judged(b"".join(picture(0)[:-1]))
    assert refused.value.code is ErrorCode.SOURCE_DAMAGED


@pytest.mark.parametrize("turns", [0, 1])
def test_a_recording_that_ends_within_its_first_packet_of_audio_is_refused(turns: int) -> None:
    start = Fraction(FIRST, CLOCK) + turns * Fraction(WRAP, CLOCK)
    heard = replace(STREAM, audio=(replace(CLIP.audio[0], start=None), replace(CLIP.audio[0], start=start)))
    begun = b"".join([*picture(0), *sound(0)[:-1]])
    with pytest.raises(ProxxError, match="ends within its first packet of audio: deliver all of it") as refused:
        judged(begun, heard)
    assert refused.value.code is ErrorCode.SOURCE_DAMAGED
    assert judged(b"".join([*picture(0), *sound(0), *sound(1)[:-1]]), heard).open_end == OpenEnd(None, (FIRST + FRAME,))


def test_a_last_packet_of_audio_that_is_not_whole_is_dropped_by_its_time() -> None:
    found = judged(b"".join([*RECORDING, *sound(3)[:-1]]))
    assert found.open_end == OpenEnd(None, (FIRST + 3 * FRAME,))
    assert found.notes == (PACKETS_NOTE,)
    assert found.video == STREAM.video
    timeless = packets(AUDIO, pes(0xBF, 300, bounded=True))
    assert judged(b"".join([*RECORDING, *timeless[:-1]])).open_end == OpenEnd(None, (None,))


def test_what_begins_before_the_last_picture_and_ends_behind_it_is_not_whole_either() -> None:
    """Broadcasters mix the packets of their streams."""
    begun, *rest = sound(3)
    found = judged(b"".join([*RECORDING, begun, *picture(2)[:1], *rest, *picture(2)[1:-1]]))
    assert found.open_end == OpenEnd((len(RECORDING) + 1) * 188, (FIRST + 3 * FRAME,))
    assert found.notes == (PICTURE_NOTE, PACKETS_NOTE)


def test_fields_with_packets_of_their_own_go_together() -> None:
    fields = [*packets(VIDEO, pes(0xE0, 400, FIRST + 4 * FRAME)), *packets(VIDEO, pes(0xE0, 400, FIRST + 4 * FRAME + FRAME // 2))]
    assert judged(b"".join([*RECORDING, *fields[:-1]])).open_end == OpenEnd(len(RECORDING) * 188)


def test_a_packet_without_a_time_goes_on_with_the_picture_before_it() -> None:
    parts = [*packets(VIDEO, pes(0xE0, 400, FIRST + 4 * FRAME)), *packets(VIDEO, pes(0xE0, 400))]
    assert judged(b"".join([*RECORDING, *parts[:-1]])).open_end == OpenEnd(len(RECORDING) * 188)
    assert judged(b"".join([*packets(VIDEO, pes(0xE0, 400)), *picture(0)])) is STREAM


def test_the_clock_goes_round() -> None:
    late = (1 << 33) - FRAME
    content = [*packets(VIDEO, pes(0xE0, 400, late)), *packets(VIDEO, pes(0xE0, 400, 0)), *packets(VIDEO, pes(0xE0, 400, FRAME))]
    facts = replace(STREAM, video=replace(STREAM.video, start=Fraction(late, 90_000)))
    assert judged(b"".join(content[:-1]), facts).video.duration == Fraction(2, 25)


@pytest.mark.parametrize(
    ("body", "field", "whole"),
    [
        (184, None, False),  # nothing but payload: it may go on
        (183, b"", True),
        (182, b"\x00", True),
        (182, b"\x40", False),  # a random access point, no stuffing
        (176, b"\x10" + bytes(6), False),  # a clock
        (175, b"\x10" + bytes(6) + b"\xff", True),
        (169, b"\x1c" + bytes(13), False),  # two clocks and a splice countdown
        (168, b"\x1c" + bytes(13) + b"\xff", True),
        (176, b"\x02\x05" + bytes(5), False),  # private bytes
        (176, b"\x01\x05" + bytes(5), False),  # an extension
        (174, b"\x03\x03" + bytes(3) + b"\x03" + bytes(3), False),
        (173, b"\x03\x03" + bytes(3) + b"\x03" + bytes(3) + b"\xff", True),
    ],
)
def test_a_picture_is_whole_where_its_last_packet_has_stuffing(body: int, field: bytes | None, whole: bool) -> None:
    last = packet(VIDEO, b"\x55" * body, field=field)
    assert (judged(b"".join([*RECORDING, *picture(4)[:-1], last])).open_end is None) is whole


@pytest.mark.parametrize(
    ("before", "behind"), [(b"", b""), (bytes(4), b""), (b"", bytes(16))], ids=["ts", "m2ts", "with checksums"]
)
def test_packets_may_have_more_around_them(before: bytes, behind: bytes) -> None:
    content = b"".join(before + one + behind for one in [*RECORDING, *picture(2)[:-1]])
    stride = len(before) + 188 + len(behind)
    assert judged(content).open_end == OpenEnd(len(RECORDING) * stride + len(before))
    assert judged(content[70:] + bytes(50)).open_end == OpenEnd(len(RECORDING) * stride + len(before) - 70)


@pytest.mark.parametrize("unused", [b"\0", b"\xff"])
def test_a_recorder_may_have_reserved_more_than_it_filled(unused: bytes) -> None:
    content = b"".join([*RECORDING, *picture(2)[:-1]])
    assert judged(content + unused * 5000) == judged(content)
    assert judged(b"".join(RECORDING) + unused * 5000) is STREAM
    assert judged(content + b"noise" * 1000) is STREAM


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ([], "nothing"),
        ([b"\x47" + bytes(50)], "less than a packet"),
        ([*RECORDING, b"\x46" + bytes(187), *picture(2)[:-1]], "out of step"),
        ([*RECORDING, *picture(0, number=SECOND), *picture(2)[:-1]], "two streams of pictures"),
        ([*sound(0), *sound(1)[:-1]], "no picture"),
        (packets(VIDEO, pes(0xE0, 400))[:-1], "no time"),
        ([*picture(0), packet(VIDEO, b"\0\0\1\xe0\0\0\x80", begins=True)], "a beginning of no sense"),
    ],
)
def test_what_cannot_be_told_is_left_as_it_is(content: list[bytes], why: str) -> None:
    assert judged(b"".join(content)) is STREAM, why


def test_a_time_that_was_cut_off_is_none() -> None:
    short = packet(VIDEO, b"\0\0\1\xe0\0\0\x80\x80\x05\x21", begins=True)
    assert judged(b"".join([*RECORDING, short, packet(VIDEO, bytes(184))])).open_end == OpenEnd((len(RECORDING) - 5) * 188)


def test_other_sources_are_not_looked_at() -> None:
    raw = RawSource("R3D")
    assert with_its_end(raw, lambda _offset, _size: b"", 0) is raw
    assert judged(b"".join([*RECORDING, *picture(2)[:-1]]), CLIP) is CLIP


def test_as_much_of_the_end_is_read_as_has_pictures_enough() -> None:
    reads: list[tuple[int, int]] = []

    def spoken(content: bytes) -> list[tuple[int, int]]:
        def read(offset: int, size: int) -> bytes:
            reads.append((offset, size))
            return content[offset : offset + size]

        reads.clear()
        with_its_end(STREAM, read, len(content))
        return reads

    small = b"".join(one for place in range(2500) for one in picture(place))
    assert spoken(small) == [(len(small) - (1 << 20), 1 << 20)]
    large = b"".join(one for place in range(30) for one in picture(place, 100_000))
    assert spoken(large) == [(len(large) - (1 << 20), 1 << 20), (0, len(large))]
    huge = b"".join(one for place in range(4) for one in picture(place, 5_000_000))
    assert [size for _, size in spoken(huge)] == [1 << 20, 1 << 22, 1 << 24]


@given(st.binary(max_size=60), st.integers(0, 1000))
def test_any_bytes_come_to_an_end(noise: bytes, place: int) -> None:
    whole = b"".join([*RECORDING, *picture(2)[:-1]])
    judged(whole[:place] + noise + whole[place:])
