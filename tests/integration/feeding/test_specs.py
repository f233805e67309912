"""`spec` for many clips, without a process: real folders, no media tools."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.feeding.orders import Beside, Destination, Directory, Mirror, Order
from proxx_worker.feeding.specs import Request, preview_specs, write_specs
from proxx_worker.workspace.layout import Workspace
from tests.integration.feeding.calls import LOW, PRORES, everything, names, refusal, request_for, take
from tests.support.privileges import without_power_over_file_modes

Put = Callable[..., Path]


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
    assert (outcome.made, outcome.told[-1]) == ((), "0 specs written, 3 already waiting or running")
    assert everything(workspace.root) == before


def test_what_is_done_is_skipped_while_its_output_is_there(card: Path, workspace: Workspace, put: Put) -> None:
    request = request_for(card, workspace)
    take(write_specs(request).made, workspace.root / "done")
    for name in ("A/CLIP/Proxy/C0001.mp4", "B/CLIP/Proxy/C0001.mp4"):
        put(f"cards/{name}")
    outcome = write_specs(request)
    assert names(outcome) == ["cards+B+CLIP+C0002.MP4+proxy_h264_low.json"]
    assert outcome.told[-1] == "1 spec written, 2 already done"


def test_what_failed_is_written_again_for_a_person(card: Path, workspace: Workspace) -> None:
    request = request_for(card, workspace)
    take(write_specs(request).made, workspace.root / "failed")
    assert len(write_specs(request).made) == 3


def test_outputs_without_a_known_job_are_told_as_such(card: Path, workspace: Workspace, put: Put) -> None:
    put("cards/A/CLIP/Proxy/C0001.mp4")
    outcome = write_specs(request_for(card, workspace))
    assert outcome.told[-2:] == (
        f"already exists, without a known job: {card}/A/CLIP/Proxy/C0001.mp4",
        "2 specs written, 1 already made without a known job",
    )


def test_a_folder_of_specs_is_added_to_and_never_doubled(card: Path, tmp_path: Path, put: Put) -> None:
    request = request_for(card, tmp_path / "specs")
    assert len(write_specs(request).made) == 3
    put("cards/A/CLIP/C0009.MP4")
    assert names(write_specs(request)) == ["cards+A+CLIP+C0009.MP4+proxy_h264_low.json"]
    assert write_specs(request).told[-1] == "0 specs written, 4 already written"
    elsewhere = replace(request, order=replace(request.order, destination=Mirror(str(tmp_path / "proxies"))))
    assert names(write_specs(elsewhere))[0] == "cards+A+CLIP+C0001.MP4+proxy_h264_low~2.json"


def test_outputs_in_the_card_itself_are_not_taken_for_clips(card: Path, tmp_path: Path, put: Put) -> None:
    put("cards/out/A/CLIP/C0001.mp4")
    outcome = write_specs(request_for(card, tmp_path / "specs", destination=Mirror(str(card / "out"))))
    assert outcome.told == (
        "3 clips, 2 skipped: 1 hidden, 1 text",
        f"already exists, without a known job: {card}/out/A/CLIP/C0001.mp4",
        "2 specs written, 1 already made without a known job",
    )


def test_what_is_no_spec_has_no_outputs(card: Path, workspace: Workspace) -> None:
    (workspace.root / "inbox").mkdir()
    for name, data in (("a", b"{"), ("b", b'{"output_directory": "%s/A/CLIP/Proxy"}' % os.fsencode(card)), ("c", b"")):
        (workspace.root / "inbox" / f"{name}.json").write_bytes(data)
    assert len(write_specs(request_for(card, workspace)).made) == 3


def test_many_outputs_without_a_known_job_are_named_in_part(tmp_path: Path, workspace: Workspace, put: Put) -> None:
    for number in range(23):
        put(f"card/{number:02d}.mov")
        put(f"card/Proxy/{number:02d}.mp4")
    told = write_specs(request_for(tmp_path / "card", workspace)).told
    assert told[1] == f"already exists, without a known job: {tmp_path}/card/Proxy/00.mp4"
    assert told[-2:] == (
        "and 3 more outputs without a known job",
        "0 specs written, 23 already made without a known job",
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


def test_a_missing_folder_is_told_with_the_caller_s_way_to_create_it(card: Path, workspace: Workspace) -> None:
    request = request_for(card, workspace, make=False)
    assert refusal(request).error.message.endswith("and 1 more do not: create them, or pass --create-directories")
    with pytest.raises(ProxxError, match=r"create them, or choose to create it$"):
        preview_specs(replace(request, how_to_create="choose to create it"))


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


def test_a_file_in_a_folder_s_place_is_not_called_missing(card: Path, tmp_path: Path) -> None:
    fault = refusal(request_for(card / ".DS_Store", tmp_path / "specs"))
    assert (fault.code, "each source must be a folder, but" in fault.error.message) == (ErrorCode.SOURCE_MISSING, True)


def test_a_card_that_may_not_be_seen_is_not_called_missing(card: Path, tmp_path: Path) -> None:
    assert "does not; check" in refusal(request_for(card / ".DS_Store" / "in", tmp_path / "specs")).error.message
    (tmp_path / "locked").mkdir()
    card = card.rename(tmp_path / "locked" / "card")
    card.parent.chmod(0)
    with without_power_over_file_modes():
        fault = refusal(request_for(card, tmp_path / "specs"))
    card.parent.chmod(0o700)
    assert (fault.code, "Permission denied" in fault.error.message) == (ErrorCode.IO_ERROR, True)


@pytest.mark.parametrize("name", ["{root}/link", "/{root}/cards", "{root}/link/../cards"])
def test_the_card_under_another_name_takes_no_proxies(card: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to(card)
    fault = refusal(request_for(card, tmp_path / "specs", destination=Mirror(name.replace("{root}", str(tmp_path)))))
    assert (fault.code, "could not be told apart" in fault.error.message) == (ErrorCode.OUTPUT_NAME_COLLISION, True)
    inside = request_for(tmp_path / "link", tmp_path / "specs", destination=Mirror(str(card / "out")))
    outcome = write_specs(inside)
    assert len(outcome.made) == 3
    assert (card / "out").is_dir()


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
    fault = refusal(request_for(tmp_path / "raw", tmp_path / "specs"))
    assert fault.code is ErrorCode.ENGINE_MISMATCH
    assert f"{LOW} cannot take any of these clips: {tmp_path}/raw/R.R3D is camera RAW" in fault.error.message


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
