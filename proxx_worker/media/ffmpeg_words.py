"""FFmpeg's messages that affect a verdict, all in one place, each with the versions in which it was seen.

Messages change from version to version. Numbers decide wherever there are any (frame counts and times, exit code, progress), and
messages only if FFmpeg gives nothing else. The table covers all versions at once: a pattern of another version matches nothing,
and the version number is never read.
"""

import re
from dataclasses import dataclass
from enum import Enum

_ADDRESSED = re.compile(r"\[(?P<context>[^@\]]+?) @ (?:0x)?[0-9a-f]+\] ?")
"""The source of a message. From 7 on a line may begin with several: `[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] [error] ...`."""

_SCORE = re.compile(r",? score= ?-?[0-9]+")
"""libavcodec's MPEG-4 decoder prints a score for a broken slice; the same slice got -6 and -7 in two runs of one FFmpeg."""

_PART = re.compile(r"subfile,,start,\d+,end,\d+,,:")
"""How FFmpeg is made to read a recording only up to its last complete picture (`planning.argv.input_name`)."""

_INFORMATION = re.compile(r"(?:\[[^@\]]+? @ (?:0x)?[0-9a-f]+\] ?)*\[info\] | {4}")
"""The beginning of a line that only informs. Further lines of a value that has several are indented, without a level."""

_QUOTE = re.compile(r"(?:\[info\] )?(?: {4}|(?:In|Out)put #)")
"""The beginning of a line in which FFmpeg describes a file: with its name, and with metadata as its author wrote it."""


class Meaning(Enum):
    """What a line means."""

    DESCRIBED = "the file was probed, and is described up to STARTED, with metadata that may contain anything"
    STARTED = "probing is over; later messages are from the encode"
    NO_SPACE = "the output's filesystem is full"
    NO_MEMORY = "memory was requested and not available"
    CORRUPT = "a packet or a decoded frame is known to be wrong, perhaps only as a warning"
    INCOMPLETE = "a packet of the source has fewer bytes than its container says; a line that means CORRUPT, too"
    DROPPED = "a packet known to be corrupt was dropped, as requested; with its time"
    DECODING = "a packet of the source did not decode correctly"
    READING = "the source could not be read any further"
    WRITING = "the output could not be encoded or written"
    TIMES = "two packets of a stream have the same time, or the later one has an earlier time"
    GAVE_UP = "FFmpeg ends after an error"
    HARMLESS = "a complaint about something that affects neither video nor audio"
    REFERENCE = "a frame depends on others that the source does not contain, as after a cut between two keyframes"
    EXTERNAL_TRACK = "a track's media is in another file"
    AUDIO_WRITTEN = "how much audio was encoded, in units of 1024 bytes"
    UNFILLED = "a hole of the audio was not filled with silence, and a frame was put in a wrong place"
    REFUSED_FORMAT = "the container is not one of those that may be opened"


@dataclass(frozen=True, slots=True)
class Words:
    """A pattern to search for in a line, its meaning, and the versions in which it was seen.

    `informs`: FFmpeg prints it as information. All others are warnings and errors, and mean nothing in a line that only informs.
    """

    pattern: re.Pattern[str]
    meaning: Meaning
    seen: str
    informs: bool = False


def _words(pattern: str, meaning: Meaning, seen: str, *, informs: bool = False) -> Words:
    return Words(re.compile(pattern), meaning, seen, informs)


