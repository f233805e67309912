"""FFmpeg's own messages that decide a verdict, all in one place, each with the versions in which it was seen.

Words change from version to version. A number decides wherever there is one (frame counts and times, exit code, progress), and
words only where FFmpeg gives nothing else. The table holds for all versions at once: words that a version does not use find
nothing there, and no version is asked for its number.
"""

import re
from dataclasses import dataclass
from enum import Enum

_ADDRESSED = re.compile(r"\[(?P<context>[^@\]]+?) @ (?:0x)?[0-9a-f]+\] ?")
"""The source of a message. From 7 on a line may begin with several: `[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] [error] ...`."""

_SCORE = re.compile(r",? score= ?-?[0-9]+")
"""libavcodec's MPEG-4 decoder tells how it rates a broken slice; the same slice got -6 and -7 in two runs of one FFmpeg."""

_PART = re.compile(r"subfile,,start,\d+,end,\d+,,:")
"""How FFmpeg is told to read a recording up to its last whole picture (`planning.argv.input_name`)."""

_DECODERS = {"av1": "libdav1d", "dts": "dca"}
"""Decoders that do not bear their codec's name."""


class Meaning(Enum):
    """What a line says."""

    STARTED = "probing is over, from here on it is the encode that speaks"
    NO_SPACE = "the output's filesystem is full"
    NO_MEMORY = "memory was asked for and not given"
    CORRUPT = "a packet or a decoded frame is known to be wrong, perhaps only as a warning"
    DROPPED = "a packet that is known to be wrong was passed over, as it was asked for; with its time"
    DECODING = "a packet of the source did not decode as it was meant"
    READING = "the source could not be read on"
    WRITING = "the output could not be encoded or written"
    TIMES = "two packets of a stream have one time, or the later one an earlier time"
    GAVE_UP = "FFmpeg ends after an error"
    HARMLESS = "a complaint about what no picture and no sound is made of"
    REFERENCE = "a picture needs others that the source does not hold, as after a cut between two keyframes"
    EXTERNAL_TRACK = "a track's media lies in another file"
    AUDIO_WRITTEN = "how much audio was encoded, in units of 1024 bytes"
    REFUSED_FORMAT = "the container is none of those that may be opened"


@dataclass(frozen=True, slots=True)
class Words:
    """A pattern that is searched in a line, what it means, and in which versions it was seen."""

    pattern: re.Pattern[str]
    meaning: Meaning
    seen: str


def _words(pattern: str, meaning: Meaning, seen: str) -> Words:
    return Words(re.compile(pattern), meaning, seen)


