"""The comparison itself: it passes a plain honest proxy and sees what is wrong with every other one. No worker takes part."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.media.comparison import Source, prove
from tests.acceptance.media.inspection import look
from tests.acceptance.media.table import PROXY, Truth

TAGS = ("-color_range", "tv", "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")
TRUTHS = {
    "progressive": Truth(25, "25", "16/9", timecode="10:00:00:00", sounds=("2 stereo 48000", "1 mono 48000")),
    "interlaced": Truth(25, "25", "16/9", "tt", timecode="10:00:00:00", sounds=("2 stereo 48000", "1 mono 48000")),
}
SAID = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
FIELDS = ("-flags:v", "+ildct")


Sources = Callable[[str], Source]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """A second that moves everywhere: a fractal that zooms, and two sounds of which no two channels are alike."""
    folder = tmp_path_factory.mktemp("compared")

    @cache
    def make_source(kind: str) -> Source:
        fields = TRUTHS[kind].fields != "progressive"
        moving = f"mandelbrot=size=640x360:rate={50 if fields else 25}:maxiter=100:end_pts=60,hue=H=t*2"
        scan = "interlace=scan=tff:lowpass=0," if fields else ""
        ffmpeg(
            "-f", "lavfi", "-i", moving,
            "-f", "lavfi", "-i", "aevalsrc='0.4*sin(600*t*t)|0.4*sin(900*t*t)':sample_rate=48000:duration=1",
            "-f", "lavfi", "-i", "aevalsrc='0.4*sin(300*t*t)':sample_rate=48000:duration=1",
            "-map", "0", "-map", "1", "-map", "2", "-filter:v", f"{scan}format=yuv422p10le,{SAID}",
            "-c:v", "prores_ks", "-profile:v", "3", *TAGS, *(FIELDS if fields else ()), "-c:a", "pcm_s16le",
            "-frames:v", "25", "-timecode", "10:00:00:00", folder / f"{kind}.mov",
        )  # fmt: skip
        return Source(look(folder / f"{kind}.mov"))

    return make_source


@dataclass(frozen=True, slots=True)
class Mistake:
    """A proxy made with other filters or options, and what must be said of it."""

    name: str
    says: str
    filters: str = ""
    options: tuple[str, ...] = ()
    tags: tuple[str, ...] = TAGS
    source: str = "progressive"
    said: str = SAID


FULL_PIXELS = "scale=in_range=tv:out_range=pc,setparams=range=tv,"
OTHER_MATRIX = SAID.replace("colorspace=bt709", "colorspace=smpte170m")
TWICE = "select=not(eq(n\\,7)),loop=loop=1:size=1:start=6,setpts=N/(25*TB),"
BLENDED = "scale=640:180,scale=640:360,setfield=tff,"
MISTAKES = (
    Mistake("upside down", "the picture differs", "hflip,vflip,"),
    Mistake("mirrored", "the picture differs", "hflip,"),
    Mistake("range read wrong", "the picture differs", FULL_PIXELS),
    Mistake("matrix converted, not said", "the picture differs", "scale=in_color_matrix=bt709:out_color_matrix=bt601,"),
    # FFmpeg 7 and later take the label for a wish, and convert.
    Mistake("matrix said, not converted", "colour in its frames|the picture differs", said=OTHER_MATRIX),
    Mistake("a little brighter", "the picture differs", "eq=brightness=0.03,"),
    Mistake("stretched", "aspect should be 16/9", "setsar=4/3,"),
    Mistake("smaller", "size should be", "scale=320:180,"),
    Mistake("letterboxed", "the picture differs", "scale=640:300,pad=640:360:0:30,setsar=1,"),
    Mistake("a frame missing", "frames should be 25", "select=not(eq(n\\,7)),"),
    Mistake("one frame twice, the next left out", "the picture differs", TWICE),
    Mistake("late by a frame", "the picture differs", "tpad=start=1:start_mode=clone,"),
    Mistake("another rate", "rate: not so", "setpts=N/(24*TB),", ("-r", "24", "-fps_mode", "cfr")),
    Mistake("another timecode", "timecode should be", options=("-timecode", "10:00:00:01")),
    Mistake("fields lost", "fields should be tt", "setfield=prog,", source="interlaced"),
    Mistake("fields swapped in time", "order", "setfield=bff,", FIELDS, source="interlaced"),
    Mistake("fields swapped, said as before", "order", "il=ls=1:cs=1,setfield=tff,", FIELDS, source="interlaced"),
    Mistake("fields blended", "the picture differs", BLENDED, FIELDS, source="interlaced"),
    Mistake("late sound", "sound lags", options=("-filter:a:0", "adelay=delays=5:all=1")),
    Mistake("left and right swapped", "sound differs", options=("-filter:a:0", "pan=stereo|c0=c1|c1=c0")),
    Mistake("one channel for both", "sound differs", options=("-filter:a:0", "pan=stereo|c0=c0|c1=c0")),
    Mistake("another sample rate", "audio 0 rate", options=("-ar:a:0", "44100")),
    Mistake("short sound", "audio 1 length", options=("-filter:a:1", "atrim=end=0.5")),
    Mistake("one sound", "audio streams should be 2", options=("-map", "-0:a:1")),
    Mistake("stray metadata", "foreign tags", options=("-metadata", "comment=made at home")),
    Mistake("HDR tags", "colour in its frames", said=SAID.replace("color_trc=bt709", "color_trc=smpte2084")),
    Mistake("container and bitstream at odds", "colr should be", tags=(*TAGS[:-1], "smpte170m")),
)


QUICK = ("upside down", "range read wrong", "left and right swapped")


def _case(mistake: Mistake) -> Any:  # noqa: ANN401 - pytest's own type is private
    return pytest.param(mistake, id=mistake.name, marks=() if mistake.name in QUICK else pytest.mark.heavy)


def make(source: Path, output: Path, mistake: Mistake) -> Path:
    """A ProRes proxy with one thing wrong."""
    fields = FIELDS if mistake.source == "interlaced" and not mistake.filters else ()
    ffmpeg(
        "-i", source, "-map", "0:v", "-map", "0:a", "-map_metadata", "-1", "-fflags", "+bitexact", "-fps_mode", "passthrough",
        "-c:v", "prores_aw", "-profile:v", "0", "-flags:v", "+bitexact", "-flags:a", "+bitexact",
        "-filter:v", f"{mistake.filters}format=yuv422p10le,{mistake.said}",
        "-c:a", "pcm_s16le", "-timecode", "10:00:00:00", "-movflags", "+faststart",
        *mistake.tags, *fields, *mistake.options, output,
    )  # fmt: skip
    return output


@pytest.mark.parametrize("kind", ["progressive", pytest.param("interlaced", marks=pytest.mark.heavy)])
def test_an_honest_proxy_has_no_differences(sources: Sources, tmp_path: Path, kind: str) -> None:
    honest = make(sources(kind).look.path, tmp_path / "honest.mov", Mistake("none", "", source=kind))
    proof = prove(TRUTHS[kind], sources(kind), look(honest), PROXY)
    assert proof.differences == ()
    assert proof.likeness.pictures == (50 if kind == "interlaced" else 25)
    assert [round(match.lag) for match in proof.matches] == [0, 0, 0]


@pytest.mark.parametrize("mistake", [_case(mistake) for mistake in MISTAKES])
def test_a_mistake_is_seen(sources: Sources, tmp_path: Path, mistake: Mistake) -> None:
    source = sources(mistake.source)
    wrong = look(make(source.look.path, tmp_path / "wrong.mov", mistake))
    differences = prove(TRUTHS[mistake.source], source, wrong, PROXY).differences
    assert any(re.search(mistake.says, difference) for difference in differences), differences


def test_a_wrong_idea_of_the_source_is_seen(sources: Sources, tmp_path: Path) -> None:
    honest = look(make(sources("progressive").look.path, tmp_path / "honest.mov", Mistake("none", "")))
    wrong = Truth(24, "24", "4/3", "bb", turns=1, timecode="10:00:00:01", sounds=("2 stereo 48000",))
    said = " ".join(prove(wrong, sources("progressive"), honest, PROXY).differences)
    for what in ("frames", "fields", "turns", "timecode", "aspect", "sound"):
        assert f"source {what} should be" in said
    assert honest.rate == Fraction(25)