WORDS = (
    _words(r"^\[info\] Input #0, ", Meaning.DESCRIBED, "5.1, 7.1, 8.0, 9.0", informs=True),
    _words(r"^\[info\] Stream mapping:$", Meaning.STARTED, "5.1, 7.1, 8.0, 9.0", informs=True),
    # At the end of the line: an output may be called `No space left on device.mov`.
    _words(r"(?:No space left on device|Disk quota exceeded)\)?$", Meaning.NO_SPACE, "5.1, 7.1, 8.0, 9.0"),
    _words(r"Cannot allocate memory|std::bad_alloc", Meaning.NO_MEMORY, "5.1, 7.1, 8.0, 9.0"),
    _words(r"Failed to allocate (?:packet|memory)|[Mm]alloc of size \d+ failed", Meaning.NO_MEMORY, "5.1"),
    _words(r"corrupt (?:decoded frame|input packet)", Meaning.CORRUPT, "5.1, 7.1, 8.0, 9.0"),
    _words(r"corrupt input packet", Meaning.INCOMPLETE, "5.1, 7.1, 8.0, 9.0"),
    _words(r"corrupted? packet", Meaning.CORRUPT, "5.1"),
    # Only information, but the frame differs from what was coded. With several threads 5.1 flags such a frame only in some runs.
    _words(r"concealing \d+ DC, \d+ AC, \d+ MV errors", Meaning.CORRUPT, "5.1, 7.1, 8.0, 9.0", informs=True),
    _words(r"Packet corrupt \(stream = \d+, dts = (?P<time>-?\d+|NOPTS)\), dropping it", Meaning.DROPPED, "5.1, 7.1, 8.0, 9.0"),
    _words(r"Error while decoding stream", Meaning.DECODING, "5.1"),
    _words(r"\[dec:[^\]]*\]", Meaning.DECODING, "7.1, 8.0, 9.0"),
    _words(r"Input/output error|Error (?:while|during) (?:reading|demuxing)", Meaning.READING, "5.1, 7.1, 8.0, 9.0"),
    _words(r"\[in#[^\]]*\]", Meaning.READING, "7.1, 8.0, 9.0"),
    # The demuxer bears the name of a decoder (of flv1); these are the demuxer's. With 9.0 they come from `in#0/flv`.
    _words(r"\[flv\] \[error\] (?:Packet mismatch|Keyframe index|(?:Missing )?AMF_)", Meaning.READING, "5.1, 7.1, 8.0"),
    _words(r"av_interleaved_write_frame\(\)|Could not write header|Error writing trailer", Meaning.WRITING, "5.1"),
    _words(r"Error initializing output stream|(?:Video|Audio) encoding failed", Meaning.WRITING, "5.1"),
    _words(r"Error sending frames to consumers", Meaning.WRITING, "7.1, 8.0, 9.0"),
    _words(r"\[(?:out#|enc:|vost#|aost#)[^\]]*\]", Meaning.WRITING, "7.1, 8.0, 9.0"),
    _words(r"Non-monotonous DTS", Meaning.TIMES, "5.1"),
    _words(r"Non-monotonic DTS", Meaning.TIMES, "7.1, 9.0"),
    _words(r"Conversion failed!$", Meaning.GAVE_UP, "5.1, 7.1, 8.0, 9.0", informs=True),
    # libavcodec/opus/parser.c looks at the first packet before it has the header; the decoder then decodes every one.
    _words(r"\[opus\] (?:\[error\] )?Error parsing Opus packet header", Meaning.HARMLESS, "8.0"),
    # Supplemental enhancement information and extended headers: a decoder skips what it cannot read of them.
    _words(r"\[(?:h264|hevc)\] (?:\[error\] )?SEI type \d+ size \d+ truncated", Meaning.HARMLESS, "5.1, 7.1, 8.0, 9.0"),
    _words(r"(?:\[error\] )?ext header missing", Meaning.HARMLESS, "5.1"),
    _words(r"co located POCs unavailable|mmco: unref short failure", Meaning.REFERENCE, "5.1, 7.1, 8.0, 9.0"),
    _words(r"[Rr]eference picture missing|Missing reference picture", Meaning.REFERENCE, "5.1, 7.1, 8.0, 9.0"),
    _words(r"Could not find ref with POC", Meaning.REFERENCE, "5.1, 7.1, 8.0, 9.0"),
    _words(
        r"video:[0-9]+(?:kB|KiB) audio:(?P<units>[0-9]{1,15})(?:kB|KiB) ",
        Meaning.AUDIO_WRITTEN,
        "5.1, 7.1, 8.0, 9.0",
        informs=True,
    ),
    _words(r"\[SWR\] \[error\] Failed to compensate for timestamp delta", Meaning.UNFILLED, "5.1, 7.1, 8.0, 9.0"),
    _words(r"Skipped opening external track", Meaning.EXTERNAL_TRACK, "5.1, 7.1, 8.0, 9.0"),
    _words(r"\[(?P<format>[\w,]+)\] Format not on whitelist", Meaning.REFUSED_FORMAT, "5.1, 7.1, 8.0, 9.0"),
)


def find(meaning: Meaning, line: str) -> re.Match[str] | None:
    """The first match of that meaning in `line`; None if there is none."""
    informs = is_information(line)
    if informs and _QUOTE.match(line) and meaning is not Meaning.DESCRIBED:
        return None
    text = without_addresses(line)
    spoken = (words for words in WORDS if words.meaning is meaning and (words.informs or not informs))
    return next((match for words in spoken if (match := words.pattern.search(text))), None)


def says(meaning: Meaning, line: str) -> bool:
    """Whether `line` has a match of that meaning."""
    return find(meaning, line) is not None


def is_information(line: str) -> bool:
    """Whether a line is below a warning: what FFmpeg quotes from files is in such lines."""
    return _INFORMATION.match(line) is not None


def without_addresses(line: str) -> str:
    """A line with its context, `[h264] error while ...`, but without addresses and scores, which differ from run to run.

    The way a part of a file is read is removed, too.
    """
    return _PART.sub("", _SCORE.sub("", _ADDRESSED.sub(lambda speaker: f"[{speaker['context']}] ", line)))


def speaker(line: str) -> str:
    """The object nearest to the fault: the last one that a line names at its beginning; empty if it names none."""
    name = ""
    position = 0
    while match := _ADDRESSED.match(line, position):
        name, position = match["context"], match.end()
    return name
