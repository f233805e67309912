"""The command that reads and decodes a damaged source to its end, so that every damaged place is known and not just the first.

The encode stops at the first fault (`-xerror`). ffprobe goes on. It reads a packet, decodes it and reports both before it reads
the next one, in one thread (`-show_log` sees to that): so a decoder's message belongs to the packet before it, on every
FFmpeg and in every run. FFmpeg itself decodes ahead of what it reports, in threads: its messages came up to ten frames early, and
at different frames in each run.
"""

from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.probe_command import PROBE_BYTES, PROBE_MICROSECONDS
from proxx_worker.planning.argv import input_name, protocols

_INFORMATION = "32"
"""FFmpeg's AV_LOG_INFO and anything worse: a decoder may conceal a damaged picture without calling that an error."""

_ENTRIES = "packet=stream_index,pts,dts,duration,size,flags:frame=stream_index,pts:log=level,message"


def search_argv(facts: MediaFacts, ffprobe: str, source: str) -> list[str]:
    """The whole command. `source`: the path that ffprobe opens. Decoders' messages are in its report, not on standard error."""
    return [
        ffprobe, "-hide_banner", "-v", "fatal", *protocols(facts), "-f", facts.demuxer,
        "-probesize", str(PROBE_BYTES), "-analyzeduration", str(PROBE_MICROSECONDS),
        "-show_log", _INFORMATION, "-show_entries", _ENTRIES, "-of", "compact", "-i", input_name(facts, source),
    ]  # fmt: skip
