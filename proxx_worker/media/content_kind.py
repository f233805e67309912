"""The kind of a file by its first bytes: a movie, camera RAW, audio, a still, text. Nothing is decoded, and names do not matter.

For searching folders without starting a program for each file. What a source really contains, ffprobe reports later.
"""

import re
from collections.abc import Callable
from enum import StrEnum

from proxx_worker.media.quicktime import tracks
from proxx_worker.media.signatures import HEAD_BYTES, ONE_FILE_PER_FRAME, RAW_CODEC_TAGS, RawSignature, RefusedKind, sniff

Read = Callable[[int, int], bytes]


class ContentKind(StrEnum):
    """What a file is. The values are the names in a summary."""

    MOVIE = "movie"
    RAW = "camera RAW"
    AUDIO = "audio"
    STILL = "still"
    TEXT = "text"
    DOCUMENT = "document"
    EMPTY = "empty"
    UNKNOWN = "unknown"


_SHORT = 4096
"""Enough for all but an MXF's labels and the headers of some containers; no more is read of a card's thousand files."""


def content_kind(read: Read, size: int) -> ContentKind:
    """The kind of a file of `size` bytes. `read(offset, count)` gives up to `count` bytes; a few kilobytes are read of most.

    A container that could hold video is a movie unless it clearly states that it holds none: a file wrongly taken for a clip
    fails with a reason, but nobody would notice a clip that was passed over.
    """
    if size == 0:
        return ContentKind.EMPTY
    head = read(0, _SHORT)
    kind = _kind_of(head, read, size)
    if kind is ContentKind.UNKNOWN or _MXF_PARTITION in head:
        kind = _kind_of(read(0, HEAD_BYTES), read, size)
    return kind


def _kind_of(head: bytes, read: Read, size: int) -> ContentKind:
    signature = sniff(head, read)
    if isinstance(signature, RawSignature):
        return ContentKind.STILL if signature.format in ONE_FILE_PER_FRAME else ContentKind.RAW
    if signature is not None:
        return _REFUSED[signature.kind]
    if _MXF_PARTITION in head:
        return _mxf_kind(head)
    for pattern, judge in _CONTAINERS.values():
        if pattern.match(head):
            return judge(head, read, size)
    if _NO_VIDEO.match(head):
        return ContentKind.AUDIO
    return ContentKind.TEXT if _is_text(head) else ContentKind.UNKNOWN


_REFUSED = {
    RefusedKind.STILL: ContentKind.STILL,
    RefusedKind.TEXT: ContentKind.TEXT,
    RefusedKind.DOCUMENT: ContentKind.DOCUMENT,
}


def _movie(_head: bytes, _read: Read, _size: int) -> ContentKind:
    return ContentKind.MOVIE


def _quicktime_kind(head: bytes, read: Read, size: int) -> ContentKind:
    if _AUDIO_BRANDS.match(head):
        return ContentKind.AUDIO
    found = tracks(read, size)
    if any(tag in RAW_CODEC_TAGS for track in found for tag in track.entries):
        return ContentKind.RAW
    if not any(track.handler == "soun" for track in found) or any(track.handler == "vide" for track in found):
        return ContentKind.MOVIE  # also without an index: a truncated recording is a clip, too
    return ContentKind.AUDIO


def _mxf_kind(head: bytes) -> ContentKind:
    """Audio if all essence containers are for audio: Avid and P2 keep each track in a file of its own (OP-Atom)."""
    labels = set(_ESSENCE_CONTAINERS.findall(head))
    return ContentKind.AUDIO if labels and labels <= _AUDIO_CONTAINERS else ContentKind.MOVIE


def _by_marks(video: bytes, audio: bytes = b"") -> Callable[[bytes, Read, int], ContentKind]:
    """Audio if the head has a mark of `audio` (empty: anything) and none of `video`."""
    videos, audios = re.compile(video, re.DOTALL), re.compile(audio, re.DOTALL)

    def judge(_head: bytes, read: Read, _size: int) -> ContentKind:
        head = read(0, HEAD_BYTES)
        return ContentKind.AUDIO if audios.search(head) and not videos.search(head) else ContentKind.MOVIE

    return judge


