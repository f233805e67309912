"""The program: `PYTHON -I resolve_child.py`, one request on stdin, events on the original stdout.

fusionscript may block forever, crash, or crash at interpreter exit after success. So it runs here and not in the worker: the
answer is written before the cleanup, and the process exits with `os._exit`.
"""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))  # `-I` omits the package's own location

from proxx_worker.engines.resolve.child.render import Render
from proxx_worker.engines.resolve.child.request import Request
from proxx_worker.engines.resolve.child.session import Session
from proxx_worker.engines.resolve.child.survey import survey
from proxx_worker.engines.resolve.child.wire import FAILED, PROTOCOL, RefusalError, StoppedError, Wire


def main() -> None:
    """Run the request, send the answer, clean up, and exit."""
    wire = Wire(os.dup(1))
    os.dup2(2, 1)  # fusionscript prints to stdout
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    request = Request.decode(sys.stdin.buffer.read())
    wire.send("hello", protocol=PROTOCOL)
    session = Session(wire, request)
    work = _Survey(session) if request.work == "survey" else _Rendering(session)
    try:
        _answer(wire, session, work)
        # SIGALRM's default action ends the process even if a call never returns.
        signal.setitimer(signal.ITIMER_REAL, request.limits.clean)
        _clean_up(wire, partial(work.clean, request.limits.clean / 2), session.quit)
        wire.send("cleaned")
    except StoppedError:
        wire.send("stopping")  # later calls are not where it hung
        _clean_up(wire, work.stop, session.quit)
    os._exit(0)


class _Survey:
    """The survey of all sources, in a project of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def run(self) -> dict[str, object]:
        survey(self._session)
        return {}

    def clean(self, _seconds: float) -> None:
        if self._session.project is not None:
            self._session.remove(self._session.project)

    def stop(self) -> None:
        """Nothing is rendering."""


class _Rendering:
    """One render, created once the session is open, because the target can only be checked then."""

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
        wire.send("answer", ok=True, **work.run())
    except RefusalError as refusal:
        wire.send("answer", ok=False, code=refusal.code, message=refusal.message, details=refusal.details)
    except Exception as error:  # noqa: BLE001 - foreign code may raise anything, and the worker must be told
        wire.send(
            "answer",
            ok=False,
            code=FAILED,
            message=f"scripting Resolve must not fail, but it did: {error!r}. Restart Resolve.",
            details={},
        )


def _clean_up(wire: Wire, *steps: Callable[[], None]) -> None:
    """Run the cleanup steps. Their errors do not change the answer, and the next child removes what is left."""
    for step in steps:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the answer counts, and the next step runs anyway
            wire.send("left", reason=repr(error))


def _stop(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise StoppedError


if __name__ == "__main__":
    main()
