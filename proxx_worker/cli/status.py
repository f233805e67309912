"""`status`: what a workspace's worker does now, read from the files that it keeps. Touches nothing."""

import argparse
import os
import socket
import sys
from pathlib import Path

import orjson

from proxx_worker.cli.console import fail, say
from proxx_worker.contract.candidates import display_name, is_candidate_name, stem_too_long
from proxx_worker.contract.errors import JsonValue, ProxxError
from proxx_worker.contract.text import steady_json
from proxx_worker.files.errnos import errors_named
from proxx_worker.workspace.holder import Holder, is_dead_here
from proxx_worker.workspace.layout import Workspace

_STATUS_FIELDS = ("state", "pid", "host", "started_at", "heartbeat_at", "inbox", "job")


def status(arguments: argparse.Namespace) -> int:
    """Print the status as JSON (with `alive`) or for a person."""
    workspace = Workspace(Path(arguments.workspace))
    try:
        workspace.require()
        document = _document(workspace)
    except ProxxError as fault:
        return fail(fault.error.message, fault.code)
    if arguments.json:
        data = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        sys.stdout.buffer.write(steady_json(data))
    else:
        for line in _lines(document):
            say(line)
    return 0


def _document(workspace: Workspace) -> dict[str, JsonValue]:
    """status.json, `alive` (null where the worker is on another host, where this one cannot look), and the names left alone."""
    document: dict[str, JsonValue] = dict.fromkeys(_STATUS_FIELDS)
    try:
        written = orjson.loads(workspace.status_file.read_bytes())
        document |= written if isinstance(written, dict) else {}
    except FileNotFoundError:
        pass  # No worker has ever run here.
    except (OSError, orjson.JSONDecodeError):
        document["state"] = None
    document["alive"] = _alive(workspace)
    names = _names_in(workspace)
    document["inbox"] = sum(map(is_candidate_name, names))  # a worker that runs a job has counted before it
    document["left_alone"] = [display_name(name) for name in sorted(names) if stem_too_long(name)]
    return document


def _alive(workspace: Workspace) -> bool | None:
    holder = Holder.read(workspace.lock_file)
    if holder is None or is_dead_here(holder):
        return False
    return True if holder.host == socket.gethostname() else None


def _names_in(workspace: Workspace) -> list[bytes]:
    with errors_named("list the inbox", workspace.inbox, state_folder=True):
        try:
            return os.listdir(workspace.inbox)  # noqa: PTH208 - names as bytes, which pathlib has not
        except FileNotFoundError:
            return []  # a workspace that no worker has prepared yet


def _lines(document: dict[str, JsonValue]) -> list[str]:
    match document["alive"]:
        case None:
            alive = "on another host, whose processes this one cannot see"
        case alive_here:
            alive = "alive" if alive_here else "not running"
    lines = [f"worker:  {alive}" + (f" (pid {document['pid']} on {document['host']})" if document["pid"] is not None else "")]
    state = document["state"] or "no worker has run here yet"
    if document["alive"] is False and document["heartbeat_at"] is not None:
        state = f"was {state} at {document['heartbeat_at']}"  # what a worker that ended wrote last is no news of today
    lines += [f"state:   {state}", f"inbox:   {document['inbox']} waiting"]
    match document["job"]:
        case {"name": name, "job_id": job_id, "task": task, "tasks": tasks, **facts}:
            lines.append(f"job:     {name} (job_id {job_id}), task {task} of {tasks}: {facts.get('source')}")
            shown = [f"{key.removesuffix('_seconds')} {facts[key]}" for key in _FACTS if facts.get(key) is not None]
            lines.append(f"         {', '.join(shown)}")
        case _:
            pass
    match document["left_alone"]:
        case list(names):
            lines += [f"left alone, its name is too long: {name}" for name in names]
        case _:
            pass
    return lines


_FACTS = ("position_seconds", "duration_seconds", "frames", "speed")
