"""One child that talks to Resolve, from its start to its end: what it told, and what its end means where it told no answer.

The parent has one rule. A child that tells nothing new while nothing grows in staging for `stall_seconds` is ended: SIGTERM,
1.5 s, SIGKILL to its whole process group. The last call that it named says where it hung.
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

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue, ProxxError
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
    """The command: this very Python, isolated from its surroundings, and the program."""
    return sys.executable, "-I", str(Path(__file__).parent / "child" / "resolve_child.py")


@dataclass(slots=True)
class Told:
    """What a child has told so far.

    `signs`: a value that changes with every word that shows that it gets on. `call`: the last one before it was told to end.
    """

    signs: int = 0
    spoke: bool = False
    connected: bool = False
    stopping: bool = False
    call: str | None = None
    media: dict[int, Fields] = field(default_factory=dict)
    answer: Fields | None = None
    percentage: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the conversation ended: the answer, or the fault where there is none; and what the child itself used."""

    told: Told
    fault: JobError | None
    usage: Usage


class _Listener:
    """Reads events as they come. What is no event of this protocol ends the conversation."""

    def __init__(self, around: EngineContext, on_percentage: Callable[[int], None]) -> None:
        self.told = Told()
        self._around = around
        self._on_percentage = on_percentage
        self._partial = b""

    def feed(self, chunk: bytes) -> None:
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        if len(self._partial) > _MAX_LINE:
            raise _not_understood(self._partial)
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            fields: object = json.loads(line)
        except ValueError:
            raise _not_understood(line) from None
        if not isinstance(fields, dict) or not (self.told.spoke or fields == {"event": "hello", "protocol": PROTOCOL}):
            raise _not_understood(line)
        self._hear(fields, line)

    def _hear(self, fields: Fields, line: bytes) -> None:  # noqa: C901 - one case for each event that there is
        told = self.told
        match fields:
            case {"event": "hello"}:
                told.spoke = True
            case {"event": "call", "name": str(name), "poll": bool(poll)}:
                told.call = told.call if told.stopping else name
                if poll:
                    return
            case {"event": "stopping"}:
                told.stopping = True
            case {"event": "media", "index": int(index)}:
                told.media[index] = fields
            case {"event": "progress", "percentage": int(percentage)}:
                told.percentage = percentage
                self._on_percentage(percentage)
            case {"event": "answer", "ok": bool()}:
                told.answer = fields
            case {"event": "connected", "product": str(product)}:
                told.connected = True
                self._around.log.event("resolve_connected", product, started=fields.get("started") is True)
            case {"event": "job"}:
                self._around.log.event("resolve_job", level="DEBUG", entry=fields.get("entry"))
            case {"event": "left"}:
                self._around.log.event(
                    "resolve_left", level="WARNING", project=fields.get("project"), reason=fields.get("reason")
                )
            case {"event": "waiting" | "cleaned"}:
                pass
            case _:
                raise _not_understood(line)
        told.signs += 1


def converse(
    argv: Sequence[str],
    request: Request,
    around: EngineContext,
    *,
    pass_fds: Sequence[int] = (),
    growth: Callable[[], object] = tuple,
    on_percentage: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Have `request` carried out by the child `argv`, and wait for the child's end.

    `growth`: a value that changes with all that is written. A stop is a fault of the outcome. Raises
    RESOLVE_UNAVAILABLE where the program cannot be run, IO_ERROR where no process can be started.
    """
    listener = _Listener(around, on_percentage)
    lines = StderrLines(lambda _line: None, around.log.encoder_lines)

    def pulse() -> tuple[object, ...]:
        # Said again once a second: the status file holds changes back, and a child that hangs brings no further occasion.
        if listener.told.percentage is not None:
            on_percentage(listener.told.percentage)
        return listener.told.signs, growth()

    around.log.event("resolve_asked", request.work, level="DEBUG", project=request.project, target=request.target)
    broken: JobError | None = None
    with _document(request) as document:
        try:
            child = run_child(
                argv,
                stop=around.stop,
                on_stdout=listener.feed,
                on_stderr=lines.feed,
                growth=pulse,
                stall_seconds=around.stall_seconds,
                stdin=document,
                pass_fds=[*around.pass_fds, *pass_fds],
                missing=ErrorCode.RESOLVE_UNAVAILABLE,
                own_group=True,
            )
        except _NotUnderstoodError as error:
            broken, child = error.error, _KILLED
    lines.finish()
    told = listener.told
    around.log.event("resolve_ended", exit_code=child.exit_code, call=told.call, answered=told.answer is not None)
    fault = broken or _fault(request, told, child, around)
    return Outcome(told, fault, Usage(child.cpu_seconds, child.peak_memory_bytes))


@contextmanager
def _document(request: Request) -> Iterator[int]:
    """The request as a file without a name: it may be longer than a pipe holds. Raises NO_SPACE, IO_ERROR."""
    with ExitStack() as stack:
        with translate_os_errors("write a request to", tempfile.gettempdir()):
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(request.encode())
            file.seek(0)
        yield file.fileno()


def _fault(request: Request, told: Told, child: ChildExit, around: EngineContext) -> JobError | None:
    """What went wrong. An answer stands, whatever became of the child afterwards."""
    if child.stopped:
        return around.stop.error("Resolve was at work").error
    if told.answer is not None:
        return _refusal(told.answer)
    surveying = request.work == "survey"
    call = told.call or "its start"
    details: dict[str, JsonValue] = {"call": told.call, "exit_code": child.exit_code}
    if child.stalled:
        return JobError(
            ErrorCode.RESOLVE_UNAVAILABLE if surveying or not told.connected else ErrorCode.ENCODE_STALLED,
            f"Resolve must get on, but for {around.stall_seconds:g} s it neither went past {call} nor wrote anything. Look at "
            "Resolve: a dialog may be open, or it must be restarted. A slower machine may need a longer `stall_seconds`.",
            {**details, "stall_seconds": around.stall_seconds},
        )
    return JobError(
        ErrorCode.RESOLVE_FAILED if told.connected else ErrorCode.RESOLVE_UNAVAILABLE,
        f"the program that talks to Resolve must answer, but it {_how(child.exit_code)} during {call}. Restart Resolve, and see "
        "that its scripting library belongs to it; the job's log has what the library said.",
        details,
    )


def _refusal(answer: Fields) -> JobError | None:
    if answer.get("ok") is True:
        return None
    code, message, details = answer.get("code"), answer.get("message"), answer.get("details")
    return JobError(
        _CODES.get(str(code), ErrorCode.RESOLVE_FAILED), str(message), dict(details) if isinstance(details, dict) else {}
    )


def _how(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with {exit_code}"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"


class _NotUnderstoodError(ProxxError):
    """The child says what this protocol does not have."""


def _not_understood(line: bytes) -> _NotUnderstoodError:
    said = line[:200].decode("utf-8", "backslashreplace")
    return _NotUnderstoodError(
        ErrorCode.RESOLVE_FAILED,
        f"the program that talks to Resolve must keep to its protocol, but it said {said!r}. See that proxx-worker is installed "
        "whole.",
        said=said,
    )


def growth_of(folder: str) -> Callable[[], object]:
    """A look at all files in `folder` that changes with every write."""

    def look() -> object:
        try:
            with os.scandir(folder) as entries:
                found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError:
            return ()
        return sorted((name, status.st_size, status.st_blocks, status.st_mtime_ns) for name, status in found)

    return look
