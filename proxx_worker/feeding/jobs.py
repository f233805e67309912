"""The jobs of a workspace, or of a folder of specs: read from the folders each time, remembered nowhere else."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from proxx_worker.contract.candidates import SPEC_SUFFIX, display_name, is_candidate_name, is_spec_name
from proxx_worker.contract.jobspec import MAX_SPEC_BYTES, spec_digest
from proxx_worker.feeding.rivals import KnownSpec
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
            for name in filter(is_candidate_name if state is State.WAITING else is_spec_name, listed):
                for stem in _stems(name[: -len(SPEC_SUFFIX)]):
                    names.setdefault(stem, []).append((state, name))
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

    def known(self, *states: State) -> list[KnownSpec]:
        """Every spec in these folders with its bytes, folder by folder. Raises WORKSPACE_INVALID or IO_ERROR.

        None is read twice, so that this ends on a busy workspace too: a further try costs only what has come or moved since.
        """
        read: dict[tuple[State, bytes], bytes] = {}
        while True:
            listed = {place for places in self._names.values() for place in places}
            wanted = [place for state in states for place in sorted(listed) if place[0] is state]
            for place in wanted:
                if place not in read and (data := self._read(place)) is not None:
                    read[place] = data
            if all(place in read for place in wanted):
                return [
                    KnownSpec(display_name(name[: -len(SPEC_SUFFIX)]), state, read[state, name])
                    for state, name in wanted
                    if read[state, name]
                ]
            self.look()  # as above: one of them has moved on

    def is_taken(self, stem: str) -> bool:
        """Whether any job has this name."""
        return any(name == path_bytes(stem) + SPEC_SUFFIX for _, name in self._names.get(path_bytes(stem), []))

    def _digest(self, place: tuple[State, bytes]) -> str | None:
        """The SHA-256 of a spec; None if it is gone. Empty for a file that is not a spec."""
        if place not in self._digests:
            data = self._read(place)
            if data is None:
                return None
            self._digests[place] = spec_digest(data) if data else ""
        return self._digests[place]

    def _read(self, place: tuple[State, bytes]) -> bytes | None:
        """The bytes of a spec; None if it is gone. Empty for a file that is not a spec."""
        state, name = place
        path = os.path.join(self._folders[state], name)
        with translate_os_errors("read", path, state_folder=True):
            data = read_if_regular(path, MAX_SPEC_BYTES + 1)
            return b"" if data is None and exists(path) else data


def _stems(stem: bytes) -> Iterator[bytes]:
    """Each name that a job in a file of this stem may have been given first: a drop and a claim both add `~2` to a taken one."""
    yield stem
    while numbered := _NUMBERED.fullmatch(stem):
        stem = numbered[1]
        yield stem


def outputs_there(outputs: Collection[str]) -> Outputs:
    """How many of the outputs are in place. Raises IO_ERROR if the system cannot tell: that never counts as missing."""
    return how_many(in_place(outputs), outputs)


def how_many(there: Collection[str], outputs: Collection[str]) -> Outputs:
    """How many of the outputs are `there`."""
    if not there:
        return Outputs.NONE
    return Outputs.ALL if len(there) == len(outputs) else Outputs.SOME


def in_place(outputs: Collection[str]) -> list[str]:
    """Those of the outputs that exist, whatever they are. Raises as `outputs_there`."""
    there: list[str] = []
    for output in outputs:
        with translate_os_errors("look for", output):
            try:
                if exists(path_bytes(output)):
                    there.append(output)
            except NotADirectoryError:
                continue
    return there
