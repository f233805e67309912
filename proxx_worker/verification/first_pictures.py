"""What the first pictures of an interlaced H.264 proxy say of their fields: `pic_struct`, which FFmpeg's decoder ignores.

ffprobe reports it only for MP4, because it prefers what the container says. So the pictures' own headers are read. Decision 0032.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from proxx_worker.contract.result import Check
from proxx_worker.media.bits import OutOfBitsError
from proxx_worker.media.ffmpeg_words import without_addresses
from proxx_worker.media.h264_headers import picture_structure, read_sequence_set
from proxx_worker.media.start_codes import units
from proxx_worker.planning.containers import DEMUXERS
from proxx_worker.planning.expectation import Expectation

PICTURES: Final = 6
"""libx264 may have taken some when it is told the order: those of its threads in these proxies are three."""

MOST_BYTES: Final = 64 << 10
"""Six pictures have 700 bytes of headers."""

_CODEC: Final = "h264"
_WANTED: Final = re.compile(rb"\x00\x00\x01[\x27\x47\x67\x06]")
"""Sequence parameter sets and supplemental messages."""

_KIND: Final = 31
_SET: Final = 7
_WORDS: Final = {0: "progressive", 3: "tt", 4: "bb"}
"""ITU-T H.264, table D-1."""


@dataclass(frozen=True, slots=True)
class FirstPictures:
    """A finished look. `exit_code`: negative for a signal; `structures`: `pic_struct` of each picture that has one."""

    exit_code: int
    structures: tuple[int, ...]
    stderr: str = ""


def has_pictures_to_see(expected: Expectation) -> bool:
    """Whether the proxy is interlaced H.264, by its plan."""
    return expected.video.codec == _CODEC and expected.video.field_order in {"tt", "bb"}


def first_pictures_argv(ffmpeg: str, path: str, expected: Expectation) -> list[str]:
    """The command that copies the headers of the first pictures, and nothing else of them, to standard output."""
    return [
        ffmpeg, "-hide_banner", "-nostdin", "-v", "error", "-protocol_whitelist", "file",
        "-f", DEMUXERS[expected.container], "-i", f"file:{path}",
        "-map", "0:v:0", "-c", "copy", "-frames:v", str(PICTURES),
        "-bsf:v", "h264_mp4toannexb,filter_units=pass_types=6|7", "-f", "h264", "pipe:1",
    ]  # fmt: skip


def read_structures(headers: bytes) -> tuple[int, ...]:
    """`pic_struct` of each picture that has one, out of a bare stream's headers; nothing where they cannot be read."""
    found = list(units(lambda at, size: headers[at : at + size], _WANTED))
    try:
        # FFmpeg puts the parameter set behind the first picture's message.
        known = next((read_sequence_set(unit) for unit in found if unit[0] & _KIND == _SET), None)
        if known is None:
            return ()
        said = [picture_structure(unit, known) for unit in found if unit[0] & _KIND != _SET]
    except OutOfBitsError:
        return ()
    return tuple(structure for structure in said if structure is not None)


def first_pictures_checks(expected: Expectation, look: FirstPictures | None, frames: int) -> Iterator[Check]:
    """Whether each of the first pictures says the planned order; no check for other proxies. `frames`: how many the proxy has."""
    order = expected.video.field_order
    if order is None or not has_pictures_to_see(expected):
        return
    wanted: list[JsonValue] = [order] * max(1, min(PICTURES, frames))
    name = "field_order_first_pictures"
    if look is None:
        yield Check(name=name, expected=wanted, actual=None, ok=None)
    elif look.exit_code != 0:
        lines = [without_addresses(line) for line in look.stderr.splitlines()]
        yield Check(name=name, expected=wanted, actual=lines[0] if lines else f"exit {look.exit_code}", ok=False)
    else:
        said: list[JsonValue] = [_WORDS.get(structure, f"pic_struct {structure}") for structure in look.structures]
        yield Check(name=name, expected=wanted, actual=said, ok=_ok(wanted, said))


def _ok(wanted: list[JsonValue], said: list[JsonValue]) -> bool | None:
    """Unknown where none says otherwise, but not all say it."""
    if any(word not in wanted for word in said):
        return False
    return True if len(said) >= len(wanted) else None
