"""Just enough of QuickTime's structure for what FFmpeg does not tell: media elsewhere, encryption, Avid's pixel aspect.

FFmpeg does not follow references to other files (`enable_drefs` is off): it skips the track, or takes this file's own bytes for
its media. Either way the proxy would be wrong, and ffprobe says so on stderr at most.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError

_PATH_TO_REFERENCES = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")
_PATH_TO_DESCRIPTIONS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
AVID_CODEC_TAGS = ("AVdn", "AVd1", "AVj2")
"""The sample entries whose ARES atom FFmpeg takes for the display aspect, though it tells the raster: mov.c, mov_read_ares."""

_HEADER = 8
_LONG_HEADER = 16
_PROTECTED = (b"encv", b"enca")
_TABLE_HEADER = 8
_VISUAL_ENTRY = 78
_ASPECT_TERMS = 8
_SELF_CONTAINED = 1
_MAX_BOXES = 10_000
"""How many box headers are looked at. A movie of 100 tracks has some 2,000; a hostile one is told by then, or is none of ours."""
_MAX_TABLE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    end: int


def refuse_external_media(read: Callable[[int, int], bytes], size: int) -> None:
    """Raise SOURCE_UNSUPPORTED where a track's media is said to lie in another file. What is no QuickTime file passes.

    `read(offset, count)` gives up to `count` bytes of the file of `size` bytes. Structure: Apple, QuickTime File Format, "Data
    Reference Atoms"; ISO/IEC 14496-12, 8.7.2.
    """
    reference = next(_references(read, size), None)
    if reference is not None:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the media of a track lies in another file ({reference}), and a source may reach nothing but itself; "
            "make the movie self-contained",
            reference=reference,
        )


def refuse_protected(read: Callable[[int, int], bytes], size: int) -> None:
    """Raise SOURCE_UNSUPPORTED where a picture or sound is encrypted. Arguments as for `refuse_external_media`.

    FFmpeg calls such a track by the format that it was before (libavformat/mov.c, mov_read_frma), and decodes noise. Structure:
    ISO/IEC 14496-12, 8.12, "Support for protected streams".
    """
    budget = iter(range(_MAX_BOXES))
    for table in _descend(read, _Box(b"", 0, size), _PATH_TO_DESCRIPTIONS, budget):
        for entry in _children(read, _Box(b"", table.start + _TABLE_HEADER, table.end), budget):
            if entry.kind in _PROTECTED:
                tag = entry.kind.decode()
                raise ProxxError(
                    ErrorCode.SOURCE_UNSUPPORTED,
                    f"a track of the movie is encrypted ({tag}); deliver it without protection",
                    codec_tag=tag,
                )


def avid_pixel_aspect(read: Callable[[int, int], bytes], size: int) -> Fraction | None:
    """Pixel width / height as the `pasp` atom of a picture in one of Avid's codecs says; None where there is none.

    FFmpeg calls such pixels square whatever `pasp` says, which shows a thin raster (1440x1080) a quarter too narrow. Arguments as
    for `refuse_external_media`. Structure: Apple, QuickTime File Format, "Video Sample Description Extensions".
    """
    budget = iter(range(_MAX_BOXES))
    for table in _descend(read, _Box(b"", 0, size), _PATH_TO_DESCRIPTIONS, budget):
        for entry in _children(read, _Box(b"", table.start + _TABLE_HEADER, table.end), budget):
            if entry.kind.decode("latin-1") not in AVID_CODEC_TAGS:
                continue
            for atom in _children(read, _Box(b"", entry.start + _VISUAL_ENTRY, entry.end), budget):
                terms = read(atom.start, _ASPECT_TERMS)
                if atom.kind == b"pasp" and len(terms) == _ASPECT_TERMS and all(struct.unpack(">II", terms)):
                    return Fraction(*struct.unpack(">II", terms))
    return None


def _references(read: Callable[[int, int], bytes], size: int) -> Iterator[str]:
    """Every data reference to another file: its kind, and its location where that is text."""
    budget = iter(range(_MAX_BOXES))
    for table in _descend(read, _Box(b"", 0, size), _PATH_TO_REFERENCES, budget):
        content = read(table.start, min(table.end - table.start, _MAX_TABLE))
        position = _TABLE_HEADER
        while position + _HEADER + 4 <= len(content):
            (length,) = struct.unpack_from(">I", content, position)
            kind, flags = content[position + 4 : position + 8], content[position + 8 : position + 12]
            location = content[position + 12 : position + length].strip(b"\0")
            # Careless writers leave the flag unset with an empty location: that is this file, and FFmpeg reads it so.
            if location and not flags[-1] & _SELF_CONTAINED:
                yield _printable(kind + b" " + location if kind == b"url " else kind)
            position += max(length, _HEADER)


def _descend(read: Callable[[int, int], bytes], parent: _Box, path: tuple[bytes, ...], budget: Iterator[int]) -> Iterator[_Box]:
    """All boxes at the end of `path` below `parent`."""
    for box in _children(read, parent, budget):
        if box.kind == path[0]:
            if len(path) == 1:
                yield box
            else:
                yield from _descend(read, box, path[1:], budget)


def _children(read: Callable[[int, int], bytes], parent: _Box, budget: Iterator[int]) -> Iterator[_Box]:
    position = parent.start
    while position + _HEADER <= parent.end and next(budget, None) is not None:
        header = read(position, _LONG_HEADER)
        if len(header) < _HEADER or not header[4:8].isascii():
            return
        length, start = struct.unpack_from(">I", header)[0], position + _HEADER
        if length == 1 and len(header) == _LONG_HEADER:
            length, start = struct.unpack_from(">Q", header, _HEADER)[0], position + _LONG_HEADER
        elif length == 0:
            length = parent.end - position
        if length < start - position:
            return
        yield _Box(header[4:8], start, min(position + length, parent.end))
        position += length


def _printable(data: bytes) -> str:
    text = data[:200].decode("latin-1")
    return "".join(character if character.isprintable() else "?" for character in text).strip()
