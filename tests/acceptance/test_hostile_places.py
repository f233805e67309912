"""`source_roots` and `output_roots` against `..`, links, and folders swapped for links at the worst moment.

What must not be read or written carries the canary's name; a trace of every process shows that it was left alone.
"""

import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.clips import ffmpeg, make_clip, tool
from tests.acceptance.command import COMMAND, Command, Ended, for_stand_ins
from tests.acceptance.hostile_media import CANARY
from tests.acceptance.results import Result, names, parse_result, snapshot
from tests.acceptance.specs import Workspace, encode, jobspec
from tests.acceptance.stand_ins import around_ffmpeg, program
from tests.support.tracing import Trace, traced


@dataclass(frozen=True)
class Place:
    """`media` and `proxies` are the roots. `outside`, the canary, has a clip of the same name and an output directory."""

    root: Path
    proxx: Command

    @property
    def media(self) -> Path:
        return self.root / "media"

    @property
    def cards(self) -> Path:
        return self.media / "card"

    @property
    def proxies(self) -> Path:
        return self.root / "proxies"

    @property
    def day(self) -> Path:
        return self.proxies / "day"

    @property
    def outside(self) -> Path:
        return self.root / CANARY

    @property
    def roots(self) -> tuple[str, ...]:
        return "--source-roots", str(self.media), "--output-roots", str(self.proxies)

    def spec(self, *sources: Path | str, output: Path | str | None = None) -> Path:
        """A spec for sources, the clip where none is named."""
        path = self.root / "job.json"
        named = [str(source) for source in sources] or [str(self.cards / "clip.mov")]
        path.write_bytes(encode(jobspec(named, output or self.day, naming_template="{source_name}_{index}")))
        return path

    def run(self, spec: Path, *flags: str | Path) -> tuple[Ended, Result]:
        """Run with the roots; the result."""
        ended = self.proxx("run", spec, *self.roots, *flags)
        return ended, parse_result(ended.stdout)

    def trace(self, spec: Path, *flags: str | Path) -> tuple[Trace, Result]:
        """The same, traced."""
        trace = traced(
            [COMMAND, "run", spec, *self.roots, *flags, *for_stand_ins(flags)],
            self.root / "trace",
            environment={**self.proxx.environment, "HOME": "/"},
        )
        return trace, parse_result(trace.stdout)


@pytest.fixture
def place(proxx: Command, clips: Path, tmp_path: Path) -> Place:
    """The clip inside is the shared one; the one outside has as many frames, and is another picture."""
    made = Place(tmp_path, proxx)
    for folder in (made.cards, made.media / "next", made.day, made.outside):
        folder.mkdir(parents=True)
    inner = clips / "inside.mov"
    if not inner.exists():
        make_clip(inner, frames=5, timecode="01:00:00:00")
        ffmpeg("-i", inner, "-vf", "hflip", "-c:a", "copy", "-map", "0", "-timecode", "02:00:00:00", clips / "outside.mov")
    (made.cards / "clip.mov").write_bytes(inner.read_bytes())
    (made.media / "next" / "clip.mov").write_bytes(inner.read_bytes())
    (made.outside / "clip.mov").write_bytes((clips / "outside.mov").read_bytes())
    return made


def swap(folder: Path, target: Path) -> str:
    """Shell commands that put a link to `target` in the place of `folder`, which is kept beside it."""
    kept, here = shlex.quote(f"{folder}.kept"), shlex.quote(str(folder))
    return f"mv {here} {kept}; ln -s {shlex.quote(str(target))} {here}"


def swap_back(folder: Path) -> str:
    """Undo `swap`."""
    kept, here = shlex.quote(f"{folder}.kept"), shlex.quote(str(folder))
    return f"rm {here}; mv {kept} {here}"


def once(folder: Path, body: str) -> str:
    """`body` the first time only."""
    mark = shlex.quote(str(folder / "done-once"))
    return f"if mkdir {mark} 2>/dev/null; then {body}; fi"


def ffprobe_that_first(place: Place, body: str) -> Path:
    """An ffprobe that runs `body` once, before it looks at anything."""
    return program(place.root / "ffprobe", f'{once(place.root, body)}\nexec {shlex.quote(tool("ffprobe"))} "$@"')


def test_what_lies_inside_is_done_also_through_a_link_that_stays_inside(place: Place) -> None:
    (place.media / "link").symlink_to(place.cards)
    (place.proxies / "link").symlink_to(place.day)
    spec = place.spec(place.media / "link" / ".." / "card" / "clip.mov", output=place.proxies / "link")
    ended, result = place.run(spec)
    assert ended.exit_code == 0, result["error"]
    assert names(place.day) == ["clip_000.mp4"]