def _is_text(head: bytes) -> bool:
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or not _NOT_TEXT.search(head)


_NOT_TEXT = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MXF_PARTITION = bytes.fromhex("060e2b34 02050101 0d010201 01")
_ESSENCE_CONTAINERS = re.compile(rb"\x06\x0e\x2b\x34\x04\x01\x01.\x0d\x01\x03\x01\x02(.)", re.DOTALL)
_AUDIO_CONTAINERS = frozenset({b"\x06", b"\x0a"})  # SMPTE RP 224: AES3 and Broadcast Wave; A-law
_AUDIO_BRANDS = re.compile(rb".{4}ftyp(M4A |M4B |M4P )", re.DOTALL)

_CONTAINERS: dict[str, tuple[re.Pattern[bytes], Callable[[bytes, Read, int], ContentKind]]] = {
    "mov": (re.compile(rb".{4}(ftyp|moov|mdat|wide|free|skip|pnot|uuid)", re.DOTALL), _quicktime_kind),
    # Track entries: CodecID (0x86), its length, and "V_..." or "A_..." (Matroska specification, "Codec Mappings").
    "matroska": (re.compile(rb"\x1a\x45\xdf\xa3"), _by_marks(rb"\x86[\x81-\xff]V_", rb"\x86[\x81-\xff]A_")),
    # Packets of 188 bytes, or 192 with a time stamp before each (AVCHD), from wherever the recording began.
    "mpegts": (re.compile(rb".{0,195}?\x47(?:(?:.{187}\x47){3}|(?:.{191}\x47){3})", re.DOTALL), _movie),
    "mpeg": (re.compile(rb"\x00\x00\x01\xba"), _movie),
    "avi": (re.compile(rb"RIFF.{4}AVI[ X]", re.DOTALL), _movie),
    "dv": (re.compile(rb"\x1f\x07\x00[\x3f\xbf]"), _movie),  # a header block of 525 or 625 lines, IEC 61834-2
    # Microsoft, ASF specification: the header's GUID; of a stream's type, those of video and audio.
    "asf": (
        re.compile(re.escape(bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"))),
        _by_marks(
            re.escape(bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")),
            re.escape(bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")),
        ),
    ),
    "flv": (re.compile(rb"FLV\x01"), _by_marks(rb"\AFLV\x01[\x00\x01\x05]")),  # flags: audio 4, video 1, or neither if unstated
    "ivf": (re.compile(rb"DKIF\0\0"), _movie),
    "wtv": (re.compile(re.escape(bytes.fromhex("b7d800203749da11a64e0007e95ead8d"))), _movie),
    "gxf": (re.compile(rb"\x00{4}\x01\xbc.{4}\x00{4}\xe1\xe2", re.DOTALL), _movie),
    # An access unit delimiter, a parameter set, or what comes before them (messages, of H.264).
    "h264": (re.compile(rb"\x00?\x00\x00\x01(?:\x09[\x10-\xf0]|[\x27\x47\x67]|\x06\x05)"), _movie),
    "mpegvideo": (re.compile(rb"\x00\x00\x01\xb3"), _movie),
    "ogg": (re.compile(rb"OggS"), _by_marks(rb"\x80theora|BBCD\0|\x01video|OVP80")),
}
"""How files of each of `demuxers.MEDIA_DEMUXERS` begin (except MXF), by the formats' own descriptions and FFmpeg's probes."""

_NO_VIDEO = re.compile(
    rb"(RIFF|RF64|BW64).{4}WAVE|riff\x2e\x91\xcf\x11|FORM.{4}AIF[FC]|caff\0|ID3|fLaC|\x0b\x77|\.snd|\xff[\xe2-\xfd\xff]",
    re.DOTALL,
)
"""`demuxers.NO_VIDEO_DEMUXERS`, except text. The last: a frame of MPEG audio or ADTS (ff fe begins UTF-16)."""
