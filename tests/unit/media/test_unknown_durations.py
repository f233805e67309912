"""Movies that do not know how long they are: all bits 1, which FFmpeg takes for a number."""

import struct
from dataclasses import replace
from fractions import Fraction

import pytest

from proxx_worker.media.facts import MediaFacts, RawSource
from proxx_worker.media.ffprobe_json import Section
from proxx_worker.media.unknown_durations import stated_duration, without_unknown_duration
from tests.unit.media.test_quicktime import box
from tests.unit.planning.sources import CLIP, STEREO, clip

TICK = Fraction(1, 12800)
HUGE = (1 << 32) - 1


def movie(duration: int, *, wide: bool = False) -> bytes:
    header = struct.pack(">I16xIQ", 1 << 24, 1000, duration) if wide else struct.pack(">I8xII", 0, 1000, duration)
    return box(b"ftyp", b"qt  ") + box(b"moov", box(b"mvhd", header, bytes(80)))


def found(content: bytes, facts: MediaFacts = CLIP) -> MediaFacts:
    after = without_unknown_duration(facts, lambda offset, size: content[offset : offset + size], len(content))
    assert isinstance(after, MediaFacts)
    return after


LONG = replace(CLIP, duration=Fraction(9), audio=(replace(STEREO, duration=Fraction(3)), STEREO))
"""Its longest stream has 3 seconds."""


@pytest.mark.parametrize(
    ("content", "duration"),
    [
        (movie(1000), 9),
        (movie(HUGE), 3),
        (movie(HUGE - 1), 9),
        (movie((1 << 64) - 1, wide=True), 3),
        (movie(1000, wide=True), 9),
        (box(b"moov"), 9),
        (b"", 9),
    ],
)
def test_a_movie_of_all_ones_is_as_long_as_its_longest_stream(content: bytes, duration: int) -> None:
    assert found(content, LONG) == replace(LONG, duration=Fraction(duration))


def test_a_movie_with_a_stream_of_unknown_length_has_none() -> None:
    open_ended = replace(clip(duration=None), duration=Fraction(HUGE, 12800))
    unheard = replace(CLIP, audio=(STEREO, replace(STEREO, duration=None)))
    for content in (movie(HUGE), movie(0), box(b"moov"), box(b"moov", box(b"mvhd", bytes(12)))):
        assert found(content, open_ended).duration is None
        assert found(content, unheard).duration is None


def test_a_duration_that_a_movie_states_stays_though_a_stream_s_is_unknown() -> None:
    unheard = replace(LONG, audio=(STEREO, replace(STEREO, duration=None)))
    assert found(movie(9000), unheard).duration == 9
    assert found(movie(0), LONG).duration == 9


@pytest.mark.parametrize(
    ("ticks", "packets", "seconds"),
    [
        (12800, 25, 1),
        (HUGE, None, None),
        (-1, 25, None),
        (0, 25, None),
        (0, None, 0),
        (HUGE - 1, 25, (HUGE - 1) * TICK),
        (None, 25, None),
    ],
)
def test_what_a_stream_states(ticks: int | None, packets: int | None, seconds: Fraction | None) -> None:
    stream = Section({"duration_ts": ticks, "nb_frames": str(packets)})
    assert stated_duration(stream, TICK) == seconds
    assert stated_duration(stream, None) is None


def test_other_files_are_as_they_were() -> None:
    other = replace(LONG, formats=("matroska", "webm"))
    assert found(movie(HUGE), other) is other
    raw = RawSource("R3D")
    assert without_unknown_duration(raw, lambda offset, size: movie(HUGE)[offset : offset + size], 99) is raw
