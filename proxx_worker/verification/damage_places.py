"""Where a source is damaged, as listed in the `details` of SOURCE_DAMAGED, so that an editor can decide."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from proxx_worker.contract.errors import JsonValue
from proxx_worker.media.decoder_names import decoder_names
from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.ffmpeg_words import speaker

MOST_PLACES = 20
"""How many places `details` lists; the others are only counted."""

_NAMED = 6
"""How many places a message names."""

_NEAR_SECONDS = 2.0
"""48 frames at 24 per second: as many as a decoder may work ahead of what it has presented (see `encode_fault`)."""

_NUMBERED = re.compile(r"\[[va]ist#0:(\d{1,4})[/ ]|stream #0:(\d{1,4})|in stream (\d{1,4})")
"""How FFmpeg names a stream of its only input; such lines may lack a decoder's name."""


@dataclass(frozen=True, slots=True)
class Place:
    """`seconds`: from the first video frame; `stream`: its index in the source; each None if unknown.

    `kind`: `decoding`, `reading`, `times` (that repeat or go back), `hole` (a packet that decodes to no audio). `until`: when the
    last damaged packet of a longer place begins, as `seconds`; None if that was not looked for.
    """

    seconds: str | None
    stream: int | None
    kind: str
    until: str | None = None

    @property
    def details(self) -> dict[str, JsonValue]:
        """The place as an entry of `places`."""
        until: dict[str, JsonValue] = {} if self.until is None else {"until_seconds": self.until}
        return {"near_seconds": self.seconds, **until, "stream": self.stream, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class DamageSearchResult:
    """What a pass over the whole source found: each damaged place, in the order of their times.

    `complete`: whether it reached the source's end. `more`: how many further places there are. `packets`, `frames`: how many of
    video it read and decoded. `at_end`: whether each place is at its stream's last packet, so that nothing comes after it.
    """

    places: tuple[Place, ...]
    complete: bool
    more: int
    packets: int
    frames: int
    at_end: bool

    def with_met(self, met: Sequence[Place]) -> "DamageSearchResult":
        """Adds the first place that the encode met, if nothing was found near it, so that no known damage gets lost.

        Adds all its places if nothing was found at all. FFmpeg decodes ahead of what it reports, so they may be some frames off.
        """
        if not self.places:
            return replace(self, places=tuple(dict.fromkeys(met)))
        first = next(iter(met), None)
        if first is None or any(_may_be_one(first, place) for place in self.places):
            return self
        return replace(self, places=tuple(sorted((first, *self.places), key=lambda place: float(place.seconds or 0))))


def listed(places: Iterable[Place], more: int = 0) -> dict[str, JsonValue]:
    """`places`: the first distinct ones, in the order found; `places_count`: how many there are, `more` among them."""
    found = list(dict.fromkeys(places))
    return {"places": [place.details for place in found[:MOST_PLACES]], "places_count": len(found) + more}


def describe(facts: MediaFacts, found: DamageSearchResult) -> str:
    """All places for a message: `in 3 places (video near 1.200, 11.000 s; audio stream 2 near 4.000 to 9.320 s)`."""
    names: dict[int | None, str] = {facts.video.index: "video "}
    names |= {stream.index: f"audio stream {at} " for at, stream in enumerate(facts.audio, 1)}
    named: dict[str, list[str]] = {}
    for place in found.places[:_NAMED]:
        end = "" if place.until in {None, place.seconds} else f" to {place.until}"
        # FFmpeg's messages may name a stream that is none of these.
        named.setdefault(names.get(place.stream, ""), []).append(f"{place.seconds}{end}")
    said = [f"{name}near {', '.join(times)} s" for name, times in named.items()]
    count = len(found.places) + found.more
    if count > _NAMED:
        said.append(f"{count - _NAMED} more")
    if not found.complete:
        said.append("not searched to its end")
    return f"in {count} place{'s' if count > 1 else ''} ({'; '.join(said)})"


def _may_be_one(met: Place, found: Place) -> bool:
    """Whether a place that an encode met may be the same as one that the search found."""
    if met.stream not in {None, found.stream} or met.seconds is None or found.seconds is None:
        return False
    return float(found.seconds) - _NEAR_SECONDS <= float(met.seconds) <= float(found.until or found.seconds) + _NEAR_SECONDS


def stream_of(facts: MediaFacts, line: str) -> int | None:
    """The index of the stream that an error line is about; None if it names none, or may mean several."""
    if numbered := _NUMBERED.search(line):
        return int(next(number for number in numbered.groups() if number is not None))
    name = speaker(line)
    streams = [(facts.video.index, facts.video.codec), *((stream.index, stream.codec) for stream in facts.audio)]
    meant = [index for index, codec in streams if name in decoder_names(codec)]
    return meant[0] if len(meant) == 1 else None
