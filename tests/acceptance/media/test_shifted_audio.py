"""Audio that is shifted inside the filters and keeps its length: the one shift that only a comparison of the samples shows.

Verification compares times, lengths and counts (decision 0020), and all of them are right. `report` listens to both files.
"""

import json
from pathlib import Path

import pytest

from tests.acceptance.command import Command
from tests.acceptance.media.liars import Lie
from tests.acceptance.results import parse_result
from tests.acceptance.seeded_faults import make_source
from tests.acceptance.specs import encode, explicit, jobspec

LATE = "adelay=20:all=1,atrim=end_sample=96000"
EARLY = "atrim=start_sample=960,asetpts=PTS-STARTPTS,apad=pad_len=960"
"""Two seconds of audio at 48 kHz, 20 ms from where they were, with silence in the place of what is missing."""

PROXIES = {
    "mov": explicit("prores_proxy", "mov"),
    "mp4": explicit("h264", "mp4"),
    "mkv": explicit("h264", "mkv"),
    "mxf": explicit("dnxhr", "mxf"),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds with audio that comes and goes, in a picture that is large enough for DNxHR."""
    return make_source(tmp_path_factory.mktemp("shifted") / "source.mov")


def _cases() -> list[object]:
    return [
        pytest.param(container, shift, lag, marks=() if (container, lag) == ("mov", 0.02) else pytest.mark.heavy)
        for container in PROXIES
        for shift, lag in ((LATE, 0.02), (EARLY, -0.02))
    ]


@pytest.mark.parametrize(("container", "shift", "lag"), _cases())
def test_audio_that_is_shifted_and_keeps_its_length_is_heard_by_the_report(
    proxx: Command, source: Path, tmp_path: Path, container: str, shift: str, lag: float
) -> None:
    lie = Lie(f"replace('first_pts=0', 'first_pts=0,{shift}')")
    spec, kept = tmp_path / "spec.json", tmp_path / "spec.result.json"
    spec.write_bytes(encode(jobspec(source, tmp_path, **PROXIES[container], naming_template="{source_name}_proxy")))
    result = parse_result(proxx("run", spec, "--result", kept, "--ffmpeg", lie.program(tmp_path / "ffmpeg")).stdout)
    assert result["error"] is None
    proxx("report", kept, "--html", tmp_path / "r.html", "--json", tmp_path / "r.json")
    (task,) = json.loads((tmp_path / "r.json").read_bytes())["jobs"][0]["tasks"]
    found = {finding["kind"]: finding["value"] for finding in task["findings"]}
    assert found["audio_lag"] == pytest.approx(lag, abs=0.005)
    assert task["verdict"] != "pass"
