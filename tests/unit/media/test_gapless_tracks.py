"""Which tracks of a QuickTime file are played as they are stored, from its tables alone."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.media.quicktime import gapless_tracks
from tests.unit.media.test_quicktime import box, movie

LASTS = 48000


def table(kind: bytes, shape: str, *entries: tuple[int | bytes, ...], count: int | None = None) -> bytes:
    content = b"".join(struct.pack(shape, *entry) for entry in entries)
    return box(kind, struct.pack(">II", 0, len(entries) if count is None else count), content)


def edits(*entries: tuple[int, int], wide: bool = False, count: int | None = None) -> bytes:
    content = b"".join(struct.pack(">Qqi" if wide else ">Iii", *entry, 1 << 16) for entry in entries)
    return box(b"edts", box(b"elst", struct.pack(">II", wide << 24, len(entries) if count is None else count), content))


def header(number: int = 2, *, wide: bool = False) -> bytes:
    return box(b"tkhd", struct.pack(">B3x16xI60x" if wide else ">B3x8xI68x", wide, number))


def media(lasts: int = LASTS, *, wide: bool = False) -> bytes:
    return box(b"mdhd", struct.pack(">B3x16xIQ4x" if wide else ">B3x8xII4x", wide, LASTS, lasts))


STEPS = table(b"stts", ">II", (47, 1024))
DESCRIPTION = table(b"stsd", ">I4s", (8, b"mp4a"))


def sound(
    *parts: bytes,
    head: bytes | None = None,
    length: bytes | None = None,
    steps: bytes = STEPS,
    description: bytes = DESCRIPTION,
    more: bytes = b"",
) -> bytes:
    samples = box(b"minf", box(b"stbl", description, steps, more))
    head, length = header() if head is None else head, media() if length is None else length
    return box(b"trak", head, *parts, box(b"mdia", length, samples))


def found(content: bytes) -> set[int]:
    return set(gapless_tracks(lambda offset, size: content[offset : offset + size], len(content)))


@pytest.mark.parametrize(
    "track",
    [
        sound(),
        sound(edits()),
        sound(edits((1000, 0))),
        sound(edits((1000, 2112))),
        sound(edits((1, LASTS - 1), wide=True)),
        sound(head=header(wide=True), length=media(wide=True)),
        sound(steps=table(b"stts", ">II", (46, 1024), (1, 896))),
        sound(steps=table(b"stts", ">II", (1, 1048), (1, 1000), (45, 1024))),
        sound(steps=table(b"stts", ">II", (46, 1024), (1, 9000))),
    ],
)
def test_a_track_that_is_played_as_it_is_stored(track: bytes) -> None:
    assert found(movie(sound(edits((1000, -1)), head=header(1)), track)) == {2}


@pytest.mark.parametrize(
    ("track", "why"),
    [
        (sound(edits((500, -1), (1000, 1024))), "silence before the sound"),
        (sound(edits((1000, 1024), (1000, 1024))), "a part twice"),
        (sound(edits((1000, -1))), "silence alone"),
        (sound(edits((0, 1024))), "an edit of no length: the rest of a file in fragments"),
        (sound(edits((1000, LASTS))), "an edit behind the end"),
        (sound(edits((1000, 0), count=2)), "a list that lies about its entries"),
        (sound(edits(), edits()), "two lists"),
        (sound(box(b"edts", box(b"elst", b"\0\0\0\0"))), "a list that was cut off"),
        (sound(steps=table(b"stts", ">II", (1, 8471), (46, 1024))), "a hole behind the first packet"),
        (sound(steps=table(b"stts", ">II", (10, 1024), (1, 1049), (36, 1024))), "a short hole"),
        (sound(steps=table(b"stts", ">II", (10, 1024), (1, 999), (36, 1024))), "packets that overlap"),
        (sound(steps=table(b"stts", ">II", (47, 1025))), "a clock that is not the samples'"),
        (sound(steps=table(b"stts", ">II", (1, 0), (46, 1024))), "two packets at one time"),
        (sound(steps=table(b"stts", ">II", (1, 1 << 31), (46, 1024))), "a step back"),
        (sound(steps=table(b"stts", ">II")), "no times: they are in fragments"),
        (sound(steps=table(b"stts", ">II", (47, 1024), count=2)), "a table of times that was cut off"),
        (sound(steps=b""), "no table of times"),
        (sound(steps=STEPS + STEPS), "two tables of times"),
        (sound(description=table(b"stsd", ">I4s", (8, b"mp4a"), (8, b"mp4a"))), "sound that changes on the way"),
        (sound(description=box(b"stsd")), "no description"),
        (sound(more=table(b"ctts", ">II", (47, 0))), "times of its own for the presentation"),
        (sound(length=b""), "no length"),
        (sound(length=box(b"mdhd", bytes(16))), "a length that was cut off"),
        (sound(head=b""), "no number"),
        (sound(head=box(b"tkhd", bytes(12))), "a number that was cut off"),
        (sound(head=box(b"tkhd", b"\2" + bytes(83))), "a header of no known version"),
        (sound(head=header() + header()), "two headers"),
        (sound() + sound(), "two tracks of one number"),
        (sound() + box(b"mvex"), "fragments"),
    ],
)
def test_a_track_of_which_that_is_not_proven(track: bytes, why: str) -> None:
    assert found(movie(sound(head=header(3)), track)) == (set() if why == "fragments" else {3}), why


def test_what_was_not_looked_at_to_the_end_proves_nothing() -> None:
    assert found(movie(sound(), box(b"free") * 8_000)) == set()
    assert found(movie(sound(), box(b"free") * 1_000)) == {2}


def test_what_is_no_movie_has_no_tracks() -> None:
    assert found(b"") == set()
    assert found(b"no boxes at all, but a text that is longer than a header") == set()


@given(st.binary(max_size=60), st.integers(0, 400))
def test_any_bytes_come_to_an_end(noise: bytes, place: int) -> None:
    whole = movie(sound(edits((1000, 1024))))
    found(whole[:place] + noise + whole[place:])
