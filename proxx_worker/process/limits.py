"""Limits that the kernel holds a child to, and the errors that say that the system has no room for one."""

import errno
import os
import resource
from typing import Final

NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
"""A start that fails so says nothing of the program or of the sandbox: the system lacks descriptors, memory or processes."""

_THREADS_EACH: Final = 8
"""Threads for each processor."""
_STACK: Final = 8 << 20
"""A thread's stack where the limit is usual; with none at all it is smaller."""
_MOST: Final = (1 << 63) - 1


def most_reserved(memory_bytes: int) -> int:
    """The kernel's limit (RLIMIT_DATA) for a child that may use `memory_bytes`: a backstop behind the worker's own checks.

    It counts reserved memory, which is up to 2.6 times what is used (decision 0021), and the stacks of all threads, each as large
    as the limit on stacks says.
    """
    stack, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return min(3 * memory_bytes + _THREADS_EACH * (os.cpu_count() or 1) * max(_STACK, stack), _MOST)


def within(wanted: int, hard: int) -> tuple[int, int]:
    """Both values of a limit that is to be `wanted`, where `hard` cannot be raised."""
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    return limit, limit
