"""Real clips from cameras, phones, editors and archives through two profiles each: made, or refused with a reason."""

import csv
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.clips import decoders, probe
from tests.acceptance.command import Command
from tests.acceptance.results import audit, names, read_result, stems
from tests.acceptance.specs import Workspace, jobspec

PROFILES = ("proxy_h264_low", "proxy_prores_proxy")
REASONS = {"SOURCE_UNSUPPORTED", "SOURCE_NO_VIDEO", "SOURCE_DAMAGED", "ENGINE_MISMATCH"}
"""What a real clip may be refused for. All else would be the worker's own fault."""

pytestmark = [pytest.mark.heavy, pytest.mark.whole]


@pytest.fixture
def decodable(media: Path) -> set[str]:
    """The files with a picture of which the folder's table says that FFmpeg 5.1 decodes them, cleanly or with complaints.

    And one that later versions decode, too.
    """
    with (media / "MANIFEST.tsv").open(newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    later = {"sample_vvc.mp4"} if "vvc" in decoders() else set()
    return later | {row["file"] for row in rows if row["decode_null"].startswith(("ok", "rc=0")) and " V:" in row["ffprobe_5.1"]}


def test_every_clip_through_two_profiles(
    proxx: Command, workspace: Workspace, proxies: Path, media: Path, decodable: set[str]
) -> None:
    clips = sorted(path for path in media.rglob("*") if path.is_file() and path.name != "MANIFEST.tsv")
    jobs = {f"{number:02d}-{profile}": (clip, profile) for number, clip in enumerate(clips) for profile in PROFILES}
    for name, (clip, profile) in jobs.items():
        workspace.drop(name, jobspec(clip, proxies, proxy_profile=profile, naming_template=name))
    specs = [path.read_bytes() for path in workspace.inbox.iterdir()]
    ended = proxx("watch", workspace, "--once")
    assert names(workspace.inbox) == [], ended.stderr
    assert ended.exit_code in {0, 1, 2}
    audit(workspace.root, specs, [proxies])
    completed: Counter[str] = Counter()
    for name, (clip, _) in jobs.items():
        clip_name = str(clip.relative_to(media))
        if name in stems(workspace.done):
            result = read_result(workspace.done, name)
            completed[clip_name] += 1
            probe(Path(result["tasks"][0]["output"]))
        else:
            error = read_result(workspace.failed, name)["error"]
            sys.stdout.write(f"{clip_name}: {error['code']}: {error['message']}\n")
            assert error["code"] in REASONS, f"{clip_name}: {error}"
    made = {clip for clip, times in completed.items() if times == len(PROFILES)}
    sys.stdout.write(
        f"{len(made)} clips made by both profiles, of {len(decodable)} that decode; refused of these: {sorted(decodable - made)}"
    )
    assert len(decodable) >= 20
    assert made <= decodable
    assert len(made) >= 15
