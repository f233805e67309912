"""How long a track plays that begins with empty edits, from its tables, and what follows for ffprobe's numbers."""

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.ffprobe_json import Section
from proxx_worker.media.late_tracks import end_of, late_tracks, without_empty_edits
from proxx_worker.media.source_probe import read_source
from tests.unit.media.documents import audio, document, section, video
from tests.unit.media.test_gapless_tracks import edits, header
from tests.unit.media.test_played_pictures import MEDIA, MOVIE, movie
from tests.unit.media.test_quicktime import box


def track(*parts: bytes, clock: bytes = MEDIA, number: int = 2) -> bytes:
    return box(b"trak", header(number), *parts, box(b"mdia", clock))


def found(content: bytes) -> dict[int, int]:
    return dict(late_tracks(lambda offset, size: content[offset : offset + size], len(content)))


@pytest.mark.parametrize(
    ("part", "lasts"),
    [
        (edits((500, -1), (1000, 0)), 12800),
        (edits((500, -1), (1000, 512)), 12800),
        (edits((500, -1), (1000, 0), wide=True), 12800),
        (edits((200, -1), (300, -1), (1000, 0)), 12800),
        (edits((500, -1), (400, 0), (100, -1), (600, 1024)), 5120 + 1280 + 7680),
        (edits((0, -1), (1, 0)), 13),  # 12.8 ticks
        (edits((500, -1), (5, 0), (5, 0)), 128),
    ],
)
def test_a_late_track_lasts_as_long_as_what_follows_the_empty_edits(part: bytes, lasts: int) -> None:
    assert found(movie(track(part))) == {2: lasts}


@pytest.mark.parametrize(
    "content",
    [
        movie(track()),
        movie(track(edits())),
        movie(track(edits((1000, 0)))),
        movie(track(edits((400, 0), (100, -1)))),
        movie(track(edits((500, -1)))),
        movie(track(edits((500, -1), (0, 0)))),
        movie(track(edits((500, -1), (1000, 0), count=3))),
        movie(track(edits((500, -1), (1000, 0)), edits((500, -1), (1000, 0)))),
        movie(track(edits((500, -1), (1000, 0)), clock=b"")),
        movie(track(edits((500, -1), (1000, 0)), clock=MEDIA + MEDIA)),
        movie(track(edits((500, -1), (1000, 0))), box(b"mvex")),
        movie(track(edits((500, -1), (1000, 0))), clock=b""),
        movie(track(edits((500, -1), (1000, 0))), clock=MOVIE + MOVIE),
        movie(track(edits((500, -1), (1000, 0))), clock=box(b"mvhd", struct.pack(">12xII80x", 0, 0))),
        movie(track(edits((500, -1), (1000, 0))), track()),  # two of one number
        movie(track(edits((500, -1), (1000, 0))), *[box(b"free")] * 10_000),
        b"",
    ],
)
def test_of_other_tracks_nothing_is_said(content: bytes) -> None:
    assert found(content) == {}


def test_each_track_is_told_by_its_number() -> None:
    late = edits((500, -1), (1000, 0))
    assert found(movie(track(late, number=1), track(number=2), track(edits((1, -1), (500, 0)), number=3))) == {1: 12800, 3: 6400}


@given(st.binary(max_size=200))
def test_any_table_is_read_without_an_error(content: bytes) -> None:
    found(movie(track(box(b"edts", box(b"elst", content)))))


@pytest.mark.parametrize(("late", "ticks"), [({2: 100}, 100), ({2: 150}, 150), ({2: 151}, 150), ({1: 100}, 150), ({}, 150)])
def test_a_duration_is_never_made_longer(late: dict[int, int], ticks: int) -> None:
    assert without_empty_edits(section(audio(duration_ts=150)), late).integer("duration_ts") == ticks


def test_a_stream_without_a_number_or_a_duration_stays_as_it_is() -> None:
    for stream in (section(audio(id=None, duration_ts=150)), section(audio(duration_ts=None))):
        assert without_empty_edits(stream, {0: 1, 2: 100}) == stream


def test_the_end_is_that_of_the_last_stream() -> None:
    early, late = (section(audio(start_pts=start, duration_ts=24000)) for start in (0, 12000))
    assert (end_of([early, late]), end_of([late, early]), end_of([])) == (Fraction(3, 4), Fraction(3, 4), None)
    assert end_of([early, Section({})]) is None


def facts(late: dict[int, int], duration: str, start: str = "0.000000") -> MediaFacts:
    picture = video(id="0x1", start_pts=6400, duration_ts=19200, nb_frames="50")
    sound = audio(start_pts=14400, duration_ts=62400)
    result = read_source(document(picture, sound, duration=duration, start_time=start), "", 0, late=late)
    assert isinstance(result, MediaFacts)
    return result


def test_a_late_start_is_no_part_of_the_length() -> None:
    """Half a second of nothing and one of video, beside 0.3 s of nothing and one of audio."""
    media = facts({1: 12800, 2: 48000}, "2.000000", "0.300000")
    assert (media.video.duration, media.audio[0].duration, media.duration) == (Fraction(1), Fraction(1), Fraction(6, 5))
    assert facts({1: 12800, 2: 48000}, "1.100000", "0.300000").duration == Fraction(11, 10)


def test_without_such_edits_ffprobe_is_believed() -> None:
    media = facts({}, "2.000000")
    assert (media.video.duration, media.audio[0].duration, media.duration) == (Fraction(3, 2), Fraction(13, 10), Fraction(2))
