"""Shows a workspace and navigates in it: header, lists, search, details. Changes nothing."""

import threading
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static

from proxx_worker.contract.text import visible
from proxx_worker.desk.board import Board, BoardReader, keep_reading
from proxx_worker.desk.console.clipboard import NOT_COPIED, copy
from proxx_worker.desk.console.files import path_of, read_files
from proxx_worker.desk.console.header import LiveHeader
from proxx_worker.desk.console.keys import KeysFooter, KeysScreen
from proxx_worker.desk.console.lists import RowList
from proxx_worker.desk.console.screens import DetailScreen
from proxx_worker.desk.jobs import JobState, JobSummary
from proxx_worker.desk.showing import Sorting, nothing_text, rows_of
from proxx_worker.workspace.layout import Workspace

TABS: Final = (JobState.RUNNING, JobState.WAITING, JobState.FAILED, JobState.DONE)

_EVERYWHERE: Final = frozenset({"next_tab", "pop_screen", "help_quit", "suspend_process"})
"""Actions that do not belong to the lists."""

_STYLE: Final = """
Screen { layers: base; }
#tabs, #command { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
#message.warning { text-style: bold reverse; }
#message { display: none; height: auto; max-height: 3; }
#message.said { display: block; }
#tabs { text-style: bold; }
#rows, #detail { height: 1fr; scrollbar-gutter: stable; scrollbar-size-vertical: 1; overflow-x: hidden; }
#search { display: none; height: 1; border: none; }
#search.open { display: block; }
QuestionScreen, SubmitScreen { align: center middle; }
#question, #form { width: 90%; max-width: 100; height: auto; max-height: 95%; border: solid; padding: 0 1; }
#question Horizontal, #preset_field { height: auto; }
.command { text-style: italic; }
"""