WORDS = (
    _words(r"Stream mapping:$", Meaning.STARTED, "5.1, 7.1, 8.0, 9.0"),
    _words(r"No space left on device", Meaning.NO_SPACE, "5.1, 7.1, 8.0, 9.0"),
    _words(r"Disk quota exceeded", Meaning.NO_SPACE, "5.1"),
    _words(r"Cannot allocate memory|std::bad_alloc", Meaning.NO_MEMORY, "5.1, 7.1, 8.0, 9.0"),
    _words(r"Failed to allocate (?:packet|memory)|[Mm]alloc of size \d+ failed", Meaning.NO_MEMORY, "5.1"),
    _words(r"corrupt (?:decoded frame|input packet)", Meaning.CORRUPT, "5.1, 7.1, 8.0, 9.0"),
    _words(r"corrupted? packet", Meaning.CORRUPT, "5.1"),
    # Only information, but the picture is not what was coded. With several threads 5.1 flags such a picture in some runs alone.
    _words(r"concealing \d+ DC, \d+ AC, \d+ MV errors", Meaning.CORRUPT, "5.1, 7.1, 8.0, 9.0"),
    _words(r"Packet corrupt \(stream = \d+, dts = (?P<time>-?\d+|NOPTS)\), dropping it", Meaning.DROPPED, "5.1, 7.1, 8.0, 9.0"),
    _words(r"Error while decoding stream", Meaning.DECODING, "5.1"),
    _words(r"\[dec:[^\]]*\]", Meaning.DECODING, "7.1, 8.0, 9.0"),
    _words(r"Input/output error|Error (?:while|during) (?:reading|demuxing)", Meaning.READING, "5.1, 7.1, 8.0, 9.0"),
    _words(r"\[in#[^\]]*\]", Meaning.READING, "7.1, 8.0, 9.0"),
    _words(r"av_interleaved_write_frame\(\)|Could not write header|Error writing trailer", Meaning.WRITING, "5.1"),
    _words(r"Error initializing output stream|(?:Video|Audio) encoding failed", Meaning.WRITING, "5.1"),
    _words(r"Error sending frames to consumers", Meaning.WRITING, "7.1, 8.0, 9.0"),
    _words(r"\[(?:out#|enc:|vost#|aost#)[^\]]*\]", Meaning.WRITING, "7.1, 8.0, 9.0"),
    _words(r"Non-monotonous DTS", Meaning.TIMES, "5.1"),
    _words(r"Non-monotonic DTS", Meaning.TIMES, "7.1, 9.0"),
    _words(r"Conversion failed!$", Meaning.GAVE_UP, "5.1, 7.1, 8.0, 9.0"),
    # libavcodec/opus/parser.c looks at the first packet before it has the header; the decoder then decodes every one.
    _words(r"\[opus\] (?:\[error\] )?Error parsing Opus packet header", Meaning.HARMLESS, "8.0"),
    # Supplemental enhancement information and extended headers: a decoder passes over what it cannot read of them.
    _words(r"\[(?:h264|hevc)\] (?:\[error\] )?SEI type \d+ size \d+ truncated", Meaning.HARMLESS, "5.1, 7.1, 8.0, 9.0"),
    _words(r"(?:\[error\] )?ext header missing", Meaning.HARMLESS, "5.1"),
    _words(r"co located POCs unavailable|mmco: unref short failure", Meaning.REFERENCE, "5.1, 7.1, 8.0, 9.0"),
    _words(r"[Rr]eference picture missing|Missing reference picture", Meaning.REFERENCE, "5.1, 7.1, 8.0, 9.0"),
    _words(r"Could not find ref with POC", Meaning.REFERENCE, "5.1, 7.1, 8.0, 9.0"),
    _words(r"video:[0-9]+(?:kB|KiB) audio:(?P<units>[0-9]{1,15})(?:kB|KiB) ", Meaning.AUDIO_WRITTEN, "5.1, 7.1, 8.0, 9.0"),
    _words(r"Skipped opening external track", Meaning.EXTERNAL_TRACK, "5.1, 7.1, 8.0, 9.0"),
    _words(r"\[(?P<format>[\w,]+)\] Format not on whitelist", Meaning.REFUSED_FORMAT, "5.1, 7.1, 8.0, 9.0"),
)


def find(meaning: Meaning, line: str) -> re.Match[str] | None:
    """The first text of that meaning in `line`; None where there is none."""
    text = without_addresses(line)
    return next((match for words in WORDS if words.meaning is meaning and (match := words.pattern.search(text))), None)


def says(meaning: Meaning, line: str) -> bool:
    """Whether `line` has a text of that meaning."""
    return find(meaning, line) is not None


def without_addresses(line: str) -> str:
    """A line with its speakers, `[h264] error while ...`, but without addresses and scores, which differ from run to run.

    Nor is an operator shown that a file is read in part.
    """
    return _PART.sub("", _SCORE.sub("", _ADDRESSED.sub(lambda speaker: f"[{speaker['context']}] ", line)))


def speaker(line: str) -> str:
    """The object nearest to the fault, which is the last one that a line names at its beginning; empty where it names none."""
    name = ""
    position = 0
    while match := _ADDRESSED.match(line, position):
        name, position = match["context"], match.end()
    return name


def decoder_names(codec: str) -> frozenset[str]:
    """The names under which decoders of `codec` (in ffprobe's name) speak.

    Not all that begins with a codec's name is its decoder: `prores_aw` is an encoder.
    """
    return frozenset({codec, f"{codec}float", f"{codec}_fixed", f"lib{codec}", _DECODERS.get(codec, codec)})
