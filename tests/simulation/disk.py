"""A disk in memory that can lose power: what was synced stays, and of the rest anything that a filesystem may keep or lose.

The rules are those of `tests/faults/disk_model.py`, for a tree of inodes that programs work on while they run. Names and data
are separate. Each entry of a folder remembers what it stood for since the folder was last synced, and after a power cut it may
stand for any of that, independently of the others, with two exceptions that every filesystem holds: a rename by itself never
loses a file (the old name is gone only if the new one is there), and a folder is gone only if what was in it is. A program that
syncs the old name's folder before the new one's can lose the file all the same: not every filesystem has a journal. That somebody
else's sync of the old name's folder comes in between is not held against it: see "What is not promised" in docs/reliability.md.
The workers of one workspace, one after the other, are one party: what one of them syncs is held against what the last one moved.
A file's unsynced data may be the old, the new, half of it, or zeros.
"""

import errno
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from greenlet import getcurrent

from tests.simulation.inodes import History, Inode, Order, refused

_ROUNDS = 20
DEAF: set[object] = set()
"""Greenlets whose syncs have no effect at the moment: a fault that is seeded."""


@dataclass(slots=True)
class Disk:
    """A tree of inodes with a history. `changed` hears of each new entry: its folder and its name."""

    changed: Callable[[Inode, bytes], object] = lambda _folder, _name: None
    user: object = None
    """Who works on it at the moment."""
    root: Inode = field(init=False)
    changes: int = 0
    _numbers: int = 1
    _orders: list[Order] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root = self._new(folder=True)
        self.root.links = 1

    def find(self, path: bytes, start: Inode | None = None) -> Inode:
        """What `path` names, from the folder `start` on where it is relative. Raises `OSError`."""
        at = self.root if start is None or path[:1] == b"/" else start
        for name in path.split(b"/"):
            if name and name != b".":
                if at.entries is None:
                    raise refused(errno.ENOTDIR, path)
                found = at.entries.get(name)
                if found is None:
                    raise refused(errno.ENOENT, path)
                at = found
        return at

    def place(self, path: bytes, start: Inode | None = None) -> tuple[Inode, bytes]:
        """The folder that `path` is in, and its name there, whether it exists or not. Raises `OSError`."""
        above, _, name = path.rpartition(b"/")
        folder = self.find(above or path[:1], start) if above or path[:1] == b"/" else start or self.root
        if folder.entries is None:
            raise refused(errno.ENOTDIR, path)
        if folder.links == 0:
            raise refused(errno.ENOENT, path)
        return folder, name

    def path_of(self, inode: Inode) -> bytes:
        """A path of the inode."""
        names: list[bytes] = []
        at = inode
        while at.where is not None:
            at, name = at.where
            names.append(name)
        return b"/" + b"/".join(reversed(names))

    def make(self, folder: Inode, name: bytes, *, is_folder: bool, now_ns: int) -> Inode:
        """A new file or folder under a name that is free."""
        inode = self._new(folder=is_folder)
        inode.mtime_ns = now_ns
        self._enter(folder, name, inode)
        return inode

    def link(self, inode: Inode, folder: Inode, name: bytes) -> None:
        """Another name, which is free."""
        self._enter(folder, name, inode)

    def unlink(self, folder: Inode, name: bytes) -> None:
        """Take a name away."""
        inode = _entries(folder)[name]
        gone = self._mean(folder, name, None)
        inode.links -= 1
        if inode.entries is not None:
            for inside, history in inode.pending.items():
                self._orders.append(Order((folder, name, gone), (inode, inside, history.meanings[-1][0]), self.user))

    def rename(self, source: tuple[Inode, bytes], target: tuple[Inode, bytes]) -> None:
        """Move a name, over another where there is one."""
        inode = _entries(source[0])[source[1]]
        replaced = _entries(target[0]).get(target[1])
        if replaced is inode:
            return  # rename(2): two names of one file, and nothing happens
        if replaced is not None:
            replaced.links -= 1
        there = self._mean(*target, inode)
        gone = self._mean(*source, None)
        inode.where = target
        self._orders.append(Order((*source, gone), (*target, there), self.user))
        self.changed(*target)

    def write(self, inode: Inode, offset: int, data: bytes, now_ns: int) -> None:
        """Put `data` at `offset`."""
        size = len(inode.data)
        if offset > size:
            inode.data.extend(bytes(offset - size))
        inode.data[offset : offset + len(data)] = data
        inode.mtime_ns = now_ns
        if offset <= inode.rewritten:
            inode.rewritten = max(inode.rewritten, offset + len(data))

    def truncate(self, inode: Inode, size: int, now_ns: int) -> None:
        """Cut or lengthen to `size`."""
        old = len(inode.data)
        if size < old:
            del inode.data[size:]
        else:
            inode.data.extend(bytes(size - old))
        inode.mtime_ns = now_ns

    def sync(self, inode: Inode) -> None:
        """Make the data of a file, or the names in a folder, durable."""
        if DEAF and getcurrent() in DEAF:
            return
        if inode.entries is None:
            if not inode.trusted and inode.rewritten >= len(inode.data):
                inode.trusted = True
            if inode.trusted:
                inode.durable = bytes(inode.data)
            return
        if inode.pending:
            for order in self._orders:
                if order.first[0] is inode and order.by is not self.user:
                    _make_durable(order.then)
            inode.pending.clear()
            self._orders = [it for it in self._orders if it.first[0] is not inode and it.then[0] is not inode]

    def fail_sync(self, inode: Inode) -> None:
        """A sync that failed: the pages are clean now, and not on the medium."""
        if inode.entries is None and inode.data != inode.durable:
            inode.trusted, inode.rewritten = False, 0

    def put(self, path: bytes, data: bytes | None = None) -> Inode:
        """What is durable from the beginning: a folder, or a file with `data`."""
        folder, name = self.place(path)
        inode = self._new(folder=data is None)
        inode.data, inode.durable = bytearray(data or b""), data or b""
        self._forget(folder, name)
        _entries(folder)[name] = inode
        inode.where, inode.links = (folder, name), 1
        self.changed(folder, name)
        return inode

    def take(self, path: bytes) -> None:
        """Take a name away, durably."""
        folder, name = self.place(path)
        _entries(folder).pop(name).links -= 1
        self._forget(folder, name)

    def lose_power(self, rng: random.Random) -> None:
        """Become one of the states that the medium may be in."""
        before = list(self._all())
        folders = [inode for inode in self._all() if inode.pending]
        histories = [history for folder in folders for _, history in sorted(folder.pending.items())]
        self._pick(histories, rng)
        for folder in folders:
            for name, history in folder.pending.items():
                meaning = history.meanings[history.picked][1]
                if meaning is None:
                    _entries(folder).pop(name, None)
                else:
                    _entries(folder)[name] = meaning
            folder.pending.clear()
        self._orders.clear()
        kept = list(self._all())
        for inode in (*before, *kept):
            inode.links = 0
        self.root.links = 1
        for inode in kept:
            for name, inside in (inode.entries or {}).items():
                inside.links += 1
                inside.where = inode, name
        worst = rng.random() < 0.5
        for inode in kept:
            if inode.is_dirty:
                data = bytes(inode.data)
                choices = [inode.durable, data, data[: len(data) // 2], bytes(len(data))]
                inode.durable = inode.durable if worst else rng.choice(choices)
                inode.data, inode.trusted = bytearray(inode.durable), True

    def _forget(self, folder: Inode, name: bytes) -> None:
        """What the entry is now, it is durably."""
        folder.pending.pop(name, None)
        self._orders = [it for it in self._orders if it.first[:2] != (folder, name) and it.then[:2] != (folder, name)]

    def _pick(self, histories: list[History], rng: random.Random) -> None:
        """Choose what each entry stands for: nothing that could be lost is kept, all is, a beginning, or anything."""
        way = rng.randrange(4)
        if way == 0:
            for history in histories:
                history.picked = 0
        elif way == 1:
            cut = rng.randint(0, self.changes)
            for history in histories:
                history.picked = sum(place <= cut for place, _ in history.meanings[1:])
        else:
            for history in histories:
                history.picked = rng.randrange(len(history.meanings))
        self._hold_orders(forward=rng.random() < 0.5)

    def _hold_orders(self, *, forward: bool) -> None:
        """Mend what was picked until every order holds: by what had to come first, or by taking back what came too early.

        What is durable cannot be taken back, so the second may come to no end; the first does, and is the way after some rounds.
        """
        unsettled, rounds = True, 0
        while unsettled:
            unsettled, rounds = False, rounds + 1
            for order in self._orders:
                first = order.first[0].pending.get(order.first[1])
                then = order.then[0].pending.get(order.then[1])
                if first is None or then is None:
                    continue
                gone = _at(first, order.first[2])
                there = _at(then, order.then[2])
                if first.picked >= gone and then.picked < there:
                    if forward or gone == 0 or rounds > _ROUNDS:
                        then.picked = there
                    else:
                        first.picked = gone - 1
                    unsettled = True

    def _new(self, *, folder: bool) -> Inode:
        self._numbers += 1
        return Inode(self._numbers, folder=folder)

    def _enter(self, folder: Inode, name: bytes, inode: Inode) -> None:
        self._mean(folder, name, inode)
        inode.links += 1
        inode.where = folder, name
        self.changed(folder, name)

    def _mean(self, folder: Inode, name: bytes, meaning: Inode | None) -> int:
        self.changes += 1
        entries = _entries(folder)
        history = folder.pending.get(name)
        if history is None:
            history = folder.pending[name] = History([(0, entries.get(name))])
        history.meanings.append((self.changes, meaning))
        if meaning is None:
            del entries[name]
        else:
            entries[name] = meaning
        return self.changes

    def _all(self) -> Iterator[Inode]:
        """Every inode that can be reached, once, folders before what is in them."""
        seen: set[int] = {self.root.number}
        waiting = [self.root]
        while waiting:
            inode = waiting.pop()
            yield inode
            for inside in (inode.entries or {}).values():
                if inside.number not in seen:
                    seen.add(inside.number)
                    waiting.append(inside)


def _entries(folder: Inode) -> dict[bytes, Inode]:
    assert folder.entries is not None
    return folder.entries


def _at(history: History, place: int) -> int:
    """Where the change of that place is among what the entry stood for; 0 where it is durable already."""
    return next((at for at, (number, _) in enumerate(history.meanings) if number >= place), 0)


def _make_durable(change: tuple[Inode, bytes, int]) -> None:
    folder, name, place = change
    history = folder.pending.get(name)
    if history is not None:
        del history.meanings[: _at(history, place)]
