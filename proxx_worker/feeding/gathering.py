"""Decides which outputs of which results go where, and what prevents that, before anything moves. Pure."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.contract.text import folded, steady_json

MANIFEST_NAME = "gathered.json"
MANIFEST_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Output:
    """A finished output as its result describes it: where it was published, and its SHA-256 in hex."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What `gather` needs of a result. `failure`: its error's code and message if it FAILED; then it has no outputs."""

    job_id: str
    outputs: tuple[Output, ...]
    failure: tuple[ErrorCode, str] | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """One output's move: `source` and `target` are absolute paths."""

    source: str
    target: str
    sha256: str


def read_result(data: bytes) -> ReadResult:
    """Read a result of any version 1: fields are only ever added. Raises `ValueError` for anything else."""
    match orjson.loads(data):
        case {
            "result_version": str(version),
            "job_id": str(job_id),
            "status": "FAILED",
            "error": {"code": str(code), "message": str(message)},
        }:
            if version.startswith("1."):
                return ReadResult(job_id, (), (_code(code), message))
        case {"result_version": str(version), "job_id": str(job_id), "status": "COMPLETED", "tasks": list(tasks)}:
            if version.startswith("1."):
                return ReadResult(job_id, tuple(map(_output, tasks)))
        case _:
            pass
    raise ValueError("it is not a version 1 result")


def _code(name: str) -> ErrorCode:
    if name not in ErrorCode.__members__:
        raise ValueError(f"{name} is not an error code")
    return ErrorCode[name]


def _output(task: object) -> Output:
    match task:
        # Where a path was mapped, `output_path` is where the worker that ran it put the file.
        case {"output_path": str(path), "output_sha256": str(sha256)} | {"output": str(path), "output_sha256": str(sha256)}:
            if not path.startswith("/") or "\0" in path or not posixpath.basename(path):
                raise ValueError("the path of an output is not a file path")
            return Output(path, sha256)
        case _:
            raise ValueError("a task of a COMPLETED job has no output")


def moves_of(outputs: Sequence[Output], into: str) -> tuple[Move, ...]:
    """Where each output goes: into the folder `into`, under its own name. One that is named twice is moved once.

    Raises `ProxxError`: OUTPUT_NAME_COLLISION where two would have one name, upper and lower case counting as one.
    """
    names: dict[str, Output] = {}
    for output in outputs:
        name = posixpath.basename(output.path)
        other = names.setdefault(folded(name), output)
        if other != output or folded(name) == folded(MANIFEST_NAME):
            rival = other.path if other != output else "the list of what was gathered"
            raise ProxxError(
                ErrorCode.OUTPUT_NAME_COLLISION,
                f"{rival} and {output.path} would both be called {name} in {into}; nothing was moved. Gather them separately",
                outputs=[rival, output.path],
            )
    return tuple(
        Move(output.path, posixpath.join(into, posixpath.basename(output.path)), output.sha256) for output in names.values()
    )


def read_manifest(data: bytes) -> tuple[Move, ...]:
    """The moves that a `gathered.json` lists. Raises `ValueError` for anything else."""
    match orjson.loads(data):
        case {"gathered_version": "1.0", "outputs": list(outputs)}:
            return tuple(_move(output) for output in outputs)
        case _:
            raise ValueError("it is not a version 1.0 list of gathered outputs")


def _move(entry: object) -> Move:
    match entry:
        case {"from": str(source), "to": str(target), "sha256": str(sha256)}:
            return Move(source, target, sha256)
        case _:
            raise ValueError("an entry does not have from, to and sha256")


def write_manifest(moves: Sequence[Move]) -> bytes:
    """The bytes of `gathered.json`: sorted by where the files are now, so that the order of gathering does not show."""
    # All are in one folder, which may be named by several paths: the last one counts.
    by_name: Mapping[str, Move] = {posixpath.basename(move.target): move for move in moves}
    outputs: list[JsonValue] = [
        {"from": move.source, "to": move.target, "sha256": move.sha256}
        for move in sorted(by_name.values(), key=lambda move: move.target)
    ]
    document: dict[str, JsonValue] = {"gathered_version": MANIFEST_VERSION, "outputs": outputs}
    return steady_json(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
