"""Jobs of several tasks, and jobs whose world changes under them: what is published, and what is left of a failure."""

import os
import shlex
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg, tool
from tests.acceptance.command import Command
from tests.acceptance.results import EXIT_CODES, audit, names, read_result, snapshot, statuses, stems
from tests.acceptance.specs import Workspace, explicit, jobspec
from tests.acceptance.stand_ins import Gate, around_ffmpeg, program


def _links(folder: Path, clip: Path, *wanted: str) -> list[Path]:
    paths = [folder / name for name in wanted]
    for path in paths:
        path.symlink_to(clip)
    return paths


def test_every_source_is_a_task_in_order(proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path) -> None:
    sources = _links(tmp_path, clip, "z.mov", "a.mov", "m.mov")
    workspace.drop("job", jobspec(sources, proxies, naming_template="{index}_{source_name}"))
    assert proxx("watch", workspace, "--once").exit_code == 0
    result = read_result(workspace.done, "job")
    assert [Path(task["output"]).name for task in result["tasks"]] == ["000_z.mp4", "001_a.mp4", "002_m.mp4"]
    assert [task["source"] for task in result["tasks"]] == [str(source) for source in sources]
    assert names(proxies) == ["000_z.mp4", "001_a.mp4", "002_m.mp4"]
    assert len({task["output_sha256"] for task in result["tasks"]}) == 1


def test_the_index_of_one_source_is_000(proxx: Command, workspace: Workspace, clip: Path, proxies: Path) -> None:
    workspace.drop("job", jobspec(clip, proxies, naming_template="{index}"))
    assert proxx("watch", workspace, "--once").exit_code == 0
    assert names(proxies) == ["000.mp4"]


def test_a_task_that_fails_discards_the_earlier_and_spares_the_later(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    failing = around_ffmpeg(tmp_path / "ffmpeg", before='case "$*" in *b_proxy*) echo "[error] no luck" >&2; exit 7;; esac')
    (proxies / "somebody's.mov").write_bytes(b"not ours")
    before = snapshot(proxies)
    workspace.drop("job", jobspec(_links(tmp_path, clip, "a.mov", "b.mov", "c.mov"), proxies))
    workspace.drop("next", jobspec(clip, proxies, naming_template="next"))
    assert proxx("watch", workspace, "--once", "--ffmpeg", failing).exit_code == 2
    result = read_result(workspace.failed, "job")
    assert result["error"]["code"] == "ENCODE_FAILED"
    assert statuses(result) == ["DISCARDED", "FAILED", "NOT_RUN"]
    discarded, failed, spared = result["tasks"]
    assert discarded["error"] is None
    assert discarded["command"]
    assert failed["exit_code"] == 7
    assert "b.mov" in result["error"]["message"]
    assert spared["command"] is None
    assert "no luck" in (workspace.failed / "job.log").read_text()
    read_result(workspace.done, "next")
    (proxies / "next.mp4").unlink()
    assert snapshot(proxies) == before


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("exit 1", {"ENCODE_FAILED"}),
        ("exit 0", {"ENCODE_FAILED", "OUTPUT_INVALID"}),
        ("kill -SEGV $$", {"ENCODE_FAILED"}),
        ("kill -KILL $$", {"ENCODE_FAILED"}),
        ('REAL "$@"; exit 1', {"ENCODE_FAILED"}),
        ('REAL "$@"; for last; do :; done; truncate -s -100 "$last"; exit 0', {"ENCODE_FAILED", "OUTPUT_INVALID"}),
        ('REAL "$@"; for last; do :; done; echo garbage >"$last"; exit 0', {"ENCODE_FAILED", "OUTPUT_INVALID"}),
        ('REAL "$@"; for last; do :; done; rm "$last"; exit 0', {"ENCODE_FAILED", "OUTPUT_INVALID"}),
        (
            "REAL -nostdin -v error -y -f lavfi -i color=red:size=80x44 -frames:v 3 x.mp4; mv x.mp4 A001C001_proxy.mp4",
            {"ENCODE_FAILED", "OUTPUT_INVALID"},
        ),
        ("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 3", {"ENCODE_FAILED"}),
    ],
    ids=[
        "fails",
        "does-nothing",
        "crashes",
        "is-killed",
        "fails-at-the-end",
        "short-file",
        "garbage",
        "no-file",
        "other-file",
        "floods",
    ],
)
def test_an_encoder_that_fails_or_lies(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path, body: str, code: set[str]
) -> None:
    lying = program(tmp_path / "ffmpeg", body.replace("REAL", shlex.quote(tool("ffmpeg"))))
    spec = workspace.drop("job", jobspec(clip, proxies)).read_bytes()
    assert proxx("watch", workspace, "--once", "--ffmpeg", lying).exit_code == 2
    result = read_result(workspace.failed, "job")
    assert result["error"]["code"] in code
    assert statuses(result) == ["FAILED"]
    assert result["tasks"][0]["error"] == result["error"]
    assert names(proxies) == []
    audit(workspace.root, [spec], [proxies])


