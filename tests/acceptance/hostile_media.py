"""Files that try to make their reader open something else, and movies made by hand where no tool makes them."""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.acceptance.clips import ffmpeg

CANARY = "canary"
"""In the name of whatever must not be opened."""

NO_WHERE = "http://127.0.0.1:9/clip.ts"
_REFERENCES = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")


def box(kind: bytes, content: bytes) -> bytes:
    """One QuickTime atom."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The atoms side by side in `content`: kind and content."""
    position = 0
    while position < len(content):
        size, kind = struct.unpack_from(">I4s", content, position)
        yield kind, content[position + 8 : position + size]
        position += size


def put(content: bytes, path: tuple[bytes, ...], new: bytes) -> bytes:
    """`content` with `new` as the content of the first atom at `path`."""
    if not path:
        return new
    out, done = b"", False
    for kind, inner in boxes(content):
        replaced = kind == path[0] and not done
        done = done or replaced
        out += box(kind, put(inner, path[1:], new) if replaced else inner)
    return out


def alias(path: bytes) -> bytes:
    """An alias record with an absolute path, as Finder made it and FFmpeg follows it when told to."""
    name = path.rpartition(b"/")[2]
    record = b"\0" * 10 + bytes([1]) + b"V".ljust(27, b"\0") + b"\0" * 12 + bytes([len(name)]) + name.ljust(63, b"\0")
    record += b"\0" * 16 + struct.pack(">hh", 0, 0) + b"\0" * 16
    record += struct.pack(">HH", 2, len(path)) + path + b"\0" * (len(path) % 2) + struct.pack(">HH", 0xFFFF, 0)
    return box(b"alis", bytes(4) + record)


def url(path: bytes) -> bytes:
    """A data reference by URL."""
    return box(b"url ", bytes(4) + b"file://" + path + b"\0")


def referring(movie: bytes, entry: bytes) -> bytes:
    """`movie`, whose first track's media is said to lie where `entry` points."""
    return put(movie, _REFERENCES, struct.pack(">II", 0, 1) + entry)


def compressed(movie: bytes) -> bytes:
    """`movie` with a compressed header, as old QuickTime files have it: no atom of it is seen from outside."""
    out = b""
    for kind, content in boxes(movie):
        header = box(kind, content)
        packed = box(b"cmvd", struct.pack(">I", len(header)) + zlib.compress(header))
        out += box(kind, box(b"cmov", box(b"dcom", b"zlib") + packed)) if kind == b"moov" else header
    return out


def reference_movie(path: bytes) -> bytes:
    """A movie that is nothing but the address of another one."""
    record = bytes(4) + b"url " + struct.pack(">I", len(path) + 8) + b"file://" + path + b"\0"
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", box(b"rmra", box(b"rmda", box(b"rdrf", record))))


_HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"
_MPD = (
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" '
    'mediaPresentationDuration="PT1S"><Period duration="PT1S"><AdaptationSet mimeType="video/mp4">'
    '<Representation id="0" bandwidth="1000"><BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>'
)
_SVG = '<svg xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="file://{}"/></svg>'
_SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video 9 RTP/AVP 96\r\n"
_CPL = '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>{}</Id></CompositionPlaylist>'

TEXTS: Mapping[str, str] = {
    "playlist.m3u8": _HLS.format("file://{}"),
    "playlist.mov": _HLS.format("file://{}"),
    "playlist-of-a-path.mp4": _HLS.format("{}"),
    "playlist-of-the-net.mov": _HLS.format(NO_WHERE),
    "concat.ffconcat": "ffconcat version 1.0\nfile '{}'\n",
    "concat.mov": "ffconcat version 1.0\nfile '{}'\n",
    "concat-after-a-comment.mov": "# a list\nffconcat version 1.0\nfile '{}'\n",
    "concat-without-a-head.mov": "file '{}'\n",
    "manifest.mpd": _MPD,
    "manifest-of-the-net.mov": _MPD.replace("{}", NO_WHERE),
    "manifest-after-a-comment.mov": "<!-- by hand -->" + _MPD,
    "session.sdp": _SDP,
    "session-without-a-head.mov": _SDP.removeprefix("v=0\r\n"),
    "drawing.svg": _SVG,
    "drawing-after-a-comment.svg": "<!-- drawn by hand -->" + _SVG,
    "composition.xml": _CPL,
    "composition-after-a-comment.xml": "<!-- by hand -->" + _CPL.partition("?>")[2],
    "edit.mlt": '<mlt><producer><property name="resource">{}</property></producer></mlt>',
    "windows.asx": '<asx version="3.0"><entry><ref href="file://{}"/></entry></asx>',
    "winamp.pls": "[playlist]\nFile1={}\n",
    "real.ram": "file://{}\n",
    "references.txt": f"[Reference]\nRef1={NO_WHERE}\n",
    "graph.lavfi": "movie={}",
    "graph.mov": "movie={}",
    "script.avs": 'DirectShowSource("{}")\n',
    "metadata.mov": ";FFMETADATA1\ntitle={}\n",
    "vobsub.idx": "# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 0\n",
    "text.mov": "{}\n" * 40,
}
"""Name -> text; `{}` stands for the absolute path of the canary."""

_MOVIES: Mapping[str, Callable[[bytes, bytes], bytes]] = {
    "alias.mov": lambda movie, path: referring(movie, alias(path)),
    "url.mov": lambda movie, path: referring(movie, url(path)),
    "alias-in-a-compressed-header.mov": lambda movie, path: compressed(referring(movie, alias(path))),
    "alias-behind-ten-thousand-atoms.mov": lambda movie, path: box(b"free", b"") * 12_000 + referring(movie, alias(path)),
}


def make_all(folder: Path, canary: Path) -> dict[str, str]:
    """Make every hostile source in `folder`, all pointing at `canary`, a movie with its header at the end: name -> code."""
    expected = dict.fromkeys((*TEXTS, *_MOVIES), "SOURCE_UNSUPPORTED")
    for name, text in TEXTS.items():
        (folder / name).write_text(text.replace("{}", str(canary)))
    (folder / "vobsub.sub").write_bytes(b"canary")
    for name, make in _MOVIES.items():
        (folder / name).write_bytes(make(canary.read_bytes(), bytes(canary)))
    (folder / "reference.mov").write_bytes(reference_movie(bytes(canary)))
    expected["reference.mov"] = "SOURCE_NO_VIDEO"
    for kind in ("jpg", "png"):
        ffmpeg("-i", canary, "-frames:v", "2", folder / f"still-{CANARY}-%03d.{kind}")
        for pattern in (f"still-{CANARY}-%03d.{kind}", f"still-{CANARY}-*.{kind}"):
            made = folder / pattern.replace(CANARY, "pattern")
            made.write_bytes((folder / f"still-{CANARY}-001.{kind}").read_bytes())
            expected[made.name] = "SOURCE_UNSUPPORTED"
    return expected
