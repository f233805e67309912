"""Draw the packages, from top to bottom as they may import, and a job's way through them, as SVG to standard output.

    python deploy/pictures/packages.py > docs/pictures/packages.svg     (or: make pictures)

The layers and what they are for are those of the text in docs/contributor.md, which a test holds to import-linter's; another test
holds the picture to this program. The way is "How a job flows" of the same page in short.
"""

import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "contributor.md"

# A job's way: the package, and what happens there.
WAY = (
    ("workspace", "claim the JobSpec with one rename"),
    ("contract", "read it: settings, or all its faults"),
    ("engines", "open and probe each source"),
    ("media", "turn the probe's report into facts"),
    ("planning", "derive the command and what it must give"),
    ("process", "run the encoder"),
    ("verification", "compare the proxy with its source"),
    ("delivery", "seal it; at the end publish all outputs"),
    ("workspace", "move result, log and spec"),
)
PURE = ("verification", "planning", "media", "contract")

WIDTH, LEFT, TOP, ROW, GAP, NOTES = 1120, 20, 58, 58, 8, 700
# Each has a contrast of at least 4.5 with what it is drawn on.
INK, QUIET, ACCENT, PURE_FILL, FILL = "#1f2933", "#4a5563", "#a83200", "#e2f0e4", "#e6edf6"


def layers(page: str) -> list[tuple[list[str], str]]:
    r"""The packages of each layer and what they are for, top first.

    >>> layers("x\\n```text\\ncli     flags in, exit codes out\\na | b   first; second\\n```\\n")
    [(['cli'], 'flags in, exit codes out'), (['a', 'b'], 'first; second')]
    """
    block = next(part for part in page.split("```text\n")[1:] if part.startswith("cli ")).split("```")[0]
    pairs = (line.split("  ", 1) for line in block.splitlines())
    return [(names.split(" | "), purpose.strip()) for names, purpose in pairs]


def picture(rows: list[tuple[list[str], str]]) -> Iterator[str]:
    """The lines of the SVG."""
    height = TOP + len(rows) * (ROW + GAP) + 40
    title = "The packages of proxx-worker, and a job's way through them"
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title">'
    yield f'<title id="title">{title}</title>'
    yield f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    yield f'<g font-family="Helvetica, Arial, sans-serif" fill="{INK}">'
    yield text(LEFT, 32, "Imports point down only", 17, weight=700)
    yield text(NOTES + 20, 32, "A job's way", 17, weight=700)
    places = {}
    for row, (names, purpose) in enumerate(rows):
        y = TOP + row * (ROW + GAP)
        yield f'<rect x="{LEFT}" y="{y}" width="{NOTES - LEFT - 20}" height="{ROW}" rx="6" fill="{fill(names)}"/>'
        for column, name in enumerate(names):
            x = LEFT + 12 + column * 165
            places[name] = (x + 126, y + 18)
            yield text(x, y + 24, name, 16, weight=700)
        yield text(LEFT + 12, y + 46, purpose, 13, color=QUIET)
    yield from way(places)
    yield text(LEFT, height - 16, "green: pure, by value only; blue: may touch the world", 13, color=QUIET)
    yield "</g>"
    yield "</svg>"


def way(places: dict[str, tuple[int, int]]) -> Iterator[str]:
    """The numbered steps: beside each package, and in words at the right."""
    seen: dict[str, int] = {}
    for number, (package, what) in enumerate(WAY, start=1):
        x, y = places[package]
        yield from dot(x + 24 * seen.get(package, 0), y, number)
        seen[package] = seen.get(package, 0) + 1
        y = TOP + 22 + (number - 1) * 52
        yield from dot(NOTES + 32, y, number)
        yield text(NOTES + 52, y - 2, what, 15)
        yield text(NOTES + 52, y + 17, package, 13, color=QUIET)


def dot(x: int, y: int, number: int) -> Iterator[str]:
    """A numbered dot around (x, y)."""
    yield f'<circle cx="{x}" cy="{y}" r="10.5" fill="{ACCENT}"/>'
    yield f'<text x="{x}" y="{y + 4.5}" font-size="13" font-weight="700" text-anchor="middle" fill="#ffffff">{number}</text>'


def fill(names: list[str]) -> str:
    """The colour of a layer."""
    return PURE_FILL if names[0] in PURE else FILL


def text(x: int, y: int, words: str, size: int, *, weight: int = 400, color: str = INK) -> str:
    """One line of text from (x, y) on, in pixels."""
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{color}">{escape(words)}</text>'


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in picture(layers(PAGE.read_text(encoding="utf-8"))))
