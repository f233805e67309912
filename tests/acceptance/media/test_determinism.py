"""The same bytes on every machine: one digest per codec and container over CPUs, SIMD levels, places, times and ways to run."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command, Ended
from tests.acceptance.media.machines import LEVELS, Machine
from tests.acceptance.media.patient import wait_for
from tests.acceptance.results import names, parse_result
from tests.acceptance.specs import CONTAINERS, FFMPEG_PROFILES, PRORES, Workspace, encode, explicit, jobspec

ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns")
LOCALES = ("C", "de_DE.UTF-8")
HOMES = ("/nonexistent", "/")


@dataclass(frozen=True, slots=True)
class Variation:
    """One way of running all jobs. `watched`: by `watch --once` instead of `run`, one by one."""

    machine: Machine
    zone: str
    locale: str
    elsewhere: bool
    watched: bool
    repetition: int = 0


def _variations() -> Iterator[Variation]:
    """Every SIMD level on one CPU and on all, each in another place; then the plain machine three times, in other seconds."""
    machines = [Machine(level, one_cpu) for level in (*LEVELS, None) for one_cpu in (True, False)]
    for number, machine in enumerate(machines):
        yield Variation(machine, ZONES[number % 3], LOCALES[number // 2 % 2], elsewhere=number % 4 > 1, watched=number % 3 == 1)
    for repetition in (1, 2, 3):
        yield Variation(Machine(), ZONES[0], LOCALES[0], elsewhere=False, watched=repetition == 2, repetition=repetition)


VARIATIONS = tuple(_variations())
FEW = (VARIATIONS[0], VARIATIONS[-2])
"""One CPU with SSE2 alone, and the plain machine, watched."""

JOBS: Mapping[str, dict[str, Any]] = {
    **{
        f"{codec} {container}": explicit(codec, container) for codec, containers in CONTAINERS.items() for container in containers
    },
    **{profile: {"proxy_profile": profile} for profile in FFMPEG_PROFILES},
}
SAID = (
    "CPUs 1 and all, SIMD " + ", ".join(LEVELS) + " and default, 3 time zones, 2 locales, 2 places, run and watch, 3 repetitions"
)
QUICK = ("h264 mp4", "prores_proxy mov", "dnxhr mxf")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Grain and sound that use every path of a codec: 8-bit 4:2:0 at 44.1 kHz, and interlaced 10-bit 4:2:2."""
    folder = tmp_path_factory.mktemp("grain")
    sound = ("-f", "lavfi", "-i", "anoisesrc=color=pink:sample_rate=44100:duration=0.4:seed=1,aformat=channel_layouts=stereo")
    grain = "noise=alls=24:allf=t:all_seed=1"
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size=1280x720:rate=25:duration=0.4,{grain},format=yuv420p", *sound,
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "10", "-c:a", "pcm_s24le", folder / "progressive.mov",
    )  # fmt: skip
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size=720x576:rate=50:duration=0.2,{grain},interlace=scan=tff,setsar=64/45", *sound,
        "-c:v", "prores_ks", "-profile:v", "2", "-pix_fmt", "yuv422p10le", "-flags:v", "+ildct",
        folder / "interlaced.mov",
    )  # fmt: skip
    return {"progressive": folder / "progressive.mov", "interlaced": folder / "interlaced.mov"}


def sources(job: str, bench: "Bench") -> list[Path]:
    """Of one job: the generated clips that its codec can take, and a real one (10-bit HLG, turned, cut by an edit list)."""
    codec = FFMPEG_PROFILES[job][0] if job in FFMPEG_PROFILES else job.partition(" ")[0]
    if codec == "dnxhd":  # of these, it knows one raster
        return [bench.made["progressive"]]
    interlaced = [bench.made["interlaced"]] if codec in (*PRORES, "h264") else []
    return [bench.made["progressive"], *interlaced, bench.media / "dolbyVision-hdr.MOV"]


@dataclass(frozen=True, slots=True)
class Bench:
    """What every variation runs with."""

    proxx: Command
    made: Mapping[str, Path]
    media: Path
    folder: Path


@pytest.fixture
def bench(proxx: Command, made: dict[str, Path], media: Path, tmp_path: Path) -> Bench:
    """The command, the clips, and room."""
    return Bench(proxx, made, media, tmp_path)


@dataclass(frozen=True, slots=True)
class Digest:
    """SHA-256 over the names of a job's proxies and all their bytes, and over their names and pictures alone."""

    whole: str
    pictures: str


