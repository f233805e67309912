"""Where a source is damaged, as listed in the `details` of SOURCE_DAMAGED, so that an editor can decide."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from proxx_worker.contract.errors import JsonValue
from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.ffmpeg_words import decoder_names, speaker

MOST_PLACES = 20
_NUMBERED = re.compile(r"\[[va]ist#0:(\d{1,4})[/ ]|stream #0:(\d{1,4})|in stream (\d{1,4})")
"""How FFmpeg names a stream of its only input; such lines may lack a decoder's name."""


@dataclass(frozen=True, slots=True)
class Place:
    """`seconds`: from the first video frame; `stream`: its index in the source; each None if unknown.

    `kind`: `decoding`, `reading`, `times` (that repeat or go back), `hole` (a packet that decodes to no audio).
    """

    seconds: str | None
    stream: int | None
    kind: str


@dataclass(frozen=True, slots=True)
class DamageSearchResult:
    """What a pass over the whole source found: each damaged place, in the order of their times.

    `complete`: whether it came to the source's end.
    """

    places: tuple[Place, ...]
    complete: bool


def listed(places: Iterable[Place]) -> dict[str, JsonValue]:
    """`places`: the first distinct ones, in the order found; `places_count`: how many there are."""
    found = list(dict.fromkeys(places))
    return {
        "places": [{"near_seconds": it.seconds, "stream": it.stream, "kind": it.kind} for it in found[:MOST_PLACES]],
        "places_count": len(found),
    }


def stream_of(facts: MediaFacts, line: str) -> int | None:
    """The index of the stream that an error line is about; None if it names none, or may mean several."""
    if numbered := _NUMBERED.search(line):
        return int(next(number for number in numbered.groups() if number is not None))
    name = speaker(line)
    streams = [(facts.video.index, facts.video.codec), *((stream.index, stream.codec) for stream in facts.audio)]
    meant = [index for index, codec in streams if name in decoder_names(codec)]
    return meant[0] if len(meant) == 1 else None
