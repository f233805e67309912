"""Any input whatever: a spec, a template, ffprobe's answer, an encoder's words. A refusal is always a contract error."""

import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.fuzz.targets import TARGETS
from tests.support.slices import Slice

RUNS: Mapping[str, int] = {"jobspec": 70_000, "naming": 45_000, "facts": 60_000, "encoder": 45_000}
LEAST = 200_000
"""Inputs over the four targets in one guided run."""

SECONDS = 600  # per target: bounded also on a machine that is slower than any seen
_DONE = re.compile(r"^Done (\d+) (?:runs )?in (\d+) second", re.MULTILINE)


@settings(max_examples=400)
@given(data=st.binary(max_size=400))
@pytest.mark.parametrize("name", TARGETS)
def test_any_input(name: str, data: bytes) -> None:
    TARGETS[name].run(data)


@pytest.mark.parametrize("name", TARGETS)
def test_the_inputs_that_a_guided_run_starts_from(name: str) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].run(seed)


@pytest.mark.heavy
@pytest.mark.skipif(find_spec("atheris") is None, reason="the lock has a coverage-guided fuzzer for x86-64 Linux only")
def test_inputs_guided_by_coverage(tmp_path: Path, project_root: Path, capsys: pytest.CaptureFixture[str], part: Slice) -> None:
    done = {name: guided(name, tmp_path / name, project_root, part.share(RUNS[name])) for name in TARGETS}
    with capsys.disabled():
        told = [
            f"fuzz {name}: {runs} inputs in {seconds} s, nothing but contract errors" for name, (runs, seconds) in done.items()
        ]
        sys.stdout.write("\n".join(["", *told, f"fuzz in all: {sum(runs for runs, _ in done.values())} inputs", ""]))
    assert sum(runs for runs, _ in done.values()) >= part.share(LEAST)


def guided(name: str, folder: Path, project_root: Path, inputs: int) -> tuple[int, int]:
    """One libFuzzer run in a process of its own: how many inputs it tried, in how many seconds. Fails where one of them fails."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for number, seed in enumerate(TARGETS[name].seeds):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    flags = [f"-atheris_runs={inputs}", f"-max_total_time={SECONDS}", "-max_len=2048", "-timeout=30", "-rss_limit_mb=2048"]
    process = subprocess.run(
        [sys.executable, "-m", "tests.faults.fuzz.drive", name, *flags, f"-artifact_prefix={folder}/", str(corpus)],
        cwd=project_root,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    found = _DONE.search(process.stderr + process.stdout)
    failing = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert process.returncode == 0, (failing, process.stderr[-4000:], process.stdout[-4000:])
    assert found is not None, process.stderr[-4000:]
    return int(found[1]), int(found[2])
