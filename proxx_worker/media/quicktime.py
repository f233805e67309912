"""Just enough of QuickTime's structure for what FFmpeg does not report: media elsewhere, encryption, Avid's pixel aspect, edits.

FFmpeg does not follow references to other files (`enable_drefs` is off): it skips the track, or takes this file's own bytes for
its media. Either way the proxy would be wrong, and at most a line on ffprobe's stderr shows it.
"""

import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.text import visible
from proxx_worker.media.boxes import (
    BOX_HEADER,
    MAX_BOXES,
    MAX_TABLE,
    SAMPLES,
    TABLE_HEADER,
    TRACKS,
    Box,
    children,
    descend,
    entry_count,
    media_duration,
    rows_of,
    tables_at,
    timescale,
    track_number,
)

_PATH_TO_REFERENCES = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")
_PATH_TO_DESCRIPTIONS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
AVID_CODEC_TAGS = ("AVdn", "AVd1", "AVj2")
"""The sample entries whose ARES atom FFmpeg takes for the display aspect, though it tells the raster: mov.c, mov_read_ares."""

_PROTECTED = (b"encv", b"enca")
_HANDLER_AT, _HANDLER_END = 8, 12
_VISUAL_ENTRY = 78
_ASPECT_TERMS = 8
_SELF_CONTAINED = 1
_HUGE = 1 << 31
"""A duration that FFmpeg takes for a negative step in time, and replaces by one tick."""

_AAC_FRAME = 1024


def refuse_external_media(read: Callable[[int, int], bytes], size: int) -> None:
    """Raise SOURCE_UNSUPPORTED if a track's media is in another file. Other formats than QuickTime pass.

    `read(offset, count)` gives up to `count` bytes of the file of `size` bytes. Structure: Apple, QuickTime File Format, "Data
    Reference Atoms"; ISO/IEC 14496-12, 8.7.2.
    """
    reference = next(_references(read, size), None)
    if reference is not None:
        raise ProxxError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"a source must be self-contained, but the media of a track is in another file ({reference}); "
            "make the movie self-contained",
            reference=reference,
        )


def refuse_protected(read: Callable[[int, int], bytes], size: int) -> None:
    """Raise SOURCE_UNSUPPORTED where video or audio is encrypted. Arguments as for `refuse_external_media`.

    FFmpeg reports such a track under the format that it had before (libavformat/mov.c, mov_read_frma), and decodes noise.
    Structure: ISO/IEC 14496-12, 8.12, "Support for protected streams".
    """
    budget = iter(range(MAX_BOXES))
    for table in descend(read, Box(b"", 0, size), _PATH_TO_DESCRIPTIONS, budget):
        for entry in children(read, Box(b"", table.start + TABLE_HEADER, table.end), budget):
            if entry.kind in _PROTECTED:
                tag = entry.kind.decode()
                raise ProxxError(
                    ErrorCode.SOURCE_UNSUPPORTED,
                    f"a track of the movie is encrypted ({tag}); deliver it without protection",
                    codec_tag=tag,
                )


@dataclass(frozen=True, slots=True)
class Track:
    """What a track is: its handler (`vide`, `soun`, `tmcd`, ...) and the kinds of its sample entries (`apcn`, `aprn`, ...)."""

    handler: str
    entries: tuple[str, ...]


def tracks(read: Callable[[int, int], bytes], size: int) -> tuple[Track, ...]:
    """The tracks of a movie; none if the file has no index (`moov`) or is no QuickTime file. Nothing is decoded.

    Arguments as for `refuse_external_media`. Structure: ISO/IEC 14496-12, 8.4.3, "Handler Reference Box"; 8.5.2, "Sample
    Description Box".
    """
    budget = iter(range(MAX_BOXES))
    found = []
    for track in descend(read, Box(b"", 0, size), TRACKS, budget):
        handlers = [read(box.start, _HANDLER_END) for box in descend(read, track, (b"mdia", b"hdlr"), budget)]
        descriptions = descend(read, track, (*SAMPLES, b"stsd"), budget)
        entries = (
            entry.kind.decode()
            for table in descriptions
            for entry in children(read, Box(b"", table.start + TABLE_HEADER, table.end), budget)
        )
        handler = handlers[0][_HANDLER_AT:].decode("latin-1") if handlers else ""
        found.append(Track(handler, tuple(entries)))
    return tuple(found)


