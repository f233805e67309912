"""`spec` for many clips, without a process: real folders, no media tools."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.feeding.orders import Beside, Destination, Directory, Mirror, Order
from proxx_worker.feeding.specs import Outcome, Request, write_specs
from proxx_worker.workspace.layout import Workspace

Put = Callable[..., Path]
LOW, PRORES = "proxy_h264_low", "proxy_prores_proxy"


@pytest.fixture
def card(tmp_path: Path, put: Put) -> Path:
    """Two cards with one clip name, and what lies beside clips."""
    for name in ("A/CLIP/C0001.MP4", "B/CLIP/C0001.MP4", "B/CLIP/C0002.MP4"):
        put(f"cards/{name}")
    put("cards/A/CLIP/C0001M01.XML", b"<?xml version='1.0'?>")
    put("cards/.DS_Store")
    return tmp_path / "cards"


def request_for(
    root: Path, to: Workspace | Path, *profiles: str, destination: Destination | None = None, make: bool = True, **more: object
) -> Request:
    order = Order(profiles or (LOW,), destination or Beside("Proxy"), **more)  # type: ignore[arg-type]
    return Request((str(root),), recursive=True, order=order, to=to, create_directories=make)


def refusal(request: Request) -> ProxxError:
    with pytest.raises(ProxxError) as caught:
        write_specs(request)
    return caught.value


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def names(outcome: Outcome) -> list[str]:
    return [Path(os.fsdecode(path)).name for path in outcome.made]


def take(made: Iterable[bytes], folder: Path) -> None:
    """As a worker does: the specs are in another folder of the workspace now."""
    folder.mkdir(exist_ok=True)
    for path in map(Path, map(os.fsdecode, made)):
        path.rename(folder / path.name)


def test_one_call_writes_a_spec_per_clip_and_profile_and_tells(card: Path, workspace: Workspace) -> None:
    outcome = write_specs(request_for(card, workspace, LOW, PRORES))
    assert len(outcome.made) == 6
    assert names(outcome)[0] == "cards+A+CLIP+C0001.MP4+proxy_h264_low.json"
    assert outcome.told == ("3 clips, 2 skipped: 1 hidden, 1 text", "6 specs written")
    assert (card / "A" / "CLIP" / "Proxy").is_dir()
    assert len(list((workspace.root / "inbox").iterdir())) == 6


@pytest.mark.parametrize("folder", ["inbox", "running"])
def test_a_second_call_adds_nothing_while_jobs_wait_or_run(card: Path, workspace: Workspace, folder: str) -> None:
    request = request_for(card, workspace)
    made = write_specs(request).made
    take(made, workspace.root / folder)
    before = everything(workspace.root)
    outcome = write_specs(request)
    assert (outcome.made, outcome.told[-1]) == ((), "0 specs written, 3 waiting or running already")
    assert everything(workspace.root) == before


def test_what_is_done_is_skipped_while_its_output_is_there(card: Path, workspace: Workspace, put: Put) -> None:
    request = request_for(card, workspace)
    take(write_specs(request).made, workspace.root / "done")
    for name in ("A/CLIP/Proxy/C0001.mp4", "B/CLIP/Proxy/C0001.mp4"):
        put(f"cards/{name}")
    outcome = write_specs(request)
    assert names(outcome) == ["cards+B+CLIP+C0002.MP4+proxy_h264_low.json"]
    assert outcome.told[-1] == "1 spec written, 2 done already"


def test_what_failed_is_written_again_for_a_person(card: Path, workspace: Workspace) -> None:
    request = request_for(card, workspace)
    take(write_specs(request).made, workspace.root / "failed")
    assert len(write_specs(request).made) == 3


def test_outputs_of_nobody_known_are_told_as_such(card: Path, workspace: Workspace, put: Put) -> None:
    put("cards/A/CLIP/Proxy/C0001.mp4")
    outcome = write_specs(request_for(card, workspace))
    assert outcome.told[-2:] == (
        f"already there, from no job known here: {card}/A/CLIP/Proxy/C0001.mp4",
        "2 specs written, 1 with outputs from no job known here",
    )


def test_a_folder_of_specs_is_added_to_and_never_doubled(card: Path, tmp_path: Path, put: Put) -> None:
    request = request_for(card, tmp_path / "specs")
    assert len(write_specs(request).made) == 3
    put("cards/A/CLIP/C0009.MP4")
    assert names(write_specs(request)) == ["cards+A+CLIP+C0009.MP4+proxy_h264_low.json"]
    assert write_specs(request).told[-1] == "0 specs written, 4 written already"
    elsewhere = replace(request, order=replace(request.order, destination=Mirror(str(tmp_path / "proxies"))))
    assert names(write_specs(elsewhere))[0] == "cards+A+CLIP+C0001.MP4+proxy_h264_low~2.json"


def test_outputs_in_the_card_itself_are_not_taken_for_clips(card: Path, tmp_path: Path, put: Put) -> None:
    put("cards/out/A/CLIP/C0001.mp4")
    outcome = write_specs(request_for(card, tmp_path / "specs", destination=Mirror(str(card / "out"))))
    assert outcome.told == (
        "3 clips, 2 skipped: 1 hidden, 1 text",
        f"already there, from no job known here: {card}/out/A/CLIP/C0001.mp4",
        "2 specs written, 1 with outputs from no job known here",
    )


def cards_one_by_one(card: Path, to: Workspace | Path) -> tuple[Request, Request]:
    """The same folder for both cards, each in a call of its own: `A/CLIP/C0001.MP4` and `B/CLIP/C0001.MP4` become one file."""
    mirror = Mirror(str(card.parent / "proxies"))
    return request_for(card / "A", to, destination=mirror), request_for(card / "B", to, destination=mirror)


@pytest.mark.parametrize(("folder", "word"), [("inbox", "waits"), ("running", "runs"), ("done", "is done")])
def test_another_card_s_clip_of_the_same_name_is_refused_whatever_became_of_the_first(
    card: Path, workspace: Workspace, put: Put, folder: str, word: str
) -> None:
    first, second = cards_one_by_one(card, workspace)
    take(write_specs(first).made, workspace.root / folder)
    if folder == "done":
        put("proxies/CLIP/C0001.mp4")
    before = everything(workspace.root)
    fault = refusal(second)
    assert fault.code is ErrorCode.OUTPUT_NAME_COLLISION
    assert fault.error.message == (
        f"{card}/B/CLIP/C0001.MP4 would become {card.parent}/proxies/CLIP/C0001.mp4, but that is the output of "
        f"{card}/A/CLIP/C0001.MP4 by job A+CLIP+C0001.MP4+proxy_h264_low, which {word}, already (upper and lower case count as "
        "one): name another folder, or the folder above both clips (mirror keeps the tree below it), or put proxies beside clips"
    )
    assert fault.error.details["job"] == "A+CLIP+C0001.MP4+proxy_h264_low"
    assert everything(workspace.root) == before
    assert write_specs(first).made == ()


@pytest.mark.parametrize("folder", ["done", "failed"])
def test_a_card_whose_proxies_were_taken_away_or_never_made_is_in_nobody_s_way(
    card: Path, workspace: Workspace, folder: str
) -> None:
    first, second = cards_one_by_one(card, workspace)
    take(write_specs(first).made, workspace.root / folder)
    assert len(write_specs(second).made) == 2


def test_a_folder_of_specs_takes_no_two_with_one_output(card: Path, tmp_path: Path) -> None:
    first, second = cards_one_by_one(card, tmp_path / "specs")
    write_specs(first)
    assert refusal(second).code is ErrorCode.OUTPUT_NAME_COLLISION


def test_another_profile_with_the_same_output_waits_for_the_first(card: Path, workspace: Workspace, put: Put) -> None:
    made = write_specs(request_for(card, workspace)).made
    again = request_for(card, workspace, "proxy_h264_quarter")
    fault = refusal(again)
    assert (fault.code, "makes the same for that clip" in fault.error.message) == (ErrorCode.OUTPUT_NAME_COLLISION, True)
    take(made, workspace.root / "done")
    for name in ("A/CLIP/Proxy/C0001.mp4", "B/CLIP/Proxy/C0001.mp4", "B/CLIP/Proxy/C0002.mp4"):
        put(f"cards/{name}")
    assert write_specs(again).told[-1] == "0 specs written, 3 with outputs from no job known here"


def test_the_same_spec_under_another_name_is_the_same_job(card: Path, workspace: Workspace) -> None:
    assert len(write_specs(request_for(card, workspace)).made) == 3
    outcome = write_specs(request_for(card / "B", workspace))
    assert (outcome.made, outcome.told[-1]) == ((), "0 specs written, 2 waiting or running already")


def test_what_is_no_spec_has_no_outputs(card: Path, workspace: Workspace) -> None:
    (workspace.root / "done").mkdir()
    for name, data in (("a", b"{"), ("b", b'{"output_directory": "%s/A/CLIP/Proxy"}' % os.fsencode(card)), ("c", b"")):
        (workspace.root / "done" / f"{name}.json").write_bytes(data)
    assert len(write_specs(request_for(card, workspace)).made) == 3


def test_many_outputs_from_no_job_known_here_are_named_in_part(tmp_path: Path, workspace: Workspace, put: Put) -> None:
    for number in range(23):
        put(f"card/{number:02d}.mov")
        put(f"card/Proxy/{number:02d}.mp4")
    told = write_specs(request_for(tmp_path / "card", workspace)).told
    assert told[1] == f"already there, from no job known here: {tmp_path}/card/Proxy/00.mp4"
    assert told[-2:] == (
        "and 3 more outputs from no job known here",
        "0 specs written, 23 with outputs from no job known here",
    )


@pytest.mark.parametrize(
    ("destination", "make", "code"),
    [
        (Directory("{root}/flat"), True, ErrorCode.OUTPUT_NAME_COLLISION),
        (Mirror("{root}/cards"), True, ErrorCode.OUTPUT_NAME_COLLISION),
        (Beside("Proxy"), False, ErrorCode.OUTPUT_DIRECTORY_MISSING),
    ],
)
def test_a_call_that_fails_writes_no_file(
    card: Path, tmp_path: Path, destination: Destination, make: bool, code: ErrorCode
) -> None:
    if isinstance(destination, Directory):
        destination = Directory(destination.template.replace("{root}", str(tmp_path)))
    if isinstance(destination, Mirror):
        destination = Mirror(destination.directory.replace("{root}", str(tmp_path)))
    before = everything(tmp_path)
    request = request_for(card, tmp_path / "specs", destination=destination, make=make)
    assert refusal(request).code is code
    assert everything(tmp_path) == before


def test_a_clip_that_no_spec_can_name_refuses_the_whole(card: Path, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(card) + b"/A/\xff.mov")).write_bytes((card / "A/CLIP/C0001.MP4").read_bytes())
    fault = refusal(request_for(card, tmp_path / "specs"))
    assert fault.code is ErrorCode.SPEC_INVALID
    assert "\\xff.mov is not UTF-8" in fault.error.message
    assert not (tmp_path / "specs").exists()


def test_a_card_that_is_not_mounted_is_no_empty_one(tmp_path: Path) -> None:
    assert refusal(request_for(tmp_path / "nothing", tmp_path / "specs")).code is ErrorCode.SOURCE_MISSING
    (tmp_path / "empty").mkdir()
    fault = refusal(request_for(tmp_path / "empty", tmp_path / "specs"))
    assert (fault.code, "0 clips" in fault.error.message) == (ErrorCode.SOURCE_MISSING, True)


def test_a_workspace_that_is_not_there_is_not_made(card: Path, tmp_path: Path) -> None:
    assert refusal(request_for(card, Workspace(tmp_path / "nothing"))).code is ErrorCode.WORKSPACE_INVALID
    assert not (tmp_path / "nothing").exists()


def test_camera_raw_without_a_profile_for_it_is_skipped_and_told(card: Path, tmp_path: Path, put: Put) -> None:
    put("cards/R.R3D", b"\0\0\1\xe8RED2\0\2" + b"\0" * 50)
    outcome = write_specs(request_for(card, tmp_path / "specs"))
    raw = "camera RAW without a _resolve profile (for machines with DaVinci Resolve Studio)"
    assert outcome.told[0] == f"3 clips, 3 skipped: 1 {raw}, 1 hidden, 1 text"


def test_nothing_but_camera_raw_is_the_wrong_profile(tmp_path: Path, put: Put) -> None:
    put("raw/R.R3D", b"\0\0\1\xe8RED2\0\2" + b"\0" * 50)
    assert refusal(request_for(tmp_path / "raw", tmp_path / "specs")).code is ErrorCode.ENGINE_MISMATCH


def test_chunks_are_written_once_and_never_regrouped_unseen(card: Path, tmp_path: Path, put: Put) -> None:
    put("cards/B/CLIP/C0003.MP4")
    request = request_for(card / "B", tmp_path / "specs", destination=Directory(f"{tmp_path}/out/{{name}}"), chunk=2)
    assert names(write_specs(request)) == ["B+proxy_h264_low-000.json", "B+proxy_h264_low-001.json"]
    assert (tmp_path / "out" / "B+proxy_h264_low-000").is_dir()
    assert write_specs(request).made == ()
    put("cards/B/CLIP/C0000.MP4")
    fault = refusal(request)
    assert (fault.code, "chunks would overlap" in fault.error.message) == (ErrorCode.OUTPUT_EXISTS, True)


def test_a_chunk_that_is_made_in_part_is_refused(card: Path, tmp_path: Path, put: Put) -> None:
    request = request_for(card / "B", tmp_path / "specs", destination=Directory(f"{tmp_path}/out"), chunk=2)
    put("out/C0001.mp4")
    fault = refusal(request)
    assert (fault.code, "gather them first" in fault.error.message) == (ErrorCode.OUTPUT_EXISTS, True)


def test_named_clips_are_not_looked_at(tmp_path: Path) -> None:
    order = Order((LOW,), Directory("/not/there/{name}"), chunk=2)
    sources = ("/mnt/x/A/1.mov", "/mnt/x/B/2.mov", "/mnt/x/3.mov")
    outcome = write_specs(Request(sources, recursive=False, order=order, to=tmp_path / "specs"))
    assert names(outcome) == ["x+proxy_h264_low-000.json", "x+proxy_h264_low-001.json"]
    assert outcome.told == ("3 clips, none skipped", "2 specs written")
