"""Searches folders for files, and tells what each is by its first bytes. Media is only opened for reading."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from proxx_worker.contract.errors import ProxxError
from proxx_worker.feeding.cards import disc_roots, place_of, spanned_by_name
from proxx_worker.feeding.clips import Clip, Findings, Skip, content_skip, folder_skip, name_skip
from proxx_worker.feeding.spans import shot_of_p2_clip, spans_of_p2, spans_of_playlist
from proxx_worker.files.errnos import classify_os_error, translate_os_errors
from proxx_worker.files.locations import path_bytes, path_text, real_path_of
from proxx_worker.media.content_kind import ContentKind, content_kind

_SIDECAR_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Stamp:
    """The properties that show that a file is unchanged."""

    size: int
    modified_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """From the system's metadata of a file."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file: `path` is absolute, `relative` below `root`; text, with surrogate escapes for what is not UTF-8."""

    path: str
    root: str
    relative: str
    stamp: Stamp


@dataclass(slots=True)
class Tree:
    """What is below a folder. `unreadable`: folders and files that the system would not list or open."""

    entries: list[Entry] = field(default_factory=list)
    skipped: list[tuple[str, Skip]] = field(default_factory=list)
    unreadable: list[ProxxError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Walk:
    """How a folder is searched. `own_proxies`: names of folders of our own outputs; `left_out`: folders, real paths."""

    recursive: bool = True
    own_proxies: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()


def walk(root: str, how: Walk, stop: Callable[[], bool] = lambda: False) -> Tree:
    """Every regular file below `root` that its name does not rule out, sorted by path, folder by folder; symlinks to files too.

    Symlinks to folders are not followed. `stop` is asked at every folder; once it is true, the rest is left out.
    """
    tree = Tree()
    real_root = real_path_of(root)
    pending = [""]
    while pending and not stop():
        folder = pending.pop()
        at = path_bytes(os.path.join(root, folder)) if folder else path_bytes(root)
        try:
            with os.scandir(at) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            tree.unreadable.append(classify_os_error(error, "list", at))
            continue
        for entry in entries:
            relative = os.path.join(folder, path_text(entry.name))
            try:
                if entry.is_dir(follow_symlinks=False):
                    if how.recursive and os.path.join(real_root, relative) not in how.left_out:
                        reason = folder_skip(path_text(entry.name), how.own_proxies)
                        _note(tree, os.path.join(root, relative), reason)
                        pending.extend([relative] if reason is None else [])
                else:
                    _take_file(tree, entry, root, relative)
            except FileNotFoundError:
                continue  # renamed or removed since the listing
            except OSError as error:
                tree.unreadable.append(classify_os_error(error, "inspect", entry.path))
    tree.entries.sort(key=lambda entry: entry.relative.split("/"))
    return tree


def _take_file(tree: Tree, entry: os.DirEntry[bytes], root: str, relative: str) -> None:
    """Sort an entry that is not a folder. Raises `OSError`."""
    path, reason = os.path.join(root, relative), name_skip(path_text(entry.name))
    if reason is None:
        try:
            status = entry.stat()
        except FileNotFoundError:
            if not entry.is_symlink():
                raise
            _note(tree, path, Skip.BROKEN_LINK)
            return
        if stat.S_ISREG(status.st_mode):
            tree.entries.append(Entry(path, root, relative, Stamp.of(status)))
            return
        reason = Skip.LINK if stat.S_ISDIR(status.st_mode) else Skip.SPECIAL
    _note(tree, path, reason)


def _note(tree: Tree, path: str, reason: Skip | None) -> None:
    if reason is not None:
        tree.skipped.append((path, reason))


def stamp_of(path: str) -> Stamp | None:
    """The file's stamp now; None if it is gone. Raises `ProxxError` (IO_ERROR) if the system cannot tell."""
    with translate_os_errors("inspect", path_bytes(path)):
        try:
            return Stamp.of(os.stat(path_bytes(path)))
        except FileNotFoundError:
            return None


def sniff(entry: Entry) -> ContentKind:
    """What the file is by its first bytes. Raises `ProxxError` (IO_ERROR) if it cannot be read."""
    with translate_os_errors("read", path_bytes(entry.path)):
        descriptor = os.open(path_bytes(entry.path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return content_kind(partial(_read, descriptor), os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)


def _read(descriptor: int, offset: int, count: int) -> bytes:
    return os.pread(descriptor, count, offset)


def find_clips(roots: Sequence[str], how: Walk) -> Findings:
    """The clips below `roots`, each file once. Raises the first `ProxxError` of a folder or file: none is skipped silently."""
    entries: dict[str, Entry] = {}
    skipped: dict[str, Skip] = {}
    for root in roots:
        tree = walk(root, how)
        if tree.unreadable:
            raise tree.unreadable[0]
        entries.update((entry.path, entry) for entry in tree.entries if entry.path not in entries)
        skipped.update(tree.skipped)
    discs = disc_roots(entries)
    clips = []
    for entry in entries.values():
        place, kind = place_of(entry.path, discs), sniff(entry)
        reason = content_skip(kind, place)
        if reason is None:
            clips.append(Clip(entry.path, entry.root, entry.relative, kind is ContentKind.RAW, place))
        else:
            skipped[entry.path] = reason
    return Findings(tuple(clips), tuple(skipped.items()), tuple(_spans(clips, entries)))


def _spans(clips: Sequence[Clip], files: dict[str, Entry]) -> Iterator[tuple[str, ...]]:
    """Clips that are parts of one shot: by name, by AVCHD's playlists, by P2's clip files."""
    yield from spanned_by_name(clip.path for clip in clips)
    streams = {
        (os.path.dirname(os.path.dirname(clip.path)), os.path.splitext(os.path.basename(clip.path))[0]): clip.path
        for clip in clips
        if clip.place.layout == "AVCHD"
    }
    for path in files:
        folder, name = os.path.split(path)
        if streams and os.path.basename(folder).upper() == "PLAYLIST" and name.upper().endswith((".MPL", ".MPLS")):
            card = os.path.dirname(folder)
            for span in spans_of_playlist(_sidecar(path)):
                parts = tuple(streams[card, stem] for stem in span if (card, stem) in streams)
                if len(parts) > 1:
                    yield parts
    notes = {_shot_key(path): path for path in files if path.upper().endswith(".XML")}
    shots = {
        clip.path: shot_of_p2_clip(_sidecar(notes[key]))
        for clip in clips
        if clip.place.layout == "P2" and (key := _shot_key(clip.path)) in notes
    }
    yield from spans_of_p2(shots)


def _shot_key(path: str) -> tuple[str, str]:
    """`CARD/CONTENTS/VIDEO/0001AB.MXF` and `CARD/CONTENTS/CLIP/0001AB.XML` have one."""
    folder, name = os.path.split(path)
    return os.path.dirname(folder), os.path.splitext(name)[0].upper()


def _sidecar(path: str) -> bytes:
    with translate_os_errors("read", path_bytes(path)), open(path_bytes(path), "rb") as file:
        return file.read(_SIDECAR_BYTES)
