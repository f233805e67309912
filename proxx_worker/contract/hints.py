"""What a person probably meant by something that does not exist. Hints for messages; nothing is corrected automatically."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from urllib.parse import unquote

JOB_LOG = "the job's log (`run` writes one with `--log FILE`)"
"""Where the whole of an encoder's output is, in words that are true of `watch`, which always keeps that log, and of `run`."""

_LONGEST = 100  # characters of a wrong name that are compared: a hostile one would cost quadratic time
_SHORTEST_PART = 4  # "profile" is meant for proxy_profile; "o" is meant for nothing
_LIKENESS = 0.75  # of difflib: one letter of four may be wrong
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_WILDCARDS = re.compile(r"[*?]|\[[^\]]+\]")


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` looks like or is a part of; None if there is none, or if it is a part of several."""
    by_folded = {choice.casefold(): choice for choice in known}
    wanted = name[:_LONGEST].casefold()
    if len(wanted) >= _SHORTEST_PART and (holding := [choice for choice in by_folded if wanted in choice]):
        return by_folded[holding[0]] if len(holding) == 1 else None
    close = get_close_matches(wanted, list(by_folded), n=1, cutoff=_LIKENESS)
    return by_folded[close[0]] if close else None


def relative_path_hint(path: str) -> str:
    """Why `path`, which is not absolute, is not a path for a spec."""
    if path.startswith("~"):
        return "~ is not expanded: write the whole path, such as /home/NAME/..."
    if _WINDOWS.match(path):
        return "it is a Windows path: write its path on the worker's machine, such as /mnt/share/..."
    if path.startswith("file://"):
        return f"it is a URL: write only the path, {unquote(path.removeprefix('file://'))}"
    if path.startswith("$"):
        return "variables are not expanded: write the whole path"
    return "it must begin with /"


def missing_path_hint(path: str) -> str | None:
    """Why there may be no file at the absolute `path`; None if nothing about the path is unusual."""
    if _WILDCARDS.search(path):
        return "Wildcards are not expanded: name each clip, or let `proxx-worker spec --recursive` find them."
    if path != path.strip():
        return "The path begins or ends with a space."
    if "%20" in path:
        return f"It looks like part of a URL; as a path it is {unquote(path)}."
    return None
