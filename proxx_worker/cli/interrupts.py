"""Signals to a command without a loop that has something to undo: SIGTERM and SIGHUP interrupt it as SIGINT does."""

import signal
from collections.abc import Mapping
from types import FrameType
from typing import NoReturn

from proxx_worker.contract.errors import EXIT_SIGHUP, EXIT_SIGINT, EXIT_SIGTERM

_EXIT_CODES: Mapping[int, int] = {signal.SIGHUP: EXIT_SIGHUP, signal.SIGINT: EXIT_SIGINT, signal.SIGTERM: EXIT_SIGTERM}


def interrupt_on_stops() -> None:
    """Have these signals raise KeyboardInterrupt, whose argument is the exit code, for `main`.

    What is ignored, as SIGHUP is under nohup, stays ignored.
    """
    for number in _EXIT_CODES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    for other in _EXIT_CODES:
        signal.signal(other, signal.SIG_IGN)  # a second one would interrupt the undoing
    raise KeyboardInterrupt(_EXIT_CODES[number])
