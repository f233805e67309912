"""What a child is limited to."""

import os
import resource

import pytest

from proxx_worker.process.limits import most_reserved, within

MIB = 1 << 20


@pytest.mark.parametrize(
    ("wanted", "hard", "limit"),
    [(1, resource.RLIM_INFINITY, 1), (1, 0, 0), (1, 1, 1), (1, 2, 1), (5, 4, 4), (1 << 40, resource.RLIM_INFINITY, 1 << 40)],
)
def test_no_limit_is_raised(wanted: int, hard: int, limit: int) -> None:
    assert within(wanted, hard) == (limit, limit)


@pytest.mark.parametrize(
    ("stack", "counted"),
    [(8 * MIB, 8 * MIB), (MIB, 8 * MIB), (resource.RLIM_INFINITY, 8 * MIB), (8 * MIB + 1, 8 * MIB + 1), (256 * MIB, 256 * MIB)],
)
@pytest.mark.parametrize("processors", [1, 4, None])
def test_stacks_are_counted_as_large_as_they_are(
    monkeypatch: pytest.MonkeyPatch, stack: int, counted: int, processors: int | None
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    monkeypatch.setattr(resource, "getrlimit", lambda which: {resource.RLIMIT_STACK: (stack, resource.RLIM_INFINITY)}[which])
    assert most_reserved(100 * MIB) == 300 * MIB + 8 * (processors or 1) * counted


def test_it_never_exceeds_what_the_kernel_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1 << 61, 1 << 61))
    assert most_reserved(1 << 50) == (1 << 63) - 1
