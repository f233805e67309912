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
least and the greatest in parentheses, a ratio is taken pair by pair. `bound` is what the project asks of itself. No test fails
by these figures.
"""


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
        """Write the page."""
        parts = [INTRODUCTION, machine()]
        for section, rows in self.sections.items():
            parts.append(f"\n## {section}\n")
            if rows:
                parts.append("| what | figure | bound |\n|---|---|---|")
                parts += [f"| {what} | {figure} | {bound} |" for what, figure, bound in rows]
            parts += [f"\n{text}" for text in self.notes.get(section, [])]
        path.write_text("\n".join(parts) + "\n")


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
