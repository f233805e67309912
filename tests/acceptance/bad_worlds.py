"""Good specs in a world that does not fit them: sources and output directories of every wrong kind."""

import os
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.specs import explicit
from tests.acceptance.stage import Case, Stage

R3D_HEAD = (0x1000).to_bytes(4, "big") + b"RED2" + bytes(4088)
CINE_HEAD = b"CI\x2c\0\2\0\1\0" + bytes(4088)
MLV_HEAD = b"MLVI\x34\0\0\0v2.0\0" + bytes(4083)


def _unreadable(stage: Stage) -> bytes:
    path = stage.source("locked.mov", b"nobody may read this")
    path.chmod(0)
    return stage.of(path)


def _behind_locked_folder(stage: Stage) -> bytes:
    path = stage.link("locked/a.mov")
    path.parent.chmod(0)
    return stage.of(path)


def _fifo(stage: Stage) -> bytes:
    os.mkfifo(stage.folder / "pipe.mov")
    return stage.of(stage.folder / "pipe.mov")


def _folder(stage: Stage) -> bytes:
    (stage.folder / "card.mov").mkdir()
    return stage.of(stage.folder / "card.mov")


def _dangling(stage: Stage) -> bytes:
    (stage.folder / "gone.mov").symlink_to(stage.folder / "nowhere.mov")
    return stage.of(stage.folder / "gone.mov")


MADE_SOURCES = {"sound.wav": "sound.wav", "sound.mov": "sound.mov", "still.png": "still.png", "still.mov": "still.png"}
"""Made by FFmpeg beforehand: name in the stage -> name of the file that is linked there."""

