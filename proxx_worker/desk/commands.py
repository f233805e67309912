"""The command lines that do the same as the console's actions, shown beside each. Pure."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from proxx_worker.contract.text import visible


def command_line(*words: str) -> str:
    """`proxx-worker WORDS`, quoted for a shell; control characters in names are escaped."""
    return visible("proxx-worker " + shlex.join(words))


class Place(StrEnum):
    """Where the proxies of a submitted clip or folder go. The values are the flags of `spec`."""

    BESIDE = "--beside"
    MIRROR = "--mirror"
    DIRECTORY = "--output-directory"


@dataclass(frozen=True, slots=True)
class SubmitForm:
    """What a person filled in: a clip or a folder, the profiles, and where the proxies go."""

    source: str
    profiles: Sequence[str]
    place: Place
    directory: str
    create_directories: bool

    def words(self, workspace: str, *, recursive: bool) -> tuple[str, ...]:
        """The `spec` command that does the same."""
        profiles = [word for profile in self.profiles for word in ("--profile", profile)]
        create = ("--create-directories",) if self.create_directories else ()
        folder = ("--recursive",) if recursive else ()
        where = (self.place.value, self.directory, *create, "--submit", workspace)
        return ("spec", *folder, *profiles, *where, "--", self.source)
