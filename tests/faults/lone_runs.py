"""`run` on a bench: what it may leave behind when it is broken, and what the next job in its output directory finds.

`run` has no folders that remember it. So its invariants are those of the output directory and of the `--result` file alone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults.laboratory import Bench, Ended, kill_before, trace_options
from tests.faults.sweeps import Subject, has

STAGING = ".proxx-run"
TASKS = (0, 1)

KILLED_AT = {
    "encoded": has("fsync", "/a_001.mp4>"),
    "one of two published": has("renameat2", '"a_001.mp4"'),
    "published": has("unlinkat", STAGING),
}
"""Where an earlier `run` was killed, for the sweeps over the job that comes next."""


def fresh(bench: Bench) -> None:
    """A spec of two tasks, `a`, one of one task, `b`, and a folder for their results."""
    bench.reset()
    (bench.root / "results").mkdir()
    for name, sources in (("a", TASKS), ("b", (2,))):
        (bench.root / f"{name}.json").write_bytes(bench.spec(name, sources))


def taken(bench: Bench) -> None:
    """Somebody's file has the name of `a`'s second output: the job is refused."""
    fresh(bench)
    bench.keep("a_001.mp4", b"somebody else's")


def run(bench: Bench, job: str, *strace: str) -> Ended:
    """Run the spec `job`."""
    arguments = ("run", str(bench.root / f"{job}.json"), "--result", str(_result_path(bench, job)))
    return bench.command(*arguments, strace=strace)


@dataclass(frozen=True)
class LoneRuns:
    """`run` as a subject of sweeps. `whole`: every output of `a` and `b` as an undisturbed run makes it, by name."""

    whole: Mapping[str, bytes]

    @classmethod
    def learn(cls, bench: Bench) -> "LoneRuns":
        """Run both jobs undisturbed. The same spec gives the same bytes, so these are what every other run must have made."""
        fresh(bench)
        assert [run(bench, job).code for job in ("a", "b")] == [0, 0]
        return cls({name: data for name, data in _entries(bench).items() if name not in bench.kept})

    def first(self) -> Subject:
        """`a`, in a fresh directory; after it `b`."""
        return Subject(fresh, lambda bench, strace: run(bench, "a", *strace), self._audit)

    def refused(self) -> Subject:
        """`a`, where a name is taken; after it `b`."""
        return Subject(taken, lambda bench, strace: run(bench, "a", *strace), self._audit)

    def after(self, state: str) -> Subject:
        """`b`, where an `a` was killed before the call that `KILLED_AT[state]` picks; after it `b` again, if it did not end."""

        def prepare(bench: Bench) -> None:
            fresh(bench)
            run(bench, "a", *trace_options())
            call = next(call for call in bench.durable_calls() if KILLED_AT[state](call))
            fresh(bench)
            assert run(bench, "a", *kill_before(call)).code < 0, f"{call} was not reached"
            for name in _published(bench, "a"):
                bench.keep(name, self.whole[name])  # whole, and from now on nobody's to touch

        return Subject(
            prepare, lambda bench, strace: run(bench, "b", *strace), lambda bench, broken: self._audit(bench, broken, "b")
        )

    def _audit(self, bench: Bench, broken: Ended, job: str = "a") -> Iterator[str]:
        if broken.broke:
            yield f"it fell over: {broken.errors[-1500:]}"
        yield from (f"right after: {fault}" for fault in self._names_hold_whole_files(bench))
        yield from (f"right after: {fault}" for fault in self._nothing_of_the_job_is_lost(bench, broken, job))
        yield from (f"right after: {fault}" for fault in _result_is_true(bench, broken, job))
        published = [*_published(bench, "a"), *_published(bench, "b")]
        following = run(bench, "b")
        expected = (4, "OUTPUT_EXISTS") if "b_000.mp4" in published else (0, None)
        if (following.code, _code(_read(_result_path(bench, "b")))) != expected:
            yield f"the next job ended with {following.code}: {following.errors[-1500:]}"
        there = sorted(_entries(bench))
        if expected[0] == 0 and there != sorted({*bench.kept, *published, "b_000.mp4"}):
            yield f"after the next job: {there}"
        yield from (f"after the next job: {fault}" for fault in self._names_hold_whole_files(bench))

    def _names_hold_whole_files(self, bench: Bench) -> Iterator[str]:
        entries = _entries(bench)
        for name, data in bench.kept.items():
            if entries.get(name) != data:
                yield f"{name} was there before and was changed"
        for name in entries.keys() - bench.kept.keys() - {STAGING}:
            if name not in self.whole:
                yield f"{name} is nobody's"
            elif entries[name] != self.whole[name]:
                yield f"{name} has a final name and is not whole"

    def _nothing_of_the_job_is_lost(self, bench: Bench, broken: Ended, job: str) -> Iterator[str]:
        """Outputs get their names only once all are made: each is under its name, or waits in staging until the next job."""
        published = set(_published(bench, job))
        if not published:
            return
        if broken.code > 0 and _code(_read_output(broken)) is not None:
            yield f"it failed, and {sorted(published)} stay published"
        staging = bench.outputs / STAGING
        for name in (name for name in self.whole if name.startswith(f"{job}_") and name not in published):
            if not (staging / name).is_file() or (staging / name).read_bytes() != self.whole[name]:
                yield f"{sorted(published)} are published, and {name} is neither published nor whole in staging"


def _result_is_true(bench: Bench, broken: Ended, job: str) -> Iterator[str]:
    """The `--result` file is whole or absent, stdout has the same, and what is told of the outputs is so."""
    path = _result_path(bench, job)
    others = sorted(entry.name for entry in path.parent.iterdir() if entry != path)
    if others and (broken.code >= 0 or not all(name.startswith(".tmp-") for name in others)):
        yield f"beside the result is left {others}"
    result = _read(path)
    if path.exists() and result is None:
        yield "the result is not whole"
    if broken.output and _read_output(broken) is None:
        yield "what stdout has is not whole"
    if path.exists() and broken.output and path.read_bytes() != broken.output:
        yield "the result in the file and the one on stdout differ"
    for told in (result, _read_output(broken)):
        if told is None:
            continue
        completed = [Path(str(task["output"])).name for task in told["tasks"] if task["status"] == "COMPLETED"]
        if sorted(completed) != _published(bench, job):
            yield f"the result tells of {completed}, and there is {_published(bench, job)}"
    if broken.code >= 0 and result is None and _read_output(broken) is None and _published(bench, job):
        yield f"it ended with {broken.code} and no result tells of what it published"


def _result_path(bench: Bench, job: str) -> Path:
    return bench.root / "results" / f"{job}.result.json"


def _entries(bench: Bench) -> dict[str, bytes]:
    """What the output directory holds; of a folder no bytes."""
    return {path.name: b"" if path.is_dir() else path.read_bytes() for path in bench.outputs.iterdir()}


def _published(bench: Bench, job: str) -> list[str]:
    return sorted(name for name in _entries(bench) if name.startswith(f"{job}_") and name not in bench.kept)


def _read(path: Path) -> dict[str, list[dict[str, object]]] | None:
    return _parsed(path.read_bytes()) if path.exists() else None


def _read_output(ended: Ended) -> dict[str, list[dict[str, object]]] | None:
    return _parsed(ended.output)


def _parsed(data: bytes) -> dict[str, list[dict[str, object]]] | None:
    try:
        content = json.loads(data)
    except ValueError:
        return None
    return content if isinstance(content, dict) and "tasks" in content else None


def _code(result: Mapping[str, object] | None) -> object:
    error = None if result is None else result["error"]
    return error["code"] if isinstance(error, dict) else None
