"""Runs one child that talks to Resolve: reads its events, and explains its exit if it gave no answer.

If a child reports nothing new and no file in staging grows for `stall_seconds`, it is stopped: SIGTERM, then after 1.5 s SIGKILL
to its whole process group. The last call that it reported says where it hung.
"""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from proxx_worker.contract.errors import JOB_LOG, ErrorCode, JobError, JsonValue, ProxxError
from proxx_worker.engines.port import EngineContext, Usage
from proxx_worker.engines.resolve.child.request import Request
from proxx_worker.engines.resolve.child.wire import PROTOCOL
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.process.child import run_child
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.process.stderr_lines import StderrLines

_MAX_LINE = 1 << 20
_CODES = {code.value: code for code in (ErrorCode.RESOLVE_UNAVAILABLE, ErrorCode.RESOLVE_FAILED, ErrorCode.SOURCE_UNSUPPORTED)}
_KILLED = ChildExit(-signal.SIGKILL, stopped=False, stalled=False, cpu_seconds=0.0, peak_memory_bytes=0)
Fields: TypeAlias = Mapping[str, JsonValue]


def child_argv() -> tuple[str, ...]:
    """The command: this Python in isolated mode, and the program."""
    return sys.executable, "-I", str(Path(__file__).parent / "child" / "resolve_child.py")


@dataclass(slots=True)
class ChildState:
    """What a child has reported so far.

    `activity`: counts the events that show progress. `call`: the last API call before it was told to stop.
    """

    activity: int = 0
    greeted: bool = False
    connected: bool = False
    stopping: bool = False
    call: str | None = None
    media: dict[int, Fields] = field(default_factory=dict)
    answer: Fields | None = None
    percentage: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended: the child's answer, or the fault; and the resources that the child itself used."""

    state: ChildState
    fault: JobError | None
    usage: Usage


class _EventReader:
    """Reads events as they arrive. Anything else is a protocol error."""

    def __init__(self, context: EngineContext, on_percentage: Callable[[int], None]) -> None:
        self.state = ChildState()
        self._context = context
        self._on_percentage = on_percentage
        self._partial = b""

    def feed(self, chunk: bytes) -> None:
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        if len(self._partial) > _MAX_LINE:
            raise _protocol_error(self._partial)
        for line in lines:
            self._parse(line)

    def _parse(self, line: bytes) -> None:
        try:
            fields: object = json.loads(line)
        except ValueError:
            raise _protocol_error(line) from None
        if not isinstance(fields, dict) or not (self.state.greeted or fields == {"event": "hello", "protocol": PROTOCOL}):
            raise _protocol_error(line)
        self._handle(fields, line)

    def _handle(self, fields: Fields, line: bytes) -> None:  # noqa: C901 - one case per event
        state = self.state
        match fields:
            case {"event": "hello"}:
                state.greeted = True
            case {"event": "call", "name": str(name), "poll": bool(poll)}:
                state.call = state.call if state.stopping else name
                if poll:
                    return
            case {"event": "stopping"}:
                state.stopping = True
            case {"event": "media", "index": int(index)}:
                state.media[index] = fields
            case {"event": "progress", "percentage": int(percentage)}:
                state.percentage = percentage
                self._on_percentage(percentage)
            case {"event": "answer", "ok": bool()}:
                state.answer = fields
            case {"event": "connected", "product": str(product)}:
                state.connected = True
                self._context.log.event("resolve_connected", product, started=fields.get("started") is True)
            case {"event": "job"}:
                self._context.log.event("resolve_job", level="DEBUG", entry=fields.get("entry"))
            case {"event": "left"}:
                self._context.log.event(
                    "resolve_left", level="WARNING", project=fields.get("project"), reason=fields.get("reason")
                )
            case {"event": "waiting" | "cleaned"}:
                pass
            case _:
                raise _protocol_error(line)
        state.activity += 1


