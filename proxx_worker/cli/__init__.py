"""The command line: the only place that builds objects from settings, and the only one that decides the process's exit code."""

from proxx_worker.cli.parser import main

__all__ = ["main"]
