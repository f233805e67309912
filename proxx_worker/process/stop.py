"""A stop request that a signal handler can make and that wakes a waiting `select`."""

import os
import socket
from collections.abc import Callable
from typing import Final, Protocol

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError

SUBMIT_AGAIN: Final = "Nothing was published; submit it again if you want it after all."
"""The remedy for a cancelled job."""

CUT_SHORT: Final = frozenset({ErrorCode.INTERRUPTED, ErrorCode.CANCELLED})
"""The codes of `StopSignal.error`: neither the source nor the encoder is at fault."""

_DRAIN = 4096


class StopSignal(Protocol):
    """Says when the current work must end."""

    def requested(self) -> bool:
        """Whether a stop was requested. Once true it stays true. Every long-running loop asks at least once a second."""
        ...

    def cancelled(self) -> bool:
        """Whether the job was cancelled, by a look taken now. To be asked once, right before the job is decided."""
        return False

    def fileno(self) -> int:
        """A descriptor that becomes readable when a stop is requested; check `requested()`, as it may be a false alarm."""
        ...

    def error(self, work: str, **details: JsonValue) -> ProxxError:
        """The error of a job whose `work` this stop ended, as in "while WORK"."""
        return interrupted(work, **details)


class StopFlag(StopSignal):
    """A `StopSignal` for signal handlers: `request()` sets a flag and writes one byte into a socket pair.

    A signal that arrives just before a `select` does not interrupt it: Python runs the handler only after the call. Pass
    `wakeup_fileno()` to `signal.set_wakeup_fd`, and the C handler writes the byte that ends the wait. Such a byte means that some
    signal arrived, not that a stop was requested, so `requested()` removes false alarms from the socket.
    """

    def __init__(self) -> None:
        """Open the socket pair; children inherit neither end."""
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
            return  # full, so the reader wakes anyway

    def requested(self) -> bool:
        """Whether `request()` was called. If not, remove false alarms from the socket.

        The flag is checked last: `request()` sets it before it writes, so a byte removed here is never a request's only trace.
        """
        while not self._requested:
            try:
                self._reader.recv(_DRAIN)
            except BlockingIOError:
                break
        return self._requested

    def fileno(self) -> int:
        """The end to wait on. Once a stop is requested, it stays readable."""
        return self._reader.fileno()

    def wakeup_fileno(self) -> int:
        """The end for `signal.set_wakeup_fd(..., warn_on_full_buffer=False)`."""
        return self._writer.fileno()

    def close(self) -> None:
        """Close both ends."""
        self._reader.close()
        self._writer.close()


class BeatingStop(StopSignal):
    """A `StopSignal` that calls all `beats` whenever it is checked: the worker's heartbeat.

    A loop that checks for a stop is alive. So loops need no second call for the heartbeat, and a stuck one stops it; a thread
    would keep beating beside a stuck loop.
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

    def cancelled(self) -> bool:
        """See `StopSignal.cancelled`."""
        return self._stop.cancelled()

    def fileno(self) -> int:
        """See `StopSignal.fileno`."""
        return self._stop.fileno()

    def error(self, work: str, **details: JsonValue) -> ProxxError:
        """See `StopSignal.error`."""
        return self._stop.error(work, **details)


class CancellableStop(StopSignal):
    """The stop signal of a job that can be cancelled: a second reason to stop, with its own code."""

    def __init__(self, stop: StopSignal, is_cancelled: Callable[[], bool], look: Callable[[], bool]) -> None:
        """`stop`: the worker's own. `is_cancelled` is checked as often as `stop`, until it returns true; `look` always looks."""
        self._stop = stop
        self._is_cancelled = is_cancelled
        self._look = look
        self._cancelled = False

    def requested(self) -> bool:
        """See `StopSignal.requested`. The first reason seen stays the reason."""
        stopped = self._stop.requested()  # always, because it drives the heartbeat
        if not (stopped or self._cancelled):
            self._cancelled = self._is_cancelled()
        return stopped or self._cancelled

    def cancelled(self) -> bool:
        """See `StopSignal.cancelled`."""
        self._cancelled = self._cancelled or self._look()
        return self._cancelled

    def fileno(self) -> int:
        """See `StopSignal.fileno`. A cancel does not make it readable, so callers also check `requested()` once a second."""
        return self._stop.fileno()

    def error(self, work: str, **details: JsonValue) -> ProxxError:
        """See `StopSignal.error`."""
        if not self._cancelled:
            return self._stop.error(work, **details)
        return ProxxError(ErrorCode.CANCELLED, f"the job was cancelled while {work}. {SUBMIT_AGAIN}", **details)


class StopRequestedError(Exception):
    """A stop was requested during work that belongs to no job's result."""


def interrupted(work: str, **details: JsonValue) -> ProxxError:
    """INTERRUPTED for a job whose `work` was interrupted, as in "while WORK"."""
    message = f"stopped by a signal (SIGTERM, or Ctrl-C) while {work}. Nothing was published; run the job again."
    return ProxxError(ErrorCode.INTERRUPTED, message, **details)


def raise_if_stopped(stop: StopSignal, error: Exception) -> None:
    """Raise `error` if a stop was requested. With `partial`, the checkpoint for long passes over files."""
    if stop.requested():
        raise error


def checkpoint(stop: StopSignal, work: str, **details: JsonValue) -> None:
    """If a stop was requested, raise the error of a job whose `work` it cuts short."""
    if stop.requested():
        raise stop.error(work, **details)