def avid_pixel_aspect(read: Callable[[int, int], bytes], size: int) -> Fraction | None:
    """Pixel width / height as the `pasp` atom of video in one of Avid's codecs says; None if there is none.

    FFmpeg calls such pixels square whatever `pasp` says, which shows a thin raster (1440x1080) a quarter too narrow. Arguments as
    for `refuse_external_media`. Structure: Apple, QuickTime File Format, "Video Sample Description Extensions".
    """
    budget = iter(range(MAX_BOXES))
    for table in descend(read, Box(b"", 0, size), _PATH_TO_DESCRIPTIONS, budget):
        for entry in children(read, Box(b"", table.start + TABLE_HEADER, table.end), budget):
            if entry.kind.decode("latin-1") not in AVID_CODEC_TAGS:
                continue
            for atom in children(read, Box(b"", entry.start + _VISUAL_ENTRY, entry.end), budget):
                terms = read(atom.start, _ASPECT_TERMS)
                if atom.kind == b"pasp" and len(terms) == _ASPECT_TERMS and all(struct.unpack(">II", terms)):
                    return Fraction(*struct.unpack(">II", terms))
    return None


def gapless_tracks(read: Callable[[int, int], bytes], size: int) -> frozenset[int]:
    """The numbers of the tracks whose packets are all played one after another, as they are stored.

    Such a track has a whole sample table (no fragments), one sample description, every packet 1024 ticks after the one before it
    (a frame of AAC, where a tick is a sample), as far as that is audible, and no edit list, or one with a single edit that
    begins inside its media: it leaves out what comes before and after, and nothing between. A track of which this is not proven
    is left out. Arguments as for `refuse_external_media`. Structure: ISO/IEC 14496-12, 8.6.6, "Edit List Box"; 8.6.1.2,
    "Decoding Time to Sample Box"; 8.8.1, "Movie Extends Box".
    """
    budget = iter(range(MAX_BOXES))
    whole = Box(b"", 0, size)
    movies = list(descend(read, whole, (b"moov",), budget))
    if any(True for movie in movies for _ in descend(read, movie, (b"mvex",), budget)):
        return frozenset()
    found = [
        (track_number(read, track, budget), _is_gapless(read, track, budget))
        for movie in movies
        for track in descend(read, movie, (b"trak",), budget)
    ]
    if next(budget, None) is None:
        return frozenset()  # not all of it was seen
    numbers = Counter(number for number, _ in found)
    return frozenset(number for number, gapless in found if gapless and number is not None and numbers[number] == 1)


def _is_gapless(read: Callable[[int, int], bytes], track: Box, budget: Iterator[int]) -> bool:
    descriptions, times, shifts, media, edits = (
        tables_at(read, track, path, budget)
        for path in (
            (*SAMPLES, b"stsd"), (*SAMPLES, b"stts"), (*SAMPLES, b"ctts"), (b"mdia", b"mdhd"),
            (b"edts", b"elst"),
        )
    )  # fmt: skip
    if not len(descriptions) == len(times) == len(media) == 1 or shifts or len(edits) > 1:
        return False
    steps = list(rows_of(times[0], ">II"))
    lasts = media_duration(media[0])
    if entry_count(descriptions[0]) != 1 or lasts is None or not steps or not _is_steady(steps, timescale(media[0])):
        return False
    if not edits or entry_count(edits[0]) == 0:
        return True
    played = list(rows_of(edits[0], ">Qq4x" if edits[0][:1] == b"\1" else ">Ii4x"))
    return len(played) == 1 and played[0][0] > 0 and 0 <= played[0][1] < lasts


def _is_steady(steps: Sequence[tuple[int, ...]], per_second: int) -> bool:
    """Whether every packet stands within half a millisecond of where frames of AAC put it, counted from the first one.

    A longer packet is a gap in the audio, which nothing fills in a copy. The last packet's duration does not matter.
    """
    packets = time = 0
    for at, (count, step) in enumerate(steps, 1):
        following = count - (at == len(steps))
        packets, time = packets + following, time + following * step
        if not 0 < step < _HUGE or abs(time - packets * _AAC_FRAME) * 2000 > per_second:
            return False
    return True


def _references(read: Callable[[int, int], bytes], size: int) -> Iterator[str]:
    """Every data reference to another file: its kind, and its location if that is text."""
    budget = iter(range(MAX_BOXES))
    for table in descend(read, Box(b"", 0, size), _PATH_TO_REFERENCES, budget):
        content = read(table.start, min(table.end - table.start, MAX_TABLE))
        position = TABLE_HEADER
        while position + BOX_HEADER + 4 <= len(content):
            (length,) = struct.unpack_from(">I", content, position)
            kind, flags = content[position + 4 : position + 8], content[position + 8 : position + 12]
            location = content[position + 12 : position + length].strip(b"\0")
            # Careless writers leave the flag unset with an empty location: that is this file, and FFmpeg reads it so.
            if location and not flags[-1] & _SELF_CONTAINED:
                yield _shown(kind + b" " + location if kind == b"url " else kind)
            position += max(length, BOX_HEADER)


def _shown(data: bytes) -> str:
    return visible(data[:200].rstrip(b"\0").decode("latin-1")).strip()
