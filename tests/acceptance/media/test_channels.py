"""Every channel of a proxy's audio holds what the same channel of its source does, in every layout that an encoder is given.

A source's channels sound one after the other, so that the moment tells which one it was.
"""

from array import array
from pathlib import Path
from subprocess import run

import pytest

from tests.acceptance.clips import ffmpeg, probe, streams
from tests.acceptance.command import Command
from tests.acceptance.media.test_audio_by_the_clock import H264, PROXIES, job
from tests.acceptance.results import parse_result
from tests.acceptance.specs import encode, jobspec

RATE = 8000
TURN = 0.2
"""Seconds for which a channel sounds."""

LAYOUTS = {
    "mono": 1, "stereo": 2, "2.1": 3, "3.0": 3, "3.0(back)": 3, "quad": 4, "quad(side)": 4, "4.0": 4, "3.1": 4, "5.0": 5,
    "5.0(side)": 5, "4.1": 5, "5.1": 6, "5.1(side)": 6, "6.0": 6, "hexagonal": 6, "6.1": 7, "6.1(back)": 7, "7.0": 7, "7.1": 8,
    "7.1(wide)": 8, "octagonal": 8,
}  # fmt: skip
QUICK = frozenset({("5.0", "webm"), ("6.1", "webm"), ("5.1", "mp4")})


def taking_turns(path: Path, layout: str) -> None:
    """A movie whose channels sound in their order, so low that a channel for bass keeps it."""
    turns = "|".join(f"0.5*sin(2*PI*80*t)*between(t,{at * TURN},{(at + 1) * TURN})" for at in range(LAYOUTS[layout]))
    length = LAYOUTS[layout] * TURN
    sound = ("-f", "lavfi", "-i", f"aevalsrc=exprs='{turns}':channel_layout={layout}:sample_rate=48000:duration={length}")
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={length}", *sound, *H264, "-c:a", "pcm_s16le", path)


def loudest(path: Path, channels: int) -> list[int]:
    """The channel that is the loudest in the middle of each turn."""
    into = ("-map", "0:a:0", "-ar", str(RATE), "-c:a", "pcm_s16le", "-f", "s16le", "-")
    out = run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, *into], check=True, capture_output=True).stdout
    samples = array("h", out)
    parts = [slice(round((at + 0.3) * TURN * RATE), round((at + 0.7) * TURN * RATE)) for at in range(channels)]
    power = [[sum(map(abs, samples[channel::channels][part])) for channel in range(channels)] for part in parts]
    return [heard.index(max(heard)) for heard in power]


NAMED_OTHERWISE = frozenset({"6.0", "6.1"})
"""FFmpeg 9.0 writes these as AAC with other names and in another order, which verification finds; before 8 AAC has no names."""


@pytest.mark.parametrize(
    ("layout", "container"),
    [
        pytest.param(layout, container, marks=() if (layout, container) in QUICK else pytest.mark.heavy)
        for layout in LAYOUTS
        for container in ("webm", "mp4", "mov")
        if container != "mp4" or layout not in NAMED_OTHERWISE
    ],
)
def test_every_channel_stays_in_its_place(proxx: Command, tmp_path: Path, layout: str, container: str) -> None:
    source, channels = tmp_path / "turns.mov", LAYOUTS[layout]
    taking_turns(source, layout)
    assert loudest(source, channels) == list(range(channels))
    proxy, _ = job(proxx, tmp_path, source, PROXIES[container])
    assert loudest(proxy, channels) == list(range(channels))


@pytest.mark.heavy
@pytest.mark.parametrize("layout", NAMED_OTHERWISE)
def test_channels_that_aac_puts_elsewhere_are_not_published(proxx: Command, tmp_path: Path, layout: str) -> None:
    source, proxies, channels = tmp_path / "turns.mov", tmp_path / "proxies", LAYOUTS[layout]
    taking_turns(source, layout)
    proxies.mkdir()
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(source, proxies, **PROXIES["mp4"])))
    error = parse_result(proxx("run", spec).stdout)["error"]
    published = list(proxies.iterdir())
    if error is None:
        assert [loudest(proxy, channels) for proxy in published] == [list(range(channels))]
    else:
        assert (error["code"], published) == ("OUTPUT_INVALID", [])
        assert error["details"]["failed"][0]["name"] == "audio_0_layout"


@pytest.mark.parametrize("layout", ["3.0", "4.0", "5.0", "5.1", "6.1", "7.1"])
@pytest.mark.parametrize("container", ["webm", "mp4"])
def test_so_do_channels_of_no_layout(proxx: Command, tmp_path: Path, layout: str, container: str) -> None:
    source, channels = tmp_path / "turns.mkv", LAYOUTS[layout]
    taking_turns(source, layout)
    assert streams(probe(source), "audio")[0].get("channel_layout") is None
    proxy, _ = job(proxx, tmp_path, source, PROXIES[container])
    assert loudest(proxy, channels) == list(range(channels))