def run_request(
    argv: Sequence[str],
    request: Request,
    context: EngineContext,
    *,
    pass_fds: Sequence[int] = (),
    growth: Callable[[], object] = tuple,
    on_percentage: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Run `request` in the child `argv`, and wait until it exits.

    `growth`: returns a value that changes with every write. A stop is the outcome's `fault`. Raises RESOLVE_UNAVAILABLE if the
    program cannot be run, IO_ERROR if no process can be started.
    """
    reader = _EventReader(context, on_percentage)
    lines = StderrLines(lambda _line: None, context.log.encoder_lines)

    def progress_token() -> tuple[object, ...]:
        # Repeated once a second: the status file delays changes, and a child that hangs triggers no further update.
        if reader.state.percentage is not None:
            on_percentage(reader.state.percentage)
        return reader.state.activity, growth()

    context.log.event("resolve_asked", request.work, level="DEBUG", project=request.project, target=request.target)
    protocol_error: JobError | None = None
    with _request_file(request) as document:
        try:
            child = run_child(
                argv,
                stop=context.stop,
                on_stdout=reader.feed,
                on_stderr=lines.feed,
                growth=progress_token,
                stall_seconds=context.stall_seconds,
                stdin=document,
                pass_fds=[*context.pass_fds, *pass_fds],
                missing=ErrorCode.RESOLVE_UNAVAILABLE,
                own_group=True,
            )
        except _ProtocolError as error:
            protocol_error, child = error.error, _KILLED
    lines.finish()
    state = reader.state
    context.log.event("resolve_ended", exit_code=child.exit_code, call=state.call, answered=state.answer is not None)
    fault = protocol_error or _fault(request, state, child, context)
    return Outcome(state, fault, Usage(child.cpu_seconds, child.peak_memory_bytes))


@contextmanager
def _request_file(request: Request) -> Iterator[int]:
    """The request as an unnamed temporary file, as it may exceed a pipe's capacity. Raises NO_SPACE, IO_ERROR."""
    with ExitStack() as stack:
        with translate_os_errors("write a request to", tempfile.gettempdir()):
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(request.encode())
            file.seek(0)
        yield file.fileno()


def _fault(request: Request, state: ChildState, child: ChildExit, context: EngineContext) -> JobError | None:
    """What went wrong. An answer counts, whatever happened to the child afterwards."""
    if child.stopped:
        return context.stop.error("Resolve was working").error
    if state.answer is not None:
        return _refusal(state.answer)
    surveying = request.work == "survey"
    call = state.call or "its start"
    details: dict[str, JsonValue] = {"call": state.call, "exit_code": child.exit_code}
    if child.stalled:
        return JobError(
            ErrorCode.RESOLVE_UNAVAILABLE if surveying or not state.connected else ErrorCode.ENCODE_STALLED,
            f"Resolve must make progress, but for {context.stall_seconds:g} s it neither got past {call} nor wrote anything. "
            "Check Resolve: a dialog may be open, or it must be restarted. A slow machine may need a longer `stall_seconds`.",
            {**details, "stall_seconds": context.stall_seconds},
        )
    return JobError(
        ErrorCode.RESOLVE_FAILED if state.connected else ErrorCode.RESOLVE_UNAVAILABLE,
        f"the program that talks to Resolve must answer, but it {_exit_text(child.exit_code)} during {call}. Restart Resolve, "
        f"and check that the scripting library belongs to it; the library's output is in {JOB_LOG}.",
        details,
    )


def _refusal(answer: Fields) -> JobError | None:
    if answer.get("ok") is True:
        return None
    code, message, details = answer.get("code"), answer.get("message"), answer.get("details")
    return JobError(
        _CODES.get(str(code), ErrorCode.RESOLVE_FAILED), str(message), dict(details) if isinstance(details, dict) else {}
    )


def _exit_text(exit_code: int) -> str:
    if exit_code >= 0:
        return f"exited with {exit_code}"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"


class _ProtocolError(ProxxError):
    """The child sent something that is not an event of this protocol."""


def _protocol_error(line: bytes) -> _ProtocolError:
    said = line[:200].decode("utf-8", "backslashreplace")
    return _ProtocolError(
        ErrorCode.RESOLVE_FAILED,
        f"the program that talks to Resolve must follow its protocol, but it sent {said!r}. Install proxx-worker again.",
        said=said,
    )


def folder_state(folder: str) -> Callable[[], object]:
    """A function that returns a value which changes with every write to the files in `folder`."""

    def state() -> object:
        try:
            with os.scandir(folder) as entries:
                found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError:
            return ()
        return sorted((name, status.st_size, status.st_blocks, status.st_mtime_ns) for name, status in found)

    return state
