"""An MXF proxy's UMID: one per clip, the same on every run, and nothing else of the file touched."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clips import make_clip, probe
from tests.acceptance.command import Command
from tests.acceptance.results import names, parse_result, read_result
from tests.acceptance.specs import Workspace, encode, explicit, jobspec

LABEL = bytes.fromhex("060a2b340101010501010d0013000000")
"""SMPTE 330M: the label of a basic UMID, its length, and instance number 0. 16 bytes of material number follow."""


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Clips that differ in one thing each: a frame more, a timecode one frame on, another rate of the same frames."""
    folder = tmp_path_factory.mktemp("variants")
    return [
        make_clip(folder / "plain.mov", frames=10),
        make_clip(folder / "longer.mov", frames=11),
        make_clip(folder / "timecode.mov", frames=10, timecode="10:11:12:14"),
        make_clip(folder / "rate.mov", frames=10, rate="24"),
    ]


def make(proxx: Command, folder: Path, source: Path, codec: str = "dnxhr", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The task of one finished job."""
    folder.mkdir()
    spec = folder / "spec.json"
    spec.write_bytes(encode(jobspec(source, folder, **explicit(codec, "mxf", **fields))))
    result = parse_result(proxx("run", spec).stdout)
    assert result["error"] is None
    task: dict[str, Any] = result["tasks"][0]
    return task


def umids(path: Path) -> set[bytes]:
    """The material numbers of every UMID in the file, less the last byte, which tells the package."""
    data, found, at = path.read_bytes(), set(), -1
    while (at := data.find(LABEL, at + 1)) >= 0:
        found.add(data[at + len(LABEL) : at + len(LABEL) + 15])
    return found


def identity(path: Path) -> bytes:
    """The one material number that a file bears."""
    (found,) = umids(path)
    assert any(found)
    said = probe(path)["format"]["tags"]["material_package_umid"].lower()
    assert said == "0x" + (LABEL + found).hex() + "00"
    return found


def decoded(path: Path) -> bytes:
    """A digest of each frame of picture and sound."""
    return subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:v", "-map", "0:a", "-f", "framemd5", "-"],
        check=True,
        capture_output=True,
    ).stdout


def test_every_clip_has_its_own(proxx: Command, variants: list[Path], tmp_path: Path) -> None:
    found = {identity(Path(make(proxx, tmp_path / clip.stem, clip)["output"])) for clip in variants}
    assert len(found) == len(variants)


@pytest.mark.heavy
def test_a_clip_has_the_same_every_time(proxx: Command, variants: list[Path], tmp_path: Path, workspace: Workspace) -> None:
    first = Path(make(proxx, tmp_path / "first", variants[0])["output"])
    second = Path(make(proxx, tmp_path / "second", variants[0])["output"])
    watched = tmp_path / "watched"
    watched.mkdir()
    workspace.drop("job", jobspec(variants[0], watched, **explicit("dnxhr", "mxf")))
    assert proxx("watch", workspace.root, "--once").exit_code == 0
    third = Path(read_result(workspace.done, "job")["tasks"][0]["output"])
    assert identity(first) == identity(second) == identity(third)
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()


def test_nothing_else_is_touched(proxx: Command, variants: list[Path], tmp_path: Path) -> None:
    """Beside what the same command writes without the worker: all differs in UMIDs alone, and decodes the same."""
    task = make(proxx, tmp_path / "made", variants[0])
    bare = tmp_path / "bare.mxf"
    command = [*task["command"][:-1], str(bare)]
    with variants[0].open("rb") as source:
        subprocess.run(command, check=True, capture_output=True, stdin=source)
    output = Path(task["output"])
    assert umids(bare) == {bytes(15)}
    assert decoded(output) == decoded(bare)
    assert output.read_bytes() == bare.read_bytes().replace(LABEL + bytes(15), LABEL + identity(output))


@pytest.mark.heavy
def test_another_codec_of_the_same_clip_is_another_file(proxx: Command, hd_clip: Path, tmp_path: Path) -> None:
    dnxhr = Path(make(proxx, tmp_path / "dnxhr", hd_clip)["output"])
    dnxhd = Path(make(proxx, tmp_path / "dnxhd", hd_clip, "dnxhd")["output"])
    assert identity(dnxhr) != identity(dnxhd)
    assert names(tmp_path / "dnxhd") == ["A001C002_proxy.mxf", "spec.json"]
