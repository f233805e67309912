"""The jobs of a workspace, or of a folder of specs: read from the folders each time, remembered nowhere else."""

import os
import re
from collections.abc import Collection, Mapping
from typing import Final

from proxx_worker.contract.candidates import SPEC_SUFFIX, is_candidate_name
from proxx_worker.contract.jobspec import MAX_SPEC_BYTES, spec_digest
from proxx_worker.feeding.standing import Outputs, State
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.locations import path_bytes
from proxx_worker.workspace.claimed import read_if_regular
from proxx_worker.workspace.entries import exists
from proxx_worker.workspace.layout import Workspace

_NUMBERED: Final = re.compile(rb"(.+)~[0-9]+", re.DOTALL)


class Jobs:
    """The jobs of some folders. Each spec is read once: its bytes are never changed, and no name is used twice in one folder."""

    def __init__(self, folders: Mapping[State, bytes]) -> None:
        """`folders` in the order in which a spec goes through them."""
        self._folders = folders
        self._names: dict[bytes, list[tuple[State, bytes]]] = {}
        self._digests: dict[tuple[State, bytes], str] = {}

    @classmethod
    def of_workspace(cls, workspace: Workspace) -> "Jobs":
        """The jobs of a workspace; folders that are missing hold none."""
        return cls(
            {
                State.WAITING: workspace.inbox,
                State.RUNNING: workspace.running,
                State.DONE: workspace.done,
                State.FAILED: workspace.failed,
            }
        )

    def look(self) -> None:
        """List the folders. Raises WORKSPACE_INVALID or IO_ERROR.

        In the order in which a spec goes through them: one that moves meanwhile is seen twice, and never missed.
        """
        names: dict[bytes, list[tuple[State, bytes]]] = {}
        for state, folder in self._folders.items():
            with translate_os_errors("list", folder, state_folder=True):
                try:
                    listed = os.listdir(folder)
                except FileNotFoundError:
                    listed = []
            for name in filter(is_candidate_name, listed):
                stem = name[: -len(SPEC_SUFFIX)]
                names.setdefault(stem, []).append((state, name))
                if numbered := _NUMBERED.fullmatch(stem):
                    names.setdefault(numbered[1], []).append((state, name))
        self._names = names
        there = {place for places in names.values() for place in places}
        self._digests = {place: digest for place, digest in self._digests.items() if place in there}

    def states_of(self, stem: str, data: bytes) -> frozenset[State]:
        """The state of a job called `stem`, `stem~2`, ... with these bytes. Raises WORKSPACE_INVALID or IO_ERROR."""
        wanted = spec_digest(data)
        while True:
            found = [(state, self._digest((state, name))) for state, name in self._names.get(path_bytes(stem), [])]
            if all(digest is not None for _, digest in found):
                return frozenset(state for state, digest in found if digest == wanted)
            self.look()  # it has moved since: it is in a later folder, or was removed

    def is_taken(self, stem: str) -> bool:
        """Whether any job has this name."""
        return any(name == path_bytes(stem) + SPEC_SUFFIX for _, name in self._names.get(path_bytes(stem), []))

    def _digest(self, place: tuple[State, bytes]) -> str | None:
        """The SHA-256 of a spec; None if it is gone. Empty for a file that is not a spec."""
        if place not in self._digests:
            state, name = place
            path = os.path.join(self._folders[state], name)
            with translate_os_errors("read", path, state_folder=True):
                data = read_if_regular(path, MAX_SPEC_BYTES + 1)
                if data is None and not exists(path):
                    return None
            self._digests[place] = "" if data is None else spec_digest(data)
        return self._digests[place]


def outputs_there(outputs: Collection[str]) -> Outputs:
    """How many of the outputs are in place. Raises IO_ERROR if the system cannot tell: that never counts as missing."""
    there = 0
    for output in outputs:
        with translate_os_errors("look for", output):
            try:
                there += exists(path_bytes(output))
            except NotADirectoryError:
                continue
    if there == 0:
        return Outputs.NONE
    return Outputs.ALL if there == len(outputs) else Outputs.SOME
