"""Signals only set requests; the loops check them. SIGTERM and SIGINT stop at once, SIGUSR1 after the running job."""

import atexit
import signal
from collections.abc import Mapping
from types import FrameType

from proxx_worker.contract.errors import EXIT_SIGINT, EXIT_SIGTERM
from proxx_worker.process.drain import receive_drain
from proxx_worker.process.stop import StopFlag, StopSignal

_EXIT_CODES: Mapping[int, int] = {signal.SIGINT: EXIT_SIGINT, signal.SIGTERM: EXIT_SIGTERM}


class Signals:
    """The two requests, and which signal asked to stop."""

    def __init__(self) -> None:
        """Nothing requested, nothing installed yet."""
        self.stop = StopFlag()
        self.finish: StopSignal = StopFlag()
        self._received: int | None = None

    def install(self) -> None:
        """Install the handlers before anything else, so that a signal never kills the process silently."""
        # A signal that lands just before a `select` does not interrupt it; the byte that the C handler writes does.
        signal.set_wakeup_fd(self.stop.wakeup_fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        # What started the worker may have left them blocked, and the encoder would inherit that.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _EXIT_CODES)
        self.finish = receive_drain()
        # Python takes its handlers away before it ends. A second signal in that moment would kill a worker that has ended well.
        atexit.register(_ignore_stops)

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        self._received = self._received or number
        self.stop.request()

    @property
    def exit_code(self) -> int | None:
        """128 + the signal that stopped us, or None."""
        return None if self._received is None else _EXIT_CODES[self._received]


def _ignore_stops() -> None:
    """The exit code is decided. Ignored signals stay ignored to the end; handlers do not."""
    for number in _EXIT_CODES:
        signal.signal(number, signal.SIG_IGN)
