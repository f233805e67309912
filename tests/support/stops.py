"""A stop that nobody requests, for what is tested without one."""

from proxx_worker.process.stop import StopSignal


class _Never(StopSignal):
    def requested(self) -> bool:
        return False

    def fileno(self) -> int:
        raise AssertionError("nothing here waits for a stop")


NEVER: StopSignal = _Never()


def unstopped() -> None:
    """A checkpoint that lets every pass go on."""


class EnoughError(Exception):
    """What a checkpoint raises in these tests."""


class Checkpoint:
    """Counts how often it is passed; the `last`-th time it raises."""

    def __init__(self, last: int | None = None) -> None:
        self.passed = 0
        self._last = last

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self._last:
            raise EnoughError