SOURCES_OUTSIDE: Mapping[str, Callable[[Place], Path | str]] = {
    "plain": lambda place: place.outside / "clip.mov",
    "dots": lambda place: f"{place.cards}/../../{CANARY}/clip.mov",
    "dots through a file": lambda place: f"{place.cards}/clip.mov/../../../{CANARY}/clip.mov",
    "missing": lambda place: f"{place.media}/../{CANARY}/no such clip.mov",
    "a folder": lambda place: place.outside,
    "linked file": lambda place: link(place.cards / "linked.mov", place.outside / "clip.mov"),
    "dangling link": lambda place: link(place.cards / "dangling.mov", place.outside / "missing.mov"),
    "linked folder": lambda place: link(place.media / "linked", place.outside) / "clip.mov",
    "link to a link": lambda place: link(place.media / "two", link(place.media / "one", place.outside)) / "clip.mov",
    "a neighbour whose name begins alike": lambda place: f"{place.media}-{CANARY}/clip.mov",
    "the system": lambda _: "/etc/passwd",
    "a device": lambda _: "/dev/zero",
}


def link(path: Path, target: Path) -> Path:
    """A link at `path`."""
    path.symlink_to(target)
    return path


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", SOURCES_OUTSIDE)
def test_a_source_outside_is_refused_and_nothing_is_told_of_it(place: Place, name: str) -> None:
    (place.root / f"media-{CANARY}").mkdir()
    before = snapshot(place.outside, times=True)
    source = SOURCES_OUTSIDE[name](place)
    trace, result = place.trace(place.spec(source))
    assert trace.exit_code == 1
    assert result["error"]["code"] == "PATH_NOT_ALLOWED", "whether it exists, and what it is, is nobody's business"
    assert result["error"]["details"]["path"] == str(source)
    assert [line for line in trace.naming(CANARY) if "open" in line.split("(")[0]] == []
    assert snapshot(place.outside, times=True) == before
    assert names(place.day) == []


OUTPUTS_OUTSIDE: Mapping[str, Callable[[Place], Path | str]] = {
    "plain": lambda place: place.outside,
    "dots": lambda place: f"{place.day}/../../{CANARY}",
    "linked": lambda place: link(place.proxies / "linked", place.outside),
    "missing": lambda place: place.root / CANARY / "no such folder",
    "a neighbour whose name begins alike": lambda place: f"{place.proxies}-{CANARY}",
    "the root above": lambda place: place.root,
}


@pytest.mark.parametrize("name", OUTPUTS_OUTSIDE)
def test_an_output_directory_outside_is_refused_and_not_touched(place: Place, name: str) -> None:
    (place.root / f"proxies-{CANARY}").mkdir()
    before = snapshot(place.outside, times=True)
    ended, result = place.run(place.spec(output=OUTPUTS_OUTSIDE[name](place)))
    assert ended.exit_code == 1
    assert result["error"]["code"] == "PATH_NOT_ALLOWED"
    assert snapshot(place.outside, times=True) == before


def test_a_folder_swapped_before_its_source_is_opened_leads_nowhere(place: Place) -> None:
    """Both places were found to be inside; the swap comes while the first source is looked at."""
    swapped = ffprobe_that_first(place, swap(place.media / "next", place.outside))
    trace, result = place.trace(place.spec(place.cards / "clip.mov", place.media / "next" / "clip.mov"), "--ffprobe", swapped)
    assert trace.exit_code == 1
    assert [task["error"] and task["error"]["code"] for task in result["tasks"]] == [None, "PATH_NOT_ALLOWED"]
    assert result["tasks"][1]["error"]["details"]["real_path"] == str(place.outside / "clip.mov")
    assert trace.opened_by_children() <= {str(swapped)}
    assert names(place.day) == []


def test_a_folder_swapped_while_a_source_is_looked_at_gives_no_other_file(place: Place) -> None:
    swapped = ffprobe_that_first(place, swap(place.cards, place.outside))
    trace, result = place.trace(place.spec(), "--ffprobe", swapped)
    assert trace.exit_code == 4
    assert result["error"]["code"] == "SOURCE_CHANGED"
    assert result["tasks"][0]["source_media"]["timecode"]["text"] == "01:00:00:00", "what was looked at is what was opened"
    assert [line for line in trace.naming(f"{CANARY}/clip.mov") if "open" in line.split("(")[0]] == []
    assert names(place.day) == []


