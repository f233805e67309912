import struct
from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.media.quicktime_samples import video_frames
from tests.unit.media.test_quicktime import box


def sizes_box(sizes: Sequence[int], common: int = 0) -> bytes:
    rows = b"" if common else struct.pack(f">{len(sizes)}I", *sizes)
    return box(b"stsz", struct.pack(">III", 0, common, len(sizes)), rows)


def runs_box(*runs: tuple[int, int]) -> bytes:
    return box(b"stsc", struct.pack(">II", 0, len(runs)), *(struct.pack(">III", first, count, 1) for first, count in runs))


def chunks_box(*offsets: int, wide: bool = False) -> bytes:
    kind, shape = (b"co64", "Q") if wide else (b"stco", "I")
    return box(kind, struct.pack(f">II{len(offsets)}{shape}", 0, len(offsets), *offsets))


def track(*tables: bytes, handler: bytes = b"vide") -> bytes:
    return box(b"trak", box(b"mdia", box(b"hdlr", bytes(8) + handler), box(b"minf", box(b"stbl", *tables))))


def frames(*tracks: bytes) -> list[int]:
    content = box(b"ftyp", b"qt  ") + box(b"moov", *tracks)
    return list(video_frames(lambda offset, size: content[offset : offset + size], len(content)))


SOUND = track(sizes_box([2] * 9), runs_box((1, 9)), chunks_box(7), handler=b"soun")


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(
    ("sizes", "runs", "chunks", "expected"),
    [
        ([10, 20, 30], [(1, 3)], [100], [100, 110, 130]),
        ([10, 20, 30], [(1, 1)], [100, 500, 300], [100, 500, 300]),
        ([10, 20, 30, 40, 50], [(1, 2), (3, 1)], [100, 200, 300], [100, 110, 200, 230, 300]),
        ([10, 20, 30, 40], [(1, 1), (2, 2), (3, 1)], [9, 100, 200], [9, 100, 120, 200]),
        ([], [], [], []),
    ],
)
def test_where_frames_lie(
    sizes: list[int], runs: list[tuple[int, int]], chunks: list[int], expected: list[int], wide: bool
) -> None:
    assert frames(SOUND, track(sizes_box(sizes), runs_box(*runs), chunks_box(*chunks, wide=wide))) == expected


def test_one_size_for_all() -> None:
    assert frames(track(sizes_box([0] * 4, common=7), runs_box((1, 3), (2, 1)), chunks_box(100, 200))) == [100, 107, 114, 200]


@given(st.lists(st.lists(st.integers(1, 1000), min_size=1, max_size=4), min_size=1, max_size=6))
def test_any_chunks(chunks: list[list[int]]) -> None:
    offsets = [10_000 * number for number in range(len(chunks))]
    runs = [(number, len(chunk)) for number, chunk in enumerate(chunks, 1)]
    expected = [at + sum(chunk[:n]) for at, chunk in zip(offsets, chunks, strict=True) for n in range(len(chunk))]
    assert frames(track(sizes_box(list(chain(*chunks))), runs_box(*runs), chunks_box(*offsets))) == expected


@pytest.mark.parametrize(
    ("tracks", "reason"),
    [
        ([], "the movie has 0 video tracks"),
        ([SOUND], "the movie has 0 video tracks"),
        ([track(), track()], "the movie has 2 video tracks"),
        ([track(sizes_box([1, 2]))], "2 of 2 frames of the movie are in no chunk"),
        ([track(sizes_box([1, 2]), chunks_box(5))], "2 of 2 frames of the movie are in no chunk"),
        ([track(sizes_box([1, 2, 3]), runs_box((1, 1)), chunks_box(5, 9))], "1 of 3 frames of the movie are in no chunk"),
        ([track(sizes_box([1, 2]), runs_box((1, 0)), chunks_box(5))], "2 of 2 frames of the movie are in no chunk"),
        ([track(box(b"stsz", struct.pack(">III", 0, 0, 9)), runs_box((1, 9)), chunks_box(5))], "9 of 9 frames"),
    ],
)
def test_tables_that_do_not_fit(tracks: list[bytes], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        frames(*tracks)


def test_a_track_without_tables_has_no_frames() -> None:
    assert frames(track()) == []
    assert frames(track(box(b"stsz", b"short"))) == []


def test_a_claim_of_four_billion_frames_costs_nothing() -> None:
    with pytest.raises(ValueError, match="4294967293 of 4294967295 frames"):
        frames(track(box(b"stsz", struct.pack(">III", 0, 8, 0xFFFF_FFFF)), runs_box((1, 2)), chunks_box(5)))
