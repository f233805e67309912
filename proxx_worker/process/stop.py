"""A request to stop that a signal handler can make and that wakes whoever waits in a `select`."""

import os
import socket
from collections.abc import Callable
from typing import Final, Protocol

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError

SUBMIT_AGAIN: Final = "Nothing was published; submit it again if you want it after all."
"""What can be done about a job that was cancelled."""

CUT_SHORT: Final = frozenset({ErrorCode.INTERRUPTED, ErrorCode.CANCELLED})
"""The codes of `StopSignal.error`: no fault of a source's or an encoder's."""

_DRAIN = 4096


class StopSignal(Protocol):
    """Tells that the work at hand must end now."""

    def requested(self) -> bool:
        """Whether a stop was requested. Once true it stays true. Every pass that may take long asks at least once a second."""
        ...

    def fileno(self) -> int:
        """A descriptor that becomes readable when a stop is requested; ask `requested()` then, it may be a false alarm."""
        ...

    def error(self, work: str, **details: JsonValue) -> ProxxError:
        """What a job fails with whose `work` is cut short by this stop, as in "while WORK"."""
        return interrupted(work, **details)


class StopFlag(StopSignal):
    """A `StopSignal` for signal handlers: `request()` sets a flag and writes one byte into a socket pair.

    A signal that arrives just before a `select` begins does not interrupt it: Python runs its handler only after the call. Hand
    `wakeup_fileno()` to `signal.set_wakeup_fd`, and the C handler writes the byte that ends the wait. Such a byte says that some
    signal came, not that a stop was requested, so `requested()` takes false alarms out of the socket.
    """

    def __init__(self) -> None:
        """Open the socket pair; neither end is inherited by a child."""
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            os.set_blocking(end.fileno(), False)
        self._requested = False

    def request(self) -> None:
        """Request the stop. Safe in a signal handler, any number of times: it takes no lock and never blocks."""
        self._requested = True
        try:
            self._writer.send(b"\0")
        except BlockingIOError:
            return  # The socket is full: its reader is awake as it is.

    def requested(self) -> bool:
        """Whether `request()` was called. While it was not, take false alarms out of the socket.

        The flag is looked at last: `request()` sets it before it writes, so a byte taken out here is never its only trace.
        """
        while not self._requested:
            try:
                self._reader.recv(_DRAIN)
            except BlockingIOError:
                break
        return self._requested

    def fileno(self) -> int:
        """The end to wait on. It stays readable once a stop was requested."""
        return self._reader.fileno()

    def wakeup_fileno(self) -> int:
        """The end for `signal.set_wakeup_fd(..., warn_on_full_buffer=False)`."""
        return self._writer.fileno()

    def close(self) -> None:
        """Close both ends."""
        self._reader.close()
        self._writer.close()


class BeatingStop(StopSignal):
    """A `StopSignal` that calls all `beats` whenever it is asked: the worker's heartbeat.

    A loop that would hear a stop is a loop that runs. So no pass has a second duty beside asking, and one that is stuck falls
    silent; a thread would go on beating beside it.
    """

    def __init__(self, stop: StopSignal, *beats: Callable[[], object]) -> None:
        """Pass on what `stop` says."""
        self._stop = stop
        self._beats = beats

    def requested(self) -> bool:
        """See `StopSignal.requested`."""
        for beat in self._beats:
            beat()
        return self._stop.requested()

    def fileno(self) -> int:
        """See `StopSignal.fileno`."""
        return self._stop.fileno()

    def error(self, work: str, **details: JsonValue) -> ProxxError:
        """See `StopSignal.error`."""
        return self._stop.error(work, **details)


class CancellableStop(StopSignal):
    """The stop of one job that somebody may cancel: another reason to stop, with a code of its own."""

    def __init__(self, stop: StopSignal, is_cancelled: Callable[[], bool]) -> None:
        """`stop`: the worker's own. `is_cancelled` is asked as often as the stop, and no more once it has said yes."""
        self._stop = stop
        self._is_cancelled = is_cancelled
        self._cancelled = False

    def requested(self) -> bool:
        """See `StopSignal.requested`. The reason that was seen first stays the reason."""
        stopped = self._stop.requested()  # always: the heartbeat hangs on it
        if not (stopped or self._cancelled):
            self._cancelled = self._is_cancelled()
        return stopped or self._cancelled

    def fileno(self) -> int:
        """See `StopSignal.fileno`. A cancel does not make it readable: who waits for it asks once a second, too."""
        return self._stop.fileno()

    def error(self, work: str, **details: JsonValue) -> ProxxError:
        """See `StopSignal.error`."""
        if not self._cancelled:
            return self._stop.error(work, **details)
        return ProxxError(ErrorCode.CANCELLED, f"the job was cancelled while {work}. {SUBMIT_AGAIN}", **details)


class StopRequestedError(Exception):
    """A stop was requested in work that no job's result tells of."""


def interrupted(work: str, **details: JsonValue) -> ProxxError:
    """INTERRUPTED for a job whose `work` is cut short, as in "while WORK"."""
    message = f"stopped by a signal (SIGTERM, or Ctrl-C) while {work}. Nothing was published; run the job again."
    return ProxxError(ErrorCode.INTERRUPTED, message, **details)


def raise_if_stopped(stop: StopSignal, error: Exception) -> None:
    """Raise `error` where a stop was requested. With `partial` the checkpoint that long passes over files call."""
    if stop.requested():
        raise error


def checkpoint(stop: StopSignal, work: str, **details: JsonValue) -> None:
    """Raise what a job fails with whose `work` is cut short, where a stop was requested."""
    if stop.requested():
        raise stop.error(work, **details)
