"""Names that would like to be options, patterns, shell commands or a terminal's orders are names, and nothing else."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import COMMAND, Command, for_stand_ins
from tests.acceptance.results import audit, names, parse_result, read_result, stems
from tests.acceptance.specs import Workspace, encode, jobspec
from tests.acceptance.stand_ins import around_ffmpeg

TITLE = "\x1b]0;pwned\x07"
"""Sets the title of a terminal, which shows that a name steers it."""

RIGHT_TO_LEFT = "\u202e"

HARMLESS = [
    "-i", "-vf", "--", "-", "%d", "%03d", "%", "a%20b", "~", "*", "[0-9]", "{a,b}", "$(touch pwned)", "`touch pwned`",
    "; touch pwned;",
    "a'b", 'a"b', "a b", " a ", "a=b", "@a", "#a", "file:a", "http:", "concat:a|b", "subfile,,start,0,end,1,,:a", "pipe:1",
    "a,b;c[d]",
    "a..b", "\U0001f3ac", "\u00e9", "日本", f"a{RIGHT_TO_LEFT}4pm.", "\u200b", "\u2028", "x" * 251,
]  # fmt: skip
"""Stems that a proxy can have, too."""

HARMFUL = [f"a{TITLE}", "a\nb", "a\rb", "a\tb", "a\\b", "\\", ".a", "..a", "\x7f", "\x9b31m", "\x01"]
"""Stems that a file of somebody's has, and that no proxy gets."""

SPEC_STEMS = [
    b"-rf", b"--", b"%d", b"a b", b" ", b"'", b'"', b"\\", b"a\nb", b"\x1b]0;pwned\x07", b"\x9b31m", b"\xff\xfe", b"\xc3(",
    b"~2", b"*",
    "\U0001f3ac".encode(), RIGHT_TO_LEFT.encode(), b"$(touch pwned)", b"x" * 235, b"a.result", b"a.json", b"a.log",
]  # fmt: skip

# What steers a terminal or turns a line around; a newline ends a line of a log, and nothing else does.
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two frames of picture alone."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.mov"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=0.08", "-c:v", "mpeg4", path)
    return path


def linked(folder: Path, stems: Sequence[str], clip: Path) -> list[str]:
    """The clip under each of these names."""
    folder.mkdir()
    for stem in stems:
        (folder / f"{stem}.mov").hardlink_to(clip)
    return [f"{folder}/{stem}.mov" for stem in stems]


def spec(folder: Path, sources: list[str], proxies: Path, template: str) -> Path:
    path = folder / "job.json"
    path.write_bytes(encode({**jobspec([], proxies, naming_template=template), "sources": sources}))
    return path


def test_proxies_are_called_as_their_sources(proxx: Command, tiny: Path, proxies: Path, tmp_path: Path) -> None:
    sources = linked(tmp_path / "media", HARMLESS, tiny)
    ended = proxx("run", spec(tmp_path, sources, proxies, "{source_name}"), cwd=tmp_path)
    assert ended.exit_code == 0, ended.stderr
    assert names(proxies) == sorted(f"{stem}.mp4" for stem in HARMLESS)
    result = parse_result(ended.stdout)
    assert [task["source"] for task in result["tasks"]] == sources
    assert [task["output"] for task in result["tasks"]] == [f"{proxies}/{stem}.mp4" for stem in HARMLESS]
    assert STEERING.search(ended.stdout.decode()) is None
    assert STEERING.search(ended.stderr) is None
    assert sorted(names(tmp_path)) == ["job.json", "media", "proxies"]


def test_any_source_is_done_under_another_name(proxx: Command, tiny: Path, proxies: Path, tmp_path: Path) -> None:
    sources = linked(tmp_path / "media", HARMFUL, tiny)
    ended = proxx("run", spec(tmp_path, sources, proxies, "{index}"), cwd=tmp_path)
    assert ended.exit_code == 0, ended.stderr
    assert names(proxies) == [f"{number:03}.mp4" for number in range(len(HARMFUL))]
    assert [task["source"] for task in parse_result(ended.stdout)["tasks"]] == sources
    assert STEERING.search(ended.stdout.decode()) is None
    assert STEERING.search(ended.stderr) is None


