"""Where a source is damaged, as `details` of SOURCE_DAMAGED list it: every place that was met, so that an editor can decide."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from proxx_worker.contract.errors import JsonValue
from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.ffmpeg_words import decoder_names, speaker

MOST_PLACES = 20
_NUMBERED = re.compile(r"\[[va]ist#0:(\d{1,4})[/ ]|stream #0:(\d{1,4})|in stream (\d{1,4})")
"""How FFmpeg names a stream of its only input, in whose lines a decoder's name may be missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """`seconds` of the picture, `stream`: its number in the source, each None where it is not known.

    `kind`: `decoding`, `reading`, `times` (that repeat or go back), `hole` (a packet that gives no sound).
    """

    seconds: str | None
    stream: int | None
    kind: str


def listed(places: Iterable[Place]) -> dict[str, JsonValue]:
    """`places`, the first ones in the order in which they were met, each once; `places_count`: how many there were."""
    found = list(dict.fromkeys(places))
    return {
        "places": [{"near_seconds": it.seconds, "stream": it.stream, "kind": it.kind} for it in found[:MOST_PLACES]],
        "places_count": len(found),
    }


def stream_of(facts: MediaFacts, line: str) -> int | None:
    """The number of the stream that a complaint is about; None where it does not say, or where several may be meant."""
    if numbered := _NUMBERED.search(line):
        return int(next(number for number in numbered.groups() if number is not None))
    name = speaker(line)
    streams = [(facts.video.index, facts.video.codec), *((stream.index, stream.codec) for stream in facts.audio)]
    meant = [index for index, codec in streams if name in decoder_names(codec)]
    return meant[0] if len(meant) == 1 else None
