"""The lines at the top of every screen: the worker, how many jobs there are, and what is running at this moment."""

from collections.abc import Callable
from datetime import UTC, datetime

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from proxx_worker.contract.text import visible
from proxx_worker.desk.board import Board
from proxx_worker.desk.showing import counts_line, job_line, worker_line


class LiveHeader(Vertical):
    """Shows the newest board, every second, as a heartbeat grows old without any news. Each screen has one of its own."""

    DEFAULT_CSS = """
    LiveHeader { dock: top; height: auto; background: $background; }
    LiveHeader Static { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    LiveHeader .job { height: auto; max-height: 2; text-wrap: wrap; }
    LiveHeader .warning { text-style: bold reverse; }
    """

    def __init__(self, board: Callable[[], Board], workspace: str) -> None:
        """`board` returns the newest; `workspace`: its name."""
        super().__init__()
        self._board = board
        self._workspace = workspace
        self._worker, self._counts = Static("", markup=False), Static("", markup=False)
        self._job = Static("", markup=False, classes="job")

    def compose(self) -> ComposeResult:
        """Three lines; the third takes a second one for a long name on a narrow terminal."""
        yield self._worker
        yield self._counts
        yield self._job

    def on_mount(self) -> None:
        """Show what is known, and go on."""
        self.show()
        self.set_interval(1.0, self.show)

    def show(self) -> None:
        """Show the board as it is now."""
        now, board = datetime.now(UTC), self._board()
        look = board.worker
        stale = look.is_stale(now)
        line = worker_line(look.status, now, alive=look.alive, held=look.held, stale=stale)
        line = f"TROUBLE: {visible(board.trouble)}" if board.trouble else line
        self._worker.update(f"{line}  {visible(self._workspace)}")
        self._worker.set_class(bool(board.trouble) or stale or look.held or look.alive is False, "warning")
        self._counts.update(counts_line({state: len(jobs) for state, jobs in board.jobs.items()}, board.unread))
        self._job.update(job_line(look.status, self._workspace, alive=look.alive))
