"""The screens above the lists: a job's details, a question."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import Button, Static

from proxx_worker.contract.text import visible
from proxx_worker.desk.console.clipboard import NOT_COPIED, copy
from proxx_worker.desk.console.files import JobFiles
from proxx_worker.desk.console.header import LiveHeader
from proxx_worker.desk.console.keys import KeysFooter
from proxx_worker.desk.console.lists import TextLines
from proxx_worker.desk.jobs import JobSummary
from proxx_worker.desk.showing import detail_lines, json_lines

Files = Callable[[JobSummary], JobFiles]
"""Reads a job's files from wherever the job is now. Runs in a thread: storage may be slow."""


class DetailScreen(Screen[None]):
    """One job: error and remedy, checks, command; its log, followed as it grows; its whole result."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back"),
        Binding("1", "part('overview')", "Overview"),
        Binding("2", "part('log')", "Log"),
        Binding("3", "part('json')", "JSON"),
        Binding("y", "copy_path", "Copy path"),
    ]

    def __init__(self, job: JobSummary, files: Files, path: str, header: LiveHeader) -> None:
        """`path`: where the job's result is, or its spec, until `files` tells."""
        super().__init__()
        self._job = job
        self._files = files
        self._header = header
        self._part = "overview"
        self._seen = JobFiles(path)

    def compose(self) -> ComposeResult:
        """The header, the lines, the keys."""
        yield self._header
        yield TextLines(id="detail")
        yield KeysFooter()

    def on_mount(self) -> None:
        """Read now, and go on while it is open: a running job's log grows."""
        self._show(at_end=False)
        self._look()
        self.set_interval(1.0, self._look)

    def action_part(self, part: str) -> None:
        """Show the overview, the log or the JSON."""
        self._part = part
        self._show(at_end=part == "log")

    def action_copy_path(self) -> None:
        """Copy the path to the terminal's clipboard, if it has one."""
        copied = copy(self.app, self._seen.path)
        self.notify(visible(self._seen.path), title="copied" if copied else NOT_COPIED, markup=False)

    def _look(self) -> None:
        self.run_worker(self._read, thread=True, exclusive=True, group="detail")

    def _read(self) -> None:
        seen = self._files(self._job)
        if seen != self._seen:
            self.app.call_from_thread(self._take, seen)

    def _take(self, seen: JobFiles) -> None:
        self._seen = seen
        self._show(at_end=self._part == "log")

    def _show(self, *, at_end: bool) -> None:
        seen = self._seen
        match self._part:
            case "log":
                lines = [*seen.log] or ["There is no log yet."]
            case "json":
                lines = json_lines(seen.result, seen.path)
            case _:
                log = ("", "the end of its log (2 shows all of it):", *seen.log[-12:])
                lines = [*detail_lines(self._job, seen.result), *log]
        self.query_one(TextLines).show(lines, at_end=at_end)


class QuestionScreen(ModalScreen[bool]):
    """Yes or no. The cursor is on No."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
    ]

    def __init__(self, question: str, command: str, header: LiveHeader) -> None:
        """`command`: the command line that does the same."""
        super().__init__()
        self._header = header
        self._question = question
        self._command = command

    def compose(self) -> ComposeResult:
        """The question, what it would do, two buttons."""
        yield self._header
        with Vertical(id="question"):
            yield Static(visible(self._question), markup=False)
            yield Static(self._command, markup=False, classes="command")
            with Horizontal():
                yield Button("No (n)", id="no", variant="primary")
                yield Button("Yes (y)", id="yes")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:  # noqa: FBT001 - Textual passes the binding's argument
        """Answer by a key."""
        self.dismiss(yes)