class ConsoleView(App[None]):
    """A read-only view of one workspace."""

    CSS = _STYLE
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("question_mark", "keys", "Keys", key_display="?"),
        Binding("slash", "search", "Search", key_display="/"),
        Binding("g", "group", "Group"),
        Binding("s", "sort", "Sort"),
        Binding("y", "copy_path", "Copy path"),
        Binding("Y", "copy_command", "Copy command"),
        Binding("tab", "next_tab(1)", "Next list", show=False, priority=True),
        Binding("shift+tab", "next_tab(-1)", "Last list", show=False, priority=True),
        *(Binding(str(number), f"tab({number - 1})", state.value, show=False) for number, state in enumerate(TABS, 1)),
        Binding("escape", "end_search", "End the search", show=False),
    ]

    class Looked(Message):
        """The reader's thread has a board."""

        def __init__(self, board: Board) -> None:
            """The board."""
            super().__init__()
            self.board = board

    def __init__(self, workspace: Workspace) -> None:
        """Nothing is read before the app runs."""
        super().__init__()
        self.workspace = workspace
        self.board = Board.empty()
        self.commands: list[str] = []
        self._reader = BoardReader(workspace)
        self._stop, self._nudge = threading.Event(), threading.Event()
        self._tab = JobState.RUNNING
        self._search = ""
        self._sorting = Sorting.NEWEST
        self._grouped = False
        self._shown: object = None

    # --- what is seen ---

    def compose(self) -> ComposeResult:
        """The header, the lists, the last command, the keys."""
        yield self._header()
        yield Static("", markup=False, id="tabs")
        yield RowList(id="rows")
        yield Input(placeholder="name, clip, profile, code or reason", id="search", compact=True)
        yield Static("", markup=False, id="message")
        yield Static("", markup=False, id="command")
        yield KeysFooter()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """On another screen, only moving from field to field is left to the app."""
        return len(self.screen_stack) == 1 or not hasattr(self, f"action_{action}") or action in _EVERYWHERE

    def on_mount(self) -> None:
        """Begin to read, in a thread."""
        self.query_one(RowList).focus()
        self._show()
        arguments = (self._reader, lambda board: self.post_message(self.Looked(board)), self._stop, self._nudge)
        threading.Thread(target=keep_reading, args=arguments, daemon=True, name="reader").start()

    def on_unmount(self) -> None:
        """End the thread."""
        self._stop.set()
        self._nudge.set()

    def on_console_view_looked(self, message: Looked) -> None:
        """Show a board."""
        self.board = message.board
        self._show()

    def _show(self) -> None:
        if not self._is_there():
            return
        self._show_tabs()
        for screen in self.screen_stack:
            for header in screen.query(LiveHeader):
                header.show()
        rows = self._main.query_one(RowList)
        jobs = self.board.jobs[self._tab]
        news = (self._tab, self._search, self._sorting, self._grouped, jobs)
        if news != self._shown:
            self._shown = news
            grouped = self._grouped and self._tab is JobState.FAILED
            found = rows_of(jobs, search=self._search, sorting=self._sorting, grouped=grouped)
            rows.show(found, nothing_text(self._tab, self.workspace.name, self._search))
        self._reader.want(rows.on_screen_stems())

    def _is_there(self) -> bool:
        """False if a board or the clock arrives before the screen exists or after it is closed."""
        return bool(self.screen_stack) and bool(self._main.query("#tabs"))

    def _header(self) -> LiveHeader:
        """A header for one screen."""
        return LiveHeader(lambda: self.board, self.workspace.name)

    def _show_tabs(self) -> None:
        tabs = " ".join(
            f"[{number} {state.value}]" if state is self._tab else f"{number} {state.value}"
            for number, state in enumerate(TABS, 1)
        )
        how = [self._sorting] if self._sorting != Sorting.NEWEST else []
        how += [f"/{visible(self._search)}"] if self._search else []
        self._main.query_one("#tabs", Static).update(f"{tabs}  {', '.join(how)}")

    @property
    def _main(self) -> Screen[object]:
        return self.screen_stack[0]

    @property
    def selected(self) -> JobSummary | None:
        """The job at the cursor."""
        row = self._main.query_one(RowList).row
        return None if row is None else row.job

    # --- moving about ---

    def action_tab(self, number: int) -> None:
        """Show one of the lists."""
        self._tab = TABS[number]
        self._show()
        self._main.query_one(RowList).action_move(-len(self.board.jobs[self._tab]) - 1)

    def action_next_tab(self, by: int) -> None:
        """Show the next list, or the one before; on another screen, go to the next field."""
        if len(self.screen_stack) > 1:
            self.screen.focus_next() if by > 0 else self.screen.focus_previous()
        else:
            self.action_tab((TABS.index(self._tab) + by) % len(TABS))

    def on_row_list_opened(self) -> None:
        """Show a job's details."""
        job = self.selected
        if job is not None:
            path = path_of(self.workspace, job)
            self.push_screen(DetailScreen(job, lambda it: read_files(self.workspace, it), path, self._header()))

    def on_key(self, event: Key) -> None:
        """Say of a key that means nothing where to find those that do. The other screens show all of theirs."""
        if len(self.screen_stack) == 1 and event.key not in self.screen.active_bindings:
            key = event.character if event.is_printable and event.character else event.key
            self._say(f"{key} does nothing here: ? shows the keys", bad=True)

    def action_keys(self) -> None:
        """Show what the keys do."""
        self.push_screen(KeysScreen(self._header()))

    def action_search(self) -> None:
        """Type a search."""
        field = self._main.query_one("#search", Input)
        field.add_class("open")
        field.focus()

    def action_end_search(self) -> None:
        """Show everything again."""
        self._main.query_one("#search", Input).value = ""
        self._end_typing()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while it is typed."""
        if event.input.id == "search":
            self._search = event.value
            self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go back to the list, with what was found."""
        if event.input.id == "search":
            self._end_typing()

    def _end_typing(self) -> None:
        field = self._main.query_one("#search", Input)
        field.set_class(bool(field.value), "open")
        self._main.query_one(RowList).focus()

    def action_sort(self) -> None:
        """Sort in the next way."""
        self._sorting = Sorting.ALL[(Sorting.ALL.index(self._sorting) + 1) % len(Sorting.ALL)]
        self._show()

    def action_group(self) -> None:
        """Group failed jobs by code, or no longer."""
        self._grouped = not self._grouped
        self._show()

    def action_copy_path(self) -> None:
        """Copy the path of the job's result."""
        if self.selected is not None:
            self._copy(path_of(self.workspace, self.selected))

    def action_copy_command(self) -> None:
        """Copy the last command line."""
        if self.commands:
            self._copy(self.commands[-1])

    def _copy(self, text: str, done: str = "copied", *, first: str = "") -> None:
        copied = copy(self, text)
        self._say(f"{first}{done if copied else NOT_COPIED}: {text}", bad=not copied)

    def _note(self, command: str) -> None:
        self.commands.append(command)
        self._main.query_one("#command", Static).update(f"$ {command}")

    def _say(self, text: str, *, bad: bool = False) -> None:
        """Show the outcome, in a line that stays until the next."""
        line = self._main.query_one("#message", Static)
        line.update(f"{'! ' if bad else ''}{visible(text)}")
        line.add_class("said")
        line.set_class(bad, "warning")
