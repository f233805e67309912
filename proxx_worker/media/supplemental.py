"""Supplemental messages of H.264: one NAL unit holds several, each with its kind and size (ITU-T H.264, 7.3.2.3.1)."""

from collections.abc import Iterator

PICTURE_TIMING = 1
"""The kind (D.1)."""

_LARGE = 0xFF


def messages(data: bytes, kind: int) -> Iterator[bytes]:
    """The content of each message of this kind in a NAL unit without its header, unescaped; a cut one is given as it is."""
    at = 0
    while at + 1 < len(data):
        found, at = _number(data, at)
        size, at = _number(data, at)
        if found == kind:
            yield data[at : at + size]
        at += size


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of a message's header, and the offset of the next one."""
    number = 0
    while data[at : at + 1] == bytes([_LARGE]):
        number, at = number + _LARGE, at + 1
    return number + sum(data[at : at + 1]), at + 1
