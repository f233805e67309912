"""`gather`: moves the outputs of finished jobs into one folder. All are checked before the first moves, none overwrites another.

A second call finds them there, whole, and changes nothing; an interrupted call is continued by the next.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.feeding.gathering import MANIFEST_NAME, Move, Output, moves_of, read_manifest, write_manifest
from proxx_worker.files.durable import write_durable
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.locations import path_bytes
from proxx_worker.files.rename import rename_no_clobber
from proxx_worker.files.syncing import sync_directory
from proxx_worker.workspace.entries import same_file, status_of

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a call did: the moves it made, and how many outputs were in their place already."""

    moved: tuple[Move, ...]
    in_place: int


def gather(outputs: Sequence[Output], into: str) -> Gathered:
    """Move `outputs` into the folder `into` (absolute), and write `gathered.json` there.

    Raises:
        ProxxError: OUTPUT_DIRECTORY_MISSING, OUTPUT_NAME_COLLISION, OUTPUT_EXISTS (a name in `into` is taken), OUTPUT_INVALID (an
            output is not what its result says), RENAME_NOT_ATOMIC (it is on another filesystem), IO_ERROR (it is gone): nothing
            was moved. NO_SPACE or IO_ERROR once moving has begun: the message names what failed and what was moved,
            `gathered.json` lists that, and another call goes on from there. It lists that after a KeyboardInterrupt too.

    """
    folder = path_bytes(into)
    _require_folder(folder)
    moves = moves_of(outputs, into)
    known = _manifest(folder)
    pending = [move for move in moves if _is_pending(move, folder)]
    moved: list[Move] = []
    try:
        _move(pending, moved)
    except (ProxxError, KeyboardInterrupt) as fault:
        if moved:
            _record(folder, known, moved)
            if isinstance(fault, ProxxError):
                raise _begun(fault, moved, pending) from fault
        raise
    _record(folder, known, [move for move in moves if move.source != move.target])
    return Gathered(tuple(pending), len(moves) - len(pending))


def _require_folder(folder: bytes) -> None:
    shown = display_name(folder)
    with translate_os_errors("inspect the folder", folder):
        try:
            is_folder = stat.S_ISDIR(os.stat(folder).st_mode)
        except (FileNotFoundError, NotADirectoryError) as error:
            message = f"outputs are gathered into an existing folder, but {shown} does not exist: create it first"
            raise ProxxError(ErrorCode.OUTPUT_DIRECTORY_MISSING, message, path=shown) from error
    if not is_folder:
        message = f"outputs are gathered into a folder, but {shown} is not one: name a folder, or remove what is there"
        raise ProxxError(ErrorCode.OUTPUT_DIRECTORY_MISSING, message, path=shown)


def _record(folder: bytes, known: Sequence[Move], moves: Sequence[Move]) -> None:
    """Add `moves` to `gathered.json`, unless they are in it already, perhaps under another path of the same folder."""
    listed = {os.path.basename(move.target): move for move in known}
    everything = write_manifest([*known, *(move for move in moves if not _is(move, listed.get(os.path.basename(move.target))))])
    if everything != write_manifest(known):
        with translate_os_errors("write", os.path.join(folder, MANIFEST_NAME.encode())):
            write_durable(os.path.join(folder, MANIFEST_NAME.encode()), everything)


def _is(move: Move, listed: Move | None) -> bool:
    if listed is None or (listed.source, listed.sha256) != (move.source, move.sha256):
        return False
    try:
        return same_file(path_bytes(listed.target), path_bytes(move.target))
    except OSError:
        return False  # its other path leads nowhere any more


def _begun(fault: ProxxError, moved: Sequence[Move], pending: Sequence[Move]) -> ProxxError:
    """The error with what had been moved before it."""
    targets = [move.target for move in moved]
    message = (
        f"{fault.error.message}. {len(moved)} of {len(pending)} outputs had already been moved, and {MANIFEST_NAME} lists them: "
        f"{', '.join(targets)}. Run the command again to continue"
    )
    details: dict[str, JsonValue] = {**fault.error.details, "moved": [*targets]}
    return ProxxError(fault.code, message, **details)


def _manifest(folder: bytes) -> tuple[Move, ...]:
    path = os.path.join(folder, MANIFEST_NAME.encode())
    with translate_os_errors("read", path):
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return ()
    try:
        return read_manifest(data)
    except ValueError as error:
        shown = display_name(path)
        message = f"{shown} exists but cannot be extended: {error}. Move it away; nothing was moved"
        raise ProxxError(ErrorCode.OUTPUT_EXISTS, message, path=shown) from error


def _is_pending(move: Move, folder: bytes) -> bool:
    """Whether the output still has to be moved; False if it is in its place. Raises an error that forbids the whole call."""
    source, target = path_bytes(move.source), path_bytes(move.target)
    with translate_os_errors("inspect", source):
        here, there = status_of(source), status_of(target)
        if here is not None and there is not None and not same_file(source, target):
            message = f"{move.target} exists already and is never overwritten; nothing was moved. Gather into another folder"
            raise ProxxError(ErrorCode.OUTPUT_EXISTS, message, path=move.target, source=move.source)
        if here is None and there is None:
            message = f"{move.source} is neither where its result says nor in {os.path.dirname(move.target)}; nothing was moved"
            raise ProxxError(ErrorCode.IO_ERROR, f"{message}. Find it, or leave its result out", path=move.source)
        if there is None and here is not None and here.st_dev != os.stat(folder).st_dev:
            message = f"{move.source} is on another filesystem than {os.path.dirname(move.target)}, but a move must be one rename"
            raise ProxxError(
                ErrorCode.RENAME_NOT_ATOMIC, f"{message}; nothing was moved. Copy instead, or gather there", path=move.source
            )
    _require_as_told(target if here is None else source, move)
    return here is not None and source != target


def _require_as_told(path: bytes, move: Move) -> None:
    with translate_os_errors("read", path):
        descriptor = os.open(path, _READ)
        try:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            digest = _digest(descriptor) if regular else "of no file"
        finally:
            os.close(descriptor)
    if digest != move.sha256:
        shown = display_name(path)
        message = f"{shown} is not the file that its result describes (SHA-256 {digest}, not {move.sha256}); nothing was moved"
        raise ProxxError(ErrorCode.OUTPUT_INVALID, message, path=shown, sha256=digest, expected=move.sha256)


def _digest(descriptor: int) -> str:
    with open(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _move(moves: Sequence[Move], moved: list[Move]) -> None:
    """Rename each and add it to `moved`, then sync the folders: the new names before the old ones are gone for good."""
    for move in moves:
        with translate_os_errors(f"move {move.source} to", path_bytes(move.target)):
            rename_no_clobber(path_bytes(move.source), path_bytes(move.target))
        moved.append(move)
    for folder in _folders(moves):
        with translate_os_errors("sync the folder", folder):
            sync_directory(folder)


def _folders(moves: Iterable[Move]) -> Iterable[bytes]:
    moves = list(moves)
    yield from dict.fromkeys(os.path.dirname(path_bytes(move.target)) for move in moves)
    yield from dict.fromkeys(os.path.dirname(path_bytes(move.source)) for move in moves)
