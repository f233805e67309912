"""What the stand-in knows of media: clips looked at with ffprobe, jobs rendered with FFmpeg, and all that can go wrong with them.

A job's thread belongs to the server, whatever becomes of the client that asked for it.
"""

import json
import os
import subprocess
import threading
import time
from pathlib import Path

HEADER = 4096
"""Bytes before the movie in a clip of the tests: what makes it camera RAW to the worker."""

FORMATS = {"QuickTime": "mov", "MP4": "mp4", "MXF OP1A": "mxf_op1a", "MXF OP-Atom": "mxf"}
PRORES = {"ProRes422P": "0", "ProRes422LT": "1", "ProRes422": "2", "ProRes422HQ": "3", "ProRes4444": "4"}
DNXHR = {"DNxHRLB": "dnxhr_lb", "DNxHRSQ": "dnxhr_sq", "DNxHRHQ": "dnxhr_hq"}
CODECS = {
    "mov": {
        **{f"Apple {name}": name for name in PRORES},
        **{f"Avid {name}": name for name in DNXHR},
        "H.264": "H264",
        "H.265": "H265",
    },
    "mp4": {"H.264": "H264", "H.265": "H265"},
    "mxf_op1a": {f"Avid {name}": name for name in DNXHR},
    "mxf": {f"Avid {name}": name for name in DNXHR},
}
EXTENSIONS = {"mov": "mov", "mp4": "mp4", "mxf_op1a": "mxf", "mxf": "mxf"}
FIXED_RATES = {
    "23.976": "24000/1001",
    "29.97": "30000/1001",
    "47.952": "48000/1001",
    "59.94": "60000/1001",
    "119.88": "120000/1001",
}


def probe(database, path):
    """The movie in the file at `path`; None where there is none. Asked of ffprobe, behind the header of the tests' clips."""
    if not path.startswith("/") or not os.access(path, os.R_OK):
        return None
    entries = "stream=codec_type,width,height,r_frame_rate,nb_frames,channels:stream_tags=timecode:format_tags=timecode"
    asked = [database.config()["ffprobe"], "-v", "error", "-show_entries", entries, "-of", "json", movie(path)]
    document = json.loads(subprocess.run(asked, capture_output=True, check=False).stdout or b"{}")
    pictures = [stream for stream in document.get("streams", []) if stream["codec_type"] == "video"]
    if not pictures:
        return None
    channels = sum(stream["channels"] for stream in document["streams"] if stream["codec_type"] == "audio")
    return {**pictures[0], "channels": channels}


def movie(path):
    with open(path, "rb") as file:
        start = HEADER if file.read(8)[4:7] == b"RED" else 0
    return f"subfile,,start,{start},end,0,,:{path}"


def properties_of(path, media):
    numerator, denominator = map(int, media["r_frame_rate"].split("/"))
    fps = round(numerator / denominator, 3)
    timecode = media.get("tags", {}).get("timecode", "00:00:00:00")
    return {
        "Clip Name": Path(path).name,
        "File Path": path,
        "File Name": Path(path).name,
        "Type": "Video + Audio" if media["channels"] else "Video",
        "Frames": media["nb_frames"],
        "FPS": fps,
        "Start": "0",
        "End": str(int(media["nb_frames"]) - 1),
        "Start TC": timecode.replace(";", ":"),
        "Drop frame": "1" if ";" in timecode else "0",
        "Resolution": f"{media['width']}x{media['height']}",
        "PAR": "Square",
        "Audio Ch": str(media["channels"]),
        "Sample Rate": "48000" if media["channels"] else "",
        "Video Codec": "RED",
        "Format": "RED",
        "Reel Name": "",
        "Field Dominance": "Auto",
        "Data Level": "Auto",
        "Online Status": "Online",
        "Super Scale": 1,
    }