def test_names_that_harm_are_refused_before_anything_runs(proxx: Command, tiny: Path, proxies: Path, tmp_path: Path) -> None:
    ended = proxx("run", spec(tmp_path, linked(tmp_path / "media", HARMFUL, tiny), proxies, "{source_name}"))
    error = parse_result(ended.stdout)["error"]
    assert (ended.exit_code, error["code"]) == (1, "OUTPUT_NAME_INVALID")
    assert [fault["path"] for fault in error["details"]["faults"]] == [f"sources[{number}]" for number in range(len(HARMFUL))]
    assert STEERING.search(ended.stderr) is None
    assert names(proxies) == []


def test_templates_that_harm_are_refused_before_anything_runs(proxx: Command, tiny: Path, proxies: Path, tmp_path: Path) -> None:
    specs = []
    for number, stem in enumerate(HARMFUL):
        specs.append(tmp_path / f"{number}.json")
        specs[-1].write_bytes(encode(jobspec(tiny, proxies, naming_template=stem)))
    ended = proxx("validate", *specs)
    assert ended.exit_code == 1
    lines = ended.stdout.decode().splitlines()
    assert [line.split(": ")[1] for line in lines] == ["OUTPUT_NAME_INVALID"] * len(HARMFUL)
    assert STEERING.search(ended.stdout.decode()) is None


def test_jobs_of_any_name_are_done(proxx: Command, tiny: Path, workspace: Workspace, proxies: Path) -> None:
    for number, stem in enumerate(SPEC_STEMS):
        workspace.drop(stem, jobspec(tiny, proxies, naming_template=str(number)))
    candidates = [stem for stem in SPEC_STEMS if not stem.endswith(b".result")]
    ended = proxx("watch", workspace.root, "--once", cwd=proxies.parent)
    assert ended.exit_code == 0, ended.stderr
    assert sorted(stems(workspace.done)) == sorted(os.fsdecode(stem) for stem in candidates)
    assert names(workspace.inbox) == ["a.result.json"]
    for stem in candidates:
        shown = stem.decode("utf-8", "backslashreplace")
        data = (workspace.done / f"{os.fsdecode(stem)}.result.json").read_bytes()
        assert parse_result(data)["jobspec"]["name"] == shown
        assert STEERING.search(data.decode()) is None
        log = (workspace.done / f"{os.fsdecode(stem)}.log").read_bytes().decode("utf-8")
        assert STEERING.search(log) is None
        assert log.endswith("\n")
    assert STEERING.search(ended.stderr) is None
    assert STEERING.search((workspace.root / ".proxx" / "status.json").read_text()) is None
    assert sorted(names(proxies.parent)) == ["proxies", "workspace"]


def test_a_log_of_json_lines_is_json_whatever_the_names(proxx: Command, tiny: Path, workspace: Workspace, proxies: Path) -> None:
    for number, stem in enumerate(SPEC_STEMS):
        workspace.drop(stem, jobspec(tiny.with_name(f"missing{TITLE}\x7f\x9b.mov"), proxies, naming_template=str(number)))
    ended = proxx("watch", workspace.root, "--once", "--log-format", "json")
    assert ended.exit_code == 1
    records = [json.loads(line) for line in ended.stderr.splitlines()]
    assert {record["action"] for record in records} >= {"claimed", "job_failed", "worker_ended"}
    assert f"{TITLE}.json" in [record.get("name") for record in records], "a name comes back as it was"
    assert STEERING.search(ended.stderr) is None


def on_a_terminal(proxx: Command, *arguments: str | bytes | Path) -> bytes:
    """All that a command shows on a terminal, stdout and stderr."""
    own, terminal = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *arguments], stdin=terminal, stdout=terminal, stderr=terminal, env={**proxx.environment, "TERM": "xterm"}
    )
    os.close(terminal)
    shown = b""
    try:
        while chunk := os.read(own, 1 << 16):
            shown += chunk
    except OSError:
        pass  # EIO: nobody has the terminal open any more
    finally:
        os.close(own)
        process.wait()
    return shown


