"""`--version`, `--help`, usage errors, `profiles`, `schema`: what is asked of the command before any job."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.acceptance.command import COMMAND, Command
from tests.acceptance.results import EXIT_CODES, names
from tests.acceptance.specs import CONTAINERS, FFMPEG_PROFILES, RESOLVE_PROFILES, encode, explicit, jobspec

COMMANDS = ("watch", "run", "validate", "spec", "submit", "feed", "gather", "status", "check", "profiles", "schema")
SETTINGS = (
    "ffmpeg",
    "ffprobe",
    "declared_versions",
    "poll_seconds",
    "settle_seconds",
    "stall_seconds",
    "log_format",
    "progress_format",
    "metrics_file",
    "path_map",
    "source_roots",
    "output_roots",
)
IDLE = {
    "watch": (),
    "run": ("poll_seconds", "settle_seconds", "metrics_file"),
    "validate": ("poll_seconds", "settle_seconds", "metrics_file", "declared_versions", "log_format", "progress_format"),
    "check": ("poll_seconds", "settle_seconds", "declared_versions", "log_format", "progress_format", "stall_seconds"),
}
"""Flags that each of these commands accepts and that change nothing there: its help does not list them."""


def test_the_version_is_one_line(proxx: Command) -> None:
    ended = proxx("--version")
    assert ended.exit_code == 0
    assert re.fullmatch(rb"proxx-worker \d+\.\d+\.\d+\S*\n", ended.stdout)
    assert ended.stderr == ""


def test_help_names_every_command(proxx: Command) -> None:
    ended = proxx("--help")
    assert ended.exit_code == 0
    assert all(command in ended.stdout.decode() for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(proxx: Command, command: str) -> None:
    ended = proxx(command, "--help")
    assert ended.exit_code == 0
    if command in IDLE:
        told = {setting for setting in ("config", *SETTINGS) if f"--{setting.replace('_', '-')} " in ended.stdout.decode()}
        assert told == {"config", *SETTINGS} - set(IDLE[command])


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("encode",),
        ("watch",),
        ("run",),
        ("run", "a.json", "b.json"),
        ("run", "a.json", "--overwrite"),
        ("validate",),
        ("spec", "--profile", "proxy_h264_low", "a.mov"),
        ("spec", "--output-directory", "/tmp", "a.mov"),
        ("submit", "/tmp"),
        ("schema",),
        ("schema", "jobspecs"),
        ("profiles", "--yaml"),
        ("watch", "/tmp", "--poll-seconds", "soon"),
        ("watch", "/tmp", "--poll-seconds", "-1"),
        ("watch", "/tmp", "--log-format", "xml"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_64(proxx: Command, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = proxx(*arguments, cwd=tmp_path)
    assert ended.exit_code == 64
    assert ended.stdout == b""
    assert ended.stderr != ""
    assert "Traceback" not in ended.stderr


def test_no_command_at_all_lists_the_commands(proxx: Command) -> None:
    ended = proxx()
    assert (ended.exit_code, ended.stdout) == (64, b"")
    assert ended.stderr.encode() == proxx("--help").stdout


@pytest.mark.parametrize("arguments", [("run", "a.json", "--overwrite"), ("run", "a.json", "b.json"), ("run",)], ids=" ".join)
def test_a_wrong_command_line_is_answered_with_the_usage_of_its_command(proxx: Command, arguments: tuple[str, ...]) -> None:
    said = proxx(*arguments).stderr
    assert said.startswith("usage: proxx-worker run ")
    assert said.endswith("(`proxx-worker run --help` explains)\n")


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_spec_that_cannot_be_read_is_named_once(proxx: Command, tmp_path: Path, command: str) -> None:
    ended = proxx(command, "missing.json", cwd=tmp_path)
    assert ended.exit_code == 64
    reason = "No such file or directory; name a readable JobSpec file"
    assert ended.stderr == f"proxx-worker: the JobSpec missing.json cannot be read: {reason}\n"


def test_profiles_as_text_are_one_line_each(proxx: Command) -> None:
    ended = proxx("profiles")
    assert ended.exit_code == 0
    lines = ended.stdout.decode().splitlines()
    for name in (*FFMPEG_PROFILES, *RESOLVE_PROFILES):
        assert len([line for line in lines if name in line.split()]) == 1


def test_profiles_as_json_say_engine_codec_container_and_size(proxx: Command) -> None:
    ended = proxx("profiles", "--json")
    assert ended.exit_code == 0
    profiles: dict[str, Any] = {profile["name"]: profile for profile in json.loads(ended.stdout)}
    assert profiles.keys() == {*FFMPEG_PROFILES, *RESOLVE_PROFILES}
    for name, settings in FFMPEG_PROFILES.items():
        profile = profiles[name]
        assert profile["engine"] == "ffmpeg"
        assert (profile["codec"], profile["container"], profile["resolution"]) == settings
    assert {profiles[name]["engine"] for name in RESOLVE_PROFILES} == {"resolve"}


@pytest.mark.parametrize("document", ["jobspec", "result"])
def test_a_schema_is_valid_and_the_one_in_docs(proxx: Command, project_root: Path, document: str) -> None:
    ended = proxx("schema", document)
    assert ended.exit_code == 0
    schema = json.loads(ended.stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    assert ended.stdout == (project_root / "docs" / "schema" / f"{document}.schema.json").read_bytes()


def test_the_schema_of_specs_takes_what_the_worker_takes(proxx: Command) -> None:
    schema = Draft202012Validator(json.loads(proxx("schema", "jobspec").stdout))
    pairs = [(codec, container) for codec, containers in CONTAINERS.items() for container in containers]
    for codec, container in pairs:
        schema.validate(jobspec(["/clips/a.mov"], "/proxies", **explicit(codec, container)))
    for profile in FFMPEG_PROFILES:
        schema.validate(jobspec(["/clips/a.mov"], "/proxies", proxy_profile=profile))
    refused = [
        jobspec(["/clips/a.mov"], "/proxies", jobspec_version="2.0"),
        jobspec(["/clips/a.mov"], "/proxies", surprise=1),
        jobspec([], "/proxies"),
        jobspec(["/clips/a.mov"], "/proxies", proxy_profile="best"),
        jobspec(["/clips/a.mov"], "/proxies", **explicit("dnxhd", "mov")),
    ]
    assert [schema.is_valid(document) for document in refused] == [False] * len(refused)


def test_the_schema_of_results_knows_every_code(proxx: Command) -> None:
    text = proxx("schema", "result").stdout.decode()
    assert [code for code in EXIT_CODES if f'"{code}"' not in text] == []


def test_spec_prints_a_jobspec_that_validates_and_runs(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    ended = proxx("spec", "--profile", "proxy_h264_quarter", "--output-directory", proxies, clip)
    assert ended.exit_code == 0
    document = json.loads(ended.stdout)
    assert document["jobspec_version"] == "2.1"
    assert document["sources"] == [str(clip)]
    spec = tmp_path / "spec.json"
    spec.write_bytes(ended.stdout)
    assert proxx("validate", spec).exit_code == 0
    assert proxx("run", spec).exit_code == 0


def test_spec_makes_paths_absolute(proxx: Command, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "proxies").mkdir()
    (tmp_path / "b.mov").symlink_to(clip)
    (tmp_path / "a.mov").symlink_to(clip)
    ended = proxx("spec", "--profile", "proxy_prores_lt", "--output-directory", "proxies", "b.mov", "a.mov", cwd=tmp_path)
    document = json.loads(ended.stdout)
    assert document["sources"] == [str(tmp_path / "b.mov"), str(tmp_path / "a.mov")]
    assert document["output_directory"] == str(tmp_path / "proxies")


def test_spec_per_clip_writes_one_file_per_source(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    (tmp_path / "sd").mkdir()
    sources = [tmp_path / "A.mov", tmp_path / "B.mov", tmp_path / "sd" / "A.mov"]
    for source in sources:
        source.symlink_to(clip)
    specs = tmp_path / "specs"
    specs.mkdir()
    ended = proxx("spec", "--profile", "proxy_h264_low", "--output-directory", proxies, "--per-clip", specs, *sources)
    assert ended.exit_code == 0
    written = sorted(specs.iterdir())
    assert sorted(json.loads(path.read_bytes())["sources"] for path in written) == sorted([str(source)] for source in sources)
    assert sorted(ended.stdout.decode().splitlines()) == [str(path) for path in written]
    assert f"{sources[0]} and {sources[2]} would both become {proxies}/A.mp4" in ended.stderr, "that one will be refused is told"
    assert proxx("validate", *written).exit_code == 0
    before = {path: path.read_bytes() for path in written}
    proxx("spec", "--profile", "proxy_prores_lt", "--output-directory", proxies, "--per-clip", specs, *sources)
    assert {path: path.read_bytes() for path in written} == before, "what is there is never overwritten"


@pytest.mark.parametrize("name", ["A.result.mov", ".A.mov", "x" * 236 + ".mov"])
def test_spec_per_clip_writes_no_name_that_would_be_left_alone_in_an_inbox(
    proxx: Command, clip: Path, proxies: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).symlink_to(clip)
    made = ("spec", "--profile", "proxy_h264_low", "--output-directory", proxies, "--naming-template", "{index}")
    ended = proxx(*made, "--per-clip", tmp_path / "specs", clip, tmp_path / name)
    assert (ended.exit_code, ended.stdout) == (64, b"")
    assert name in ended.stderr
    assert not (tmp_path / "specs").exists()
    assert proxx(*made, tmp_path / name).exit_code == 0


def test_spec_per_clip_leaves_no_torn_file(
    clip: Path, proxies: Path, tmp_path: Path, child_environment: Mapping[str, str]
) -> None:
    made = ("spec", "--profile", "proxy_h264_low", "--output-directory", proxies, "--per-clip", tmp_path / "specs", clip)
    ended = subprocess.run(["prlimit", "--fsize=100", COMMAND, *made], env=child_environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (4, b"")
    assert names(tmp_path / "specs") == []


def test_spec_refuses_what_a_worker_would_refuse(proxx: Command, clip: Path, proxies: Path) -> None:
    ended = proxx("spec", "--profile", "proxy_best", "--output-directory", proxies, clip)
    assert ended.exit_code != 0
    assert ended.stdout == b""
    assert "proxy_best" in ended.stderr


def test_an_output_that_nobody_reads_is_no_crash(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(clip, proxies)))
    ended = proxx("validate", spec, environment={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert ended.exit_code == 0
