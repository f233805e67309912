"""The command that decodes a damaged source to its end, so that every damaged place is known and not the first alone.

The encode stops at the first fault (`-xerror`). This one goes on, and writes nothing: the time of each decoded frame and what
FFmpeg complains of come on standard error, in the order in which they happen.
"""

from proxx_worker.planning.argv import input_name, input_options
from proxx_worker.planning.plan import TaskPlan

VIDEO = "video"
"""What a video frame is reported as; a frame of the source's stream 3 of audio is reported as `audio3`."""

AUDIO = "audio"

_THREADS = "2"
"""Each thread more lets the decoder complain a frame earlier; one alone takes too long for a long recording."""


def search_argv(plan: TaskPlan, ffmpeg: str, source: str) -> list[str]:
    """The whole command. `source`: as in `TaskPlan.argv`."""
    facts = plan.facts
    options = [option for option in input_options(facts, plan.design.schedule) if option != "-xerror"]
    streams = [stream.source_index for stream in plan.design.sound]
    return [
        ffmpeg, *options, "-threads:v", _THREADS, "-i", input_name(facts, source),
        "-map", f"0:{facts.video.index}", *(word for index in streams for word in ("-map", f"0:{index}")),
        "-filter:v", ",".join(("metadata=mode=delete", *_printed("metadata", VIDEO))), "-fps_mode:v", "passthrough",
        *(
            word
            for position, index in enumerate(streams)
            for word in (
                f"-filter:a:{position}", ",".join(("ametadata=mode=delete", *_printed("ametadata", f"{AUDIO}{index}")))
            )
        ),
        "-f", "null", "-",
    ]  # fmt: skip


def _printed(metadata: str, name: str) -> tuple[str, str]:
    return f"{metadata}=mode=add:key=of:value={name}", rf"{metadata}=mode=print:file=pipe\\:2:direct=1"
