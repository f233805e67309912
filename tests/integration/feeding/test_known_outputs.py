"""`spec` beside the outputs of known jobs, without a process: real folders, no media tools."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unicodedata import normalize

import pytest

from proxx_worker.contract.errors import ErrorCode, JsonValue
from proxx_worker.feeding.orders import Directory, Mirror
from proxx_worker.feeding.specs import Request, write_specs
from proxx_worker.workspace.layout import Workspace
from tests.integration.feeding.calls import LOW, everything, names, refusal, request_for, take

Put = Callable[..., Path]
QUARTER = "proxy_h264_quarter"


def cards_one_by_one(card: Path, to: Workspace | Path) -> tuple[Request, Request]:
    """The same folder for both cards, each in a call of its own: `A/CLIP/C0001.MP4` and `B/CLIP/C0001.MP4` become one file."""
    mirror = Mirror(str(card.parent / "proxies"))
    return request_for(card / "A", to, destination=mirror), request_for(card / "B", to, destination=mirror)


def put_proxies(card: Path) -> None:
    """What a worker makes beside all three clips."""
    for name in ("A/CLIP/Proxy/C0001.mp4", "B/CLIP/Proxy/C0001.mp4", "B/CLIP/Proxy/C0002.mp4"):
        (card / name).parent.mkdir(exist_ok=True)
        (card / name).write_bytes(b"proxy")


def by_hand(folder: Path, name: str, sources: list[str], output_directory: Path, **more: JsonValue) -> None:
    """A spec that somebody wrote."""
    document = {"jobspec_version": "2.1", "sources": sources, "output_directory": str(output_directory), "proxy_profile": LOW}
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({**document, "naming_template": "{source_name}", **more}))


@pytest.mark.parametrize(
    ("folder", "word"), [("inbox", "(waiting) makes"), ("running", "(running) makes"), ("done", "(done) has made")]
)
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
        f"{card}/B/CLIP/C0001.MP4 would become {card.parent}/proxies/CLIP/C0001.mp4, but job A+CLIP+C0001.MP4+proxy_h264_low "
        f"{word} that from {card}/A/CLIP/C0001.MP4; choose another folder for the proxies, or the folder above both clips "
        "(mirror keeps the tree below it), or put proxies beside clips"
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


def test_a_card_that_is_done_and_was_taken_away_does_not_take_the_place_of_another(card: Path, workspace: Workspace) -> None:
    first, second = cards_one_by_one(card, workspace)
    take(write_specs(first).made, workspace.root / "done")
    write_specs(second)
    assert refusal(first).code is ErrorCode.OUTPUT_NAME_COLLISION


def test_a_folder_of_specs_takes_no_two_with_one_output(card: Path, tmp_path: Path) -> None:
    first, second = cards_one_by_one(card, tmp_path / "specs")
    write_specs(first)
    assert refusal(second).error.message == (
        f"{card}/B/CLIP/C0001.MP4 would become {tmp_path}/proxies/CLIP/C0001.mp4, but the spec "
        f"A+CLIP+C0001.MP4+proxy_h264_low.json in {tmp_path}/specs makes that from {card}/A/CLIP/C0001.MP4; "
        "remove it if its job has ended, or choose another folder for the proxies, "
        "or the folder above both clips (mirror keeps the tree below it), or put proxies beside clips"
    )


@pytest.mark.parametrize(
    ("folder", "word"), [("inbox", "(waiting) makes"), ("running", "(running) makes"), ("done", "(done) has made")]
)
def test_another_profile_with_the_same_output_is_refused(card: Path, workspace: Workspace, folder: str, word: str) -> None:
    take(write_specs(request_for(card, workspace)).made, workspace.root / folder)
    if folder == "done":
        put_proxies(card)
    before = everything(workspace.root)
    fault = refusal(request_for(card, workspace, QUARTER))
    assert fault.code is ErrorCode.OUTPUT_NAME_COLLISION
    assert fault.error.message == (
        f"{card}/A/CLIP/C0001.MP4 would become {card}/A/CLIP/Proxy/C0001.mp4, but job cards+A+CLIP+C0001.MP4+proxy_h264_low "
        f"{word} that from the same clip with other settings; "
        "make the names differ with {codec} or {resolution} in the naming template, or choose another folder for the proxies"
    )
    assert everything(workspace.root) == before
    apart = request_for(card, workspace, QUARTER, naming_template="{source_name}_{resolution}")
    assert len(write_specs(apart).made) == 3


def test_the_same_settings_without_a_profile_s_name_are_the_same_proxy(card: Path, workspace: Workspace) -> None:
    put_proxies(card)
    for name in ("A/CLIP/C0001", "B/CLIP/C0001", "B/CLIP/C0002"):
        explicit: dict[str, JsonValue] = {"proxy_profile": None, "codec": "h264", "container": "mp4", "resolution": "half"}
        proxies = (card / name).parent / "Proxy"
        by_hand(workspace.root / "done", name.replace("/", "-"), [f"{card}/{name}.MP4"], proxies, **explicit, job_id="mine")
    outcome = write_specs(request_for(card, workspace))
    assert outcome.told[1:] == ("0 specs written, 3 already done",)


def test_the_same_spec_under_another_name_is_the_same_job(card: Path, workspace: Workspace) -> None:
    assert len(write_specs(request_for(card, workspace)).made) == 3
    outcome = write_specs(request_for(card / "B", workspace))
    assert (outcome.made, outcome.told[-1]) == ((), "0 specs written, 2 already waiting or running")


def test_clips_that_a_job_makes_together_are_skipped_one_by_one(card: Path, workspace: Workspace, put: Put) -> None:
    put("cards/B/CLIP/C0003.MP4")
    both = [f"{card}/B/CLIP/{name}.MP4" for name in ("C0001", "C0002")]
    by_hand(workspace.root / "inbox", "both", both, card / "B/CLIP/Proxy")
    outcome = write_specs(request_for(card / "B", workspace))
    assert names(outcome) == ["B+CLIP+C0003.MP4+proxy_h264_low.json"]
    assert outcome.told[-1] == "1 spec written, 2 already waiting or running"


def test_a_chunk_is_refused_while_a_job_makes_one_of_its_clips(card: Path, workspace: Workspace) -> None:
    by_hand(workspace.root / "inbox", "one", [f"{card}/B/CLIP/C0002.MP4"], card.parent / "out")
    fault = refusal(request_for(card / "B", workspace, destination=Directory(f"{card.parent}/out"), chunk=2))
    assert fault.error.message == (
        f"{card}/B/CLIP/C0002.MP4 would become {card.parent}/out/C0002.mp4, but job one (waiting) makes that from the same clip, "
        "without the other clips of this spec; let it end and gather its outputs, or cancel it, or choose another folder for the "
        "proxies"
    )


def test_a_clip_by_another_path_is_the_same_clip(card: Path, workspace: Workspace) -> None:
    link = card.parent / "link"
    link.symlink_to(card)
    proxies = card.parent / "proxies"
    by_hand(workspace.root / "inbox", "a", [f"{card.parent}//cards/A/CLIP/C0001.MP4"], proxies / "A/CLIP")
    for name in ("C0001", "C0002"):
        by_hand(workspace.root / "inbox", name, [f"{link}/B/CLIP/{name}.MP4"], proxies / "B/CLIP")
    outcome = write_specs(request_for(card, workspace, destination=Mirror(str(proxies))))
    assert outcome.told[-1] == "0 specs written, 3 already waiting or running"
    again = write_specs(request_for(link, workspace, destination=Mirror(str(proxies))))
    assert again.told[-1] == "0 specs written, 3 already waiting or running"


def test_a_clip_that_a_share_has_respelt_is_the_same_clip(tmp_path: Path, workspace: Workspace, put: Put) -> None:
    composed, decomposed = (normalize(form, "caf\u00e9.mov") for form in ("NFC", "NFD"))
    put(f"card/{composed}")
    by_hand(workspace.root / "running", "a", [f"{tmp_path}/card/{decomposed}"], tmp_path / "card/Proxy")
    assert write_specs(request_for(tmp_path / "card", workspace)).told[-1] == "0 specs written, 1 already waiting or running"


def test_an_output_that_differs_in_case_is_told_as_the_job_spells_it(tmp_path: Path, workspace: Workspace, put: Put) -> None:
    put("card/a.mov")
    by_hand(workspace.root / "inbox", "job", [f"{tmp_path}/card/A.mxf"], tmp_path / "card/Proxy")
    assert refusal(request_for(tmp_path / "card", workspace)).error.message == (
        f"{tmp_path}/card/a.mov would become {tmp_path}/card/Proxy/a.mp4, but job job (waiting) makes that "
        f"(as {tmp_path}/card/Proxy/A.mp4: upper and lower case count as the same) from {tmp_path}/card/A.mxf; "
        "make the names differ with {source_ext} in the naming template, or choose another folder for the proxies"
    )


def test_of_several_done_jobs_of_one_output_one_that_agrees_is_enough(card: Path, workspace: Workspace) -> None:
    """Which of them the file is from cannot be told from the specs."""
    low = write_specs(request_for(card, workspace)).made
    take(low, workspace.root / "done")
    take(write_specs(request_for(card, workspace, QUARTER)).made, workspace.root / "done")
    put_proxies(card)
    assert write_specs(request_for(card / "B", workspace)).told[-1] == "0 specs written, 2 already done"


def test_a_folder_that_is_no_utf_8_can_hold_specs(card: Path, tmp_path: Path) -> None:
    first, second = cards_one_by_one(card, Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")))
    write_specs(first)
    assert f"in {tmp_path}/\\xff makes that" in refusal(second).error.message
    assert len(write_specs(replace(second, to=tmp_path / "other")).made) == 2
