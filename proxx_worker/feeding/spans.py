"""Finds the parts of one shot in the card's own lists: AVCHD's playlists, P2's clip files."""

import re
import struct
from collections.abc import Mapping, Sequence

_PLAYLIST_HEADER = struct.Struct(">4s4sI")
_ITEMS_HEADER = struct.Struct(">IHHH")
_ITEM = struct.Struct(">5s4sH")
_SEAMLESS = frozenset({5, 6})
"""connection_condition: this play item continues the one before (libbluray, mpls_parse.c)."""


def spans_of_playlist(data: bytes) -> tuple[tuple[str, ...], ...]:
    """The stems of stream files (`00001`) that one recording was divided into, each recording's in order, by an AVCHD playlist.

    Empty if it is not a playlist; the beginning of a truncated one. Source: libbluray, mpls_parse.c: a header with the address
    of the play items, each with a clip's name, `M2TS`, and how it connects to the last.
    """
    if len(data) < _PLAYLIST_HEADER.size or not data.startswith(b"MPLS"):
        return ()
    _, _, at = _PLAYLIST_HEADER.unpack_from(data)
    if len(data) < at + _ITEMS_HEADER.size:
        return ()
    _, _, count, _ = _ITEMS_HEADER.unpack_from(data, at)
    at += _ITEMS_HEADER.size
    spans: list[list[str]] = []
    for _ in range(count):
        if len(data) < at + 2 + _ITEM.size:
            break
        (length,) = struct.unpack_from(">H", data, at)
        name, _, flags = _ITEM.unpack_from(data, at + 2)
        if spans and flags & 0xF in _SEAMLESS:
            spans[-1].append(name.decode("latin-1"))
        else:
            spans.append([name.decode("latin-1")])
        at += 2 + length
    return tuple(tuple(span) for span in spans if len(span) > 1)


_TOP = re.compile(rb"<Top>.*?<GlobalClipID>\s*([^<\s]+)\s*</GlobalClipID>", re.DOTALL)
_OWN = re.compile(rb"<GlobalClipID>\s*([^<\s]+)\s*</GlobalClipID>")


def shot_of_p2_clip(data: bytes) -> str | None:
    """The shot that a P2 clip file (`CONTENTS/CLIP/*.XML`) belongs to, if the shot was divided; None for a whole one.

    A part names the shot's first clip in `<Connection><Top>`; the first clip names itself there, or has only a `<Next>`.
    Structure: Panasonic, P2 clip metadata, "Relation / Connection".
    """
    if b"<Connection>" not in data:
        return None
    found = _TOP.search(data) or _OWN.search(data)
    return None if found is None else found[1].decode("latin-1")


def spans_of_p2(shots: Mapping[str, str | None]) -> tuple[tuple[str, ...], ...]:
    """`shots`: each clip's path and its shot, in the order of the card. The clips of each divided shot that has several here."""
    together: dict[str, list[str]] = {}
    for path, shot in shots.items():
        if shot is not None:
            together.setdefault(shot, []).append(path)
    return tuple(tuple(paths) for paths in together.values() if len(paths) > 1)


def span_text(span: Sequence[str]) -> str:
    """`A1009202.MXF + A1009203.MXF`, the names alone."""
    return " + ".join(path.rpartition("/")[2] for path in span)
