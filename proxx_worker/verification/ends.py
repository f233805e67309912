"""A recording that stops in the middle of a frame or packet: what is left out, and the check that reports it."""

from proxx_worker.media.facts import OpenEnd
from proxx_worker.media.ffmpeg_words import Meaning, find
from proxx_worker.media.transport_stream import WRAP


def is_known_end(end: OpenEnd | None, line: str) -> bool:
    """Whether FFmpeg's `line` reports a dropped packet that is known to be one of the last."""
    said = None if end is None else find(Meaning.DROPPED, line)
    if end is None or said is None:
        return False
    time = None if said["time"] == "NOPTS" else int(said["time"]) % WRAP
    return time in end.packets


def left_out_at_end(end: OpenEnd | None, presented: int) -> str | None:
    """What is reported of an incomplete last frame, if there is one: one of how many was left out."""
    return None if end is None or end.bytes is None else f"1 of {presented + 1}, at the end and not known to be whole"
