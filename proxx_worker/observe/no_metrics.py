"""No metrics file: nothing is counted, and psutil is not loaded for it."""

from proxx_worker.contract.result import JobResult
from proxx_worker.contract.status import WorkerStatus
from proxx_worker.observe.observer import SilentObserver


class NoMetrics(SilentObserver):
    """Stands in for a `MetricsFile` where none is configured."""

    def tell(self, status: WorkerStatus) -> None:
        """See `MetricsFile.tell`."""

    def beat(self) -> None:
        """See `MetricsFile.beat`."""

    def count(self, outcome: JobResult) -> None:
        """See `MetricsFile.count`."""

    def end(self) -> None:
        """See `MetricsFile.end`."""
