"""`validate`: one line per file, the highest class as exit code, and no trace left."""

from pathlib import Path

import pytest

from tests.acceptance.command import Command
from tests.acceptance.results import snapshot
from tests.acceptance.specs import encode, jobspec


def test_one_line_per_file_and_the_highest_class(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    (proxies / "taken_proxy.mp4").write_bytes(b"somebody's")
    (tmp_path / "taken.mov").symlink_to(clip)
    specs = {
        "good": (encode(jobspec(clip, proxies)), None),
        "version": (encode(jobspec(clip, proxies, jobspec_version="1.0")), "SPEC_VERSION"),
        "missing": (encode(jobspec(tmp_path / "missing.mov", proxies)), "SOURCE_MISSING"),
        "broken": (b"{", "SPEC_NOT_JSON"),
        "nowhere": (encode(jobspec(clip, tmp_path / "nowhere")), "OUTPUT_DIRECTORY_MISSING"),
        "taken": (encode(jobspec(tmp_path / "taken.mov", proxies)), "OUTPUT_EXISTS"),
    }
    paths = []
    for name, (data, _) in specs.items():
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_bytes(data)
    before = snapshot(tmp_path, times=True)
    ended = proxx("validate", *paths, cwd=tmp_path)
    assert ended.exit_code == 4
    lines = ended.stdout.decode().splitlines()
    assert len(lines) == len(specs)
    for line, path, (_, code) in zip(lines, paths, specs.values(), strict=True):
        assert str(path) in line
        assert code is None or code in line
    assert proxx("validate", *paths[:4], cwd=tmp_path).exit_code == 1
    assert proxx("validate", paths[0], cwd=tmp_path).exit_code == 0
    assert snapshot(tmp_path, times=True) == before


def test_a_bad_source_among_good_ones(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mov"
    text.write_text("no movie\n")
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec([clip, text], proxies)))
    ended = proxx("validate", spec)
    assert ended.exit_code == 1
    assert b"SOURCE_UNSUPPORTED" in ended.stdout
    assert b"text.mov" in ended.stdout


def test_a_spec_that_cannot_be_read_is_64(proxx: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_bytes(b"{")
    ended = proxx("validate", tmp_path / "missing.json", tmp_path / "broken.json")
    assert ended.exit_code == 64
    assert "missing.json" in ended.stderr
    lines = ended.stdout.decode().splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [str(tmp_path / "missing.json"), "cannot be read"],
        [str(tmp_path / "broken.json"), "SPEC_NOT_JSON"],
    ]


@pytest.mark.parametrize("missing", ["ffmpeg", "ffprobe"])
def test_a_missing_tool_is_named(proxx: Command, clip: Path, proxies: Path, tmp_path: Path, missing: str) -> None:
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(clip, proxies)))
    ended = proxx("validate", spec, f"--{missing}", tmp_path / "missing")
    assert ended.exit_code == 4
    assert f"{missing.upper()}_MISSING" in ended.stdout.decode()
