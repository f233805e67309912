"""The command that decodes a source with one decoder context."""

from dataclasses import replace

from proxx_worker.media.facts import OpenEnd
from proxx_worker.planning.field_confirmation import confirmation_argv
from tests.unit.planning.sources import CLIP


def test_the_whole_command() -> None:
    assert confirmation_argv(CLIP, "/usr/bin/ffprobe", "/dev/fd/7") == [
        "/usr/bin/ffprobe", "-hide_banner", "-v", "fatal", "-protocol_whitelist", "file", "-f", "mov",
        "-probesize", "50000000", "-analyzeduration", "10000000", "-threads", "1", "-select_streams", "0",
        "-show_entries", "frame=interlaced_frame,top_field_first", "-of", "compact", "-i", "file:/dev/fd/7",
    ]  # fmt: skip


def test_what_the_encode_leaves_out_at_the_end_is_left_out_here() -> None:
    end = OpenEnd(18_800, packets=(5,))
    argv = confirmation_argv(replace(CLIP, formats=("mpegts",), open_end=end), "ffprobe", "/dev/fd/7")
    assert argv[argv.index("-fflags") + 1] == "+discardcorrupt"
    assert argv[-1] == "subfile,,start,0,end,18800,,:file:/dev/fd/7"
