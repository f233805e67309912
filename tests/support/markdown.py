"""The project's pages as data: their fenced blocks, tables, headings and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^`]*)$")
_HEADING = re.compile(r"^(#{1,6}) (.+)$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block. `marks`: the words after its language, which say what the tests do with it."""

    page: Path
    line: int
    language: str
    marks: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


@dataclass(frozen=True)
class Table:
    """A table: its cells as they are written, without the row of dashes."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        """The cells under `name`."""
        at = self.header.index(name)
        return [row[at] for row in self.rows]


class Page:
    """One Markdown page."""

    def __init__(self, path: Path) -> None:
        """Read `path`."""
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self._lines = self.text.splitlines()

    def blocks(self) -> Iterator[Block]:
        """The fenced blocks, in order."""
        opened: tuple[int, str, str] | None = None
        for number, line in enumerate(self._lines, start=1):
            fence = _FENCE.match(line)
            if opened is None and fence is not None:
                opened = number, fence["fence"], fence["info"].strip()
            elif opened is not None and line.strip() == opened[1]:
                language, *marks = opened[2].split() or [""]
                inside = self._lines[opened[0] : number - 1]
                yield Block(self.path, opened[0], language, tuple(marks), "".join(f"{it}\n" for it in inside))
                opened = None

    def prose(self) -> list[str]:
        """The lines outside fenced blocks."""
        fenced = {
            number
            for block in self.blocks()
            for number in range(block.line, block.line + block.text.count("\n") + 2)
        }  # fmt: skip
        return ["" if number in fenced else line for number, line in enumerate(self._lines, start=1)]

    def section(self, heading: str) -> list[str]:
        """The prose under `heading`, up to the next heading of its level or above."""
        lines: list[str] = []
        level = 0
        for line in self.prose():
            found = _HEADING.match(line)
            if found is not None and level and len(found[1]) <= level:
                return lines
            if found is not None and found[2] == heading:
                level = len(found[1])
            elif level:
                lines.append(line)
        if not level:
            raise AssertionError(f"{self.path.name} has no heading {heading!r}")
        return lines

    def tables(self, heading: str) -> list[Table]:
        """The tables in the section under `heading`."""
        rows: list[tuple[str, ...]] = []
        tables: list[Table] = []
        for line in [*self.section(heading), ""]:
            if line.startswith("|"):
                cells = line.strip().strip("|").replace(r"\|", "\0").split("|")
                rows.append(tuple(cell.strip().replace("\0", "|") for cell in cells))
            elif rows:
                tables.append(Table(rows[0], tuple(rows[2:])))
                rows = []
        return tables

    def table(self, heading: str) -> Table:
        """The only table under `heading`."""
        (table,) = self.tables(heading)
        return table

    def anchors(self) -> set[str]:
        """What a link into this page may name after `#`."""
        titles = [found[2] for found in map(_HEADING.match, self.prose()) if found is not None]
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}

    def links(self) -> Iterator[str]:
        """The target of every link, in prose only."""
        for line in self.prose():
            yield from _LINK.findall(line)


def code(cell: str) -> list[str]:
    """What stands in backticks in a cell, in order."""
    return _CODE.findall(cell)


def first_code(cells: list[str]) -> list[str]:
    """The first thing in backticks of each cell."""
    return [code(cell)[0] for cell in cells]