def digests(bench: Bench, jobs: Sequence[str], variation: Variation, number: int) -> dict[str, Digest]:
    """What each job made."""
    folder = bench.folder / f"variation {number}"
    workspace = Workspace(folder / "workspace")
    program = variation.machine.ffmpeg(folder)
    proxies = {job: folder / f"proxies of {job}" for job in jobs}
    for job, directory in proxies.items():
        directory.mkdir()
        spec = encode(jobspec(sources(job, bench), directory, **JOBS[job]))
        if variation.watched:
            workspace.drop(job, spec)
        else:
            (folder / f"{job}.json").write_bytes(spec)
            ended = _work(bench, variation, "run", folder / f"{job}.json", "--ffmpeg", program)
            assert ended.exit_code == 0, f"{job}: {ended.stdout.decode()}"
    if variation.watched:
        ended = _work(bench, variation, "watch", workspace.root, "--once", "--ffmpeg", program)
        assert names(workspace.failed) == [], ended.stderr
    found = {job: _digest(directory, len(sources(job, bench))) for job, directory in proxies.items()}
    shutil.rmtree(folder)
    return found


def _work(bench: Bench, variation: Variation, *arguments: str | Path) -> Ended:
    environment = {"TZ": variation.zone, "LANG": variation.locale, "LC_ALL": variation.locale, "HOME": HOMES[variation.elsewhere]}
    cwd = Path("/") if variation.elsewhere else bench.folder
    return wait_for(bench.proxx, *arguments, prefix=variation.machine.prefix, environment=environment, cwd=cwd)


def _digest(directory: Path, files: int) -> Digest:
    found = sorted(directory.iterdir())
    assert len(found) == files
    whole, pictures = hashlib.sha256(), hashlib.sha256()
    for path in found:
        whole.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
        pictures.update(f"{path.name} {_picture_digest(path)}".encode())
    return Digest(whole.hexdigest(), pictures.hexdigest())


