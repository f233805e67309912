"""How many whole frames bare DV holds, by its size; the sizes of frames are the standards'."""

from fractions import Fraction

import pytest

from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.raw_dv import whole_frames
from proxx_worker.media.source_probe import read_source
from tests.unit.media.documents import document, video
from tests.unit.planning.sources import clip

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("height", "rate", "layout", "size"),
    [
        (480, NTSC, "yuv411p", 120_000),
        (480, NTSC, "yuv422p", 240_000),
        (576, Fraction(25), "yuv420p", 144_000),
        (576, Fraction(25), "yuv422p", 288_000),
        (720, 2 * NTSC, "yuv422p", 240_000),
        (720, Fraction(50), "yuv422p", 288_000),
        (1080, NTSC, "yuv422p", 480_000),
        (1080, Fraction(25), "yuv422p", 576_000),
    ],
)
def test_a_cut_frame_does_not_count(height: int, rate: Fraction, layout: str, size: int) -> None:
    picture = clip(height=height, rate=rate, pixel_format=layout).video
    assert [whole_frames(picture, 3 * size + more) for more in (-1, 0, size - 1)] == [2, 3, 3]


def test_other_pictures_and_pipes_tell_nothing() -> None:
    assert whole_frames(clip(height=1081).video, 1_000_000) is None
    assert whole_frames(clip(height=576).video, None) is None


@pytest.mark.parametrize(("lines", "frames"), [(576, 2), (578, 25)])
def test_the_file_goes_before_its_estimate(lines: int, frames: int) -> None:
    picture = video(height=lines, time_base="1/25", duration_ts=25, pix_fmt="yuv420p")
    found = read_source(document(picture, format_name="dv", size="400000"), "", 0)
    assert isinstance(found, MediaFacts)
    assert (found.video.frames, found.video.frames_certain) == (frames, True)
