"""A job's name as a list shows it, and the job that it means."""

import os
from collections.abc import Iterable

from proxx_worker.contract.candidates import SPEC_SUFFIX, display_name
from proxx_worker.contract.text import visible


class AmbiguousNameError(Exception):
    """A shown name stands for several jobs; the message says so."""


def names_of(stem: bytes) -> tuple[str, ...]:
    """The forms of a name that a caller may give: its exact bytes, as JSON has it, or as a terminal shows it."""
    shown = display_name(stem)
    return os.fsdecode(stem), shown, visible(shown)


def stem_shown_as(name: bytes, stems: Iterable[bytes]) -> bytes | None:
    """The one of `stems` that `name` means: exactly, or as it is shown; `.json` is removed if none matches with it. None if none.

    Raises `AmbiguousNameError` if several are shown alike and none has exactly this name.
    """
    there = set(stems)
    for meant in dict.fromkeys((name, name.removesuffix(SPEC_SUFFIX))):
        if meant in there:
            return meant
        found = [stem for stem in there if os.fsdecode(meant) in names_of(stem)]
        if len(found) > 1:
            raise AmbiguousNameError(
                f"{len(found)} jobs are shown as {display_name(meant)}; rename the specs, or give the exact bytes"
            )
        if found:
            return found[0]
    return None
