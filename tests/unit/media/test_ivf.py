"""What an IVF's header promises, and what its packets keep of it. Files are written by hand from the format's description."""

import struct
from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.media import ivf
from proxx_worker.media.facts import MediaFacts, RawSource
from proxx_worker.media.ivf import held_to_its_header, missed_promise
from proxx_worker.media.source_probe import read_source
from tests.unit.media.documents import document, video
from tests.unit.planning.sources import clip

UNSAID = 0xFFFFFFFF


def file(said: int, times: list[int], cut: int = 0) -> bytes:
    """An IVF of ten bytes a packet; `cut`: bytes that its end lacks."""
    head = struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, b"VP90", 320, 180, 25, 1, said, 0)
    whole = head + b"".join(struct.pack("<IQ", 10, time) + bytes(10) for time in times)
    return whole[: len(whole) - cut]


def missed(content: bytes) -> int | None:
    return missed_promise(lambda at, count: content[at : at + count], len(content))


@pytest.mark.parametrize(
    ("said", "step", "packets", "cut", "expected"),
    [
        (50, 1, 50, 0, None),
        (50, 1, 49, 0, 50),
        (50, 1, 50, 1, 50),
        (50, 1, 50, 21, 50),  # in the middle of a packet's header
        (50, 1, 1, 0, 50),
        (50, 1, 0, 0, 50),
        (49, 1, 50, 0, None),
        (0, 1, 40, 0, None),
        (UNSAID, 1, 40, 0, None),
        # 1/90000 s: frames are counted by most, ticks by some, and these by the first packet's time or by the last one's end.
        (50, 3600, 50, 0, None),
        (50, 3600, 49, 0, 50),
        (180_000, 3600, 50, 0, None),
        (176_400, 3600, 50, 0, None),
        (180_000, 3600, 40, 0, 50),
        (180_001, 3600, 50, 0, 51),
    ],
)
def test_fewer_packets_than_promised_are_told(said: int, step: int, packets: int, cut: int, expected: int | None) -> None:
    assert missed(file(said, [number * step for number in range(packets)], cut)) == expected


def test_packets_at_one_time_and_a_cut_header_say_nothing_wrong() -> None:
    assert missed(file(9, [4, 4, 4])) == 9
    assert missed(file(9, [])[:31]) is None


def test_a_file_of_too_many_packets_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ivf, "MOST_PACKETS", 3)
    assert [missed(file(9, list(range(packets)))) for packets in (3, 4)] == [9, None]


def test_the_promise_is_the_source_s_where_it_is_not_kept() -> None:
    def facts(content: bytes, *formats: str) -> MediaFacts:
        source = replace(clip(frames=None, frames_certain=False), formats=formats)
        found = held_to_its_header(source, lambda at, count: content[at : at + count], len(content))
        assert isinstance(found, MediaFacts)
        return found

    assert facts(file(3, [0, 1]), "ivf").video.promised_frames == 3
    assert facts(file(2, [0, 1]), "ivf").video.promised_frames is None
    assert facts(file(3, [0, 1]), "ogg").video.promised_frames is None
    raw = RawSource("ARRIRAW")
    assert held_to_its_header(raw, lambda _at, _count: b"", 0) is raw


@pytest.mark.parametrize(
    ("nominal", "average", "base", "rate", "constant"),
    [
        ("25/1", "0/0", "1/25", Fraction(25), True),
        ("30000/1001", "30000/1001", "1/90000", Fraction(30000, 1001), True),
        ("30/1", "299999/10000", "1/1000", Fraction(30), True),
        ("90000/1", "24/1", "1/90000", Fraction(24), False),
        ("1000/1", "0/0", "1/1000", Fraction(1000), False),
    ],
)
def test_the_rate_is_the_packets_and_the_count_is_not_a_length(
    nominal: str, average: str, base: str, rate: Fraction, constant: bool
) -> None:
    picture = video(
        codec_name="vp9", r_frame_rate=nominal, avg_frame_rate=average, time_base=base, duration_ts=50, nb_frames="50"
    )
    found = read_source(document(picture, format_name="ivf", duration="2.0"), "", 0)
    assert isinstance(found, MediaFacts)
    assert (found.video.rate, found.video.constant_rate) == (rate, constant)
    assert (found.video.duration, found.video.frames, found.duration) == (None, None, None)
