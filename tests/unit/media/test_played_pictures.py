"""How many pictures a movie plays, from its tables alone. The numbers of the trims are those of FFmpeg 5.1, 7.1 and 9.0."""

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.played_pictures import PlayedPictures, played_pictures
from proxx_worker.media.source_probe import read_source
from tests.unit.media.documents import document, video
from tests.unit.media.test_gapless_tracks import edits, header, table
from tests.unit.media.test_quicktime import box

TICKS, MILLISECONDS = 12800, 1000
FRAME = 512
MOVIE = box(b"mvhd", struct.pack(">12xII80x", MILLISECONDS, 0))
MEDIA = box(b"mdhd", struct.pack(">12xII4x", TICKS, 0))
PICTURE = box(b"hdlr", b"\0" * 8 + b"vide" + b"\0" * 13)
SOUND = box(b"hdlr", b"\0" * 8 + b"soun" + b"\0" * 13)
IPBB = (2, 4, 1, 1)
"""By how many frames the pictures of a group of four are shown later than they are stored: the first one is shown at 2."""


def sizes(*of: int, count: int | None = None) -> bytes:
    return box(b"stsz", struct.pack(">III", 0, 0, len(of) if count is None else count), struct.pack(f">{len(of)}I", *of))


def one_size(size: int, count: int) -> bytes:
    return box(b"stsz", struct.pack(">III", 0, size, count))


def offsets(*frames: int) -> bytes:
    return table(b"ctts", ">Ii", *((1, frame * FRAME) for frame in frames))


EIGHT = sizes(*[100] * 8)
STEPS = table(b"stts", ">II", (8, FRAME))
LATER = offsets(*IPBB, *IPBB)


def track(
    *parts: bytes,
    packets: bytes = EIGHT,
    steps: bytes = STEPS,
    later: bytes = LATER,
    clock: bytes = MEDIA,
    kind: bytes = PICTURE,
    number: int = 2,
) -> bytes:
    return box(b"trak", header(number), *parts, box(b"mdia", clock, kind, box(b"minf", box(b"stbl", packets, steps, later))))


def movie(*parts: bytes, clock: bytes = MOVIE) -> bytes:
    return box(b"ftyp", b"qt  ") + box(b"moov", clock, *parts)


def found(content: bytes) -> dict[int, PlayedPictures]:
    return dict(played_pictures(lambda offset, size: content[offset : offset + size], len(content), bool))


@pytest.mark.parametrize(
    ("part", "pictures"),
    [
        ((), 8),
        ((edits(),), 8),
        ((edits((320, 2 * FRAME)),), 8),  # 8 frames of 40 ms from the first picture on
        ((edits((320, 3 * FRAME)),), 7),  # it begins on the first B-frame, with the length of the whole
        ((edits((320, 3 * FRAME), wide=True),), 7),
        ((edits((320, 2 * FRAME + 1)),), 7),  # inside the first picture
        ((edits((320, 0)),), 6),  # the last two end behind it
        ((edits((160, 2 * FRAME)),), 4),
        ((edits((80, -1), (160, 2 * FRAME)),), 4),  # two frames late
    ],
)
def test_pictures_whose_time_lies_in_the_edit_are_played(part: tuple[bytes, ...], pictures: int) -> None:
    assert found(movie(track(*part))) == {2: PlayedPictures(pictures, 0)}


def test_offsets_may_be_negative() -> None:
    later = offsets(0, 2, -1, -1, 0, 2, -1, -1)
    assert found(movie(track(edits((320, 0)), later=later)))[2].pictures == 8
    assert found(movie(track(edits((320, FRAME)), later=later)))[2].pictures == 7


def test_pictures_that_are_stored_as_they_are_shown_have_no_offsets() -> None:
    assert found(movie(track(edits((320, FRAME)), later=b"")))[2].pictures == 7
    assert found(movie(track(packets=one_size(57_296, 8), later=b"")))[2] == PlayedPictures(8, 0)


def test_packets_of_no_bytes_repeat_the_picture_before_them() -> None:
    packets = sizes(100, 100, 100, 100, 100, 100, 0, 0)
    (played,) = found(movie(track(packets=packets))).values()
    assert played == PlayedPictures(6, 2)
    assert played.notes == ("2 of 8 video packets are empty: they repeat the frame before them, and were left out",)
    assert PlayedPictures(8, 0).notes == ()
    assert found(movie(track(edits((80, 2 * FRAME)), packets=packets)))[2] == PlayedPictures(2, 0)


