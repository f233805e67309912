"""The command that decodes all of a damaged source."""

from dataclasses import replace

from proxx_worker.media.facts import OpenEnd
from proxx_worker.planning.damage_search import search_argv
from tests.unit.planning.sources import CLIP


def test_the_whole_command() -> None:
    assert search_argv(CLIP, "/usr/bin/ffprobe", "/dev/fd/7") == [
        "/usr/bin/ffprobe", "-hide_banner", "-v", "fatal", "-protocol_whitelist", "file", "-f", "mov",
        "-probesize", "50000000", "-analyzeduration", "10000000", "-show_log", "32",
        "-show_entries", "packet=stream_index,pts,dts,duration,size,flags:frame=stream_index,pts:log=level,message",
        "-of", "compact", "-i", "file:/dev/fd/7",
    ]  # fmt: skip


def test_what_the_encode_leaves_out_at_the_end_is_left_out_here() -> None:
    argv = search_argv(replace(CLIP, formats=("mpegts",), open_end=OpenEnd(18_800)), "ffprobe", "/dev/fd/7")
    assert argv[argv.index("-protocol_whitelist") + 1] == "subfile,file"
    assert argv[-1] == "subfile,,start,0,end,18800,,:file:/dev/fd/7"
