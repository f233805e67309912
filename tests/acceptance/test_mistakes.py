"""Mistakes at the command line, each answered with what to do: no traceback, no riddle, the right exit code."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import Command
from tests.acceptance.specs import encode, explicit, jobspec

GOOD = '{"jobspec_version": "2.1", "sources": ["CLIP"], "output_directory": "OUT", "proxy_profile": "proxy_h264_quarter", \
"naming_template": "{source_name}_proxy"}'


@dataclass(frozen=True)
class World:
    """What somebody has before them: a clip, a folder for proxies, a workspace, and a spec that would run."""

    root: Path
    clip: Path

    def spec(self, text: str) -> None:
        """Write `spec.json`; CLIP and OUT stand for the clip and the folder."""
        text = text.replace("CLIP", str(self.clip)).replace("OUT", str(self.root / "out"))
        (self.root / "spec.json").write_text(text)

    def job(self, **fields: object) -> None:
        """Write `spec.json` with other fields."""
        sources = fields.pop("sources", [str(self.clip)])
        assert isinstance(sources, list)
        directory = fields.pop("output_directory", str(self.root / "out"))
        (self.root / "spec.json").write_bytes(encode(jobspec(sources, str(directory), **fields)))


@pytest.fixture
def world(tmp_path: Path, clip: Path) -> World:
    copy = tmp_path / "clip.mov"
    copy.symlink_to(clip)
    (tmp_path / "out").mkdir()
    (tmp_path / "ws" / "inbox").mkdir(parents=True)
    found = World(tmp_path, copy)
    found.spec(GOOD)
    return found


def nothing(_world: World) -> None:
    """As it is."""


def written(name: str, text: str | bytes) -> Callable[[World], None]:
    def write(world: World) -> None:
        (world.root / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


def spec_of(text: str) -> Callable[[World], None]:
    return lambda world: world.spec(text)


def job_of(**fields: object) -> Callable[[World], None]:
    return lambda world: world.job(**fields)


def sources_of(*names: str) -> Callable[[World], None]:
    return lambda world: world.job(sources=[f"{world.root}/{name}" for name in names])


def sound_alone(world: World) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", world.root / "sound.wav")
    world.job(sources=[f"{world.root}/sound.wav"])


def cut_off(world: World) -> None:
    (world.root / "cut.mov").write_bytes(world.clip.read_bytes()[:20_000])
    world.job(sources=[f"{world.root}/cut.mov"])


def camera_raw(world: World) -> None:
    (world.root / "A001.R3D").write_bytes(b"\0\0\0\x40RED1" + bytes(4096))
    world.job(sources=[f"{world.root}/A001.R3D"])


def taken(world: World) -> None:
    (world.root / "out" / "clip_proxy.mp4").write_bytes(b"precious")


def in_two_folders(world: World) -> None:
    for name in ("a", "b"):
        (world.root / name).mkdir()
        shutil.copy(world.clip, world.root / name / "clip.mov")
    world.job(sources=[f"{world.root}/{name}/clip.mov" for name in ("a", "b")])


@dataclass(frozen=True)
class Mistake:
    """A command line, what was wrong before it, and what it is answered with."""

    name: str
    line: str
    exit_code: int
    said: str
    before: Callable[[World], None] = nothing


MISTAKES = [
    # --- the command line itself ---
    Mistake("no command", "", 64, "learn (look things up, and check this machine):"),
    Mistake("a command misspelt", "wacth ws", 64, "there is no command wacth: did you mean watch?"),
    Mistake(
        "a flag misspelt", "spec --proflie proxy_h264_low clip.mov", 64, "there is no flag --proflie: did you mean --profile?"
    ),
    Mistake("a flag cut short", "watch ws --onc", 64, "there is no flag --onc: did you mean --once?"),
    Mistake(
        "a flag without its value",
        "run spec.json --result",
        64,
        "argument --result: expected one argument (`proxx-worker run --help` explains)",
    ),
    Mistake(
        "text for a number",
        "watch ws --poll-seconds soon",
        64,
        "argument --poll-seconds: a number of seconds, such as 2.5, not soon (`proxx-worker watch --help` explains)",
    ),
    Mistake(
        "no profile",
        "spec --output-directory out clip.mov",
        64,
        "the following arguments are required: --profile (`proxx-worker spec --help` explains)",
    ),
    Mistake(
        "no destination",
        "spec --profile proxy_h264_low clip.mov",
        64,
        "--mirror --output-directory is required (`proxx-worker spec --help` explains)",
    ),
    Mistake("a mapping without =", "run spec.json --path-map /Volumes/SAN", 64, "--path-map takes FROM=TO, not '/Volumes/SAN'"),
    # --- a file in place of another ---
    Mistake(
        "run a clip",
        "run clip.mov",
        1,
        "it is binary data, not text; if it is a clip, make a JobSpec for it with `proxx-worker spec`",
    ),
    Mistake("validate a clip", "validate clip.mov", 1, "make a JobSpec for it with `proxx-worker spec`"),
    Mistake(
        "submit a clip", "submit ws clip.mov", 64, "proxx-worker spec --profile P --output-directory DIR --submit WORKSPACE CLIP"
    ),
    Mistake(
        "submit .JSON",
        "submit ws spec.JSON",
        64,
        "a JobSpec's name ends in lower-case .json; rename it",
        written("spec.JSON", "{}"),
    ),
    Mistake(
        "submit a result",
        "submit ws a.result.json",
        64,
        "it is a job's result; name the JobSpec, which is NAME.json next to",
        written("a.result.json", "{}"),
    ),
    Mistake("run a folder", "run ws", 64, "the JobSpec ws cannot be read: Is a directory; name a readable JobSpec file"),
    Mistake(
        "run what is not there",
        "run sepc.json",
        64,
        "sepc.json cannot be read: No such file or directory; name a readable JobSpec file",
    ),
    Mistake(
        "relink a spec",
        "relink spec.json --fcpxml a.fcpxml",
        64,
        "; name a NAME.result.json from done/ or failed/, or the workspace",
    ),
    Mistake(
        "report on no workspace",
        "relink out --fcpxml a.fcpxml",
        64,
        "it has no done/; name one that a worker has used, or result files",
    ),
    # --- the workspace ---
    Mistake("a missing workspace", "watch nowhere", 4, "/nowhere: create it with `mkdir -p "),
    Mistake("status of a missing workspace", "status nowhere", 4, "/nowhere: create it with `mkdir -p "),
    Mistake("submit to a missing workspace", "submit nowhere spec.json", 4, "/nowhere: create it with `mkdir -p "),
    Mistake("a file as workspace", "watch spec.json", 4, "spec.json is not a folder; put a real folder in its place"),
    # --- JSON ---
    Mistake("an empty spec", "run spec.json", 1, "it is empty: write the JobSpec into it", spec_of("")),
    Mistake(
        "a trailing comma",
        "validate spec.json",
        1,
        '_proxy",}`: a comma before the closing }: remove it',
        spec_of(GOOD[:-1] + ",}"),
    ),
    Mistake(
        "single quotes", "validate spec.json", 1, "a single quote: JSON has double quotes only", spec_of(GOOD.replace('"', "'"))
    ),
    Mistake(
        "a comment",
        "validate spec.json",
        1,
        "line 1, column 1, near `// dailies`: a JobSpec begins with {",
        spec_of("// dailies\n" + GOOD),
    ),
    Mistake(
        "a missing comma",
        "validate spec.json",
        1,
        "a comma (or a colon) is missing before this",
        spec_of(GOOD.replace('"2.1",', '"2.1"')),
    ),
    Mistake(
        "half a spec",
        "validate spec.json",
        1,
        "add its closing quote, or write the file again if it was cut off",
        spec_of(GOOD[:-30]),
    ),
    Mistake(
        "a path without quotes",
        "validate spec.json",
        1,
        "~ and wildcards are not expanded",
        spec_of(GOOD.replace('"CLIP"', "~/clip.mov")),
    ),
    Mistake(
        "a Windows path as it is",
        "validate spec.json",
        1,
        "a backslash that begins no escape, as in C:\\",
        spec_of(GOOD.replace("CLIP", "C:\\Media\\a.mov")),
    ),
    # --- fields ---
    Mistake("a Windows path", "validate spec.json", 1, "it is a Windows path", job_of(sources=["C:\\Media\\a.mov"])),
    Mistake("a home folder", "validate spec.json", 1, "~ is not expanded: write the whole path", job_of(sources=["~/clip.mov"])),
    Mistake("a relative path", "validate spec.json", 1, "it must begin with /", job_of(sources=["clip.mov"])),
    Mistake(
        "a URL", "validate spec.json", 1, "it is a URL: write only the path, /a b.mov", job_of(sources=["file:///a%20b.mov"])
    ),
    Mistake(
        "a field misspelt",
        "validate spec.json",
        1,
        "\n  sorces: there is no such field in JobSpec 2.1: did you mean sources?\n",
        spec_of(GOOD.replace("sources", "sorces")),
    ),
    Mistake(
        "a profile misspelt",
        "validate spec.json",
        1,
        '"proxy_h264_lo" is not a profile: did you mean proxy_h264_low?',
        job_of(proxy_profile="proxy_h264_lo"),
    ),
    Mistake(
        "a codec of another tool",
        "validate spec.json",
        1,
        '"x264" is not a codec: did you mean h264?',
        job_of(**explicit("x264", "mp4")),
    ),
    Mistake(
        "a codec in the wrong container",
        "validate spec.json",
        1,
        "dnxhd in mov is refused: DNxHD is exchanged as MXF; editors read it unreliably from other containers (allowed: mxf)",
        job_of(**explicit("dnxhd", "mov")),
    ),
    Mistake(
        "a version as a number",
        "validate spec.json",
        1,
        "jobspec_version: it is not a string (allowed: 2.1)",
        job_of(jobspec_version=2.1),
    ),
    Mistake(
        "one source without a list",
        "validate spec.json",
        1,
        "is not a list of sources: put it in brackets",
        spec_of(GOOD.replace('["CLIP"]', '"CLIP"')),
    ),
    Mistake(
        "a token that is none",
        "validate spec.json",
        1,
        'there is no token "{source_nam}": did you mean {source_name}?',
        job_of(naming_template="{source_nam}"),
    ),
    Mistake("a preset for FFmpeg", "validate spec.json", 1, "which has no presets: leave it out", job_of(resolve_preset="Proxy")),
    # --- sources and outputs ---
    Mistake(
        "a missing source", "validate spec.json", 1, "Check the path, and that its storage is mounted.", sources_of("nix.mov")
    ),
    Mistake(
        "a wildcard",
        "validate spec.json",
        1,
        "Wildcards are not expanded: name each clip, or let `proxx-worker spec --recursive` find them.",
        sources_of("*.mov"),
    ),
    Mistake("a folder as source", "validate spec.json", 1, "/out is a folder. Name the clip itself.", sources_of("out")),
    Mistake(
        "every bad source",
        "validate spec.json",
        1,
        "/out is a folder. Name the clip itself.",
        sources_of("nix.mov", "clip.mov", "out"),
    ),
    Mistake("sound as source", "validate spec.json", 1, "has no video stream: audio:pcm_s16le; leave it out", sound_alone),
    Mistake(
        "camera RAW without Resolve",
        "validate spec.json",
        1,
        "Resolve is not set up on this machine, so make this proxy on one where it is",
        camera_raw,
    ),
    Mistake("a clip that was cut off", "validate spec.json", 1, "check that it is complete and a video file", cut_off),
    Mistake(
        "a missing output directory",
        "validate spec.json",
        4,
        "Create it, or mount its volume.",
        job_of(output_directory="/nowhere"),
    ),
    Mistake("an output that is there", "validate spec.json", 4, "Move them away, or give the job another naming template", taken),
    Mistake(
        "two clips of one name",
        "validate spec.json",
        1,
        "differ in the naming template, for example with {index}",
        in_two_folders,
    ),
    # --- settings and tools ---
    Mistake("a missing FFmpeg", "validate spec.json --ffmpeg /nowhere/ffmpeg", 4, "Install it there, or correct `ffmpeg`."),
    Mistake(
        "a relative FFmpeg", "validate spec.json --ffmpeg bin/ffmpeg", 64, "must be an absolute path: a relative one would depend"
    ),
    Mistake(
        "a key misspelt",
        "validate spec.json --config c.toml",
        64,
        "stal_seconds: unknown key: did you mean stall_seconds?",
        written("c.toml", "stal_seconds = 1"),
    ),
    Mistake(
        "a configuration that is JSON",
        "validate spec.json --config c.toml",
        64,
        "; write UTF-8 text, each setting on a line of its own, such as stall_seconds = 120",
        written("c.toml", '{"stall_seconds": 1}'),
    ),
    Mistake(
        "a missing configuration",
        "validate spec.json --config nix.toml",
        64,
        "nix.toml cannot be read: No such file or directory; name a readable file, or leave out --config",
    ),
    Mistake(
        "a result without a place",
        "run spec.json --result nowhere/r.json",
        64,
        "--result nowhere/r.json cannot be written: its folder must exist",
    ),
    Mistake(
        "a pipe in a result's place",
        "run spec.json --result pipe",
        64,
        "--result pipe cannot be written: it is a pipe, which a file must not replace; name another file",
        lambda world: os.mkfifo(world.root / "pipe"),
    ),
    Mistake(
        "a name that is too long",
        f"run spec.json --result {'x' * 300}",
        64,
        "cannot be written: File name too long; name another file",
    ),
    Mistake(
        "a result that is too long a name",
        f"relink {'x' * 300} --ale x.ale",
        64,
        "cannot be read: File name too long; name a NAME.result.json",
    ),
    Mistake(
        "a token in a folder's name",
        "spec --profile proxy_h264_low --output-directory out/{source_name} clip.mov",
        64,
        "{source_name} in --output-directory is not known: only {name} and {chunk} are filled in there",
    ),
    Mistake(
        "a preset for FFmpeg and a card",
        "spec --recursive . --profile proxy_h264_low --resolve-preset P --beside Proxy --per-clip specs",
        1,
        "proxy_h264_low is made by FFmpeg, which has no presets: leave it out",
    ),
    Mistake(
        "a log without a place",
        "run spec.json --log nowhere/r.log",
        64,
        "No such file or directory; name a file in a folder that exists and is writable",
    ),
    Mistake(
        "a rule with a profile misspelt",
        "feed ws --rules r.toml",
        64,
        "there is no profile proxy_h264_lo: did you mean proxy_h264_low?",
        written(
            "r.toml", '[[rule]]\nwatch = "/a"\nprofiles = ["proxy_h264_lo"]\noutput = "beside"\noutput_directory = "Proxy"\n'
        ),
    ),
    Mistake(
        "chunks of nothing",
        "spec --profile proxy_h264_low --output-directory out --chunk 0 --per-clip specs clip.mov",
        64,
        "at least 1, not 0",
    ),
    Mistake(
        "a spec with a profile misspelt",
        "spec --profile proxy_h264_lo --output-directory out clip.mov",
        1,
        "did you mean proxy_h264_low?",
    ),
    Mistake(
        "gather a missing result",
        "gather r.json --into out",
        64,
        "r.json cannot be read: No such file or directory; nothing was moved. Name complete results",
    ),
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda it: it.name.replace(" ", "-"))
def test_it_is_answered_with_what_to_do(proxx: Command, world: World, mistake: Mistake) -> None:
    mistake.before(world)
    before = sorted(world.root.rglob("*"))
    ended = proxx(*mistake.line.split(), cwd=world.root)
    said = ended.stdout.decode() + ended.stderr
    assert mistake.said in said.replace("\\\\", "\\").replace('\\"', '"'), said
    assert ended.exit_code == mistake.exit_code, said
    assert "Traceback" not in said
    assert sorted(world.root.rglob("*")) == before, "a mistake leaves nothing behind"


def test_there_are_enough_of_them() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 40


def test_the_good_spec_is_good(proxx: Command, world: World) -> None:
    """So that each refusal above is for its mistake alone."""
    assert proxx("validate", world.root / "spec.json").exit_code == 0
    assert json.loads((world.root / "spec.json").read_text())["sources"] == [str(world.clip)]
