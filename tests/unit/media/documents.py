"""ffprobe documents as small as they can be: what a test does not name is what an ordinary camera clip says."""

import json
from collections.abc import Mapping, Sequence

from proxx_worker.contract.errors import JsonValue
from proxx_worker.media.ffprobe_json import Section

Document = Mapping[str, JsonValue]


def matrix(a: int, b: int, c: int, d: int, kind: str = "Display Matrix") -> dict[str, JsonValue]:
    """A display matrix as ffprobe prints it: a stream's, or with another `kind` a frame's."""
    lines = ((a, b, 0), (c, d, 0), (0, 0, 1 << 30))
    text = "".join(f"{index:08}: {line[0]:12} {line[1]:12} {line[2]:12}\n" for index, line in enumerate(lines))
    return {"side_data_type": kind, "displaymatrix": f"\n{text}", "rotation": 0}


def video(**fields: JsonValue) -> dict[str, JsonValue]:
    """A video stream: one second of 1080p25 H.264 in MP4."""
    stream: dict[str, JsonValue] = {
        "index": 0,
        "codec_name": "h264",
        "profile": "High",
        "codec_type": "video",
        "codec_tag_string": "avc1",
        "width": 1920,
        "height": 1080,
        "coded_width": 1920,
        "coded_height": 1088,
        "pix_fmt": "yuv420p",
        "field_order": "progressive",
        "r_frame_rate": "25/1",
        "avg_frame_rate": "25/1",
        "time_base": "1/12800",
        "start_pts": 0,
        "duration_ts": 12800,
        "nb_frames": "25",
        "disposition": {"default": 1, "attached_pic": 0},
    }
    return stream | fields


def audio(**fields: JsonValue) -> dict[str, JsonValue]:
    """An audio stream: one second of stereo AAC."""
    stream: dict[str, JsonValue] = {
        "index": 1,
        "id": "0x2",
        "codec_name": "aac",
        "profile": "LC",
        "codec_type": "audio",
        "codec_tag_string": "mp4a",
        "sample_fmt": "fltp",
        "sample_rate": "48000",
        "channels": 2,
        "channel_layout": "stereo",
        "bits_per_sample": 0,
        "time_base": "1/48000",
        "start_pts": 0,
        "duration_ts": 48000,
    }
    return stream | fields


def data(tag: str, **fields: JsonValue) -> dict[str, JsonValue]:
    """A data stream with the four characters `tag`."""
    stream: dict[str, JsonValue] = {"index": 2, "codec_type": "data", "codec_tag_string": tag, "time_base": "1/12800"}
    return stream | fields


def document(
    *streams: Document, frames: Sequence[Document] = (), demuxer: str = "mov,mp4,m4a,3gp,3g2,mj2", **container: JsonValue
) -> bytes:
    """A whole answer of ffprobe's."""
    described = {"format_name": demuxer, "start_time": "0.000000", "duration": "1.000000"} | container
    return json.dumps({"frames": list(frames), "streams": list(streams), "format": described}).encode()


def section(fields: Document) -> Section:
    """One object of an answer."""
    return Section(fields)