class Job:
    """One render. Its thread belongs to the server, whatever becomes of the client that asked for it."""

    def __init__(self, project, identity, settings, output, timeline):
        self._project = project
        self._identity = identity
        self._settings = settings
        self._output = output
        self._timeline = timeline
        self._percentage = 0
        self._state = "Ready"
        self._error = None
        self._stop = threading.Event()
        self._asked = threading.Semaphore(0)
        self._thread = None
        self._faults = {}

    @property
    def _file(self):
        return f"{self._settings.get('CustomName', 'render')}.{EXTENSIONS[self._output['format']]}"

    def entry(self):
        return {
            "JobId": self._identity,
            "RenderJobName": "Job 1",
            "TargetDir": self._settings["TargetDir"],
            "OutputFilename": self._file,
            "PresetName": "Custom",
            "VideoFormat": self._output["format"],
            "VideoCodec": self._output["codec"],
            "FormatWidth": self._settings.get("FormatWidth", 1920),
            "FormatHeight": self._settings.get("FormatHeight", 1080),
            "FrameRate": self._project.settings()["timelineFrameRate"],
            "MarkIn": 0,
            "MarkOut": 1,
        }

    def status(self):
        words = self._fault("words") or {}
        status = {
            "JobStatus": words.get(self._state, self._state),
            "CompletionPercentage": self._percentage + self._faults.get("fraction", 0),
        }
        return status if self._error is None or self._fault("silent") else {**status, "Error": self._error}

    def busy(self):
        if self._stop.is_set():
            self._asked.release()
        return self._thread is not None and self._thread.is_alive()

    def start(self):
        self._faults = self._project.database().fault("render") or {}  # of this render, whatever is configured later
        self._state = "Rendering"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        """Over once the frame in flight is done: `last_frame`, in seconds, or in looks at whether it still renders.

        Answered at once, and with `stop_waits` only then.
        """
        self._stop.set()
        if self._fault("stop_waits"):
            self._thread.join()

    def _fault(self, name):
        return self._faults.get(name)

    def _run(self):
        stuck = self._fault("stuck")
        if stuck == 0:
            self._hold()
            return
        made = self._make()
        if made is None:
            self._state, self._error = "Failed", "The encoder failed"
            return
        if self._fault("error"):
            self._state, self._error = "Failed", self._fault("error")
            return
        self._write(made, 100 if stuck is None else stuck)
        if self._stop.is_set():
            self._cancel()
        elif stuck is not None:
            self._hold()
        else:
            self._percentage = self._fault("last") or 100
            self._state = self._fault("state") or "Complete"

    def _hold(self):
        self._stop.wait()
        self._cancel()

    def _cancel(self):
        self._state = "Cancelled"
        frame = self._fault("last_frame") or {}
        time.sleep(frame.get("seconds", 0))
        for _ in range(frame.get("looks", 0)):
            self._asked.acquire()

    def _write(self, made, upto):
        """Put the film into the target piece by piece, as a render would; the name is another one where it is taken."""
        kind = self._fault("file") or "good"
        if kind == "none":
            return
        target = self._place(kind)
        data = b"" if kind == "empty" else made.read_bytes()
        if kind == "truncated":
            data = data[: len(data) * 2 // 3]
        if kind == "symlink":
            (elsewhere := self._project.database().folder / "elsewhere.mov").write_bytes(data)
            target.symlink_to(elsewhere)
            return
        steps = 10
        size = -(-len(data) // steps)
        with open(target, "xb") as file:
            for step in range(steps):
                if self._stop.is_set() or 100 * step // steps >= upto:
                    return
                if (self._fault("dies_at") or 101) <= 100 * step // steps:
                    os._exit(9)
                file.write(data[step * size : (step + 1) * size])
                file.flush()
                self._percentage = 100 * step // steps
                self._stop.wait(self._project.database().config().get("pace", 0.01))
        if kind == "two":
            (target.parent / "render log.txt").write_text("a second file")
        if kind == "growing":
            threading.Thread(target=_grow, args=(target,), daemon=True).start()

    def _place(self, kind):
        folder, (stem, _, extension) = Path(self._settings["TargetDir"]), self._file.rpartition(".")
        name = {"name_0": f"{stem}_0.{extension}", "extension": f"{stem}.mp4"}.get(kind, self._file)
        number = 0
        while (folder / name).exists():
            name = f"{stem}_{number}.{extension}"
            number += 1
        return folder / name

    def _make(self):
        database, clip = self._project.database(), self._timeline.clip()
        made = database.folder / f"work {os.getpid()} {id(self)}.{EXTENSIONS[self._output['format']]}"
        asked = [database.config()["ffmpeg"], "-v", "error", "-y", "-i", movie(clip.path()), *self._options(clip)]
        if subprocess.run([*asked, *(self._fault("ffmpeg") or []), made], stderr=subprocess.DEVNULL, check=False).returncode:
            return None
        return made

    def _options(self, clip):
        rate = self._project.settings()["timelineFrameRate"].removesuffix(" DF")
        width, height = self._settings.get("FormatWidth"), self._settings.get("FormatHeight")
        scale = "setsar=1" if width is None else f"scale={width}:{height},setsar=1"
        codec = self._output["codec"]
        if codec in PRORES:
            video = [
                "-c:v",
                "prores_ks",
                "-profile:v",
                PRORES[codec],
                "-pix_fmt",
                "yuv444p10le" if codec == "ProRes4444" else "yuv422p10le",
            ]
        elif codec in DNXHR:
            video = ["-c:v", "dnxhd", "-profile:v", DNXHR[codec], "-pix_fmt", "yuv422p"]
        else:
            video = ["-c:v", {"H264": "libx264", "H265": "libx265"}[codec], "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
        sound = ["-an"]
        if self._settings.get("ExportAudio", True) and clip.media()["channels"]:
            sound = ["-c:a", "aac" if self._output["format"] == "mp4" else "pcm_s16le", "-ar", "48000"]
            if self._output["format"].startswith("mxf"):
                sound += ["-af", "apad", "-shortest"]  # FFmpeg's MXF ends with the shortest stream
        drop = self._project.settings()["timelineFrameRate"].endswith(" DF")
        timecode = self._timeline.GetStartTimecode()
        timecode = f"{timecode[:8]};{timecode[9:]}" if drop else timecode
        reel = clip.GetClipProperty("Reel Name")
        labels = ["-timecode", timecode, *(["-metadata:s:v:0", f"reel_name={reel}"] if reel else [])]
        return ["-map", "0:v:0", "-map", "0:a?", "-vf", scale, "-r", FIXED_RATES.get(rate, rate), *video, *sound, *labels]


def _grow(path):
    while True:
        try:
            with open(path, "r+b") as file:
                file.seek(0, os.SEEK_END)
                file.write(b"\0" * 64)
        except OSError:
            return
        time.sleep(0.01)
