"""SIGUSR1, "finish this job, then end": heard by the worker, and by nobody else that it was sent to.

A supervisor that knows no single process signals all of them (`systemctl kill -s USR1 UNIT`, `scancel --full`), and the signal's
default would kill the very encoder that is to finish. A child must therefore ignore it, which it does if the worker does when it
starts it: what is ignored stays ignored over exec, while a handler is reset (execve(2)). So the worker, too, ignores it. Blocked
besides, it is not thrown away but waits to be seen through a descriptor (signalfd(2)). To ignore it for the moment of each start
only would lose a signal that comes in that moment; a block alone would not do, because dash and others lift it.
"""

import ctypes
import os
import select
import signal
import sys

from proxx_worker.process.stop import StopFlag, StopSignal

_SIGSET_BYTES = 128  # glibc's and musl's sigset_t


def hear_drain() -> StopSignal:
    """From now on SIGUSR1 is a request, here, and nothing to any child. To be called before the first thread or child is started.

    Elsewhere than on Linux a handler hears it, and a child that is sent it is killed.
    """
    if sys.platform == "linux":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        heard: StopSignal = _PendingSignal(_signal_descriptor(signal.SIGUSR1))
    else:
        flag = StopFlag()
        signal.signal(signal.SIGUSR1, lambda _number, _frame: flag.request())
        heard = flag
    return heard


class _PendingSignal(StopSignal):
    """A `StopSignal`: a signal that was sent, and that nobody takes from the descriptor, stays pending."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def requested(self) -> bool:
        """See `StopSignal.requested`."""
        return bool(self._poll.poll(0))

    def fileno(self) -> int:
        """See `StopSignal.fileno`."""
        return self._descriptor


def _signal_descriptor(number: int) -> int:
    """A descriptor, not inherited, that is readable while the signal is pending. Raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    signals = ctypes.create_string_buffer(_SIGSET_BYTES)
    libc.sigemptyset(signals)
    libc.sigaddset(signals, number)
    descriptor = int(libc.signalfd(-1, signals, os.O_CLOEXEC | os.O_NONBLOCK))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "signalfd")
    return descriptor
