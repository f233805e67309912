"""The simulated disk leaves after a power cut nothing that the crash laboratory's model of a disk does not allow."""

import random
from collections.abc import Iterator

import pytest

from tests.faults import disk_model as model
from tests.simulation.disk import Disk
from tests.simulation.inodes import Inode

FILES = ("/a/x", "/a/y", "/b/x", "/b/y")
STEPS = 9
CUTS = 12
RUNS = 150
Fingerprint = tuple[tuple[str, int, bytes], ...]


class Both:
    """The same steps on both."""

    def __init__(self) -> None:
        self.model, self.disk = model.Disk(), Disk()
        for folder in ("/a", "/b"):
            self.model.put(folder, model.DIRECTORY)
            self.disk.put(folder.encode())
        self._now = 0

    def there(self, path: str) -> bool:
        return self.model.current(path) is not None

    def is_full(self) -> bool:
        """Whether a name has as many meanings as the model looks at."""
        folders = [self.disk.find(b"/a"), self.disk.find(b"/b")]
        return any(len(history.meanings) > 3 for folder in folders for history in folder.pending.values())

    def step(self, rng: random.Random) -> None:
        """Any step that is possible."""
        path, other = rng.choice(FILES), rng.choice(FILES)
        self._now += 1
        if not self.there(path):
            self.model.apply(model.Create(path))
            self.disk.make(*self.disk.place(path.encode()), is_folder=False, now_ns=self._now)
            return
        match rng.randrange(6):
            case 0:
                inode = self.disk.find(path.encode())
                self.model.apply(model.Write(path, b"%d," % self._now))
                self.disk.write(inode, len(inode.data), b"%d," % self._now, self._now)
            case 1 if path != other:
                self.model.apply(model.Rename(path, other))
                self.disk.rename(self.disk.place(path.encode()), self.disk.place(other.encode()))
            case 2:
                self.model.apply(model.Unlink(path))
                self.disk.unlink(*self.disk.place(path.encode()))
            case 3:
                self.model.apply(model.Sync(path))
                self.disk.sync(self.disk.find(path.encode()))
            case _:
                self.model.apply(model.Sync(path[:2]))
                self.disk.sync(self.disk.find(path[:2].encode()))


def left_by(disk: Disk) -> Fingerprint:
    """As `Wreck.fingerprint`."""
    found = dict(_paths(disk.root, ""))
    first: dict[int, int] = {}
    for place, path in enumerate(sorted(found)):
        first.setdefault(found[path].number, place)
    return tuple(
        (path, model.DIRECTORY if inode.is_folder else first[inode.number], bytes(inode.data))
        for path, inode in sorted(found.items())
    )


def _paths(folder: Inode, above: str) -> Iterator[tuple[str, Inode]]:
    for name, inode in (folder.entries or {}).items():
        path = f"{above}/{name.decode()}"
        yield path, inode
        yield from _paths(inode, path)


@pytest.mark.parametrize("seed", range(RUNS))
def test_every_state_after_a_power_cut_is_allowed(seed: int) -> None:
    allowed: set[Fingerprint] = set()
    for cut in range(CUTS):
        rng = random.Random(seed)  # noqa: S311 - the same steps each time
        both = Both()
        for _ in range(rng.randint(2, STEPS)):
            both.step(rng)
            if both.is_full():
                break
        allowed = allowed or {wreck.fingerprint() for wreck in both.model.wrecks()}
        both.disk.lose_power(random.Random(cut))  # noqa: S311 - and another power cut
        assert left_by(both.disk) in allowed
