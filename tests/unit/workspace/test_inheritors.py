"""Who inherited a lock, by what the kernel says of a descriptor."""

import pytest

from proxx_worker.workspace.inheritors import inheritor_of, locks_in


@pytest.mark.parametrize(
    ("lines", "locks"),
    [
        (b"", []),
        (b"lock:\t1: FLOCK  ADVISORY  WRITE 14825 fe:00:2253254 0 EOF\n", [(0xFE, 0, 2253254)]),
        (
            b"lock:\t2: FLOCK  ADVISORY  WRITE 0 00:1f:7 0 EOF\nlock:\t3: FLOCK  ADVISORY  READ 1 08:01:9 0 EOF\n",
            [(0, 31, 7), (8, 1, 9)],
        ),
        (b"lock:\t1: POSIX  ADVISORY  WRITE 14825 fe:00:2253254 0 EOF\n", []),
        (b"lock:\t1: FLOCK  ADVISORY  WRITE 14825 fe:00:2253254 0 9\n", []),
    ],
)
def test_only_locks_of_whole_files_by_flock_count(lines: bytes, locks: list[tuple[int, int, int]]) -> None:
    assert locks_in(b"pos:\t0\nflags:\t0100002\nmnt_id:\t27\nino:\t2253254\n" + lines) == locks


def test_what_is_not_there_is_held_by_nobody() -> None:
    assert inheritor_of(b"/nowhere/worker.lock") is None
