"""What `list --json` and `events --json` print, and the JSON Schemas of both. Pure. `python -m` prints one, for docs/schema."""

import sys
from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

import orjson

from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.text import steady_json, writable
from proxx_worker.desk.jobs import JobState, JobSummary

Schema: TypeAlias = "dict[str, JsonValue]"

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def list_document(workspace: str, counts: Mapping[JobState, int], jobs: Iterable[JobSummary]) -> bytes:
    """One JSON document: how many jobs are in each state, and those that were asked for."""
    document: JsonValue = {
        "list_version": "1.0",
        "workspace": writable(workspace),
        "counts": {state.value: counts[state] for state in JobState},
        "jobs": [writable(_listed(job)) for job in jobs],
    }
    return steady_json(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def ended_line(job: JobSummary) -> bytes:
    """One line of JSON for a job that ended."""
    fields = {name: value for name, value in _listed(job).items() if name not in {"state", "resubmittable"}}
    return _line({"event": "ended", "status": "COMPLETED" if job.state is JobState.DONE else "FAILED", **fields})


def started_line(name: str, job_id: str) -> bytes:
    """One line of JSON for a job that was seen to run."""
    return _line({"event": "started", "name": name, "job_id": job_id})


def _line(fields: Mapping[str, JsonValue]) -> bytes:
    return steady_json(orjson.dumps(writable({**fields}), option=orjson.OPT_APPEND_NEWLINE))


def _listed(job: JobSummary) -> dict[str, JsonValue]:
    return {
        "name": job.name,
        "state": job.state.value,
        "job_id": job.job_id,
        "profile": job.profile,
        "sources": [*job.sources],
        "outputs": [*job.outputs],
        "code": job.code,
        "message": job.message,
        "unreadable": job.unreadable,
        "resubmittable": job.resubmittable,
        "sha256": job.sha256,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "duration_seconds": job.duration_seconds,
    }


_TEXT: Final[Schema] = {"type": "string"}
_TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
_TEXTS: Final[Schema] = {"type": "array", "items": {"type": "string"}}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}

_FIELDS: Final[dict[str, Schema]] = {
    "name": {**_TEXT, "description": "The job's stem; bytes that are not UTF-8 as \\xNN."},
    "state": {"enum": [state.value for state in JobState]},
    "job_id": {**_TEXT_OR_NULL, "description": "Null, like all fields below, for a job that has not ended."},
    "profile": _TEXT_OR_NULL,
    "sources": {**_TEXTS, "description": "As in the spec."},
    "outputs": {**_TEXTS, "description": "Of the completed tasks."},
    "code": {**_TEXT_OR_NULL, "description": "Of a failed job."},
    "message": _TEXT_OR_NULL,
    "unreadable": {**_TEXT_OR_NULL, "description": "Why the result cannot be read; null if it can."},
    "resubmittable": {"type": "boolean", "description": "Whether submitting a failed job's spec again can help."},
    "sha256": {**_TEXT_OR_NULL, "description": "Of the spec's bytes."},
    "started_at": _TEXT_OR_NULL,
    "finished_at": _TEXT_OR_NULL,
    "duration_seconds": {"type": ["number", "null"]},
}
_ENDED: Final = [name for name in _FIELDS if name not in {"state", "resubmittable"}]


def list_schema() -> Schema:
    """The JSON Schema of `list --json`."""
    properties: dict[str, JsonValue] = {
        "list_version": {"const": "1.0"},
        "workspace": _TEXT,
        "counts": _object({state.value: _COUNT for state in JobState}),
        "jobs": {"type": "array", "items": _object({**_FIELDS})},
    }
    return {"$schema": _DIALECT, "$id": "urn:proxx-worker:schema:list:1.0", "title": "List 1.0", **_object(properties)}


def event_schema() -> Schema:
    """The JSON Schema of one line of `events --json`."""
    ended: dict[str, JsonValue] = {"event": {"const": "ended"}, "status": {"enum": ["COMPLETED", "FAILED"]}}
    ended.update({name: _FIELDS[name] for name in _ENDED})
    started: dict[str, JsonValue] = {"event": {"const": "started"}, "name": _FIELDS["name"], "job_id": _TEXT}
    return {
        "$schema": _DIALECT,
        "$id": "urn:proxx-worker:schema:event:1.0",
        "title": "Event 1.0",
        "oneOf": [_object(ended), _object(started)],
    }


def _object(properties: dict[str, JsonValue]) -> Schema:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def schema_text(name: Literal["list", "event"]) -> str:
    """A schema as docs/schema holds it."""
    schema = list_schema() if name == "list" else event_schema()
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


if __name__ == "__main__":
    sys.stdout.write(schema_text("list" if sys.argv[1] == "list" else "event"))
