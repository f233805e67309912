"""Results read as an integrator reads them, each held to the published schema and to what the contract says of every result."""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.faults.invariants import Expected, violations

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schema"

VALIDATION = [
    "SPEC_NOT_JSON",
    "SPEC_TOO_LARGE",
    "SPEC_VERSION",
    "SPEC_INVALID",
    "PROFILE_UNKNOWN",
    "OUTPUT_NAME_INVALID",
    "OUTPUT_NAME_COLLISION",
    "SOURCE_MISSING",
    "SOURCE_NOT_A_FILE",
    "SOURCE_UNREADABLE",
    "SOURCE_NO_VIDEO",
    "SOURCE_UNSUPPORTED",
    "PATH_NOT_ALLOWED",
    "ENGINE_MISMATCH",
    "MIXED_ENGINES",
]
EXECUTION = [
    "ENCODE_FAILED",
    "ENCODE_STALLED",
    "ENCODE_OUT_OF_MEMORY",
    "SOURCE_DAMAGED",
    "OUTPUT_INVALID",
    "RESOLVE_FAILED",
    "INTERRUPTED",
    "CANCELLED",
    "INTERNAL_ERROR",
]
ENVIRONMENT = [
    "FFMPEG_MISSING",
    "FFPROBE_MISSING",
    "RESOLVE_UNAVAILABLE",
    "OUTPUT_DIRECTORY_MISSING",
    "OUTPUT_DIRECTORY_NOT_WRITABLE",
    "OUTPUT_DIRECTORY_BUSY",
    "OUTPUT_EXISTS",
    "SOURCE_CHANGED",
    "NO_SPACE",
    "WORKSPACE_INVALID",
    "WORKSPACE_BUSY",
    "RENAME_NOT_ATOMIC",
    "UNSUPPORTED_FILESYSTEM",
    "SANDBOX_UNAVAILABLE",
    "IO_ERROR",
]
EXIT_CODES = {**dict.fromkeys(VALIDATION, 1), **dict.fromkeys(EXECUTION, 2), **dict.fromkeys(ENVIRONMENT, 4)}

Result = dict[str, Any]
RFC_3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@cache
def result_validator() -> Draft202012Validator:
    """A validator of the published schema of results."""
    return Draft202012Validator(json.loads((SCHEMAS / "result.schema.json").read_bytes()))


def parse_result(data: bytes) -> Result:
    """The result in `data`, after everything that must hold of any result has been shown to hold."""
    result: Result = json.loads(data.decode("utf-8"))
    result_validator().validate(result)
    assert data.startswith(b'{\n  "result_version": "1.1",\n  "'), "two-space indent"
    assert data.endswith(b"\n}\n"), "a trailing newline"
    assert result["result_version"] == "1.1"
    _holds_of_every_result(result)
    return result


def _holds_of_every_result(result: Result) -> None:
    tasks, completed = result["tasks"], result["status"] == "COMPLETED"
    assert (result["error"] is None) == completed
    assert [task["index"] for task in tasks] == list(range(len(tasks)))
    assert completed == (bool(tasks) and all(task["status"] == "COMPLETED" for task in tasks))
    for moment in (result, *tasks):
        for key in ("started_at", "finished_at"):
            assert moment[key] is None or RFC_3339_UTC.fullmatch(moment[key])
    for task in tasks:
        done = task["status"] == "COMPLETED"
        assert (task["output"] is not None) == done
        assert task["status"] != "FAILED" or task["error"] is not None
        assert not (done and task["error"])
        assert not (done and any(check["ok"] is False for check in task["checks"]))
    for error in (result["error"], *(task["error"] for task in tasks)):
        if error is not None:
            assert set(error) == {"code", "message", "details"}
            assert error["code"] in EXIT_CODES
            assert len(error["message"]) > 20, "a message says what is wrong and what to do"
            assert "\n" not in error["message"]


def read_result(folder: Path, stem: str) -> Result:
    """The result of a finished job in `done/` or `failed/`: its three files are there and fit."""
    spec = (folder / f"{stem}.json").read_bytes()
    result = parse_result((folder / f"{stem}.result.json").read_bytes())
    assert result["jobspec"]["name"] == stem
    assert result["jobspec"]["sha256"] == hashlib.sha256(spec).hexdigest()
    assert result["status"] == {"done": "COMPLETED", "failed": "FAILED"}[folder.name]
    assert (folder / f"{stem}.log").stat().st_size > 0, "every finished job has a log that says something"
    return result


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden entries included."""
    return sorted(os.listdir(folder))  # noqa: PTH208 - names, as bytes would sort


def stems(folder: Path) -> list[str]:
    """The finished jobs of `done/` or `failed/`, by their specs."""
    return [name[: -len(".json")] for name in names(folder) if name.endswith(".json") and not name.endswith(".result.json")]


def statuses(result: Result) -> list[str]:
    """Each task's status."""
    return [task["status"] for task in result["tasks"]]


def audit(workspace: Path, specs: Iterable[bytes], outputs: Iterable[Path] = ()) -> None:
    """Fails unless each spec is in exactly one folder, each finished job whole, and no output directory holds anything else."""
    expected = Expected(specs=list(specs), outputs={directory: {} for directory in outputs})
    assert violations(workspace, expected, settled=True) == []


def snapshot(folder: Path, *, times: bool = False) -> dict[str, tuple[object, ...]]:
    """All that is in `folder` at any depth: kind, mode and inode, bytes or a link's target, with `times` also when it changed."""
    entries: dict[str, tuple[object, ...]] = {}
    for path in sorted([folder, *folder.rglob("*")]):
        info = path.lstat()
        content: object = None
        if stat.S_ISLNK(info.st_mode):
            content = str(path.readlink())
        elif stat.S_ISREG(info.st_mode):
            content = _content(path)
        changed = (info.st_mtime_ns, info.st_ctime_ns) if times else ()
        entries[str(path.relative_to(folder))] = (oct(info.st_mode), info.st_ino, content, *changed)
    return entries


def _content(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except PermissionError:
        return "unreadable"
