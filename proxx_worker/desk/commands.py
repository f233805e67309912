"""The command lines that do the same as the console's actions, shown beside each. Pure."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.text import visible


def command_line(*words: str) -> str:
    """`proxx-worker WORDS`, quoted for a shell; control characters in names are escaped."""
    return visible("proxx-worker " + shlex.join(words))


def operands(stems: Sequence[bytes]) -> tuple[str, ...]:
    """The jobs' names as words of a command, after `--` if one of them would be read as a flag."""
    names = tuple(stem.decode("utf-8", "surrogateescape") for stem in stems)
    return ("--", *names) if any(name.startswith("-") for name in names) else names


def paths_in(text: str) -> tuple[str, ...]:
    """The paths typed into a field, as a shell reads words: separated by spaces, quoted where they contain some.

    Terminals paste files that are dropped on them in this form. Raises `ValueError` with what to do if there is none, if a
    quotation is not closed, or for a NUL.
    """
    try:
        paths = tuple(dict.fromkeys(path for path in shlex.split(text) if path))
    except ValueError:
        message = f"unclosed quotation mark or trailing backslash in: {text.strip()}; quote the whole path, as in '/mnt/my card'"
        raise ValueError(message) from None
    if "\0" in text:
        raise ValueError("a path contains a NUL, which no file name can; remove it")
    if not paths:
        raise ValueError("no clip is given; type the path of a clip or a folder")
    return paths


def needs_preset(profile: str) -> bool:
    """Whether a profile is for DaVinci Resolve, which needs the name of a render preset."""
    return profile in PROFILES and PROFILES[profile].engine is Engine.RESOLVE


class Place(StrEnum):
    """Where the proxies of a submitted clip or folder go. The values are the flags of `spec`."""

    BESIDE = "--beside"
    MIRROR = "--mirror"
    DIRECTORY = "--output-directory"


@dataclass(frozen=True, slots=True)
class SubmitForm:
    """What a person filled in. `sources`: absolute paths, all of clips or all of folders. `preset`: empty if none is needed."""

    sources: tuple[str, ...]
    profiles: Sequence[str]
    place: Place
    directory: str
    create_directories: bool
    preset: str = ""

    def words(self, workspace: str, *, recursive: bool) -> tuple[str, ...]:
        """The `spec` command that does the same."""
        profiles = [word for profile in self.profiles for word in ("--profile", profile)]
        preset = ("--resolve-preset", self.preset) if self.preset else ()
        create = ("--create-directories",) if self.create_directories else ()
        folder = ("--recursive",) if recursive else ()
        where = (self.place.value, self.directory, *create, "--submit", workspace)
        return ("spec", *folder, *profiles, *preset, *where, "--", *self.sources)
