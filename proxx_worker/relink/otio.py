"""OpenTimelineIO: one clip per task, with the original as its media and the proxy as a second reference under `proxy`."""

from collections.abc import Sequence

import opentimelineio as otio

from proxx_worker.relink.clips import RelinkClip
from proxx_worker.relink.fcpxml import file_url

PROXY_KEY = "proxy"


def collection(clips: Sequence[RelinkClip], name: str) -> str:
    """The JSON of a collection of clips. Raises `UnfitError` for a clip of a variable rate.

    Ranges are whole frames at the clip's rate; OpenTimelineIO keeps the rate as a float, so the exact one is in the metadata.
    """
    found = otio.schema.SerializableCollection(name=name, children=[_clip(clip) for clip in clips])
    return str(found.to_json_string(indent=2)) + "\n"


def _clip(clip: RelinkClip) -> otio.schema.Clip:
    rate = clip.constant_rate("OTIO")
    available = otio.opentime.TimeRange(
        otio.opentime.RationalTime(clip.start, float(rate)), otio.opentime.RationalTime(clip.frames, float(rate))
    )
    facts = {
        "rate": f"{rate.numerator}/{rate.denominator}",
        "timecode": None if clip.timecode is None else clip.timecode.text,
        "drop_frame": clip.drop_frame,
        "reel": clip.reel,
        "channels": list(clip.channels),
    }
    made = otio.schema.Clip(name=clip.name, source_range=available, metadata={"proxx_worker": facts})
    original, proxy = (
        otio.schema.ExternalReference(target_url=file_url(path), available_range=available) for path in (clip.source, clip.proxy)
    )
    proxy.metadata["proxx_worker"] = {"sha256": clip.proxy_sha256}
    made.set_media_references(
        {otio.schema.Clip.DEFAULT_MEDIA_KEY: original, PROXY_KEY: proxy}, otio.schema.Clip.DEFAULT_MEDIA_KEY
    )
    return made
