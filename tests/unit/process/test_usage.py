"""What /proc says of a process's memory, by value."""

from pathlib import Path

import pytest

from proxx_worker.process.usage import held_by, peak_of

MEMORY = "VmHWM:\t    9000 kB\nRssAnon:\t    1000 kB\nRssFile:\t    500 kB\nRssShmem:\t     20 kB\nVmSwap:\t      3 kB\n"
ENDED = "Name:\tffmpeg\nState:\tZ (zombie)\nThreads:\t2\n"


def process(proc: Path, status: str, *threads: str) -> Path:
    for folder, content in (("7", status), *((f"7/task/{number}", thread) for number, thread in enumerate(threads, 7))):
        (proc / folder).mkdir(parents=True, exist_ok=True)
        (proc / folder / "status").write_text(content)
    return proc


@pytest.mark.parametrize("groups", [0, 3, 400, 65_536])
def test_private_memory_counts_however_many_groups_come_before_it(tmp_path: Path, groups: int) -> None:
    listed = " ".join(str(1_234_500_000 + number) for number in range(groups))
    proc = process(tmp_path, f"Name:\tffmpeg\nGroups:\t{listed} \n{MEMORY}")
    assert held_by(7, str(proc)) == 1023 * 1024
    assert peak_of(7, str(proc)) == 9000 * 1024


def test_where_the_first_thread_has_ended_another_one_tells(tmp_path: Path) -> None:
    assert held_by(7, str(process(tmp_path, ENDED, ENDED, ENDED, MEMORY))) == 1023 * 1024


def test_one_that_tells_nothing_holds_nothing(tmp_path: Path) -> None:
    assert held_by(7, str(process(tmp_path, ENDED, ENDED))) == 0
    assert held_by(8, str(tmp_path)) == 0
    assert peak_of(8, str(tmp_path)) == 0


def test_a_thread_that_comes_between_two_looks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proc = process(tmp_path, ENDED, ENDED)
    lists = iter([[], ["8"], ["9"], [], ["7"]])
    monkeypatch.setattr("os.listdir", lambda _: next(lists))
    (proc / "7" / "task" / "7" / "status").write_text(MEMORY)
    assert held_by(7, str(proc)) == 1023 * 1024
