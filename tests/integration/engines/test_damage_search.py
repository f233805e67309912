"""The search of a damaged source: what is found, and ffprobes that hang, die, are stopped or are not there."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from proxx_worker.engines.damage_search import Searched, search_damage
from proxx_worker.engines.source_file import open_source
from proxx_worker.engines.tools import Tools, locate_tools
from proxx_worker.media.facts import MediaFacts
from proxx_worker.process.stop import StopFlag
from proxx_worker.verification.damage_places import Place
from tests.support.engine import Log, context, facts_of, pretend_ffprobe

FOUND_ONE = (
    "packet|stream_index=0|pts=0|dts=0|duration=1|size=9|flags=K__\\nframe|stream_index=0|pts=0|log|level=16|message=broken\\n"
)


@pytest.fixture(scope="module")
def tools() -> Tools:
    return locate_tools(None, None, os.environ["PATH"])


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Path:
    """Two seconds of ProRes whose pictures at 0.4 and 1.6 s are overwritten."""
    path = tmp_path_factory.mktemp("source") / "clip.mov"
    source = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2", "-c:v", "prores_ks", "-profile:v", "0")
    subprocess.run([tools.ffmpeg, "-v", "error", *source, path], check=True)
    entries = ("-show_entries", "packet=pos", "-of", "csv=p=0")
    said = subprocess.run([tools.ffprobe, "-v", "error", *entries, path], check=True, capture_output=True, text=True).stdout
    places = [int(line.strip(",")) for line in said.split()]
    data = bytearray(path.read_bytes())
    for picture in (10, 40):
        data[places[picture] : places[picture] + 40] = b"\x13" * 40
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def facts(clip: Path, tools: Tools) -> MediaFacts:
    return facts_of(tools, clip)


@pytest.fixture
def log() -> Log:
    return Log()


def search(
    tools: Tools, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log, stall_seconds: float = 60.0
) -> tuple[Searched, list[None]]:
    told: list[None] = []
    with open_source(str(clip)) as source:
        around = context(stop, log=log, stall_seconds=stall_seconds)
        return search_damage(tools, facts, source, around, lambda: told.append(None)), told


def test_every_place_of_a_real_source(tools: Tools, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log) -> None:
    searched, _ = search(tools, clip, facts, stop, log)
    assert searched.found is not None
    assert searched.found.complete
    assert searched.found.places == (Place("0.400", 0, "decoding", "0.400"), Place("1.600", 0, "decoding", "1.600"))
    assert searched.usage.cpu_seconds > 0
    assert log.actions == ["damage_search_started", "damage_searched"]
    assert (log.fields["damage_searched"]["places"], log.fields["damage_searched"]["complete"]) == (2, True)


def test_a_stop_is_heard(tmp_path: Path, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log) -> None:
    hanging = pretend_ffprobe(tmp_path, "exec sleep 600")
    with open_source(str(clip)) as source:
        searched = search_damage(hanging, facts, source, context(stop, log=log, stall_seconds=4.0), stop.request)
    assert searched.found is None
    assert log.actions == ["damage_search_started"]


@pytest.mark.parametrize(
    ("script", "places"),
    [
        ("exec sleep 600", 0),
        (f"printf '{FOUND_ONE}'; exec sleep 600", 1),
        (f"printf '{FOUND_ONE}'; kill -SEGV $$", 1),
        (f"printf '{FOUND_ONE}'; exit 1", 1),
    ],
)
def test_what_was_found_before_the_search_failed_is_kept_and_the_failure_told(
    tmp_path: Path, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log, script: str, places: int
) -> None:
    searched, told = search(pretend_ffprobe(tmp_path, script), clip, facts, stop, log, stall_seconds=0.3)
    assert searched.found is not None
    assert (len(searched.found.places), searched.found.complete) == (places, False)
    assert log.fields["damage_searched"]["complete"] is False
    assert "damage_search_failed" in log.actions
    assert told or "sleep" not in script


def test_an_ffprobe_that_is_gone_leaves_the_verdict(
    tmp_path: Path, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log
) -> None:
    searched, _ = search(Tools("/usr/bin/ffmpeg", str(tmp_path / "none")), clip, facts, stop, log)
    assert searched.found is not None
    assert (searched.found.places, searched.found.complete) == ((), False)


def test_an_ffprobe_that_takes_too_much_memory_is_ended(
    tmp_path: Path, clip: Path, facts: MediaFacts, stop: StopFlag, log: Log
) -> None:
    greedy = pretend_ffprobe(tmp_path, "exec python3 -c 'import time; held = bytearray(1 << 28); time.sleep(600)'")
    searched, _ = search(replace(greedy, memory_bytes=1 << 27), clip, facts, stop, log)
    assert searched.found is not None
    assert not searched.found.complete