def test_the_very_same_file_is_refused_where_it_is_reached_outside(place: Place) -> None:
    (place.outside / "clip.mov").unlink()
    (place.outside / "clip.mov").hardlink_to(place.cards / "clip.mov")
    ended, result = place.run(place.spec(), "--ffprobe", ffprobe_that_first(place, swap(place.cards, place.outside)))
    assert (ended.exit_code, result["error"]["code"]) == (1, "PATH_NOT_ALLOWED")
    assert names(place.day) == []


def test_a_folder_swapped_forth_and_back_around_the_encode_changes_nothing(place: Place) -> None:
    """Before and after the encode everything is as it was; only the encoder could have read the other file."""
    encoder = around_ffmpeg(place.root / "ffmpeg", before=swap(place.cards, place.outside), after=swap_back(place.cards))
    trace, result = place.trace(place.spec(), "--ffmpeg", encoder)
    assert trace.exit_code == 0, result["error"]
    assert result["tasks"][0]["source_media"]["timecode"]["text"] == "01:00:00:00"
    assert [line for line in trace.naming(f"{CANARY}/clip.mov") if "open" in line.split("(")[0]] == []
    plain, expected = place.run(place.spec(output=place.proxies))
    assert plain.exit_code == 0
    assert result["tasks"][0]["output_sha256"] == expected["tasks"][0]["output_sha256"], "the proxy is of the file inside"


def test_a_source_put_in_the_place_during_the_encode_fails_the_job(place: Place) -> None:
    encoder = around_ffmpeg(place.root / "ffmpeg", before=swap(place.cards, place.outside))
    trace, result = place.trace(place.spec(), "--ffmpeg", encoder)
    assert (trace.exit_code, result["error"]["code"]) == (4, "SOURCE_CHANGED")
    assert [line for line in trace.naming(f"{CANARY}/clip.mov") if "open" in line.split("(")[0]] == []
    assert names(place.day) == []


def test_an_output_directory_swapped_before_it_is_held_is_refused(place: Place) -> None:
    before = snapshot(place.outside, times=True)
    ended, result = place.run(place.spec(), "--ffprobe", ffprobe_that_first(place, swap(place.day, place.outside)))
    assert (ended.exit_code, result["error"]["code"]) == (1, "PATH_NOT_ALLOWED")
    assert snapshot(place.outside, times=True) == before


@pytest.mark.parametrize("rooted", [True, False])
def test_an_output_directory_swapped_during_the_encode_sends_nothing_elsewhere(place: Place, rooted: bool) -> None:
    before = snapshot(place.outside, times=True)
    encoder = around_ffmpeg(place.root / "ffmpeg", before=swap(place.day, place.outside))
    ended = place.proxx("run", place.spec(), *(place.roots if rooted else ()), "--ffmpeg", encoder)
    result = parse_result(ended.stdout)
    assert (ended.exit_code, result["error"]["code"]) == (4, "OUTPUT_DIRECTORY_MISSING")
    assert snapshot(place.outside, times=True) == before
    assert names(Path(f"{place.day}.kept")) == [], "and what had grown in the directory that was held is gone"


def test_recovery_does_not_follow_an_output_directory_out_of_its_root(place: Place, workspace: Workspace) -> None:
    """The worker died between its decision and the end; meanwhile the directory became a link. It stops, and loses nothing."""
    workspace.drop("job", place.spec().read_bytes())
    assert place.proxx("watch", workspace.root, "--once", *place.roots).exit_code == 0
    for path in list(workspace.done.iterdir()):
        path.rename(workspace.running / path.name)
    before = snapshot(place.outside, times=True)
    subprocess.run(["/bin/sh", "-c", swap(place.day, place.outside)], check=True)
    stopped = place.proxx("watch", workspace.root, "--once", *place.roots)
    assert stopped.exit_code == 4
    assert "PATH_NOT_ALLOWED" in stopped.stderr
    assert names(workspace.running) == ["job.json", "job.log", "job.result.json"]
    assert snapshot(place.outside, times=True) == before
    subprocess.run(["/bin/sh", "-c", swap_back(place.day)], check=True)
    assert place.proxx("watch", workspace.root, "--once", *place.roots).exit_code == 0
    assert names(workspace.done) == ["job.json", "job.log", "job.result.json"]
    assert names(place.day) == ["clip_000.mp4"]
