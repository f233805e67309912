"""What an editing system must know about a clip and its proxy to treat them as the same, read from a result. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.finished import FinishedJob, FinishedTask
from proxx_worker.contract.result import TaskStatus
from proxx_worker.media.facts import Timecode
from proxx_worker.media.timecode_count import count_of, label_of


class UnfitError(Exception):
    """A clip that the file format cannot describe; the message names it and the reason."""


@dataclass(frozen=True, slots=True)
class RelinkClip:
    """One source and its proxy.

    `source`, `proxy`: paths as the job's spec has them; `proxy_file`: on this machine. `rate`: exact, None if it varies.
    `frames`: as the worker counted them. `start`: frames from 00:00:00:00 to the first one, 0 without a timecode. `width`,
    `height`: as shown, in pixels. `field_order`: `progressive`, `upper`, `lower` or None. `channels`: of each audio stream.
    `sample_rate`: of the first, Hz.
    """

    name: str
    source: str
    proxy: str
    proxy_file: str
    proxy_sha256: str
    rate: Fraction | None
    frames: int
    timecode: Timecode | None
    start: int
    reel: str | None
    width: int
    height: int
    sample_aspect: Fraction
    field_order: str | None
    color: tuple[str | None, str | None, str | None]
    channels: tuple[int, ...]
    sample_rate: int | None

    @property
    def drop_frame(self) -> bool:
        """Whether its timecode drops labels."""
        return self.timecode is not None and self.timecode.drop_frame

    def constant_rate(self, what: str) -> Fraction:
        """The rate. Raises `UnfitError` if it varies and `what` counts frames of one length."""
        if self.rate is None:
            raise UnfitError(
                f"{self.source} has a variable frame rate, and {what} counts frames of one length: leave this clip out"
            )
        return self.rate

    def label(self, frames: int) -> str:
        """The timecode `frames` after the start; from 00:00:00:00 without one."""
        if self.rate is None:
            raise ValueError("a variable rate has no labels")
        return label_of(self.start + frames, self.rate, drop_frame=self.drop_frame)


def clips_of(jobs: Sequence[FinishedJob]) -> list[RelinkClip]:
    """The clips of all completed tasks, in order.

    Raises `UnfitError` if a proxy has another rate than its source, or a result lacks what is needed.
    """
    return [_clip(job, task) for job in jobs for task in job.tasks if task.status is TaskStatus.COMPLETED]


def _clip(job: FinishedJob, task: FinishedTask) -> RelinkClip:
    settings, output, frames = job.settings or {}, task.output_file, task.counted_frames()
    if settings.get("fps_mode") == "explicit":
        raise UnfitError(
            f"the proxy of {task.source} has another frame rate, so no editing system accepts it as the same clip: leave it out"
        )
    if output is None or task.output_sha256 is None or frames is None or task.source_media is None:
        raise UnfitError(f"the result of {task.source} does not describe its proxy: run the job again")
    try:
        return _from_facts(task, task.source_media, output, task.output_sha256, frames)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise UnfitError(f"the result of {task.source} lacks what is needed ({error}): run the job again") from error


def _from_facts(task: FinishedTask, media: Mapping[str, object], output: str, sha256: str, frames: int) -> RelinkClip:
    video, color = _mapping(media["video"]), _mapping(_mapping(media["video"])["color"])
    rate = Fraction(_text(video["rate"])) if video["constant_rate"] is True else None
    told = media.get("timecode")
    timecode = None if told is None else _timecode(_mapping(told))
    turned = video["rotation"] in {90, 270}  # null: Resolve does not report it for camera RAW
    width, height = _number(video["width"]), _number(video["height"])
    aspect = Fraction(_text(video["sample_aspect"]))
    streams = [_mapping(stream) for stream in _list(media["audio"])]
    return RelinkClip(
        name=task.source.rsplit("/", 1)[-1].rsplit(".", 1)[0] or task.source,
        source=task.source,
        proxy=task.output or output,
        proxy_file=output,
        proxy_sha256=sha256,
        rate=rate,
        frames=frames,
        timecode=timecode,
        start=0 if timecode is None or rate is None else count_of(timecode, rate),
        reel=None if media.get("reel") is None else _text(media["reel"]),
        width=height if turned else width,
        height=width if turned else height,
        sample_aspect=1 / aspect if turned else aspect,
        field_order=_FIELD_ORDERS.get(str(video["field_order"])),
        color=(_said(color, "primaries"), _said(color, "transfer"), _said(color, "matrix")),
        channels=tuple(_number(stream["channels"]) for stream in streams),
        sample_rate=_number(streams[0]["sample_rate"]) if streams else None,
    )


_FIELD_ORDERS = {"progressive": "progressive", "tt": "upper", "tb": "upper", "bb": "lower", "bt": "lower"}


def _timecode(told: Mapping[str, object]) -> Timecode:
    return Timecode(_text(told["text"]), told["drop_frame"] is True, _text(told["origin"]))


def _said(color: Mapping[str, object], name: str) -> str | None:
    value = color.get(name)
    return None if value is None else _text(value)


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"not an object: {value!r}")
    return value


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise TypeError(f"not a list: {value!r}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not text: {value!r}")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"not a whole number: {value!r}")
    return value
