"""A null metrics file: counts nothing, and does not load psutil."""

from proxx_worker.contract.result import JobResult
from proxx_worker.contract.status import WorkerStatus
from proxx_worker.observe.observer import SilentObserver


class NoMetrics(SilentObserver):
    """Replaces a `MetricsFile` if none is configured."""

    def update(self, status: WorkerStatus) -> None:
        """See `MetricsFile.update`."""

    def beat(self) -> None:
        """See `MetricsFile.beat`."""

    def count(self, outcome: JobResult) -> None:
        """See `MetricsFile.count`."""

    def end(self) -> None:
        """See `MetricsFile.end`."""
