"""The program: `PYTHON -I resolve_child.py`, one request on standard input, events on what was standard output.

fusionscript may block for ever, crash, or crash at the interpreter's end after all went well. So it lives here and not in the
worker: the answer is written before anything is cleaned up, and the process ends by `os._exit`.
"""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))  # `-I` leaves the package's own place out

from proxx_worker.engines.resolve.child.render import Render
from proxx_worker.engines.resolve.child.request import Request
from proxx_worker.engines.resolve.child.session import Session
from proxx_worker.engines.resolve.child.survey import survey
from proxx_worker.engines.resolve.child.wire import FAILED, PROTOCOL, RefusalError, StoppedError, Wire


def main() -> None:
    """Do what is asked, tell the outcome, clean up, and end."""
    wire = Wire(os.dup(1))
    os.dup2(2, 1)  # fusionscript talks
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    request = Request.decode(sys.stdin.buffer.read())
    wire.tell("hello", protocol=PROTOCOL)
    session = Session(wire, request)
    work = _Survey(session) if request.work == "survey" else _Rendering(session)
    try:
        _answer(wire, session, work)
        # The default of SIGALRM ends a process that is deaf to everything else.
        signal.setitimer(signal.ITIMER_REAL, request.limits.clean)
        _leave(wire, partial(work.clean, request.limits.clean / 2), session.quit)
        wire.tell("cleaned")
    except StoppedError:
        wire.tell("stopping")  # calls from here on are not where it hung
        _leave(wire, work.stop, session.quit)
    os._exit(0)


class _Survey:
    """The look at sources, in a project of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def run(self) -> dict[str, object]:
        survey(self._session)
        return {}

    def clean(self, _seconds: float) -> None:
        if self._session.project is not None:
            self._session.remove(self._session.project)

    def stop(self) -> None:
        """Nothing renders."""


class _Rendering:
    """One render; made once the session is open, because only then the target is known to be fit."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._render: Render | None = None

    def run(self) -> dict[str, object]:
        self._session.require_target()
        self._render = Render(self._session)
        return self._render.run()

    def clean(self, seconds: float) -> None:
        if self._render is not None:
            self._render.abandon(seconds)

    def stop(self) -> None:
        if self._render is not None:
            self._render.stop()


def _answer(wire: Wire, session: Session, work: "_Survey | _Rendering") -> None:
    try:
        session.open()
        wire.tell("answer", ok=True, **work.run())
    except RefusalError as refusal:
        wire.tell("answer", ok=False, code=refusal.code, message=refusal.message, details=refusal.details)
    except Exception as error:  # noqa: BLE001 - foreign code raises what it likes, and the worker must hear of it
        wire.tell(
            "answer",
            ok=False,
            code=FAILED,
            message=f"talking to Resolve must not fail, but it did: {error!r}. Restart Resolve.",
            details={},
        )


def _leave(wire: Wire, *steps: Callable[[], None]) -> None:
    """Leave Resolve, step by step. What that meets changes no answer, and the next child clears what is left."""
    for step in steps:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the answer stands, and the next step is tried all the same
            wire.tell("left", reason=repr(error))


def _stop(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise StoppedError


if __name__ == "__main__":
    main()
