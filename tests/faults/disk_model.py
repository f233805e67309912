"""A disk that can lose power: what was synced stays, and of the rest anything a filesystem may legally keep or lose.

Names and data are separate, as they are on a disk. A name has a history of what it stood for; a sync of its folder makes the
latest durable. After a power cut each name may stand for anything since its last durable meaning, independently of the others,
with two exceptions that every filesystem holds: a rename by itself never loses a file (the old name is gone only if the new one
is there), and a folder is gone only if what was in it is. Syncing the old name's folder before the new one's does lose it: not
every filesystem has a journal. A file's unsynced data may be the old, the new, half of it, or zeros.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import PurePosixPath

DIRECTORY = -1
ABSENT = None
Meaning = int | None
"""What a name stands for: a file's number, DIRECTORY, or nothing."""


@dataclass(frozen=True)
class Create:
    """A new, empty file; of an old one, the data goes if it `empties`."""

    path: str
    empties: bool = True


@dataclass(frozen=True)
class Write:
    """Data added at the file's end."""

    path: str
    data: bytes


@dataclass(frozen=True)
class Truncate:
    """The file cut to a length."""

    path: str
    size: int


@dataclass(frozen=True)
class Rename:
    """A name moved, over another where there is one."""

    source: str
    target: str


@dataclass(frozen=True)
class Unlink:
    """A name removed, of a file or of an empty folder."""

    path: str


@dataclass(frozen=True)
class MakeFolder:
    """A new folder."""

    path: str


@dataclass(frozen=True)
class Sync:
    """A file's data, or a folder's names, made durable."""

    path: str


Step = Create | Write | Truncate | Rename | Unlink | MakeFolder | Sync


@dataclass
class _File:
    data: bytes
    durable: bytes


@dataclass
class _Name:
    meanings: list[Meaning]
    durable: int = 0

    @property
    def now(self) -> Meaning:
        return self.meanings[-1]


@dataclass(frozen=True)
class Wreck:
    """What a power cut left: each path's file number (DIRECTORY for a folder), and each file's data."""

    names: Mapping[str, int]
    data: Mapping[int, bytes]

    def read(self, path: str) -> bytes | None:
        """The file's data; None where there is no such file."""
        number = self.names.get(path, DIRECTORY)
        return None if number == DIRECTORY else self.data[number]

    def fingerprint(self) -> tuple[tuple[str, int, bytes], ...]:
        """Equal for wrecks that cannot be told apart: paths, which of them are one file, and the data."""
        first: dict[int, int] = {}
        for place, path in enumerate(sorted(self.names)):
            first.setdefault(self.names[path], place)
        return tuple(
            (path, first[number] if number != DIRECTORY else DIRECTORY, self.data.get(number, b""))
            for path, number in sorted(self.names.items())
        )