def test_an_encoder_that_hangs_is_stopped(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    hanging = program(
        tmp_path / "ffmpeg",
        'case "$*" in *b_proxy*) while :; do sleep 60; done;; esac\nexec ' + shlex.quote(tool("ffmpeg")) + ' "$@"',
    )
    workspace.drop("a", jobspec(_links(tmp_path, clip, "b.mov"), proxies))
    workspace.drop("b", jobspec(clip, proxies))
    assert proxx("watch", workspace, "--once", "--ffmpeg", hanging, "--stall-seconds", "1").exit_code == 2
    assert read_result(workspace.failed, "a")["error"]["code"] == "ENCODE_STALLED"
    read_result(workspace.done, "b")
    assert names(proxies) == ["A001C001_proxy.mp4"]


CHANGES = {
    "touched": 'touch -d "2001-02-03 04:05:06" SOURCE',
    "grown": "echo more >>SOURCE",
    "replaced": "cp -p SOURCE SOURCE.new; mv SOURCE.new SOURCE",
    "removed": "rm SOURCE",
    "replaced-by-a-folder": "rm SOURCE; mkdir SOURCE",
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("change", CHANGES)
def test_a_source_that_changes_while_it_is_encoded(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path, change: str
) -> None:
    source = tmp_path / "a.mov"
    source.write_bytes(clip.read_bytes())
    script = f'case "$*" in *a_proxy*) {CHANGES[change].replace("SOURCE", shlex.quote(str(source)))};; esac'
    changing = around_ffmpeg(tmp_path / "ffmpeg", after=script)
    spec = workspace.drop("a", jobspec(source, proxies)).read_bytes()
    good = workspace.drop("b", jobspec(clip, proxies)).read_bytes()
    assert proxx("watch", workspace, "--once", "--ffmpeg", changing).exit_code == 4
    result = read_result(workspace.failed, "a")
    assert result["error"]["code"] == "SOURCE_CHANGED"
    assert str(source) in result["error"]["message"]
    assert statuses(result) == ["FAILED"]
    assert names(proxies) == ["A001C001_proxy.mp4"]
    audit(workspace.root, [spec, good], [proxies])


def test_a_later_source_that_changes_before_its_turn(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    gate = Gate(tmp_path / "gate")
    first, second = _links(tmp_path, clip, "a.mov")[0], tmp_path / "b.mov"
    second.write_bytes(clip.read_bytes())
    workspace.drop("job", jobspec([first, second], proxies))
    with proxx.start("watch", workspace, "--once", "--ffmpeg", gate.program) as worker:
        worker.until(gate.reached, "the first task's encoder")
        second.write_bytes(clip.read_bytes() + b"more")
        gate.open()
        assert worker.wait().exit_code == 4
    result = read_result(workspace.failed, "job")
    assert result["error"]["code"] == "SOURCE_CHANGED"
    assert statuses(result) == ["DISCARDED", "FAILED"]
    assert names(proxies) == []


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_an_output_name_taken_in_mid_job(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path, kind: str
) -> None:
    gate = Gate(tmp_path / "gate")
    workspace.drop("job", jobspec(_links(tmp_path, clip, "a.mov", "b.mov"), proxies))
    with proxx.start("watch", workspace, "--once", "--ffmpeg", gate.program) as worker:
        worker.until(gate.reached, "the first task's encoder")
        intruder = proxies / "b_proxy.mp4"
        if kind == "file":
            intruder.write_bytes(b"somebody's")
        elif kind == "folder":
            intruder.mkdir()
        else:
            intruder.symlink_to("nowhere")
        gate.open()
        worker.until(lambda: gate.reached() == 2, "the second task's encoder")
        gate.open()
        assert worker.wait().exit_code == 4
    result = read_result(workspace.failed, "job")
    assert result["error"]["code"] == "OUTPUT_EXISTS"
    assert "b_proxy.mp4" in result["error"]["message"]
    assert names(proxies) == ["b_proxy.mp4"], "the first output was not published, or was taken back"
    assert os.path.lexists(intruder)
    assert kind != "file" or intruder.read_bytes() == b"somebody's"


def test_an_output_directory_swapped_for_another_in_mid_job(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    """Nothing may be written where the spec's path leads now but did not lead when it was checked."""
    gate = Gate(tmp_path / "gate")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    workspace.drop("job", jobspec(clip, proxies))
    with proxx.start("watch", workspace, "--once", "--ffmpeg", gate.program) as worker:
        worker.until(gate.reached, "the encoder")
        proxies.rename(tmp_path / "moved")
        proxies.symlink_to(elsewhere)
        gate.open()
        ended = worker.wait()
    assert names(elsewhere) == []
    finished = [*stems(workspace.done), *stems(workspace.failed)]
    assert finished == ["job"], ended.stderr
    assert stems(workspace.failed) == ["job"], "its output is not where the result would say"
    assert EXIT_CODES[read_result(workspace.failed, "job")["error"]["code"]] == 4
    assert names(tmp_path / "moved") == []


def test_the_output_directory_is_held_also_against_another_worker(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    gate, another = Gate(tmp_path / "gate"), Workspace(tmp_path / "another")
    workspace.drop("a", jobspec(clip, proxies, naming_template="a"))
    another.drop("b", jobspec(clip, proxies, naming_template="b"))
    with proxx.start("watch", workspace, "--once", "--ffmpeg", gate.program) as worker:
        worker.until(gate.reached, "the encoder")
        assert proxx("watch", another, "--once").exit_code == 4
        assert read_result(another.failed, "b")["error"]["code"] == "OUTPUT_DIRECTORY_BUSY"
        gate.open()
        assert worker.wait().exit_code == 0
    assert names(proxies) == ["a.mp4"]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("container", ["mp4", "mkv", "mov", "mxf", "webm"])
@pytest.mark.parametrize("seconds", ["0.6", "1.4"], ids=["shorter", "longer"])
def test_sound_that_is_not_as_long_as_the_picture(
    proxx: Command, workspace: Workspace, clips: Path, proxies: Path, container: str, seconds: str
) -> None:
    source = clips / f"sound-of-{seconds}.mov"
    if not source.exists():
        ffmpeg(
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=25:duration=1",
            "-f",
            "lavfi",
            "-i",
            f"sine=duration={seconds}:sample_rate=48000",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "pcm_s16le",
            source,
        )
    codec = {"mp4": "h264", "mkv": "h264", "mov": "prores_proxy", "mxf": "dnxhr", "webm": "vp9"}[container]
    workspace.drop("job", jobspec(source, proxies, **explicit(codec, container)))
    ended = proxx("watch", workspace, "--once")
    assert ended.exit_code == 0, ended.stderr
