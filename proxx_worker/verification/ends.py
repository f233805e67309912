"""What a recording that stops within a picture or a packet leaves out, and how that is told."""

from collections.abc import Iterator

from proxx_worker.contract.result import Check
from proxx_worker.media.facts import OpenEnd
from proxx_worker.media.ffmpeg_words import Meaning, find
from proxx_worker.media.transport_stream import WRAP


def is_known_end(end: OpenEnd | None, line: str) -> bool:
    """Whether FFmpeg's `line` says that it dropped a packet, and that is one of those which are known to be the last ones."""
    said = None if end is None else find(Meaning.DROPPED, line)
    if end is None or said is None:
        return False
    time = None if said["time"] == "NOPTS" else int(said["time"]) % WRAP
    return time in end.packets


def left_out_at_end(end: OpenEnd | None, presented: int) -> Iterator[Check]:
    """The check that says so, where a picture was left out: one of how many."""
    if end is not None and end.bytes is not None:
        said = f"1 of {presented + 1}, incomplete at the end"
        yield Check(name="frames_left_out_at_end", expected=said, actual=said, ok=True)