def test_before_the_first_picture_there_is_none_to_repeat() -> None:
    assert found(movie(track(packets=sizes(0, 100, 100, 100, 100, 0, 100, 100))))[2] == PlayedPictures(7, 1)
    assert found(movie(track(packets=sizes(*[0] * 8))))[2] == PlayedPictures(8, 0)


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (track(edits((160, 1024), (160, 1024))), "a part twice"),
        (track(edits((160, -1))), "nothing but an empty edit"),
        (track(edits((0, 1024))), "an edit of no length: the rest of a file in fragments"),
        (track(edits((160, 1024), count=2)), "a list that lies about its entries"),
        (track(edits(), edits()), "two lists"),
        (track(packets=b""), "no sizes"),
        (track(packets=EIGHT + EIGHT), "two tables of sizes"),
        (track(packets=box(b"stsz", b"\0" * 8)), "sizes that were cut off"),
        (track(packets=sizes(100, count=8)), "fewer sizes than it says"),
        (track(packets=sizes(*[100] * 9)), "a size too many"),
        (track(packets=one_size(100, 1 << 31)), "more packets than any movie has"),
        (track(packets=one_size(1, 16 << 20), steps=table(b"stts", ">II", (16 << 20, 1)), later=b""), "the same, and they agree"),
        (track(steps=b""), "no times"),
        (track(steps=table(b"stts", ">II"), packets=sizes()), "no packets"),
        (track(steps=table(b"stts", ">II", (1 << 31, FRAME))), "more times than any movie has"),
        (track(steps=table(b"stts", ">II", (8, 1 << 31))), "a step back"),
        (track(later=LATER + LATER), "two tables of offsets"),
        (track(later=offsets(*IPBB)), "fewer offsets than packets"),
        (track(later=table(b"ctts", ">Ii", (8, -(1 << 28)))), "offsets that nobody means"),
        (track(clock=b""), "no clock of its own"),
        (track(kind=SOUND), "sound"),
        (track(kind=b""), "no kind"),
        (track() + track(), "two tracks of one number"),
        (track(number=3) + box(b"mvex"), "fragments"),
    ],
)
def test_what_the_tables_do_not_prove_is_not_said(part: bytes, why: str) -> None:
    others = {} if why == "fragments" else {7: PlayedPictures(8, 0)}
    assert found(movie(track(number=7), part)) == others, why


def test_memory_does_not_grow_with_the_packets_that_a_short_table_claims() -> None:
    claimed = 100_000
    content = movie(track(packets=one_size(1, claimed), steps=table(b"stts", ">II", (claimed, 1)), later=b""))
    tracemalloc.start()
    try:
        assert found(content)[2] == PlayedPictures(claimed, 0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < claimed


def claiming(packets: int, number: int = 2) -> bytes:
    return track(packets=one_size(1, packets), steps=table(b"stts", ">II", (packets, 1)), later=b"", number=number)


@pytest.mark.parametrize(("packets", "looks"), [(8, 2), (1 << 16, 2), ((1 << 16) + 1, 3)])
def test_a_stop_is_heard_between_packets(packets: int, looks: int) -> None:
    """Once for the one row of the table of times, and once for each block of 65,536 packets."""
    content, heard = movie(claiming(packets)), list[int]()
    played_pictures(lambda offset, size: content[offset : offset + size], len(content), lambda: heard.append(1))
    assert len(heard) == looks


def test_a_stop_is_heard_between_the_rows_of_a_table() -> None:
    rows = (1 << 16) + 1
    content = movie(track(packets=one_size(1, rows), steps=table(b"stts", ">II", *[(1, 1)] * rows), later=b""))

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        played_pictures(lambda offset, size: content[offset : offset + size], len(content), stop)


def test_the_tracks_of_a_movie_share_the_packets_that_are_looked_at() -> None:
    """So that eight tracks of four million, in a file of 3 KB, cost no more than one."""
    half = (16 << 20) // 4 // 2
    assert found(movie(claiming(half + 1, number=1), claiming(8, number=2))) == {2: PlayedPictures(8, 0)}


@pytest.mark.parametrize("clock", [b"", MOVIE + MOVIE])
def test_a_movie_without_one_clock_proves_nothing(clock: bytes) -> None:
    assert found(movie(track(), clock=clock)) == {}


def test_an_edit_cannot_be_counted_without_the_movies_clock() -> None:
    stopped = box(b"mvhd", bytes(100))
    assert found(movie(track(edits((320, 0))), clock=stopped)) == {}


def test_what_was_not_looked_at_to_the_end_proves_nothing() -> None:
    assert found(movie(track(), box(b"free") * 8_000)) == {}
    assert found(movie(track(), box(b"free") * 1_000)) == {2: PlayedPictures(8, 0)}


def test_what_is_no_movie_plays_nothing() -> None:
    assert found(b"") == {}
    assert found(b"no boxes at all, but a text that is longer than a header") == {}


@given(st.binary(max_size=60), st.integers(0, 500))
def test_any_bytes_come_to_an_end(noise: bytes, place: int) -> None:
    whole = movie(track(edits((320, 3 * FRAME))))
    found(whole[:place] + noise + whole[place:])


def test_what_is_proven_goes_before_what_ffprobe_counts() -> None:
    answer = document(video(id="0x2"))
    facts = read_source(answer, "", 0, played={2: PlayedPictures(22, 2)})
    assert isinstance(facts, MediaFacts)
    assert facts.video.promised_frames == 22
    assert facts.notes == ("2 of 24 video packets are empty: they repeat the frame before them, and were left out",)
    other = read_source(answer, "", 0, played={3: PlayedPictures(24, 0)})
    assert isinstance(other, MediaFacts)
    assert other.video.promised_frames == 25
