"""Proxies with one fault each, as an encoder or a script might make them, behind a result that calls them good."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.specs import encode, explicit, jobspec

SOUND = "anoisesrc=color=pink:sample_rate=48000:duration=2:seed={seed},volume='0.2+0.8*gt(sin(2*PI*t*{beat}),0)':eval=frame"
"""Noise that comes and goes, so that its course tells where it is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind`: what the report must call it. `video`, `audio`: what is done to the source's streams.

    `frame`: where it begins. `certain`: whether the report calls it a failure, not only suspicious.
    """

    kind: str
    video: str = "null"
    audio: str = "anull"
    frame: int | None = None
    interlaced: bool = False
    certain: bool = True


FAULTS: Mapping[str, Fault] = {
    "a frame slipped from the middle on": Fault(
        # `fps`: from 7.1 on, `setpts` leaves the encoder without a rate.
        "frame_slip",
        "select='not(eq(n,25))',setpts=N/25/TB,fps=25,tpad=stop=1:stop_mode=clone",
        frame=25,
    ),
    "levels not converted": Fault("levels", "scale=in_range=tv:out_range=pc,setparams=range=tv"),
    "levels converted twice": Fault("levels", "scale=in_range=pc:out_range=tv,setparams=range=tv"),
    "matrix swapped": Fault("matrix", "format=yuv420p,colormatrix=bt709:bt601,setparams=colorspace=bt709"),
    "a field order turned": Fault("field_order", "il=luma_swap=1:chroma_swap=1", interlaced=True),
    "a black frame": Fault("black_frames", "drawbox=color=black:t=fill:w=iw:h=ih:enable='eq(n,30)'", frame=30),
    "a frozen second": Fault("frozen_frames", "split[a][b];[a][b]freezeframes=first=20:last=44:replace=19", frame=20),
    "audio 40 ms early": Fault("audio_lag", audio="atrim=start=0.04,asetpts=PTS-STARTPTS,apad=pad_dur=0.04"),
    "a hole in the audio": Fault("audio_hole", audio="volume=0:enable='between(t,1,1.2)'", frame=25),
    "a channel swap": Fault("channel_swap", audio="pan=stereo|c0=c1|c1=c0"),
    "frames lost at the end": Fault("damaged", "select='lt(n,45)'", frame=45),
    "upside down": Fault("damaged", "hflip,vflip", certain=False),
    "turned and squeezed into its size": Fault("damaged", "transpose,scale=320:180", certain=False),
    "a torn block": Fault(
        "damaged", "drawbox=color=0x00ff00:t=fill:x=64:y=64:w=48:h=32:enable='eq(n,12)'", frame=12, certain=False
    ),
}


def make_source(path: Path, *, interlaced: bool = False) -> Path:
    """Two seconds, 320x180 (interlaced: 320x192, top field first) at 25, BT.709, two different channels, timecode."""
    picture = (
        "testsrc2=size=320x192:rate=50:duration=2,tinterlace=mode=interleave_top,setparams=field_mode=tff"
        if interlaced
        else "testsrc2=size=320x180:rate=25:duration=2"
    )
    tags = "range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    fields = ["-flags:v", "+ildct+ilme", "-x264-params", "tff=1"] if interlaced else []
    ffmpeg(
        "-f", "lavfi", "-i", f"{picture},format=yuv420p,setparams={tags}",
        "-f", "lavfi", "-i", SOUND.format(seed=1, beat=1.7), "-f", "lavfi", "-i", SOUND.format(seed=2, beat=2.9),
        "-filter_complex", "[1:a][2:a]join=inputs=2:channel_layout=stereo[a]", "-map", "0:v", "-map", "[a]",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", *fields,
        "-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-c:a", "pcm_s16le", "-timecode", "10:00:00:00", path,
    )  # fmt: skip
    return path


def finished_job(proxx: Command, folder: Path, source: Path, codec: str = "h264", container: str = "mov") -> Path:
    """The result file of a good job in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    spec, result = folder / "job.json", folder / "job.result.json"
    spec.write_bytes(encode(jobspec(source, folder, **explicit(codec, container), naming_template="{source_name}_proxy")))
    ended = proxx("run", spec, "--result", result)
    assert ended.exit_code == 0, ended.stderr
    return result


def spoil(result: Path, source: Path, fault: Fault) -> Path:
    """Replace the job's proxy by one with `fault`, and let the result vouch for it."""
    document = json.loads(result.read_bytes())
    task = document["tasks"][0]
    proxy = Path(task["output"])
    fields = ["-flags:v", "+ildct+ilme", "-x264-params", "tff=1"] if fault.interlaced else []
    ffmpeg(
        "-i", source, "-filter_complex", f"[0:v]{fault.video}[v];[0:a]{fault.audio}[a]", "-map", "[v]", "-map", "[a]",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "16", "-pix_fmt", "yuv420p", *fields,
        "-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-c:a", "pcm_s16le", "-timecode", "10:00:00:00", proxy,
    )  # fmt: skip
    vouch(result, document)
    return proxy


def vouch(result: Path, document: dict[str, object]) -> None:
    """Write the result with the hash that its proxy has now."""
    tasks = document["tasks"]
    assert isinstance(tasks, list)
    data = Path(tasks[0]["output"]).read_bytes()
    tasks[0]["output_sha256"], tasks[0]["output_size_bytes"] = hashlib.sha256(data).hexdigest(), len(data)
    result.write_text(json.dumps(document, indent=2) + "\n")
