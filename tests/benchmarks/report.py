"""The page that the benchmarks write: every figure with what it was measured against and the bound that was asked for."""

import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

INTRODUCTION = """# Benchmarks

Written by `make bench`; do not edit. The worker and its rivals run in turns in one session; a figure is a median with the
lowest and highest in parentheses, and a ratio is taken pair by pair. `bound` is the project's own target. No test fails
because of these figures. Running part of the suite (`make bench PYTEST_ARGS=tests/benchmarks/test_idle.py`) updates only its
own sections; each says at which commit, and on which machine, it was measured.
"""

_SECTION = "\n## "


@dataclass
class Report:
    """Rows by section, in the order in which they were measured."""

    sections: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def row(self, section: str, what: str, figure: str, bound: str = "") -> None:
        """One line of a section's table; printed at once, for whoever watches."""
        self.sections.setdefault(section, []).append((what, figure, bound))
        sys.stdout.write(f"\n{section}: {what}: {figure}" + (f"   [bound {bound}]" if bound else "") + "\n")

    def note(self, section: str, text: str) -> None:
        """A sentence under a section's table: how it was measured, or why it could not be."""
        self.sections.setdefault(section, [])
        self.notes.setdefault(section, []).append(text)
        sys.stdout.write(f"\n{section}: {text}\n")

    def write(self, path: Path) -> None:
        """Write the page: what was measured now, and the sections that an earlier run left there."""
        kept = sections_of(path.read_text()) if path.exists() else {}
        measured = machine()
        pages = kept | {section: self._body(section, measured) for section in self.sections}
        path.write_text(INTRODUCTION + "".join(f"{_SECTION}{section}\n\n{body}\n" for section, body in pages.items()))

    def _body(self, section: str, measured: str) -> str:
        rows = self.sections[section]
        table = "\n".join(["| what | figure | bound |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])
        return "\n\n".join([*([table] if rows else []), *self.notes.get(section, []), measured])


def sections_of(page: str) -> dict[str, str]:
    """The bodies of a page's sections by their headings, in order."""
    parts = (part.split("\n", 1) for part in page.split(_SECTION)[1:])
    return {heading: body.strip("\n") for heading, body in parts}


def machine() -> str:
    """What it ran on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()) if Path("/proc/cpuinfo").exists() else None
    version = subprocess.run(["ffmpeg", "-version"], check=True, capture_output=True, text=True).stdout.split(" Copyright")[0]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], check=False, capture_output=True, text=True).stdout.strip()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"Machine: {model[1] if model else platform.processor()}, {cores} CPUs, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {version}, commit {commit or 'unknown'}."
    )
