"""Every kind of bad input: its code, its exit class, its message, and that nothing else in the world has changed.

All cases go through one `watch --once` with good jobs between them, and each alone through `run`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.bad_specs import SPECS
from tests.acceptance.bad_worlds import MADE_SOURCES, WORLDS
from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.results import EXIT_CODES, Result, audit, names, parse_result, read_result, snapshot, stems
from tests.acceptance.specs import Workspace, encode, jobspec
from tests.acceptance.stage import Case, Stage, fields_of, sources_in

ALL = [*SPECS, *WORLDS]
SETTLED_AT_ONCE = ("--settle-seconds", "0.2", "--poll-seconds", "0.1")


@dataclass(frozen=True, slots=True)
class Drained:
    """What one worker made of all cases."""

    workspace: Workspace
    stages: dict[str, Stage]
    specs: dict[str, bytes]
    before: dict[str, object]


@pytest.fixture(scope="module")
def drained(proxx: Command, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drained]:
    """All cases in one inbox, a good job before, between and after them."""
    folder = tmp_path_factory.mktemp("bad-input")
    ffmpeg("-f", "lavfi", "-i", "sine=duration=0.2", folder / "sound.wav")
    ffmpeg("-f", "lavfi", "-i", "sine=duration=0.2", folder / "sound.mov")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:duration=1:rate=1", "-frames:v", "1", folder / "still.png")
    workspace, good = Workspace(folder / "workspace"), folder / "good"
    good.mkdir()
    stages, specs = {}, {}
    for number, case in enumerate(ALL):
        stages[case.name] = stage = Stage.make(folder / "stages" / f"{number:03d}-{case.name}", clip)
        for name, made in MADE_SOURCES.items():
            (stage.folder / name).symlink_to(folder / made)
        specs[case.name] = case.spec(stage)
        workspace.drop(case.name, specs[case.name])
    for number, name in enumerate(("0-first", "m-middle", "zz-last")):
        workspace.drop(name, jobspec(clip, good, naming_template=str(number)))
    dropped = [path.read_bytes() for path in workspace.inbox.iterdir()]
    before = {name: snapshot(stage.folder) for name, stage in stages.items()}
    ended = proxx("watch", workspace, "--once", *SETTLED_AT_ONCE, privileged=False)
    assert ended.exit_code == 4, ended.stderr
    assert stems(workspace.done) == ["0-first", "m-middle", "zz-last"]
    audit(workspace.root, dropped, [good])
    yield Drained(workspace, stages, specs, dict(before))
    for locked in (*folder.rglob("locked"), *folder.rglob("locked.mov")):
        locked.chmod(0o700)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_watch(drained: Drained, case: Case) -> None:
    assert (drained.workspace.failed / f"{case.name}.json").read_bytes() == drained.specs[case.name]
    result = read_result(drained.workspace.failed, case.name)
    _is_what_it_gets(result, case, drained.specs[case.name])
    log = (drained.workspace.failed / f"{case.name}.log").read_text()
    assert case.code in log
    assert snapshot(drained.stages[case.name].folder) == drained.before[case.name]


ONE_OF_EACH = list({case.code: case for case in reversed(ALL)}.values())


@pytest.mark.one_in(3)
@pytest.mark.parametrize("case", ONE_OF_EACH, ids=lambda case: case.code)
def test_run(proxx: Command, drained: Drained, tmp_path: Path, case: Case) -> None:
    spec = tmp_path / f"{case.name}.json"
    spec.write_bytes(drained.specs[case.name])
    ended = proxx("run", spec, privileged=False)
    assert ended.exit_code == EXIT_CODES[case.code]
    result = parse_result(ended.stdout)
    _is_what_it_gets(result, case, drained.specs[case.name])
    watched = read_result(drained.workspace.failed, case.name)
    assert result["error"] == watched["error"]
    assert snapshot(drained.stages[case.name].folder) == drained.before[case.name]
    assert names(tmp_path) == [spec.name]


def test_validate(proxx: Command, drained: Drained) -> None:
    """All of them in one command, which must say of each what the worker said, and leave no trace."""
    specs = [drained.workspace.failed / f"{case.name}.json" for case in ALL]
    ended = proxx("validate", *specs, privileged=False)
    assert ended.exit_code == 4
    lines = [line for line in ended.stdout.decode().splitlines() if not line.startswith("  ")]
    assert len(lines) == len(specs), "further faults and sources are indented"
    said = {case.name: line.removeprefix(f"{spec}: ").split(":")[0] for case, spec, line in zip(ALL, specs, lines, strict=True)}
    assert said == {case.name: case.code for case in ALL}
    assert {name: snapshot(stage.folder) for name, stage in drained.stages.items()} == drained.before


def _is_what_it_gets(result: Result, case: Case, spec: bytes) -> None:
    error = result["error"]
    assert error["code"] == case.code, error
    for text in case.says:
        assert text in error["message"] or text in str(error["details"].get("faults")), (text, error)
    if case.faults:
        assert fields_of(error["details"]["faults"]) == set(case.faults)
        assert all(fault["message"] for fault in error["details"]["faults"])
        assert all(name in error["message"] for name in case.faults), "the message itself lists every fault"
    assert [task["status"] for task in result["tasks"]] == ["NOT_RUN"] * case.tasks
    sources = sources_in(spec)
    if case.tasks and sources is not None:
        assert [task["source"] for task in result["tasks"]] == sources
    assert all(task["command"] is None and task["output"] is None for task in result["tasks"])


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("first-source-error-is-the-jobs", [None, "SOURCE_UNSUPPORTED", "SOURCE_MISSING"]),
        ("source-unfit-for-settings-goes-before-missing-one", ["SOURCE_UNSUPPORTED", "SOURCE_MISSING"]),
    ],
)
def test_each_source_has_its_own_error(drained: Drained, name: str, codes: list[str | None]) -> None:
    result = read_result(drained.workspace.failed, name)
    assert [task["error"] and task["error"]["code"] for task in result["tasks"]] == codes


def test_a_refused_spec_still_says_who_it_was(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(clip, proxies, job_id="JOB-7", surprise=1)))
    result = parse_result(proxx("run", spec).stdout)
    assert result["job_id"] == "JOB-7"
    assert result["jobspec"]["version"] == "2.1"
    assert result["proxy_profile"] == "proxy_h264_quarter"


@pytest.mark.parametrize(("codes", "exit_code"), [(("1",), 1), (("1", "4"), 4), ((), 0)])
def test_watch_once_ends_with_the_highest_class(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, codes: tuple[str, ...], exit_code: int
) -> None:
    workspace.drop("0", jobspec(clip, proxies))
    workspace.drop("9", jobspec(clip, proxies, naming_template="second"))
    if "1" in codes:
        workspace.drop("1", jobspec(clip, proxies, jobspec_version="1"))
    if "4" in codes:
        workspace.drop("4", jobspec(clip, proxies / "nowhere"))
    assert proxx("watch", workspace, "--once").exit_code == exit_code
    assert stems(workspace.done) == ["0", "9"]
    assert stems(workspace.failed) == list(codes)
