"""SIGUSR1, "finish this job, then exit": received by the worker and ignored by its children.

Some supervisors signal every process of a unit (`systemctl kill -s USR1 UNIT`, `scancel --full`), and the default action would
kill the encoder that should finish. Children must therefore ignore the signal, and they do if the worker ignores it when it
starts them: an ignored signal stays ignored across exec, while a handler is reset (execve(2)). So the worker ignores it too;
because it is also blocked, it is not discarded but stays readable through a descriptor (signalfd(2)). Ignoring it only during
each start would lose a signal that arrives just then; blocking alone is not enough, because dash and other shells unblock it.
"""

import ctypes
import os
import select
import signal
import sys

from proxx_worker.process.stop import StopFlag, StopSignal

_SIGSET_BYTES = 128  # glibc's and musl's sigset_t


def receive_drain() -> StopSignal:
    """From now on SIGUSR1 is a request to the worker and does nothing to its children. Call before starting a thread or child.

    On systems other than Linux a handler receives it, and a child that gets the signal is killed.
    """
    if sys.platform == "linux":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        drain: StopSignal = _PendingSignal(_signal_descriptor(signal.SIGUSR1))
    else:
        flag = StopFlag()
        signal.signal(signal.SIGUSR1, lambda _number, _frame: flag.request())
        drain = flag
    return drain


class _PendingSignal(StopSignal):
    """A `StopSignal`: a signal that was sent stays pending, as nothing reads the descriptor."""

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
