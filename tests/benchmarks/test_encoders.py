"""The encoders beside the settings that users have today: speed, size and SSIM, on camera clips looped to some seconds."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.benchmarks.conftest import emptied, encode_command, into
from tests.benchmarks.measure import Spread, cpu, in_turns, ratios, timed, wall
from tests.benchmarks.report import Report

CLIPS = (
    "max-heromode.mp4",
    "svt-test-8mono.mp4",
    "mv_with_2_top_shots.mp4",
    "multiview.mov",
    # All but a tenth of its time is decoding (130 Mb/s, I-frames only): there no encoder reaches the bound for H.264.
    "crop-to-container-dims-canon.mov",
)
CONSTANT = ("max-heromode.mp4", "multiview.mov", "crop-to-container-dims-canon.mov")
"""MXF takes no variable rate."""

SAME_FRAMES = ("-fps_mode", "passthrough")
"""Else FFmpeg doubles the frames of a clip of varying rate (120 frames/s for one of these), and the reference has more to do."""

SECONDS = 8


@dataclass(frozen=True)
class Case:
    """A profile, the reference that users have today, the bound on the ratio of their CPU times, and clips that it can take."""

    profile: str
    suffix: str
    reference: tuple[str, ...]
    bound: str
    clips: tuple[str, ...] = CLIPS


CASES = (
    Case(
        "proxy_prores_proxy", ".mov",
        ("-c:v", "prores_ks", "-profile:v", "proxy", "-pix_fmt", "yuv422p10le"), ">= 4.0", CLIPS[:-1],
    ),
    Case(
        "proxy_h264_low", ".mp4",
        ("-vf", "scale=trunc(iw/4)*2:trunc(ih/4)*2", "-c:v", "libx264", "-preset", "medium", "-crf", "23", "-pix_fmt", "yuv420p"),
        ">= 1.7",
    ),
    Case("proxy_dnxhr_lb", ".mxf", ("-c:v", "dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p"), ">= 0.91", CONSTANT),
)  # fmt: skip


@pytest.fixture(scope="module")
def looped(media: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The clips, each repeated to some seconds without a new encode."""
    folder = tmp_path_factory.mktemp("looped")
    made = {}
    for name in CLIPS:
        # Not into MOV: FFmpeg 5.1 calls copied 4:2:2 10-bit H.264 AVC-Intra there, and does not decode it again.
        target = folder / f"{Path(name).stem}.mp4"
        subprocess.run(
            [
                "ffmpeg", "-v", "error", "-nostdin", "-stream_loop", "-1", "-i", str(media / name),
                "-map", "0:V:0", "-map", "0:a?", "-c", "copy", "-t", str(SECONDS), str(target),
            ],
            check=True,
        )  # fmt: skip
        made[name] = target
    return made


def ssim(proxy: Path, source: Path) -> float:
    """SSIM (all planes) of the proxy against the source scaled to its size, frame by frame."""
    numbered = "settb=1/1000000,setpts=N"
    graph = f"[1:v][0:v]scale2ref=flags=bicubic+accurate_rnd[s][p];[p]{numbered}[a];[s]{numbered}[b];[a][b]ssim"
    command = ["ffmpeg", "-nostdin", "-i", str(proxy), "-i", str(source), "-lavfi", graph, "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    found = re.findall(r"SSIM.*All:([0-9.]+)", said)
    return float(found[-1])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.profile)
def test_against_the_reference(report: Report, case: Case, looped: dict[str, Path], tmp_path: Path) -> None:
    section = f"{case.profile} beside `{' '.join(case.reference)}`"
    for name in case.clips:
        source = looped[name]
        folder = emptied(tmp_path / "run")
        ours, theirs = folder / f"ours{case.suffix}", folder / f"theirs{case.suffix}"
        command = into(encode_command(case.profile, source, folder / "command"), ours)
        audio = ("-c:a", "copy") if case.suffix != ".mxf" else ("-c:a", "pcm_s16le", "-ar", "48000")
        reference = [
            "ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), "-map", "0:V:0", "-map", "0:a?",
            *case.reference, *audio, *SAME_FRAMES, str(theirs),
        ]  # fmt: skip
        worker, user = in_turns(partial(timed, command), partial(timed, reference))
        size = ours.stat().st_size / theirs.stat().st_size
        quality = f"size {size:.2f}x, SSIM {ssim(ours, source):.4f} against {ssim(theirs, source):.4f}"
        speed = ratios(user, worker, cpu).show(2)
        report.row(section, f"{name}: reference's CPU / ours", f"{speed}; {quality}", case.bound)
        report.row(section, f"{name}: reference's wall / ours", ratios(user, worker, wall).show(2))
        decode = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(source), "-map", "0:V:0", "-f", "null", "-"]
        limit = cpu(timed(reference)) / cpu(timed(decode))
        report.row(section, f"{name}: reference's CPU / decoding alone, the most that any encoder could reach", f"{limit:.2f}")