def test_no_name_steers_a_terminal(proxx: Command, tiny: Path, tmp_path: Path) -> None:
    """Every command that shows names, with the same order in the name of whatever it is given."""
    evil = f"{TITLE}\x9b2J{RIGHT_TO_LEFT}"
    workspace, media, proxies = Workspace(tmp_path / f"workspace{evil}"), tmp_path / f"media{evil}", tmp_path / f"proxies{evil}"
    proxies.mkdir()
    (source,) = linked(media, [evil], tiny)
    good, bad = tmp_path / f"good{evil}.json", tmp_path / f"bad{evil}.json"
    good.write_bytes(encode({**jobspec([], proxies, naming_template="x"), "sources": [source]}))
    bad.write_bytes(encode({**jobspec([], proxies, naming_template=evil), "sources": [f"{source}.missing"], evil: evil}))
    odd = tmp_path / f"-{evil}"
    too_long = f"{evil}{'x' * 225}.json"
    (workspace.inbox / too_long).write_bytes(b"{}")
    made = ("spec", "--profile", "proxy_h264_low", "--output-directory", proxies, "--naming-template", "x")
    shown = {
        "validate": on_a_terminal(proxx, "validate", good, bad, odd),
        "usage": on_a_terminal(proxx, "validate", good, f"--{evil}"),
        "configuration": on_a_terminal(proxx, "check", "--config", odd),
        "run": on_a_terminal(proxx, "run", good, "--source-roots", media),
        "run bad": on_a_terminal(proxx, "run", bad),
        "run missing": on_a_terminal(proxx, "run", odd),
        "run outside": on_a_terminal(proxx, "run", good, "--source-roots", proxies),
        "submit": on_a_terminal(proxx, "submit", workspace.root, good, bad),
        "submit missing": on_a_terminal(proxx, "submit", workspace.root, odd),
        "status": on_a_terminal(proxx, "status", workspace.root),
        "check": on_a_terminal(proxx, "check", workspace.root, "--source-roots", odd),
        "watch": on_a_terminal(proxx, "watch", workspace.root, "--once"),
        "status json": on_a_terminal(proxx, "status", workspace.root, "--json"),
        "status of nothing": on_a_terminal(proxx, "status", odd),
        "spec": on_a_terminal(proxx, *made, "--", source),
        "spec refused": on_a_terminal(proxx, *made, "--naming-template", evil, "--", source),
        "spec per clip": on_a_terminal(proxx, *made, "--per-clip", tmp_path / f"specs{evil}", "--", source),
    }  # fmt: skip
    for command, output in shown.items():
        text = output.decode("utf-8")
        assert "pwned" in text, command
        assert "\x1b]" not in text, command
        assert "\x07" not in text, command
        assert "\x9b" not in text, command
        assert RIGHT_TO_LEFT not in text, command
        assert "Traceback" not in text, command


def test_a_program_gets_the_very_path_that_was_made(proxx: Command, tiny: Path, workspace: Workspace, tmp_path: Path) -> None:
    spec = tmp_path / os.fsdecode(b"a\x1b\xff.json")
    spec.write_bytes(encode(jobspec(tiny, tmp_path)))
    ended = proxx("submit", workspace.root, spec)
    assert ended.stdout == os.fsencode(workspace.inbox) + b"/a\x1b\xff.json\n"


@pytest.mark.parametrize(("umask", "proxy", "record"), [(0o022, 0o644, 0o644), (0o077, 0o600, 0o600), (0o000, 0o666, 0o644)])
def test_modes(
    proxx: Command, tiny: Path, workspace: Workspace, proxies: Path, tmp_path: Path, umask: int, proxy: int, record: int
) -> None:
    """A proxy is made as the umask says; what the worker writes for its workspace, nobody else may write. Staging is its own."""
    spec = tmp_path / "job.json"
    spec.write_bytes(encode(jobspec(tiny, proxies, naming_template="x")))
    encoder = around_ffmpeg(
        tmp_path / "ffmpeg", before=f"stat -c %a . >{tmp_path}/staging; stat -c %a x.mp4 >>{tmp_path}/staging"
    )
    commands: tuple[tuple[str | Path, ...], ...] = (
        ("submit", workspace.root, spec),
        ("watch", workspace.root, "--once", "--ffmpeg", encoder),
    )
    for arguments in commands:
        subprocess.run(
            [COMMAND, *arguments, *for_stand_ins(arguments)],
            check=True, env=proxx.environment, umask=umask, capture_output=True,
        )  # fmt: skip
    assert (tmp_path / "staging").read_text().split() == ["700", f"{proxy:o}"]
    assert (proxies / "x.mp4").stat().st_mode & 0o7777 == proxy
    own = [path for path in (workspace.root / ".proxx").iterdir() if path.is_file()]
    assert "status.json" in [path.name for path in own]
    for path in (*own, *workspace.done.iterdir()):
        assert path.stat().st_mode & 0o7777 == record, path
    read_result(workspace.done, "job")
    audit(workspace.root, [spec.read_bytes()], [proxies])
