"""Whatever the worker's environment holds, the tools do not get it, and a spec gives the same command and the same bytes."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.acceptance.clips import make_clip, tool
from tests.acceptance.command import Command
from tests.acceptance.results import names, parse_result, read_result
from tests.acceptance.specs import Workspace, encode, jobspec
from tests.acceptance.stand_ins import program

CHILDRENS = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
SHELLS = {"PWD", "OLDPWD", "SHLVL", "_"}
"""What the shell of the stand-in adds by itself."""


def disturbing(folder: Path) -> Mapping[str, str]:
    """Variables that FFmpeg, its libraries, the loader or Python listen to."""
    return {
        "FFREPORT": f"file={folder}/ffreport.log:level=48",
        "AV_LOG_FORCE_COLOR": "1",
        "AV_LOG_FORCE_256COLOR": "1",
        "FFMPEG_DATADIR": str(folder),
        "SVT_LOG": "4",
        "LD_PRELOAD": str(folder / "preloaded.so"),
        "LD_LIBRARY_PATH": str(folder),
        "LD_BIND_NOW": "1",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2_Usable",
        "MALLOC_PERTURB_": "85",
        "http_proxy": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "socks5://127.0.0.1:9",
        "OMP_NUM_THREADS": "1",
        "HOME": str(folder),
        "TMPDIR": str(folder / "nowhere"),
        "XDG_CONFIG_HOME": str(folder),
        "TZ": "Pacific/Kiritimati",
        "LANG": "tr_TR.UTF-8",
        "LC_ALL": "C",
        "LC_NUMERIC": "de_DE.UTF-8",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONHASHSEED": "7",
        "TERM": "xterm-256color",
        "FORCE_COLOR": "1",
        "COLUMNS": "20",
        "PROXX_WORKER_FFMPEG": "/nowhere",
        "FFMPEG": "/nowhere",
    }


def noting(folder: Path, name: str) -> Path:
    """The real tool, after its environment was written down."""
    return program(folder / name, f'env >>"{folder}/{name}.environment"\nexec {tool(name)} "$@"')


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A clip with a name that is not ASCII, in a folder that is not."""
    (tmp_path / "Médien").mkdir()
    return make_clip(tmp_path / "Médien" / "Klipp é 🎬.mov", frames=5)


def test_no_variable_reaches_a_tool_or_changes_a_proxy(proxx: Command, small: Path, proxies: Path, tmp_path: Path) -> None:
    spec = tmp_path / "Jöb.json"
    spec.write_bytes(encode(jobspec(small, proxies, naming_template="{source_name}")))
    tools = ("--ffmpeg", noting(tmp_path, "ffmpeg"), "--ffprobe", noting(tmp_path, "ffprobe"))
    plain = parse_result(proxx("run", spec, *tools).stdout)
    (proxy,) = proxies.iterdir()
    proxy.unlink()
    before = names(tmp_path)
    disturbed = proxx("run", spec, *tools, environment=disturbing(tmp_path), cwd=Path("/"))
    assert disturbed.exit_code == 0, disturbed.stderr
    result = parse_result(disturbed.stdout)
    for key in ("command", "output", "output_sha256", "output_size_bytes", "source_media", "output_media", "checks"):
        assert result["tasks"][0][key] == plain["tasks"][0][key], key
    assert result["jobspec"] == plain["jobspec"]
    assert names(proxies) == ["Klipp é 🎬.mp4"]
    assert names(tmp_path) == before, "no report, no cache, nothing beside the proxy"
    for name in ("ffmpeg", "ffprobe"):
        lines = (tmp_path / f"{name}.environment").read_text().splitlines()
        seen = {key: value for key, _, value in (line.partition("=") for line in lines)}
        assert {key: value for key, value in seen.items() if key not in SHELLS} == CHILDRENS


def test_a_log_is_the_same_kind_of_text_everywhere(proxx: Command, small: Path, workspace: Workspace, proxies: Path) -> None:
    workspace.drop("jöb", jobspec(small, proxies, naming_template="{source_name}"))
    ended = proxx("watch", workspace.root, "--once", environment=disturbing(proxies.parent))
    assert ended.exit_code == 0, ended.stderr
    assert read_result(workspace.done, "jöb")["jobspec"]["name"] == "jöb"
    log = (workspace.done / "jöb.log").read_text(encoding="utf-8")
    assert "Klipp é 🎬" in log
    assert "LD_PRELOAD" not in log, "the loader complains of it in every process that has it"
    assert "\x1b" not in log
    assert "jöb" in ended.stderr


@pytest.mark.one_in(3)
@pytest.mark.parametrize("command", ["validate", "check", "status", "submit", "spec"])
def test_no_command_stumbles_over_a_locale(
    proxx: Command, small: Path, workspace: Workspace, proxies: Path, tmp_path: Path, command: str
) -> None:
    spec = tmp_path / "jöb.json"
    spec.write_bytes(encode(jobspec(small, proxies)))
    (workspace.inbox / f"{'ü' * 118}.json").write_bytes(b"")
    arguments: Mapping[str, tuple[str | Path, ...]] = {
        "validate": (spec,),
        "check": (workspace.root,),
        "status": (workspace.root,),
        "submit": (workspace.root, spec),
        "spec": ("--profile", "proxy_h264_low", "--output-directory", proxies, "--naming-template", "ä{index}", small),
    }
    plain = proxx(command, *arguments[command])
    if command == "submit":
        (workspace.inbox / "jöb.json").unlink()
    odd = proxx(command, *arguments[command], environment={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    code = 4 if command == "status" else 0  # no worker runs
    assert (odd.exit_code, odd.stdout, odd.stderr) == (plain.exit_code, plain.stdout, plain.stderr) == (code, plain.stdout, "")
    assert plain.stdout


def test_the_environment_of_the_tests_is_what_was_asked_for(proxx: Command) -> None:
    assert set(proxx.environment) <= {"PATH", "COVERAGE_PROCESS_CONFIG"}
    assert "FFREPORT" not in os.environ
