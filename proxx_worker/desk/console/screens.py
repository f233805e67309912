"""The screens above the lists: a job's details, a question, a form."""

import os
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Button, Checkbox, Footer, Input, Label, RadioButton, RadioSet, Static

from proxx_worker.contract.text import visible
from proxx_worker.desk.commands import Place, SubmitForm, command_line
from proxx_worker.desk.console.lists import TextLines
from proxx_worker.desk.jobs import JobSummary
from proxx_worker.desk.showing import detail_lines, json_lines

Files = Callable[[JobSummary], tuple[bytes | None, list[str]]]
"""A job's result and the end of its log, read from wherever the job is now. Runs in a thread: storage may be slow."""


_SIGNS = {True: "X", False: " "}


class DetailScreen(Screen[None]):
    """One job: error and remedy, checks, command; its log, followed as it grows; its whole result."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back"),
        Binding("1", "part('overview')", "Overview"),
        Binding("2", "part('log')", "Log"),
        Binding("3", "part('json')", "JSON"),
        Binding("y", "copy_path", "Copy path"),
    ]

    def __init__(self, job: JobSummary, files: Files, path: str) -> None:
        """`path`: where the job's result is, or its spec."""
        super().__init__()
        self._job = job
        self._files = files
        self._path = path
        self._part = "overview"
        self._seen: tuple[bytes | None, list[str]] | None = None

    def compose(self) -> ComposeResult:
        """The lines, and the keys."""
        yield TextLines(id="detail")
        yield Footer()

    def on_mount(self) -> None:
        """Read now, and go on while it is open: a running job's log grows."""
        self._look()
        self.set_interval(1.0, self._look)

    def action_part(self, part: str) -> None:
        """Show the overview, the log or the JSON."""
        self._part = part
        self._show(at_end=part == "log")

    def action_copy_path(self) -> None:
        """Copy the path to the terminal's clipboard, if it has one."""
        self.app.copy_to_clipboard(self._path)
        self.notify(visible(self._path), title="copied", markup=False)

    def _look(self) -> None:
        self.run_worker(self._read, thread=True, exclusive=True, group="detail")

    def _read(self) -> None:
        seen = self._files(self._job)
        if seen != self._seen:
            self.app.call_from_thread(self._take, seen)

    def _take(self, seen: tuple[bytes | None, list[str]]) -> None:
        self._seen = seen
        self._show(at_end=self._part == "log")

    def _show(self, *, at_end: bool) -> None:
        result, log = self._seen or (None, [])
        match self._part:
            case "log":
                lines = log or ["There is no log yet."]
            case "json":
                lines = json_lines(result)
            case _:
                lines = [*detail_lines(self._job, result), "", "the end of its log (2 shows all of it):", *log[-12:]]
        self.query_one(TextLines).show(lines, at_end=at_end)


class QuestionScreen(ModalScreen[bool]):
    """Yes or no. The cursor is on No."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
    ]

    def __init__(self, question: str, command: str) -> None:
        """`command`: the command line that does the same."""
        super().__init__()
        self._question = question
        self._command = command

    def compose(self) -> ComposeResult:
        """The question, what it would do, two buttons."""
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


class _Choice(Checkbox):
    """A check box that shows its state without colour, which Textual's own does not."""

    def on_mount(self) -> None:
        """The sign is drawn in the box."""
        self.BUTTON_INNER = _SIGNS[self.value]

    def watch_value(self) -> None:
        """As above."""
        self.BUTTON_INNER = _SIGNS[self.value]
        super().watch_value()


class _OneChoice(RadioButton):
    """The same for a radio button."""

    def on_mount(self) -> None:
        """As above."""
        self.BUTTON_INNER = _SIGNS[self.value]

    def watch_value(self) -> None:
        """As above."""
        self.BUTTON_INNER = _SIGNS[self.value]
        super().watch_value()


class SubmitScreen(ModalScreen[SubmitForm | None]):
    """The form for submitting clips: a folder or a clip, profiles, destination. It shows what would be written first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Back"),
        Binding("ctrl+s", "submit", "Submit"),
        Binding("f5", "preview", "Preview"),
    ]

    def __init__(self, workspace: str, profiles: Sequence[str], preview: Callable[[SubmitForm], list[str]]) -> None:
        """`preview` returns what a form would write, or why it cannot. It may take long: it searches folders."""
        super().__init__()
        self._workspace = workspace
        self._profiles = profiles
        self._preview = preview

    def compose(self) -> ComposeResult:
        """The form."""
        with VerticalScroll(id="form"):
            yield Label("Clip or folder")
            yield Input(placeholder="/mnt/card", id="source", compact=True)
            yield Label("Profiles (the space bar chooses)")
            for name in self._profiles:
                yield _Choice(name, name=name, classes="profile", compact=True)
            yield Label("Where the proxies go")
            with RadioSet(id="place", compact=True):
                yield _OneChoice("beside each clip, in a folder of this name", value=True)
                yield _OneChoice("below this folder, in the same tree as the clips")
                yield _OneChoice("into this folder")
            yield Input(value="Proxy", id="directory", compact=True)
            yield _Choice("create missing folders", id="create", compact=True)
            yield Static("F5 shows what would be written, ctrl+s submits, escape goes back.", markup=False)
            yield Static("", markup=False, id="preview")

    def on_mount(self) -> None:
        """Begin with the clip."""
        self.query_one("#form").can_focus = False
        self.query_one("#source").focus()

    def form(self) -> SubmitForm:
        """The form's content."""
        place = self.query_one("#place", RadioSet).pressed_index
        return SubmitForm(
            source=os.path.abspath(os.path.expanduser(self.query_one("#source", Input).value)),
            profiles=tuple(choice.name or "" for choice in self.query(".profile").results(Checkbox) if choice.value),
            place=list(Place)[max(0, place)],
            directory=self.query_one("#directory", Input).value,
            create_directories=self.query_one("#create", Checkbox).value,
        )

    def action_preview(self) -> None:
        """Show what would be written, and by which command."""
        form = self.form()
        self.query_one("#preview", Static).update("searching ...")
        self.run_worker(lambda: self._look(form), thread=True, exclusive=True)

    def action_submit(self) -> None:
        """Close, with the form."""
        self.dismiss(self.form())

    def action_cancel(self) -> None:
        """Close, with nothing."""
        self.dismiss(None)

    def _look(self, form: SubmitForm) -> None:
        lines = self._preview(form)
        command = command_line(*form.words(self._workspace, recursive=os.path.isdir(form.source)))
        text = "\n".join(map(visible, [*lines, command]))
        self.app.call_from_thread(self.query_one("#preview", Static).update, text)