@dataclass
class Disk:
    """A disk with a history. `unjudged` tells the paths whose latest meaning and data are always taken."""

    unjudged: Callable[[str], bool] = lambda _path: False
    _files: list[_File] = field(default_factory=list)
    _names: dict[str, _Name] = field(default_factory=dict)
    _conditions: list[tuple[str, int, str, int]] = field(default_factory=list)

    def put(self, path: str, number: int | None, data: bytes = b"") -> int:
        """What is durable from the beginning: a folder (`number` DIRECTORY), a new file (None), or another name of one."""
        if number is None:
            self._files.append(_File(data, data))
            number = len(self._files) - 1
        self._names[path] = _Name([number])
        return number

    def never_synced(self, path: str) -> None:
        """Nothing of this file's data is durable, as it turns out."""
        self._file(path).durable = b""

    def current(self, path: str) -> bytes | None:
        """A file's data as a reader sees it now."""
        number = self._names[path].now if path in self._names else ABSENT
        return None if number in (ABSENT, DIRECTORY) or number is None else self._files[number].data

    def apply(self, step: Step) -> None:  # noqa: C901 - one case per kind of step
        """Do one step."""
        match step:
            case Create(path, empties):
                number = self._number(path)
                if number is None:
                    self._files.append(_File(b"", b""))
                    self._mean(path, len(self._files) - 1)
                elif empties:
                    self._files[number].data = b""
            case Write(path, data):
                self._file(path).data += data
            case Truncate(path, size):
                file = self._file(path)
                file.data = file.data[:size].ljust(size, b"\0")
            case Rename(source, target):
                self._rename(source, target)
            case Unlink(path):
                gone = self._mean(path, ABSENT)
                for inside in self._inside(path):
                    self._conditions.append((path, gone, inside, len(self._names[inside].meanings) - 1))
            case MakeFolder(path):
                self._mean(path, DIRECTORY)
            case Sync(path):
                self._sync(path)

    def wrecks(self) -> Iterator[Wreck]:
        """Every state that a power cut at this moment may leave."""
        open_names = [path for path, name in self._names.items() if self._choices(path, name)[1:]]
        choices = [self._choices(path, self._names[path]) for path in open_names]
        for chosen in product(*choices):
            picked = dict(zip(open_names, chosen, strict=True))
            if all(self._holds(condition, picked) for condition in self._conditions):
                yield from self._with_data(self._resolve(picked))

    def _number(self, path: str) -> int | None:
        now = self._names[path].now if path in self._names else ABSENT
        return None if now == DIRECTORY else now

    def _file(self, path: str) -> _File:
        number = self._number(path)
        assert number is not None, path
        return self._files[number]

    def _mean(self, path: str, meaning: Meaning) -> int:
        name = self._names.setdefault(path, _Name([ABSENT]))
        name.meanings.append(meaning)
        return len(name.meanings) - 1

    def _rename(self, source: str, target: str) -> None:
        number = self._names[source].now
        there = self._mean(target, number)
        gone = self._mean(source, ABSENT)
        self._conditions.append((source, gone, target, there))

    def _inside(self, folder: str) -> list[str]:
        return [path for path in self._names if str(PurePosixPath(path).parent) == folder]

    def _sync(self, path: str) -> None:
        if path in self._names and self._names[path].now != DIRECTORY:
            file = self._file(path)
            file.durable = file.data
            return
        synced = self._inside(path)
        for inside in synced:
            name = self._names[inside]
            name.durable = len(name.meanings) - 1
        self._conditions = [it for it in self._conditions if it[0] not in synced]

    def _choices(self, path: str, name: _Name) -> Sequence[int]:
        last = len(name.meanings) - 1
        return [last] if self.unjudged(path) else range(max(name.durable, last - 3), last + 1)

    def _holds(self, condition: tuple[str, int, str, int], picked: Mapping[str, int]) -> bool:
        source, gone, target, there = condition
        return self._pick(source, picked) < gone or self._pick(target, picked) >= there

    def _pick(self, path: str, picked: Mapping[str, int]) -> int:
        return picked[path] if path in picked else len(self._names[path].meanings) - 1

    def _resolve(self, picked: Mapping[str, int]) -> dict[str, int]:
        meanings = {path: name.meanings[self._pick(path, picked)] for path, name in self._names.items()}
        there = {path: number for path, number in meanings.items() if number is not None}
        folders = {path for path, number in there.items() if number == DIRECTORY}
        known = {path for path, name in self._names.items() if DIRECTORY in name.meanings}
        return {path: number for path, number in there.items() if _parent(path) in folders or _parent(path) not in known}

    def _with_data(self, names: Mapping[str, int]) -> Iterator[Wreck]:
        numbers = sorted({number for number in names.values() if number != DIRECTORY})
        quiet = {number for path, number in names.items() if self.unjudged(path)}
        logs = {number for path, number in names.items() if path.endswith(".log")}
        versions = [
            [self._files[it].data] if it in quiet else _versions(self._files[it])[: 2 if it in logs else None] for it in numbers
        ]
        for data in product(*versions):
            yield Wreck(names, dict(zip(numbers, data, strict=True)))


def _parent(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _versions(file: _File) -> list[bytes]:
    if file.data == file.durable:
        return [file.data]
    return list(dict.fromkeys([file.durable, file.data, file.data[: len(file.data) // 2], bytes(len(file.data))]))
