"""The ffprobe commands that look at a source."""

from collections.abc import Sequence
from dataclasses import dataclass

from proxx_worker.media.demuxers import ALLOWED_DEMUXERS

PROBE_BYTES = 50_000_000
PROBE_MICROSECONDS = 10_000_000
"""How far into the file ffprobe reads for what the headers do not state. Only transport streams and the like need that much; but
one first frame of 8K ProRes 4444 is over 5 MB, FFmpeg's own limit."""

_DECODED_PACKETS = 2
"""How many packets are decoded to get the first video frame: it has what containers leave out (HDR metadata, fields of DNxHD and
DV, orientation). Two, as fields can have packets of their own; each costs 5 to 30 ms."""

_FRAME_ENTRIES = (
    "frame=stream_index,interlaced_frame,top_field_first,color_range,color_space,color_primaries,color_transfer,chroma_location"
    ":frame_side_data_list"
)


@dataclass(frozen=True, slots=True)
class Look:
    """A further look at the video alone. `packets`: how many of it are read; `keyframes`: whether only keyframes are decoded."""

    packets: int
    keyframes: bool = False


LOOKS = (Look(_DECODED_PACKETS), Look(300, keyframes=True))
"""The further looks where the first packets of the file gave no video frame, until one gives it. First for audio or data that
comes before the video; then for a recording that begins between keyframes, which are rarely more than 250 frames apart."""


def probe_argv(ffprobe: str, path: str) -> list[str]:
    """The one call per source. `path` is absolute, or a descriptor's name (`/dev/fd/7`), which keeps the file's name out of it.

    Nothing but that file is opened: the `file` protocol alone, a closed list of demuxers (no playlist, no name pattern), and MOV
    references to other files are not followed (`enable_drefs` and `use_absolute_path` are off by default and kept off here).
    """
    return _argv(ffprobe, path, ("-show_format", "-show_streams"), (), _DECODED_PACKETS)


def look_argv(ffprobe: str, path: str, index: int, look: Look) -> list[str]:
    """The call for a further look at the stream `index`, restricted like `probe_argv`."""
    selected = ("-select_streams", str(index), *(("-skip_frame", "nokey") if look.keyframes else ()))
    return _argv(ffprobe, path, (), selected, look.packets)


def _argv(ffprobe: str, path: str, shown: Sequence[str], selected: Sequence[str], packets: int) -> list[str]:
    return [
        ffprobe, "-hide_banner", "-v", "warning",
        "-protocol_whitelist", "file",
        "-format_whitelist", ",".join(ALLOWED_DEMUXERS),
        "-probesize", str(PROBE_BYTES), "-analyzeduration", str(PROBE_MICROSECONDS),
        "-of", "json=compact=1", "-show_error", *shown, *selected,
        "-show_frames", "-read_intervals", f"%+#{packets}", "-show_entries", _FRAME_ENTRIES,
        "-i", f"file:{path}",
    ]  # fmt: skip
