"""What an engine saw of its own work, and how that judges. Each engine brings its own kind; the verdict knows none of them."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from proxx_worker.contract.errors import JobError
from proxx_worker.contract.result import Check
from proxx_worker.verification.heard_audio import HeardAudio
from proxx_worker.verification.proxy_probe import ProxyObservation, StreamReport


class Evidence(Protocol):
    """Evidence of one output. `checks` and `fault` are used before the proxy is probed, the rest with what the probe found."""

    def checks(self) -> Sequence[Check]:
        """Comparisons that need no probe of the proxy. They come first in the result."""
        ...

    def fault(self) -> JobError | None:
        """Why this work cannot have made a good proxy; then looking at it is not worth the time."""
        ...

    def time_checks(self, picture: StreamReport) -> Iterable[Check]:
        """The proxy's frames and their times against what the engine saw of the source's. What it did not see has `ok=None`."""
        return ()

    def audio(self) -> Sequence[HeardAudio | None]:
        """What the engine decoded of each audio stream, None for one it did not decode. Empty where it cannot tell."""
        return ()

    def error(self, proxy: ProxyObservation) -> JobError | None:
        """The cause of whatever checks fail, where the engine knows one: it goes before "the first check that failed"."""
        ...