def _picture_digest(proxy: Path) -> str:
    """Over every packet of the picture, as it is stored."""
    command: list[str | Path] = ["ffmpeg", "-nostdin", "-v", "error", "-i", proxy, "-map", "0:v", "-c", "copy", "-f", "hash", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def levels_of_aac(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many streams this FFmpeg's own AAC encoder makes of one clip's audio over all levels: 1 with 5.1, more from 7.1 on.

    Which audio it makes several of is chance: of these two clips, one, and of longer noise none.
    """
    folder = tmp_path_factory.mktemp("levels")

    def streams(clip: Path) -> int:
        # As the worker decodes it: the usual AAC decoder follows the level, too.
        decoder = ("-c:a", "aac_fixed") if clip == made["interlaced"] else ()
        to_aac: list[str | Path] = ["-v", "error", *decoder, "-i", clip, "-map", "0:a", "-c:a", "aac", "-flags:a", "+bitexact"]
        to_aac += ["-f", "hash", "-"]
        commands = ([Machine(level).ffmpeg(folder), *to_aac] for level in (*LEVELS, None))
        return len({subprocess.run(command, check=True, capture_output=True, text=True).stdout for command in commands})

    return max(map(streams, made.values()))


def _differences(found: Mapping[str, Mapping[Digest, Sequence[Variation]]], levels_of_aac: int) -> dict[str, object]:
    """The jobs that gave several digests.

    Where FFmpeg's own encoder follows the level (decision 0011), the sound of an AAC proxy does, too: then each level has one
    digest, and the pictures have one over all.
    """
    differing: dict[str, object] = {}
    for job, by_digest in found.items():
        container = FFMPEG_PROFILES[job][1] if job in FFMPEG_PROFILES else job.partition(" ")[2]
        if levels_of_aac > 1 and container in {"mp4", "mkv"}:
            of_level: dict[str | None, set[str]] = {}
            for digest, variations in by_digest.items():
                for variation in variations:
                    of_level.setdefault(variation.machine.level, set()).add(digest.whole)
            alike = len({digest.pictures for digest in by_digest}) == 1 and all(len(each) == 1 for each in of_level.values())
        else:
            alike = len(by_digest) == 1
        if not alike:
            differing[job] = by_digest
    return differing


def compare(bench: Bench, jobs: Sequence[str], variations: Sequence[Variation]) -> dict[str, dict[Digest, list[Variation]]]:
    """For each job: which variations gave which digest."""
    found: dict[str, dict[Digest, list[Variation]]] = {job: {} for job in jobs}
    for number, variation in enumerate(variations):
        for job, digest in digests(bench, jobs, variation, number).items():
            found[job].setdefault(digest, []).append(variation)
    return found


@pytest.mark.heavy
def test_the_same_bytes_in_a_few_places(bench: Bench, levels_of_aac: int) -> None:
    assert _differences(compare(bench, QUICK, FEW), levels_of_aac) == {}


@pytest.mark.heavy
def test_every_codec_and_container_in_a_few_places(bench: Bench, levels_of_aac: int) -> None:
    found = compare(bench, list(JOBS), FEW)
    _tell(found, "1 CPU with SSE2 alone by run, and all CPUs by watch")
    assert _differences(found, levels_of_aac) == {}


@pytest.mark.heavy
@pytest.mark.whole
def test_the_same_bytes_on_every_machine(bench: Bench, levels_of_aac: int) -> None:
    found = compare(bench, list(JOBS), VARIATIONS)
    _tell(found, SAID)
    assert _differences(found, levels_of_aac) == {}


def _tell(found: Mapping[str, Mapping[Digest, Sequence[Variation]]], where: str) -> None:
    sys.stdout.write(f"\n{where}\n")
    for job, by_digest in found.items():
        sys.stdout.write(
            f"{job:24} {sum(map(len, by_digest.values())):3} runs, {len(by_digest)} digest: {next(iter(by_digest)).whole}\n"
        )


KINDS = {
    "mpeg2.ts": ("-c:v", "mpeg2video", "-b:v", "6M", "-bf", "2", "-c:a", "mp2"),
    "mpeg2-interlaced.mov": ("-c:v", "mpeg2video", "-b:v", "9M", "-bf", "2", "-flags:v", "+ildct+ilme", "-c:a", "pcm_s16le"),
    "mpeg4.avi": ("-c:v", "mpeg4", "-b:v", "3M", "-bf", "2", "-c:a", "libmp3lame"),
    "qpel.mkv": ("-c:v", "mpeg4", "-b:v", "3M", "-flags:v", "+qpel", "-c:a", "libvorbis"),
    "theora.mkv": ("-c:v", "libtheora", "-q:v", "6", "-c:a", "libopus", "-ar", "48000"),
    "dnxhd.mkv": ("-c:v", "dnxhd", "-profile:v", "dnxhr_hq", "-pix_fmt", "yuv422p", "-c:a", "dca", "-strict", "-2"),
    "jpeg2000.mov": ("-c:v", "jpeg2000", "-pred", "dwt97int", "-q:v", "5", "-c:a", "ac3"),
    "mjpeg.mov": ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj422p", "-c:a", "alac"),
    "wmv.wmv": ("-c:v", "wmv2", "-b:v", "3M", "-an"),
    "hevc.mp4": ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-c:a", "aac"),
    "vp9.webm": (
        "-c:v",
        "libvpx-vp9",
        "-b:v",
        "2M",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-c:a",
        "libopus",
        "-ar",
        "48000",
    ),
    "h264.mkv": ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-c:a", "eac3"),
}
"""Sources whose decoders have code of their own for each level. WMA's audio is left out: it is known to differ where FMA is."""

FLOAT_AUDIO = {"h264.mkv", "jpeg2000.mov", "qpel.mkv"}
"""E-AC-3, AC-3, Vorbis: from FFmpeg 7.1 on their audio differs between levels (decision 0011). Their pictures may not."""


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One second of each."""
    folder = tmp_path_factory.mktemp("kinds")
    for name, options in KINDS.items():
        ffmpeg(
            "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=1,noise=alls=16:allf=t:all_seed=1,format=yuv420p",
            "-f", "lavfi", "-i", "anoisesrc=color=pink:sample_rate=44100:duration=1:seed=1,aformat=channel_layouts=stereo",
            *options, folder / name,
        )  # fmt: skip
    return [folder / name for name in KINDS]


@pytest.mark.heavy
def test_every_kind_of_source_is_decoded_the_same(proxx: Command, kinds: list[Path], tmp_path: Path) -> None:
    found: dict[str, dict[str, list[str]]] = {source.name: {} for source in kinds}
    for number, level in enumerate((*LEVELS, None, None)):
        folder = tmp_path / str(number)
        folder.mkdir()
        spec = folder / "spec.json"
        spec.write_bytes(
            encode(jobspec(kinds, folder, proxy_profile="proxy_prores_proxy", naming_template="{source_name}{source_ext}"))
        )
        ended = wait_for(proxx, "run", spec, "--ffmpeg", Machine(level).ffmpeg(folder))
        result = parse_result(ended.stdout)
        assert result["error"] is None
        for source, task in zip(kinds, result["tasks"], strict=True):
            made = Path(task["output"])
            digest = _picture_digest(made) if source.name in FLOAT_AUDIO else task["output_sha256"]
            found[source.name].setdefault(digest, []).append(level or "default")
            made.unlink()
    assert {name: digests for name, digests in found.items() if len(digests) > 1} == {}


def test_the_variations_are_what_was_promised() -> None:
    assert {(v.machine.level, v.machine.one_cpu) for v in VARIATIONS} == {(n, o) for n in (*LEVELS, None) for o in (True, False)}
    assert {v.zone for v in VARIATIONS} == set(ZONES)
    assert {v.locale for v in VARIATIONS} == set(LOCALES)
    assert {v.elsewhere for v in VARIATIONS} == {v.watched for v in VARIATIONS} == {True, False}
    assert [v.repetition for v in VARIATIONS if v.repetition] == [1, 2, 3]
    assert len(JOBS) == sum(map(len, CONTAINERS.values())) + len(FFMPEG_PROFILES)
