"""What ffprobe says of a perfect proxy, and what a perfect encode was seen to do, so that a test can spoil one thing."""

from dataclasses import dataclass, field
from fractions import Fraction

from proxx_worker.contract.output_settings import Container
from proxx_worker.planning.audio import AudioPlan
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.heard_audio import HeardAudio
from proxx_worker.verification.progress import Progress
from proxx_worker.verification.proxy_probe import ProxyObservation
from tests.support.printouts import parse_proxy

_FORMATS = {
    Container.MOV: "mov,mp4,m4a,3gp,3g2,mj2",
    Container.MP4: "mov,mp4,m4a,3gp,3g2,mj2",
    Container.MKV: "matroska,webm",
    Container.WEBM: "matroska,webm",
    Container.MXF: "mxf",
}


@dataclass
class Proxy:
    """An editable ffprobe report."""

    container: dict[str, str]
    picture: dict[str, str]
    frame: dict[str, str]
    times: list[int]
    sounds: list[dict[str, str]]
    samples: list[int]
    others: list[dict[str, str]] = field(default_factory=list)
    frame_suffix: str = ""
    exit_code: int = 0
    stderr: str = ""

    def observation(self) -> ProxyObservation:
        """As the engine hands it over."""
        lines = []
        for time in self.times:
            fields = {"stream_index": "0", "pts": str(time)} | self.frame
            lines.append(_line("frame", fields) + self.frame_suffix)
        for position, count in enumerate(self.samples):
            lines.append(f"frame|stream_index={position + 1}|pts=0|nb_samples={count}")
        lines += [_line("stream", stream) for stream in (self.picture, *self.sounds, *self.others)]
        lines.append(_line("format", self.container))
        return ProxyObservation(self.exit_code, parse_proxy("\n".join(lines).encode()), self.stderr)


def _line(section: str, fields: dict[str, str]) -> str:
    return "|".join((section, *(f"{key}={value}" for key, value in fields.items())))


def perfect_encode(plan: TaskPlan, frames: int = 25) -> EncodeObservation:
    """Every frame of a constant-rate source was presented and encoded."""
    tick, rate = plan.facts.video.time_base, plan.facts.video.rate
    presented = tuple(int(Fraction(position) / rate / tick) for position in range(frames))
    return EncodeObservation(
        exit_code=0,
        progress=Progress(frames=frames, total_size=1000, ended=True),
        file_size=1000,
        times=presented,
        audio=tuple(heard(plan, sound) for sound in plan.design.audio),
        audio_units=round(sum(sound.padding.bytes or 0 for sound in plan.design.audio if sound.padding is not None) / 1024),
    )


def heard(plan: TaskPlan, sound: AudioPlan) -> HeardAudio | None:
    """All that the source promises, without a hole."""
    if sound.placement is None:
        return None
    length = sound.duration or plan.facts.duration or Fraction(1)
    return HeardAudio(
        rate=sound.placement.rate,
        frames=47,
        first=0,
        length=round(length * sound.placement.rate),
        placed=round(length * sound.sample_rate) if sound.padding else None,
    )


def perfect_proxy(plan: TaskPlan, frames: int = 25) -> Proxy:
    """Exactly what the plan promises."""
    expected, design = plan.expected, plan.design
    video, timing, planned = expected.video, expected.timing, design.geometry
    matroska = expected.container in {Container.MKV, Container.WEBM}
    tick = Fraction(1, 1000) if matroska else plan.facts.video.time_base
    rate = timing.rate or Fraction(25)
    tags = {
        "color_range": video.color_range or "unknown",
        "color_space": video.frames.matrix or "unknown",
        "color_primaries": video.frames.primaries or "unknown",
        "color_transfer": video.frames.transfer or "unknown",
    }
    fields = video.field_order in {"tt", "bb"}
    timecode = design.schedule.timecode
    length = Fraction(frames) / rate
    picture = {
        "index": "0",
        "codec_name": video.codec,
        "profile": video.profile or "High",
        "codec_type": "video",
        "codec_tag_string": video.codec_tag or "[0][0][0][0]",
        "width": str(planned.width),
        "height": str(planned.height),
        "sample_aspect_ratio": str(planned.display_aspect * planned.height / planned.width).replace("/", ":"),
        "r_frame_rate": f"{rate.numerator}/{rate.denominator}",
        "avg_frame_rate": f"{rate.numerator}/{rate.denominator}",
        "time_base": f"{tick.numerator}/{tick.denominator}",
        "start_pts": "0",
        **tags,
    }
    if matroska:
        picture["tag:DURATION"] = f"00:00:{float(length):012.9f}"
    else:
        picture["duration_ts"] = str(int(length / tick))
    sounds = [
        {
            "index": str(position + 1),
            "codec_name": sound.codec,
            "codec_type": "audio",
            "sample_rate": str(sound.sample_rate),
            "channels": str(sound.channels),
            "channel_layout": sound.layout or "unknown",
            "start_pts": "0",
            **_lasting(sound.duration or length, None if matroska else sound.sample_rate),
        }
        for position, sound in enumerate(design.audio)
    ]
    return Proxy(
        container={"format_name": _FORMATS[expected.container]}
        | ({"tag:timecode": timecode.text} if timecode else {})
        | ({"tag:reel_name": timing.reel} if timing.reel else {}),
        picture=picture,
        frame={"interlaced_frame": str(int(fields)), "top_field_first": str(int(video.field_order == "tt")), **tags},
        times=[round(Fraction(position) / rate / tick) for position in range(frames)],
        sounds=sounds,
        samples=[_samples(sound, length if sound.padding else sound.duration or length, matroska) for sound in design.audio],
    )


def _lasting(length: Fraction, rate: int | None) -> dict[str, str]:
    if rate is None:
        return {"time_base": "1/1000", "tag:DURATION": f"00:00:{float(length):012.9f}"}
    return {"time_base": f"1/{rate}", "duration_ts": str(round(length * rate))}


def _samples(sound: AudioPlan, length: Fraction, matroska: bool) -> int:
    samples = round(length * sound.sample_rate)
    return -(-samples // 1024) * 1024 if sound.codec == "aac" and matroska else samples
