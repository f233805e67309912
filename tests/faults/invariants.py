"""What must hold of a workspace at any moment, and when a worker has nothing left to do: read from the disk alone.

Written against the contract, with the standard library: it shares no code with the worker that it judges.
"""

import hashlib
import json
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

STATES = ("inbox", "running", "done", "failed")
OUTBOX = {"done": "COMPLETED", "failed": "FAILED"}


@dataclass(frozen=True)
class Expected:
    """What was put in.

    `specs`: the bytes of every dropped spec, each different from the others. `outputs`: each output directory with what it held
    before (name -> bytes). `executions`: for each spec (SHA-256, hex) how often an encoder was started for it.
    """

    specs: Sequence[bytes]
    outputs: Mapping[Path, Mapping[str, bytes]] = field(default_factory=dict)
    executions: Mapping[str, int] = field(default_factory=dict)


def violations(workspace: Path, expected: Expected, *, settled: bool) -> list[str]:
    """Every broken invariant, in words. `settled`: the worker has ended and recovery has run, so nothing may be half done."""
    return [
        *_specs_in_one_folder(workspace, expected.specs),
        *_outbox_is_whole(workspace, settled=settled),
        *_inbox_holds_no_results(workspace),
        *(_nothing_is_running(workspace) if settled else ()),
        *_outputs_are_whole(workspace, expected.outputs, settled=settled),
        *_executed_once(expected.executions),
    ]


def _entries(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))


def _is_spec(path: Path) -> bool:
    if path.suffix != ".json" or path.name.endswith(".result.json"):
        return False
    return stat.S_ISREG(path.lstat().st_mode)


def digest(data: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()


def _specs_in_one_folder(workspace: Path, specs: Sequence[bytes]) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for state in STATES:
        for path in _entries(workspace / state):
            if _is_spec(path):
                found.setdefault(digest(path.read_bytes()), []).append(f"{state}/{path.name}")
    dropped = {digest(spec) for spec in specs}
    for spec in sorted(dropped):
        places = found.get(spec, [])
        if len(places) != 1:
            yield f"spec {spec[:12]} is in {len(places)} places: {places}"
    for spec in found.keys() - dropped:
        yield f"a spec that nobody dropped, or whose bytes were changed: {found[spec]}"


def _outbox_is_whole(workspace: Path, *, settled: bool) -> Iterator[str]:
    for folder, status in OUTBOX.items():
        entries = list(_entries(workspace / folder))
        stems = {path.name.removesuffix(".json") for path in entries if _is_spec(path)}
        for stem in sorted(stems):
            yield from (f"{folder}/{stem}: {fault}" for fault in _finished_job(workspace / folder, stem, status))
        if settled:
            owned = {f"{stem}{suffix}" for stem in stems for suffix in (".json", ".result.json", ".log", ".corrupt")}
            yield from (f"{folder}/{path.name} belongs to no job" for path in entries if path.name not in owned)


def _finished_job(folder: Path, stem: str, status: str) -> Iterator[str]:
    result = _read_result(folder / f"{stem}.result.json")
    if result is None:
        yield "its result is missing or is not JSON"
        return
    if not (folder / f"{stem}.log").is_file():
        yield "its log is missing"
    if result.get("status") != status:
        yield f"its result says {result.get('status')}"
    if (result.get("error") is None) != (status == "COMPLETED"):
        yield f"its result's error is {result.get('error')}"
    jobspec = result.get("jobspec")
    spec_digest = jobspec.get("sha256") if isinstance(jobspec, dict) else None
    if spec_digest is None and _could_not_be_read(result.get("error")):
        return
    if spec_digest != digest((folder / f"{stem}.json").read_bytes()):
        yield "its result is of another spec"


def _could_not_be_read(error: Json) -> bool:
    """Whether the worker was not permitted to open the spec, as where an EACCES hits this very call: then it knows no digest."""
    return (
        isinstance(error, dict)
        and error.get("code") == "IO_ERROR"
        and str(error.get("message")).startswith("the worker must be able to read a spec, but the system refused: Permission")
    )


def _read_result(path: Path) -> dict[str, Json] | None:
    try:
        content: Json = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _inbox_holds_no_results(workspace: Path) -> Iterator[str]:
    for path in _entries(workspace / "inbox"):
        if path.name.endswith((".result.json", ".log")):
            yield f"inbox/{path.name} is there"


def _nothing_is_running(workspace: Path) -> Iterator[str]:
    for path in sorted((workspace / "running").iterdir()):
        yield f"running/{path.name} is left"


def _outputs_are_whole(workspace: Path, outputs: Mapping[Path, Mapping[str, bytes]], *, settled: bool) -> Iterator[str]:
    promised = dict(_promised_outputs(workspace))
    committed = dict(_committed_in_running(workspace))
    for path, sha256 in sorted(promised.items()):
        if not path.is_file():
            yield f"{path} is promised by a result and is not there"
        elif digest(path.read_bytes()) != sha256:
            yield f"{path} is not what its result says"
    for directory, before in outputs.items():
        yield from _directory(directory, before, {**committed, **promised}, settled=settled)


def _directory(directory: Path, before: Mapping[str, bytes], known: Mapping[Path, str | None], *, settled: bool) -> Iterator[str]:
    for name, data in before.items():
        if not (directory / name).is_file() or (directory / name).read_bytes() != data:
            yield f"{directory / name} was there before and was changed"
    for path in sorted(directory.iterdir()):
        if path.name in before:
            continue
        if path.name.startswith(".proxx-"):
            if settled:
                yield f"{path} is left"
        elif path not in known:
            yield f"{path} has a final name and no result speaks of it"
        elif digest(path.read_bytes()) != known[path]:
            yield f"{path} has a final name and is not whole"


def _promised_outputs(workspace: Path) -> Iterator[tuple[Path, str]]:
    yield from _outputs_in(_entries(workspace / "done"))


def _committed_in_running(workspace: Path) -> Iterator[tuple[Path, str]]:
    yield from _outputs_in(_entries(workspace / "running"))


def _outputs_in(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        if not path.name.endswith(".result.json"):
            continue
        result = _read_result(path) or {}
        tasks = result.get("tasks")
        for task in tasks if isinstance(tasks, list) and result.get("status") == "COMPLETED" else ():
            if isinstance(task, dict) and isinstance(task.get("output"), str):
                yield Path(str(task.get("output_path") or task["output"])), str(task.get("output_sha256"))


def _executed_once(executions: Mapping[str, int]) -> Iterator[str]:
    for spec, times in executions.items():
        if times > 1:
            yield f"spec {spec[:12]} was executed {times} times"