SOURCES = [
    Case("source-missing", "SOURCE_MISSING", lambda it: it.of(it.folder / "missing.mov"), ("missing.mov",)),
    Case("source-link-to-nothing", "SOURCE_MISSING", _dangling, ("gone.mov",)),
    Case("source-below-a-file", "SOURCE_MISSING", lambda it: it.of(it.clip / "a.mov"), ("a.mov",)),
    Case("source-folder", "SOURCE_NOT_A_FILE", _folder, ("card.mov", "Name the clip itself")),
    Case("source-fifo", "SOURCE_NOT_A_FILE", _fifo, ("pipe.mov",)),
    Case("source-device", "SOURCE_NOT_A_FILE", lambda it: it.of("/dev/zero"), ("/dev/zero",)),
    Case("source-locked", "SOURCE_UNREADABLE", _unreadable, ("locked.mov",)),
    Case("source-in-locked-folder", "SOURCE_UNREADABLE", _behind_locked_folder, ("locked",)),
    Case("source-empty-file", "SOURCE_UNSUPPORTED", lambda it: it.of(it.source("empty.mov")), ("empty.mov",)),
    Case("source-text", "SOURCE_UNSUPPORTED", lambda it: it.of(it.source("text.mov", b"no movie\n" * 50)), ("text.mov",)),
    Case("source-zeros", "SOURCE_UNSUPPORTED", lambda it: it.of(it.source("zeros.mov", bytes(65536))), ("zeros.mov",)),
    Case("source-noise", "SOURCE_UNSUPPORTED", lambda it: it.of(it.source("noise.mp4", bytes(range(251)) * 99)), ("noise.mp4",)),
    Case("source-json", "SOURCE_UNSUPPORTED", lambda it: it.of(it.source("spec.mov", it.spec())), ("spec.mov",)),
    Case(
        "source-playlist", "SOURCE_UNSUPPORTED",
        lambda it: it.of(it.source("list.mov", f"ffconcat version 1.0\nfile {it.clip}\n".encode())), ("list.mov",),
    ),
    Case(
        "source-hls", "SOURCE_UNSUPPORTED",
        lambda it: it.of(it.source("live.mov", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{it.clip}\n".encode())),
        ("live.mov",),
    ),
    Case("source-wav", "SOURCE_NO_VIDEO", lambda it: it.of(it.folder / "sound.wav"), ("sound.wav", "leave it out")),
    Case("source-sound-in-mov", "SOURCE_NO_VIDEO", lambda it: it.of(it.folder / "sound.mov"), ("sound.mov",)),
    Case("source-still", "SOURCE_UNSUPPORTED", lambda it: it.of(it.folder / "still.png"), ("still.png",)),
    Case("source-still-as-mov", "SOURCE_UNSUPPORTED", lambda it: it.of(it.folder / "still.mov"), ("still.mov",)),
    Case("source-raw", "ENGINE_MISMATCH", lambda it: it.of(it.source("A001.R3D", R3D_HEAD)), ("A001.R3D", "R3D")),
    Case("source-cine", "ENGINE_MISMATCH", lambda it: it.of(it.source("shot.cine", CINE_HEAD)), ("shot.cine", "Phantom Cine")),
    Case("source-mlv", "ENGINE_MISMATCH", lambda it: it.of(it.source("M01.MLV", MLV_HEAD)), ("M01.MLV", "Magic Lantern RAW")),
    Case(
        "source-ordinary-for-resolve", "ENGINE_MISMATCH",
        lambda it: it.spec(proxy_profile="proxy_prores_lt_resolve", resolve_preset="Proxy"), ("A001C001.mov",),
    ),
    Case(
        "source-raw-without-preset", "SPEC_INVALID",
        lambda it: it.of(it.source("A001.R3D", R3D_HEAD), **explicit("h264", "mp4")), ("give its name",), ("resolve_preset",),
    ),
    Case(
        "source-ordinary-with-preset", "SPEC_INVALID",
        lambda it: it.spec(**explicit("h264", "mp4", resolve_preset="Proxy")), ("leave it out",), ("resolve_preset",),
    ),
    Case(
        "engines-mixed", "MIXED_ENGINES",
        lambda it: it.of(it.clip, it.source("A001.R3D", R3D_HEAD), **explicit("h264", "mp4")), tasks=2,
    ),
    Case(
        "source-unfit-for-settings-goes-before-missing-one", "SOURCE_UNSUPPORTED",
        lambda it: it.of(it.clip, it.folder / "missing.mov", **explicit("dnxhd", "mxf", "320x180")), ("A001C001.mov",), tasks=2,
    ),
    Case(
        "source-unfit-for-settings-goes-before-engine", "SOURCE_UNSUPPORTED",
        lambda it: it.of(it.source("A001.R3D", R3D_HEAD), it.clip, **explicit("dnxhd", "mxf", "320x180")),
        ("A001C001.mov",), tasks=2,
    ),
    Case(
        "source-missing-goes-before-engine", "SOURCE_MISSING",
        lambda it: it.of(it.source("A001.R3D", R3D_HEAD), it.folder / "missing.mov"), ("missing.mov",), tasks=2,
    ),
    Case(
        "source-goes-before-output-directory", "SOURCE_MISSING",
        lambda it: it.of(it.folder / "missing.mov", output_directory=str(it.folder / "nowhere")),
    ),
    Case(
        "first-source-error-is-the-jobs", "SOURCE_UNSUPPORTED",
        lambda it: it.of(it.clip, it.source("text.mov", b"no movie"), it.folder / "missing.mov"), ("text.mov",), tasks=3,
    ),
]  # fmt: skip


def _directory(name: str, code: str, prepare: Callable[[Stage], Path]) -> Case:
    return Case(name, code, lambda it: it.spec(output_directory=str(prepare(it))), ("nowhere",))


def _read_only(stage: Stage) -> Path:
    (stage.folder / "nowhere").mkdir(mode=0o555)
    return stage.folder / "nowhere"


def _link_to_nothing(stage: Stage) -> Path:
    (stage.folder / "nowhere").symlink_to(stage.folder / "gone")
    return stage.folder / "nowhere"


def _taken(kind: Callable[[Path], object]) -> Callable[[Stage], bytes]:
    def prepare(stage: Stage) -> bytes:
        kind(stage.proxies / "A001C001_proxy.mp4")
        return stage.spec()

    return prepare


def _second_taken(stage: Stage) -> bytes:
    (stage.proxies / "b_proxy.mp4").write_bytes(b"somebody's")
    return stage.of(stage.clip, stage.link("b.mov"))


ENVIRONMENT = [
    _directory("directory-missing", "OUTPUT_DIRECTORY_MISSING", lambda it: it.folder / "nowhere"),
    _directory("directory-is-a-file", "OUTPUT_DIRECTORY_MISSING", lambda it: it.source("nowhere", b"a file")),
    _directory("directory-below-a-file", "OUTPUT_DIRECTORY_MISSING", lambda it: it.source("nowhere", b"a file") / "below"),
    _directory("directory-link-to-nothing", "OUTPUT_DIRECTORY_MISSING", _link_to_nothing),
    _directory("directory-read-only", "OUTPUT_DIRECTORY_NOT_WRITABLE", _read_only),
    Case("name-taken", "OUTPUT_EXISTS", _taken(lambda path: path.write_bytes(b"somebody's")), ("A001C001_proxy.mp4",)),
    Case("name-taken-by-a-folder", "OUTPUT_EXISTS", _taken(Path.mkdir), ("A001C001_proxy.mp4",)),
    Case("name-taken-by-a-link", "OUTPUT_EXISTS", _taken(lambda path: path.symlink_to("nowhere")), ("A001C001_proxy.mp4",)),
    Case("second-name-taken", "OUTPUT_EXISTS", _second_taken, ("b_proxy.mp4",), tasks=2),
    Case(
        "raw-with-preset", "RESOLVE_UNAVAILABLE",
        lambda it: it.of(it.source("A001.R3D", R3D_HEAD), **explicit("h264", "mp4", resolve_preset="Proxy")), ("R3D",),
    ),
    Case(
        "raw-for-resolve", "RESOLVE_UNAVAILABLE",
        lambda it: it.of(it.source("A.R3D", R3D_HEAD), proxy_profile="proxy_prores_lt_resolve", resolve_preset="x"), ("R3D",),
    ),
]  # fmt: skip

WORLDS = [*SOURCES, *ENVIRONMENT]
