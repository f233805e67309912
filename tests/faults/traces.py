"""From what `strace -y -xx` wrote of a run to the steps that the disk model understands."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from tests.faults.disk_model import Create, MakeFolder, Rename, Step, Sync, Truncate, Unlink, Write

STEPS_TRACED = (
    "fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,ftruncate,openat,write,pwrite64"
)
OPTIONS = ("-y", "-xx", "-s", "4194304", "-e", f"trace={STEPS_TRACED}")

_LINE = re.compile(r"^(?P<call>[a-z0-9_]+)\((?P<arguments>.*)\)\s+= (?P<answer>-?\d+)")
_TOKEN = re.compile(r'(?:AT_FDCWD|\d+)<(?P<held>(?:\\x[0-9a-f]{2})*)>|"(?P<text>(?:\\x[0-9a-f]{2})*)"|(?P<word>[^,\s]+)')


def steps_of(trace: str, root: str, contents: Mapping[str, bytes]) -> list[Step]:
    """The steps of a traced run on paths under `root`, in order.

    `contents`: what the encoder, which is not traced, put into the files of these names; it is there from their beginning and
    not synced, the worst case.
    """
    return [step for line in trace.splitlines() for step in _steps(line, root, contents)]


def _steps(line: str, root: str, contents: Mapping[str, bytes]) -> Iterator[Step]:
    found = _LINE.match(line)
    if found is None or int(found["answer"]) < 0:
        return
    arguments = [_argument(token) for token in _TOKEN.finditer(found["arguments"])]
    for step in _meaning(found["call"], arguments):
        paths = [value for value in vars(step).values() if isinstance(value, str)]
        if all(path.startswith(f"{root}/") for path in paths):
            yield step
            if isinstance(step, Create) and PurePosixPath(step.path).name in contents:
                yield Write(step.path, contents[PurePosixPath(step.path).name])


def _argument(token: re.Match[str]) -> bytes:
    for group in ("held", "text"):
        if token[group] is not None:
            return bytes.fromhex(token[group].replace("\\x", ""))
    return token["word"].encode()


def _meaning(call: str, arguments: list[bytes]) -> Iterator[Step]:  # noqa: C901 - one line per system call
    match call, arguments:
        case "openat", [folder, name, flags, *_] if b"O_CREAT" in flags:
            yield Create(_join(folder, name), empties=b"O_TRUNC" in flags)
        case "write", [held, data, *_]:
            yield Write(_text(held), data)
        case (("fsync" | "fdatasync"), [held, *_]):
            yield Sync(_text(held))
        case "ftruncate", [held, size, *_]:
            yield Truncate(_text(held), int(size))
        case "rename", [source, target, *_]:
            yield Rename(_text(source), _text(target))
        case (("renameat" | "renameat2"), [source_folder, source, target_folder, target, *_]):
            yield Rename(_join(source_folder, source), _join(target_folder, target))
        case (("unlink" | "rmdir"), [path, *_]):
            yield Unlink(_text(path))
        case "unlinkat", [folder, name, *_]:
            yield Unlink(_join(folder, name))
        case "mkdir", [path, *_]:
            yield MakeFolder(_text(path))
        case "mkdirat", [folder, name, *_]:
            yield MakeFolder(_join(folder, name))
        case (("link" | "linkat"), _):
            raise NotImplementedError("the bench's filesystem has the no-clobber flag: nothing is linked")
        case _:
            return


def _join(folder: bytes, name: bytes) -> str:
    return str(PurePosixPath(_text(folder)) / _text(name))


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
