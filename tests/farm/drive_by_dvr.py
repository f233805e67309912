"""A client that nobody here wrote, from a project to a finished file: `drive_by_dvr.py API LIB CLIP TARGET PRESET`."""

import os
import sys

api, lib, clip, target, preset = sys.argv[1:]
os.environ["RESOLVE_SCRIPT_API"], os.environ["RESOLVE_SCRIPT_LIB"] = api, lib
sys.path.insert(0, f"{api}/Modules")

import DaVinciResolveScript  # type: ignore[import-not-found]  # noqa: E402 - once it can be found
import dvr.resolve  # type: ignore[import-not-found]  # noqa: E402

# It loads fusionscript as a C extension, which the stand-in is not: the connection is the one thing that is given to it.
dvr.resolve.connect = lambda **_: DaVinciResolveScript.scriptapp("Resolve")

resolve = dvr.resolve.Resolve()
project = resolve.project.create("dvr's project")
project.set_setting("timelineFrameRate", "25")
(item,) = project.media.import_media([clip])
project.media.create_timeline_from_clips("dvr's timeline", [item])
path = resolve.render.submit_and_wait(
    target_dir=target,
    custom_name="by_dvr",
    preset=preset,
    format="mov",
    codec="ProRes422P",
    settings={"FormatWidth": 320, "FormatHeight": 180},
    poll_interval=0.05,
    timeout=60,
)
print(path)  # noqa: T201 - for the test that started this
