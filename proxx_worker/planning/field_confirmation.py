"""The command that reads the kind of each frame of a source with one decoder context.

FFmpeg's H.264 decoder takes a frame that states neither kind to be like the one before it in the same thread. So the kinds of
some clips depend on the number of threads, which is that of the CPUs (docs/decisions/0032-telecine-and-changing-fields.md).
"""

from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.probe_command import PROBE_BYTES, PROBE_MICROSECONDS
from proxx_worker.planning.argv import dropping, input_name, protocols

_ENTRIES = "frame=interlaced_frame,top_field_first"


def confirmation_argv(facts: MediaFacts, ffprobe: str, source: str) -> list[str]:
    """The whole command. `source`: the path that ffprobe opens. It reports one line for each frame of the video."""
    return [
        ffprobe, "-hide_banner", "-v", "fatal", *protocols(facts), "-f", facts.demuxer, *dropping(facts),
        "-probesize", str(PROBE_BYTES), "-analyzeduration", str(PROBE_MICROSECONDS), "-threads", "1",
        "-select_streams", str(facts.video.index), "-show_entries", _ENTRIES, "-of", "compact",
        "-i", input_name(facts, source),
    ]  # fmt: skip
