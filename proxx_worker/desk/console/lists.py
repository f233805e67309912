"""Lists that draw only what is on the screen: ten thousand rows cost what twenty do."""

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from proxx_worker.contract.text import visible
from proxx_worker.desk.showing import Row, Rows

_WIDE: Final = 100
"""From this width on a row's name and its rest are on one line."""

_LEAST_NAME: Final = 12
"""Cells that a name keeps beside a long note."""

_PLAIN, _FAINT, _HEAD = Style(), Style(dim=True), Style(bold=True)
"""Every piece has a style: Textual's drawing without colours depends on it."""


class RowList(ScrollView, can_focus=True):
    """Rows with a cursor, one line each, or two if there is little space. The cursor stays with its job when rows change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "move_page(-1)", "Page up", show=False),
        Binding("pagedown", "move_page(1)", "Page down", show=False),
        Binding("home", "move(-1000000000)", "First", show=False),
        Binding("end", "move(1000000000)", "Last", show=False),
        Binding("enter", "open", "Open", show=False),
    ]

    cursor: reactive[int] = reactive(0)

    class Opened(Message):
        """Enter on a row."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        """Empty, until `show`."""
        super().__init__(id=id)
        self.rows = Rows(())
        self._nothing = ""

    @property
    def row(self) -> Row | None:
        """The row at the cursor; None in an empty list."""
        return self.rows[self.cursor] if self.rows else None

    def show(self, rows: Rows, nothing: str) -> None:
        """Show these rows; `nothing`: what an empty list says."""
        stem = self.row.job.stem if self.row is not None and self.row.job is not None else None
        self.rows, self._nothing = rows, nothing
        self._measure()
        place = None if stem is None else rows.place_of(stem)
        self.cursor = min(self.cursor, max(0, len(rows) - 1)) if place is None else place
        self.refresh()

    def on_screen_stems(self) -> list[bytes]:
        """The jobs whose rows can be seen."""
        first = int(self.scroll_offset.y) // self._height
        return [job.stem for job in self.rows[first : first + self.size.height // self._height + 1].jobs()]

    def on_resize(self) -> None:
        """The width has changed, and with it the number of lines per row."""
        self._measure()
        self.scroll_to_cursor()

    def watch_cursor(self) -> None:
        """Keep it on the screen."""
        self.scroll_to_cursor()
        self.refresh()

    def scroll_to_cursor(self) -> None:
        """Scroll so that the cursor's row is visible."""
        self.scroll_to_region(Region(0, self.cursor * self._height, 1, self._height), animate=False, force=True)

    def action_move(self, by: int) -> None:
        """Move the cursor by so many rows."""
        self.cursor = max(0, min(len(self.rows) - 1, self.cursor + by))

    def action_move_page(self, by: int) -> None:
        """Move it by so many screens."""
        self.action_move(by * max(1, self.size.height // self._height - 1))

    def action_open(self) -> None:
        """Ask for the details of the row."""
        if self.row is not None and self.row.job is not None:
            self.post_message(self.Opened())

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self._width
        if not self.rows:
            text = _wrapped(self._nothing, width)
            return Strip([Segment(text[y] if y < len(text) else "", _FAINT)]).adjust_cell_length(width, _PLAIN)
        at, part = divmod(y + int(self.scroll_offset.y), self._height)
        if at >= len(self.rows):
            return Strip.blank(width, _PLAIN)
        row = self.rows[at]
        style = _HEAD if row.job is None else _PLAIN
        if at == self.cursor:
            style += Style(reverse=True)
        mark = ">" if at == self.cursor and part == 0 else " "
        indent = "" if row.job is None else " "
        name = Strip([Segment(f"{mark}{indent}{row.title}", style)])
        if self._height == 1:
            name = _ended(name, max(width * 3 // 10, 1), style) if row.job is not None else name
            rest = "  ".join(filter(None, (row.note, row.rest)))
            line = Strip.join([name, Strip([Segment(f"  {rest}", style if row.job is None else style + _FAINT)])])
        elif part == 0:
            note = Strip([Segment(f"  {row.note}", style + _FAINT)])
            left = max(_LEAST_NAME, width - note.cell_length) if row.note else width
            line = Strip.join([_ended(name, left, style) if name.cell_length > left else name, note])
        else:
            line = Strip([Segment(f"    {row.rest}", style + _FAINT)])
        return line.adjust_cell_length(width, style).simplify()

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    @property
    def _height(self) -> int:
        return 1 if self._width >= _WIDE else 2

    def _measure(self) -> None:
        self.virtual_size = Size(self._width, len(self.rows) * self._height)


class TextLines(ScrollView, can_focus=True):
    """Lines of text, wrapped to the width, scrolled by the keyboard. Control characters have no effect."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        """Empty, until `show`."""
        super().__init__(id=id)
        self._lines: Sequence[str] = ()
        self._wrapped: list[str] = []
        self._strips: LRUCache[tuple[int, int], Strip] = LRUCache(512)

    def show(self, lines: Sequence[str], *, at_end: bool = False) -> None:
        """Show these lines; `at_end`: the last of them, where the last was seen before."""
        follows = at_end and self.scroll_offset.y >= self.max_scroll_y
        self._lines = lines
        self._wrap()
        if follows:
            self.scroll_end(animate=False, force=True)

    def on_resize(self) -> None:
        """Wrap again."""
        self._wrap()

    @property
    def text(self) -> str:
        """All that is shown."""
        return "\n".join(self._wrapped)

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        at = y + int(self.scroll_offset.y)
        width = self.scrollable_content_region.width
        if at >= len(self._wrapped):
            return Strip.blank(width, _PLAIN)
        return Strip([Segment(self._wrapped[at], _HEAD if at == 0 else _PLAIN)]).adjust_cell_length(width, _PLAIN)

    def _wrap(self) -> None:
        width = max(1, self.scrollable_content_region.width)
        self._wrapped = [part for line in self._lines for part in _wrapped(visible(line), width)]
        self.virtual_size = Size(width, len(self._wrapped))
        self.refresh()


def _ended(name: Strip, width: int, style: Style) -> Strip:
    """The name in exactly `width` cells; with a sign at its end if it is cut."""
    if name.cell_length <= width:
        return name.adjust_cell_length(width, style)
    return Strip.join([name.crop(0, width - 1), Strip([Segment("…", style)])]).adjust_cell_length(width, style)


def _wrapped(line: str, width: int) -> list[str]:
    """Cut into pieces of at most `width` cells, at a space where there is one near the end. No word is lost."""
    pieces: list[str] = []
    indent = line[: len(line) - len(line.lstrip())] if line.strip() else ""
    rest = line
    while True:
        fits = _fitting(rest, width)
        if fits >= len(rest):
            return [*pieces, rest]
        space = rest.rfind(" ", len(indent) + 1, fits + 1)
        cut = space if space > fits // 2 else fits
        pieces.append(rest[:cut])
        rest = indent + "  " + rest[cut:].lstrip() if len(indent) + 4 < width // 2 else rest[cut:].lstrip()


def _fitting(text: str, width: int) -> int:
    """How many of the first characters fit into `width` cells; at least one."""
    if text.isascii():
        return max(1, min(len(text), width))
    strip = Strip([Segment(text)]).crop(0, width)
    return max(1, len(strip.text.rstrip()) if strip.cell_length < width else len(strip.text))
