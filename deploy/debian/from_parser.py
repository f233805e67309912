"""`from_parser.py PROJECT ROOT`: write the man page and the shells' completions below ROOT, from the command's own parser.

Runs where argparse-manpage and shtab are. The parser needs nothing but Python, so the project is not installed there.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/proxx-worker",
    "fish": "usr/share/fish/vendor_completions.d/proxx-worker.fish",
    "zsh": "usr/share/zsh/vendor-completions/_proxx-worker",
}
MAN_PAGE = "usr/share/man/man1/proxx-worker.1"
FOLDERS = {"DIR", "WORKSPACE"}
FILES = {"FILE", "JOBSPEC.json", "PATH", "RESULT", "RESULT | WORKSPACE", "SOURCE"}


def main(project: Path, root: Path) -> None:
    """Write them."""
    sys.path.insert(0, str(project))
    sys.dont_write_bytecode = True
    os.environ["COLUMNS"] = "10000"  # a usage is one line, which man fills by itself
    from proxx_worker import __version__  # noqa: PLC0415 - found where the argument says
    from proxx_worker.cli.parser import build_parser  # noqa: PLC0415

    parser = build_parser()
    for action in _actions(parser):
        if action.metavar in FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined] # shtab's way of being told
        elif action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    for shell, place in COMPLETIONS.items():
        _write(root / place, shtab.complete(parser, shell=shell))
    page = Manpage(parser)
    page.description = "make editing proxies with FFmpeg, by JobSpec"
    page.source, page.manual = f"proxx-worker {__version__}", "proxx-worker"
    page.date = ""  # the same sources make the same page
    page.add_section("exit status", "=", (parser.epilog or "").removeprefix("Exit codes: "))
    parser.epilog = None
    _write(root / MAN_PAGE, str(page))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Those of the parser and of all its commands."""
    for action in parser._actions:  # noqa: SLF001 - argparse lists them in no other way
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                yield from _actions(command)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
