"""The keys: as many as fit in the last line of a screen, and all of the lists' on a screen of their own."""

from collections.abc import Iterator
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from proxx_worker.desk.console.header import LiveHeader
from proxx_worker.desk.console.lists import TextLines

KEYS: Final = (
    ("1 to 4, Tab", "running, waiting, failed, done"),
    ("Up k, Down j", "move; also Home, End, Page"),
    ("Enter", "a job: error, log, result"),
    ("/", "search; Escape ends it"),
    ("g", "group failed jobs by code"),
    ("s", "sort in the next way"),
    ("n", "submit clips or folders"),
    ("c", "cancel the job"),
    ("r", "submit the failed job again"),
    ("R", "all of the list again"),
    ("h", "hold, or release"),
    ("d", "the worker ends after its job"),
    ("o", "the job's report"),
    ("y", "copy the path of its result"),
    ("Y", "copy the last command line"),
    ("?", "these keys"),
    ("q", "leave"),
)
"""Key and meaning, short enough for 50 columns."""

_KEY_WIDTH: Final = max(len(key) for key, _ in KEYS) + 2


class KeysFooter(Footer):
    """The keys that fit. Textual's own footer cuts one in half and gives no hint of those behind it; `?` lists them all."""

    def compose(self) -> ComposeResult:
        """The first keys, up to the width."""
        left = self.size.width
        for key in self._all():  # Textual does not export the class of these
            left -= len(f" {getattr(key, 'key_display', '')} {getattr(key, 'description', '')} ")
            if left < 0:
                return
            yield key

    def on_resize(self) -> None:
        """Another width: other keys."""
        self.refresh(recompose=True)

    def _all(self) -> Iterator[Widget]:
        yield from super().compose()


class KeysScreen(Screen[None]):
    """All keys of the lists."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "app.pop_screen", "Back", key_display="esc")]

    def __init__(self, header: LiveHeader) -> None:
        """`header`: what is on every screen."""
        super().__init__()
        self._header = header

    def compose(self) -> ComposeResult:
        """The header, the keys, how to leave."""
        yield self._header
        yield TextLines(id="detail")
        yield KeysFooter()

    def on_mount(self) -> None:
        """Nothing of it changes."""
        lines = [f"{key:{_KEY_WIDTH}}{meaning}" for key, meaning in KEYS]
        self.query_one(TextLines).show(["Keys", *lines])
