"""From a card to proxies with one command; `feed` and `gather` as an operator runs them."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from signal import SIGTERM, SIGUSR1, Signals

import pytest

from tests.acceptance.clips import ffmpeg
from tests.acceptance.command import COMMAND, Command, Ended
from tests.acceptance.results import names, snapshot
from tests.acceptance.specs import Workspace, encode, jobspec

LOW, PRORES = "proxy_h264_low", "proxy_prores_proxy"
CLIPS = ("A001/PRIVATE/M4ROOT/CLIP/C0001.MP4", "A001/PRIVATE/M4ROOT/CLIP/C0002.MP4", "B001/PRIVATE/M4ROOT/CLIP/C0001.MP4")


@pytest.fixture(scope="session")
def tiny(clips: Path) -> Path:
    """Five frames, 64x36, no sound."""
    path = clips / "tiny.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x36:rate=25:duration=0.2", "-c:v", "libx264", "-preset", "ultrafast", path)
    return path


@pytest.fixture
def cards(tmp_path: Path, tiny: Path) -> Path:
    """Two cards with one clip name, sidecars, the camera's own proxies, a note, a sound, and what macOS leaves."""
    root = tmp_path / "cards"
    for name in (*CLIPS, "A001/PRIVATE/M4ROOT/SUB/C0001S03.MP4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tiny, root / name)
    others = {
        "A001/PRIVATE/M4ROOT/MEDIAPRO.XML": b"<?xml version='1.0'?>",
        "A001/PRIVATE/M4ROOT/CLIP/C0001M01.XML": b"<?xml version='1.0'?>",
        "A001/PRIVATE/M4ROOT/THMBNL/C0001T01.JPG": b"\xff\xd8\xff\xe0",
        "A001/notes.txt": b"second take is better",
        "A001/wild.wav": b"RIFF\0\0\0\0WAVEfmt ",
        "A001/PRIVATE/M4ROOT/CLIP/._C0001.MP4": b"\0\5\x16\7",
        ".DS_Store": b"\0\0\0\1Bud1",
    }
    for name, data in others.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def spec_of(proxx: Command, root: Path, *flags: str | Path) -> Ended:
    return proxx("spec", "--recursive", root, "--profile", LOW, "--profile", PRORES, "--beside", "Proxy", *flags)


def test_one_command_makes_the_specs_of_two_cards_and_a_second_adds_nothing(
    proxx: Command, cards: Path, workspace: Workspace
) -> None:
    media = snapshot(cards, times=True)
    first = spec_of(proxx, cards, "--submit", workspace.root, "--create-directories")
    assert first.exit_code == 0, first.stderr
    assert sorted(first.stdout.decode().splitlines()) == [str(workspace.inbox / name) for name in names(workspace.inbox)]
    assert first.stderr == (
        "3 clips (3 XAVC), 8 skipped: 3 text, 2 hidden, 1 audio, 1 proxy, 1 still\n6 specs written\n"
    )  # fmt: skip
    assert names(workspace.inbox)[0] == "cards+A001+PRIVATE+M4ROOT+CLIP+C0001.MP4+proxy_h264_low.json"

    waiting = snapshot(workspace.root, times=True)
    again = spec_of(proxx, cards, "--submit", workspace.root)
    assert (again.exit_code, again.stdout) == (0, b"")
    assert again.stderr.endswith("\n0 specs written, 6 already waiting or running\n")
    assert snapshot(workspace.root, times=True) == waiting

    assert proxx("watch", "--once", workspace.root).exit_code == 0
    for name in CLIPS:
        clip = cards / name
        assert names(clip.parent / "Proxy") == sorted(
            f"{path.stem}.{extension}" for path in clip.parent.glob("C*.MP4") for extension in ("mov", "mp4")
        )
    assert {name: media[name] for name in CLIPS} == {name: snapshot(cards, times=True)[name] for name in CLIPS}

    third = spec_of(proxx, cards, "--submit", workspace.root)
    assert (third.exit_code, third.stdout) == (0, b"")
    assert third.stderr.endswith("\n0 specs written, 6 already done\n")
    assert names(workspace.inbox) == []


def test_a_call_that_fails_writes_nothing(proxx: Command, cards: Path, workspace: Workspace, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    missing = spec_of(proxx, cards, "--submit", workspace.root)
    assert (missing.exit_code, missing.stdout) == (4, b"")
    assert "OUTPUT_DIRECTORY_MISSING" in missing.stderr
    assert "--create-directories" in missing.stderr
    flat = ("--output-directory", tmp_path / "flat", "--create-directories", "--submit", workspace.root)
    colliding = proxx("spec", "--recursive", cards, "--profile", LOW, *flat)
    assert (colliding.exit_code, colliding.stdout) == (1, b"")
    assert "OUTPUT_NAME_COLLISION" in colliding.stderr
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--recursive", "--beside", "Proxy", "."), "--submit WORKSPACE, or --per-clip DIR"),
        (("--beside", "a/b", "--per-clip", "specs", "a.mov"), "a single folder name"),
        (("--output-directory", "/p/{chunk}", "--per-clip", "specs", "a.mov"), "add --chunk N"),
        (("--output-directory", "/p/{name}", "a.mov"), "--per-clip DIR"),
        (("--output-directory", "/p", "--chunk", "0", "--per-clip", "specs", "a.mov"), "at least 1"),
        (("--output-directory", "/p", "--beside", "Proxy", "a.mov"), "not allowed with"),
        (("--output-directory", "/p", "--submit", "ws", "--per-clip", "specs", "a.mov"), "not allowed with"),
    ],
)
def test_flags_that_do_not_fit_are_answered(proxx: Command, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    ended = proxx("spec", "--profile", LOW, *arguments, cwd=tmp_path)
    assert (ended.exit_code, ended.stdout) == (64, b"")
    assert says in ended.stderr
    assert names(tmp_path) == []


def test_the_spec_s_name_may_stand_in_the_output_directory(proxx: Command, tmp_path: Path) -> None:
    ended = proxx("spec", "--profile", LOW, "--output-directory", "/p/{name}", "--per-clip", "specs", "A.mov", cwd=tmp_path)
    assert ended.exit_code == 0
    assert json.loads((tmp_path / "specs" / "A.json").read_bytes())["output_directory"] == "/p/A"


# --- chunks and gather: a farm in small ---


@pytest.fixture
def farm(proxx: Command, cards: Path, tmp_path: Path) -> Path:
    """Specs of two clips each with an output directory each; the second holds a file that is no clip."""
    (cards / "A001/PRIVATE/M4ROOT/CLIP/C0003.MP4").write_bytes(b"\0\0\0\x14ftypisom\0\0\0\0isom" + b"\0\0\0\x08mdat")
    (cards / "B001/PRIVATE/M4ROOT/CLIP/C0001.MP4").rename(cards / "B001/PRIVATE/M4ROOT/CLIP/C0004.MP4")
    made = proxx(
        "spec", "--recursive", cards, "--profile", LOW, "--output-directory", tmp_path / "farm" / "{name}", "--chunk", "2",
        "--per-clip", tmp_path / "specs", "--create-directories",
    )  # fmt: skip
    assert made.exit_code == 0, made.stderr
    assert names(tmp_path / "specs") == ["cards+proxy_h264_low-000.json", "cards+proxy_h264_low-001.json"]
    codes = [
        proxx("run", tmp_path / "specs" / name, "--result", tmp_path / f"{number}.result.json").exit_code
        for number, name in enumerate(names(tmp_path / "specs"))
    ]
    assert codes[0] == 0
    assert codes[1] in {1, 2}
    return tmp_path


def test_gather_moves_what_completed_and_fails_as_what_failed(proxx: Command, farm: Path) -> None:
    into = farm / "all"
    into.mkdir()
    results = [farm / "0.result.json", farm / "1.result.json"]
    failed = json.loads(results[1].read_bytes())["error"]["code"]
    first = proxx("gather", *results, "--into", into)
    assert first.exit_code in {1, 2}
    assert first.stdout.decode().splitlines() == [str(into / "C0001.mp4"), str(into / "C0002.mp4")]
    assert f"{failed}: {results[1]} FAILED" in first.stderr
    assert first.stderr.endswith("2 moved, 0 in place already, 1 failed\n")
    assert names(into) == ["C0001.mp4", "C0002.mp4", "gathered.json"]
    before = snapshot(farm, times=True)
    again = proxx("gather", *results, "--into", into)
    assert (again.exit_code, again.stdout) == (first.exit_code, b"")
    assert again.stderr.endswith("0 moved, 2 in place already, 1 failed\n")
    assert snapshot(farm, times=True) == before


def test_gather_moves_nothing_where_one_name_is_taken(proxx: Command, farm: Path) -> None:
    into = farm / "all"
    into.mkdir()
    (into / "C0002.mp4").write_bytes(b"somebody's")
    before = snapshot(farm)
    ended = proxx("gather", farm / "0.result.json", "--into", into)
    assert (ended.exit_code, ended.stdout) == (4, b"")
    assert "OUTPUT_EXISTS" in ended.stderr
    assert "nothing was moved" in ended.stderr
    assert snapshot(farm) == before


def test_gather_names_a_file_that_is_no_result(proxx: Command, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_bytes(encode(jobspec(["/a.mov"], "/p")))
    ended = proxx("gather", tmp_path / "spec.json", tmp_path / "missing.json", "--into", tmp_path)
    assert (ended.exit_code, ended.stdout) == (64, b"")
    assert "spec.json cannot be read: it is not a version 1 result" in ended.stderr
    assert "missing.json cannot be read: No such file" in ended.stderr


# --- feed ---


@pytest.fixture
def rules(tmp_path: Path) -> Callable[..., Path]:
    """A file with one rule."""

    def write(settle_seconds: float) -> Path:
        path = tmp_path / "rules.toml"
        (tmp_path / "in").mkdir(exist_ok=True)
        path.write_text(
            f'[[rule]]\nwatch = "{tmp_path}/in"\nprofiles = ["{LOW}", "{PRORES}"]\noutput = "mirror"\n'
            f'output_directory = "{tmp_path}/proxies"\ncreate_directories = true\nsettle_seconds = {settle_seconds}\n'
        )
        return path

    return write


def test_feed_once_makes_specs_of_what_stands_still(
    proxx: Command, workspace: Workspace, tmp_path: Path, tiny: Path, rules: Callable[..., Path]
) -> None:
    made = rules(0.2)
    (tmp_path / "in" / "A").mkdir()
    shutil.copyfile(tiny, tmp_path / "in" / "A" / "1.mp4")
    (tmp_path / "in" / "notes.txt").write_text("notes")
    for fed in (2, 0):
        ended = proxx("feed", workspace.root, "--rules", made, "--once")
        assert (ended.exit_code, ended.stdout) == (0, b"")
        assert ended.stderr.count(" fed ") == fed
    assert names(workspace.inbox) == ["in+A+1.mp4+proxy_h264_low.json", "in+A+1.mp4+proxy_prores_proxy.json"]
    assert proxx("watch", "--once", workspace.root).exit_code == 0
    assert names(tmp_path / "proxies" / "A") == ["1.mov", "1.mp4"]
    ended = proxx("feed", workspace.root, "--rules", made, "--once")
    assert (ended.exit_code, names(workspace.inbox)) == (0, [])


def test_feed_gives_the_journal_priorities_and_leaves_the_time_to_it(
    workspace: Workspace, tmp_path: Path, rules: Callable[..., Path]
) -> None:
    made = rules(0)
    shutil.rmtree(tmp_path / "in")
    journal = tmp_path / "journal"
    with journal.open("wb") as stream:
        status = os.fstat(stream.fileno())
        environment = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        command: list[str | Path] = [COMMAND, "feed", workspace.root, "--rules", made, "--once"]
        ended = subprocess.run(command, stderr=stream, env=environment, check=False)
    assert ended.returncode == 4
    assert [line.split()[0:2] for line in journal.read_text().splitlines()] == [
        ["<6>INFO", "feed_started"],
        ["<3>ERROR", "cannot_feed"],
        ["<6>INFO", "feed_ended"],
    ]


def test_feed_once_fails_as_what_it_could_not_feed(
    proxx: Command, workspace: Workspace, tmp_path: Path, rules: Callable[..., Path]
) -> None:
    made = rules(0)
    (tmp_path / "in").rmdir()
    ended = proxx("feed", workspace.root, "--rules", made, "--once")
    assert ended.exit_code == 4
    assert " ERROR   cannot_feed cannot list " in ended.stderr


@pytest.mark.parametrize("number", [SIGTERM, SIGUSR1])
def test_feed_stays_until_a_signal_ends_it(
    proxx: Command, workspace: Workspace, tmp_path: Path, tiny: Path, rules: Callable[..., Path], number: Signals
) -> None:
    with proxx.start("feed", workspace.root, "--rules", rules(0)) as feeder:
        feeder.until(lambda: " feed_started " in feeder.stderr, "the feeder")
        shutil.copyfile(tiny, tmp_path / "in" / "1.mp4")
        feeder.until(lambda: len([name for name in names(workspace.inbox) if name.endswith(".json")]) == 2, "two specs")
        feeder.signal(number)
        ended = feeder.wait()
    assert ended.exit_code == 0
    assert " feed_ended" in ended.stderr


def test_feed_ends_with_4_where_there_is_no_workspace(proxx: Command, tmp_path: Path, rules: Callable[..., Path]) -> None:
    ended = proxx("feed", tmp_path / "nothing", "--rules", rules(0))
    assert ended.exit_code == 4
    assert " ERROR   feed_stopped " in ended.stderr
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(("text", "says"), [("", "rule: is missing"), ("rule = 1", "rule: "), (None, "No such file")])
def test_rules_that_cannot_be_used_are_64(
    proxx: Command, workspace: Workspace, tmp_path: Path, text: str | None, says: str
) -> None:
    if text is not None:
        (tmp_path / "rules.toml").write_text(text)
    ended = proxx("feed", workspace.root, "--rules", tmp_path / "rules.toml")
    assert (ended.exit_code, says in ended.stderr) == (64, True)


def test_the_commands_are_grouped_by_what_one_wants(proxx: Command) -> None:
    text = proxx("--help").stdout.decode()
    groups = [line.split()[0] for line in text.splitlines() if line.endswith("):")]
    assert groups == ["work", "feed", "operate", "prove", "learn"]
    assert text.index("feed (") < text.index("gather  ") < text.index("operate (")