def test_the_encoders_share(report: Report, looped: dict[str, Path], tmp_path: Path) -> None:
    """H.264 half: the whole process less decoding and scaling alone, beside libx264 medium's share."""
    section = "H.264 half: the encoder's share (whole process minus decoding and scaling alone)"
    for name, source in looped.items():
        folder = emptied(tmp_path / "run")
        command = into(encode_command("proxy_h264_low", source, folder / "command"), folder / "ours.mp4")
        chain = "scale=trunc(iw/4)*2:trunc(ih/4)*2"
        sound = ["-map", "0:V:0", "-map", "0:a?"]
        medium = [
            "ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), *sound, "-vf", chain,
            "-c:v", "libx264", "-preset", "medium", "-crf", "23", "-pix_fmt", "yuv420p", "-c:a", "copy",
            *SAME_FRAMES, str(folder / "medium.mp4"),
        ]  # fmt: skip
        graph = command[command.index("-filter:v") + 1]
        alone = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(source), "-map", "0:V:0", "-filter:v", graph, "-f", "null", "-"]
        ours, theirs, base = in_turns(partial(timed, command), partial(timed, medium), partial(timed, alone))
        shares = [(cpu(a) - cpu(c)) / (cpu(b) - cpu(c)) for a, b, c in zip(ours, theirs, base, strict=True)]
        report.row(section, name, Spread.of(shares).show(2))


BEFORE = {"-preset": "ultrafast", "-qp": "21"}
"""The options of H.264 until 2.0.0; `-qp` was `-crf`."""


def test_h264_beside_its_settings_before(report: Report, looped: dict[str, Path], tmp_path: Path) -> None:
    """Size, SSIM and the whole process's CPU against `ultrafast`, CRF 21 (docs/decisions/0010-encoder-settings.md)."""
    section = "proxy_h264_low beside its settings before (`ultrafast`, CRF 21)"
    for name, source in looped.items():
        folder = emptied(tmp_path / "run")
        command = into(encode_command("proxy_h264_low", source, folder / "command"), folder / "ours.mp4")
        before = into(command, folder / "before.mp4")
        for option, value in BEFORE.items():
            before[before.index(option) + 1] = value
        before[before.index("-qp")] = "-crf"
        ours, theirs = in_turns(partial(timed, command), partial(timed, before))
        size = (folder / "ours.mp4").stat().st_size / (folder / "before.mp4").stat().st_size
        quality = ssim(folder / "ours.mp4", source) - ssim(folder / "before.mp4", source)
        report.row(section, f"{name}: our CPU / theirs", ratios(ours, theirs, cpu).show(2), "<= 1.08")
        report.row(section, f"{name}: size, SSIM", f"{size:.2f}x, {quality:+.4f}", ">= -0.001")


def test_handbrake(report: Report, looped: dict[str, Path], tmp_path: Path) -> None:
    section = "HandBrakeCLI, H.264 half"
    if not shutil.which("HandBrakeCLI"):
        report.note(section, "Not installed here (Debian: handbrake-cli), so not measured.")
        return
    for name, source in looped.items():
        folder = emptied(tmp_path / "run")
        command = into(encode_command("proxy_h264_low", source, folder / "command"), folder / "ours.mp4")
        graph = command[command.index("-filter:v") + 1]
        width, height = re.findall(r"scale=w=(\d+):h=(\d+)", graph)[0]
        brake = [
            "HandBrakeCLI", "-i", str(source), "-o", str(folder / "brake.mp4"), "-e", "x264", "-q", "23",
            "--encoder-preset", "medium", "-w", width, "-l", height, "--crop", "0:0:0:0",
        ]  # fmt: skip
        ours, theirs = in_turns(partial(timed, command), partial(timed, brake))
        report.row(section, f"{name}: HandBrake's CPU / ours", ratios(theirs, ours, cpu).show(2))
