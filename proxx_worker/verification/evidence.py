"""An engine's observations of its own work, and the checks they allow. Each engine has its own kind; the verdict knows none."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from proxx_worker.contract.errors import JobError
from proxx_worker.contract.result import Check
from proxx_worker.verification.heard_audio import HeardAudio
from proxx_worker.verification.proxy_probe import ProxyObservation, StreamReport


class Evidence(Protocol):
    """Evidence of one output. `checks` and `fault` are used before the proxy is probed, the rest with the probe's report."""

    def checks(self) -> Sequence[Check]:
        """Checks that need no probe of the proxy. They come first in the result."""
        ...

    def fault(self) -> JobError | None:
        """Why the encode cannot have made a valid proxy; if there is a reason, the proxy is not probed."""
        ...

    def time_checks(self, stream: StreamReport) -> Iterable[Check]:
        """Checks of the proxy's frames and their times against the source's. What the engine did not see has `ok=None`."""
        return ()

    def audio(self) -> Sequence[HeardAudio | None]:
        """What the engine decoded of each audio stream, None for one it did not decode. Empty if it does not report that."""
        return ()

    def error(self, proxy: ProxyObservation) -> JobError | None:
        """The cause of failed checks, if the engine knows one. It takes precedence over "the first check that failed"."""
        ...
