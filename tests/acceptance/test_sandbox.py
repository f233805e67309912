"""An FFmpeg that somebody else has taken over, in the sandbox and out of it."""

import os
import platform
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from proxx_worker.process.syscalls import ALLOWED
from tests.acceptance.attacker import FILL_MEMORY, NOT_TRIED, OPTIONAL, TRIES, attacker_at
from tests.acceptance.command import Command
from tests.acceptance.results import names, read_result, snapshot
from tests.acceptance.specs import Workspace, jobspec

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ALLOWED,
    reason="the sandbox needs Linux, on a machine whose system call numbers are known",
)
TRIED = re.compile(r"TRIED (?P<name>[^:\n]+): (?P<outcome>.*)")
AS_ROOT_ONLY = frozenset({"load a module", "trace the worker", "read the worker's memory by a call"})
"""What some systems keep from other users, whatever confines them (Yama, capabilities)."""


@pytest.fixture
def targets(tmp_path: Path, clip: Path, workspace: Workspace, proxies: Path) -> Iterator[dict[str, str]]:
    """What there is to be had: a SAN with two clips, sockets that listen, a terminal."""
    sources = tmp_path / "san"
    sources.mkdir()
    source, other = sources / "source.mov", sources / "other.mov"
    source.write_bytes(clip.read_bytes())
    other.write_bytes(clip.read_bytes())
    configuration = tmp_path / "proxx.toml"
    configuration.write_text("settle_seconds = 0\n")
    with ExitStack() as opened:
        tcp = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        unix = opened.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(str(tmp_path / "socket"))
        abstract = opened.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0proxx-test-{os.getpid()}")
        for listening in (unix, abstract):
            listening.listen()
        master, slave = os.openpty()
        opened.callback(os.close, master)
        opened.callback(os.close, slave)
        yield {
            "san": str(other),
            "clip": str(other),
            "source": str(source),
            "sources": str(sources),
            "spec": str(workspace.running / "job.json"),
            "configuration": str(configuration),
            "workspace": str(workspace.root),
            "proxies": str(proxies),
            "port": str(tcp.getsockname()[1]),
            "socket": str(tmp_path / "socket"),
            "abstract": f"proxx-test-{os.getpid()}",
            "terminal": os.ttyname(slave),
        }


def outcomes(
    proxx: Command, workspace: Workspace, proxies: Path, targets: dict[str, str], attacker: Path, *flags: str
) -> dict[str, str]:
    """What became of each try in a job of `watch`, by the job's log."""
    workspace.drop("job", jobspec(Path(targets["source"]), proxies))
    ended = proxx(
        "watch", "--once", workspace, "--config", targets["configuration"], "--ffmpeg", attacker,
        "--sandbox-read", os.path.realpath(sys.base_prefix), *flags,
    )  # fmt: skip
    assert ended.exit_code in {2, 4}, ended.stderr  # out of the sandbox it changes the source and submits a job
    assert "job.log" in names(workspace.failed), ended.stderr
    log = (workspace.failed / "job.log").read_text()
    result = read_result(workspace.failed, "job")
    assert result["worker"]["sandbox"] == "off" if "off" in flags else result["worker"]["sandbox"].startswith("Landlock ABI ")
    return {found["name"]: found["outcome"] for found in TRIED.finditer(log)}


def test_in_the_sandbox_nothing_succeeds(
    proxx: Command, workspace: Workspace, proxies: Path, targets: dict[str, str], tmp_path: Path
) -> None:
    attacker = attacker_at(tmp_path / "ffmpeg", targets)
    before = snapshot(Path(targets["sources"]), times=True)
    found = outcomes(proxx, workspace, proxies, targets, attacker, "--sandbox", "on", "--encoder-memory-bytes", str(512 << 20))
    assert found.keys() == TRIES.keys(), "each was told of, and the last one, to fill memory, ended it"
    assert read_result(workspace.failed, "job")["error"]["code"] == "ENCODE_OUT_OF_MEMORY"
    assert [name for name, outcome in found.items() if outcome == "it could"] == []
    assert names(proxies) == []
    assert snapshot(Path(targets["sources"]), times=True) == before
    assert names(workspace.inbox) == []
    if untried := [name for name, outcome in found.items() if outcome == NOT_TRIED]:
        pytest.skip(f"all but {len(untried)} of {len(found)} tries were refused, and these were {NOT_TRIED}")


def test_without_it_every_single_try_succeeds(
    proxx: Command, workspace: Workspace, proxies: Path, targets: dict[str, str], tmp_path: Path
) -> None:
    """So that the test above can fail."""
    attacker = attacker_at(tmp_path / "ffmpeg", targets)
    found = outcomes(proxx, workspace, proxies, targets, attacker, "--sandbox", "off")
    assert found.keys() == {*TRIES, FILL_MEMORY}
    excused = OPTIONAL | (frozenset() if os.geteuid() == 0 else AS_ROOT_ONLY)
    refused = {name: outcome for name, outcome in found.items() if outcome != "it could"}
    assert {name: outcome for name, outcome in refused.items() if name not in excused} == {}
