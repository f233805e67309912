"""Sources that reach for something else than themselves: nothing else is opened, nobody is called, and the code is clear."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance import hostile_media
from tests.acceptance.clips import ffmpeg, make_clip, tool
from tests.acceptance.command import COMMAND, Command
from tests.acceptance.hostile_media import CANARY, TEXTS, alias, referring
from tests.acceptance.results import Result, audit, names, read_result, stems
from tests.acceptance.specs import Workspace, encode, jobspec
from tests.support.tracing import Trace, traced


@dataclass(frozen=True)
class Drained:
    """What one traced worker made of every hostile source, and of a good one."""

    results: dict[str, Result]
    expected: dict[str, str]
    trace: Trace
    proxies: Path
    canary: Path


@pytest.fixture(scope="module")
def drained(proxx: Command, tmp_path_factory: pytest.TempPathFactory) -> Drained:
    folder = tmp_path_factory.mktemp("hostile-media")
    canary = folder / CANARY / f"{CANARY}.mov"
    canary.parent.mkdir()
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=0.4", "-c:v", "prores", canary)
    workspace, proxies = Workspace(folder / "workspace"), folder / "proxies"
    proxies.mkdir()
    expected = hostile_media.make_all(folder, canary)
    good = make_clip(folder / "good.mov", frames=5)
    for number, name in enumerate([*expected, "good.mov"]):
        workspace.drop(f"{number:03}", jobspec(folder / name, proxies))
    specs = [path.read_bytes() for path in workspace.inbox.iterdir()]
    argv = [str(COMMAND), "watch", str(workspace.root), "--once"]
    trace = traced(argv, folder / "trace", environment=proxx.environment)
    assert trace.exit_code == 1, trace.stderr
    audit(workspace.root, specs, [proxies])
    results = {name: read_result(workspace.failed, f"{number:03}") for number, name in enumerate(expected)}
    results[good.name] = read_result(workspace.done, f"{len(expected):03}")
    assert len(stems(workspace.done)) == 1
    return Drained(results, expected, trace, proxies, canary)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", [*TEXTS, "vobsub.idx"])
def test_a_text_that_points_elsewhere_is_no_media(drained: Drained, name: str) -> None:
    error = drained.results[name]["error"]
    assert error["code"] == "SOURCE_UNSUPPORTED"
    assert CANARY not in error["message"].replace(str(drained.canary), ""), "it quotes no more of the text than the address"


def test_every_hostile_source_has_its_code(drained: Drained) -> None:
    found = {name: drained.results[name]["error"]["code"] for name in drained.expected}
    assert found == drained.expected
    assert len(found) > 30


@pytest.mark.parametrize("name", ["alias.mov", "url.mov", "alias-in-a-compressed-header.mov"])
def test_a_movie_whose_media_lies_elsewhere_is_told_so(drained: Drained, name: str) -> None:
    assert "is in another file" in drained.results[name]["error"]["message"]


def test_nothing_else_was_opened(drained: Drained) -> None:
    assert drained.trace.naming(CANARY) == []
    # Sources are handed on open. The proxy lies where its children start: the encoder calls it `./NAME`, ffprobe `file:NAME`.
    # A tool that is a script is read as well, by the shell that runs it.
    started = {"/bin/sh", tool("ffmpeg"), tool("ffprobe")}
    assert drained.trace.opened_by_children() - started == {"./good_proxy.mp4", "good_proxy.mp4"}


def test_nobody_was_called(drained: Drained) -> None:
    assert drained.trace.net() == []


def test_no_text_was_run_as_a_program(drained: Drained) -> None:
    programs = {line.split('"')[1] for line in drained.trace.lines if "execve(" in line}
    known = {"proxx-worker", "python3", Path(sys.executable).name, "ffprobe", "ffmpeg"}
    assert {program.rpartition("/")[2] for program in programs} <= known


def test_only_the_good_source_has_a_proxy(drained: Drained) -> None:
    assert names(drained.proxies) == ["good_proxy.mp4"]


@pytest.mark.parametrize("kind", ["concat", "alias", "manifest"])
def test_a_reader_without_these_limits_reaches_the_canary(proxx: Command, tmp_path: Path, kind: str) -> None:
    """What the tests above would see if anything were opened."""
    canary = tmp_path / f"{CANARY}.mov"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=0.4", "-c:v", "prores", canary)
    source, options = (
        tmp_path / "source.mov",
        {"concat": ["-safe", "0"], "alias": ["-enable_drefs", "1", "-use_absolute_path", "1"]},
    )
    if kind == "alias":
        source.write_bytes(referring(canary.read_bytes(), alias(os.fsencode(canary))))
    else:
        source.write_text(TEXTS[f"{kind}-after-a-comment.mov" if kind == "manifest" else "concat.mov"].replace("{}", str(canary)))
    ffprobe = ["/bin/sh", "-c", '"$@"; exit $?', "sh", tool("ffprobe"), "-v", "error", *options.get(kind, []), str(source)]
    trace = traced(ffprobe, tmp_path / "trace", environment=proxx.environment)
    assert trace.exit_code == 0
    assert str(canary) in trace.opened_by_children()


SCHEMES = (
    "http://127.0.0.1:9/a.mov", "file:///etc/passwd", "file:/etc/passwd", "subfile,,start,0,end,0,,:/etc/passwd", "pipe:0", "-",
    "concat:/etc/passwd|/etc/group", "crypto:/etc/passwd", "data:text/plain,x", "tcp://127.0.0.1:9", "lavfi:movie=/etc/passwd",
    "a.mov", "./a.mov", "../a.mov", "~/a.mov", "", " /a.mov", "C:\\a.mov", "\\\\host\\share\\a.mov",
)  # fmt: skip


def test_a_source_is_an_absolute_path_and_no_address(proxx: Command, tmp_path: Path) -> None:
    specs = []
    for number, source in enumerate(SCHEMES):
        specs.append(tmp_path / f"{number}.json")
        specs[-1].write_bytes(encode({**jobspec([], tmp_path), "sources": [source]}))
    trace = traced([COMMAND, "validate", *specs], tmp_path / "trace", environment=proxx.environment)
    assert trace.exit_code == 1
    lines = trace.stdout.decode().splitlines()
    assert [line.split(": ")[1] for line in lines] == ["SPEC_INVALID"] * len(SCHEMES)
    assert all("sources[0]" in line for line in lines)
    assert trace.net() == []
    assert [line for line in trace.lines if "execve(" in line][1:] == [], "nothing is even looked at"
