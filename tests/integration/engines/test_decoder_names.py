"""The decoders of the FFmpeg under test, and the names under which they log."""

import re
import subprocess

from proxx_worker.media.decoder_names import decoder_names
from tests.support.probing import TOOLS

IN_HARDWARE = re.compile(r".*_(?:amf|cuvid|d3d12|mediacodec|mf|mmal|oh|qsv|rkmpp|v4l2m2m|vaapi|videotoolbox)")
NEVER_TAKEN = {("mpeg2video", "mpegvideo")}


def test_every_decoder_s_name_is_known() -> None:
    listed = subprocess.run([TOOLS.ffmpeg, "-v", "error", "-decoders"], check=True, capture_output=True, text=True).stdout
    decoders = [(found[2], found[1]) for found in re.finditer(r"^ [VA]\S+ (\S+) .*\(codec (\S+)\)$", listed, re.MULTILINE)]
    assert ("msmpeg4v3", "msmpeg4") in decoders
    unknown = [(codec, name) for codec, name in decoders if name not in decoder_names(codec)]
    assert [entry for entry in unknown if not IN_HARDWARE.fullmatch(entry[1]) and entry not in NEVER_TAKEN] == []
