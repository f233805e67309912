"""Root as anybody else: file modes are in force for the test, as they are for a worker that runs as a user.

The test process stays root and only lays two capabilities down, so it still reads a project that lies in root's own home.
Another user's identity would not, and pytest ends the whole session where it can read neither tests nor itself.
"""

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_VERSION_3 = 0x20080522
_WORDS = 6
_OVER_FILE_MODES = 1 << 1 | 1 << 2
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, capabilities(7), in the first word of the effective set."""


@contextmanager
def without_power_over_file_modes() -> Iterator[None]:
    """Let the body of this thread be refused what file modes refuse to its user; nothing changes where that is not root."""
    if os.geteuid() != 0:
        yield
        return
    if platform.system() != "Linux":
        pytest.skip("root lays its power over file modes down on Linux only")
    before = _get()
    _set([before[0] & ~_OVER_FILE_MODES, *before[1:]])
    try:
        if not os.access(__file__, os.R_OK, effective_ids=True):
            raise PermissionError(f"{__file__} belongs to another user and is closed to root without its privileges")
        yield
    finally:
        _set(before)


def _header() -> "ctypes.Array[ctypes.c_uint32]":
    return (ctypes.c_uint32 * 2)(_VERSION_3, 0)  # 0: this thread


def _get() -> list[int]:
    """Effective, permitted and inheritable sets: the first 32 capabilities, then the others."""
    words = (ctypes.c_uint32 * _WORDS)()
    if ctypes.CDLL(None, use_errno=True).capget(_header(), words) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    return list(words)


def _set(words: list[int]) -> None:
    if ctypes.CDLL(None, use_errno=True).capset(_header(), (ctypes.c_uint32 * _WORDS)(*words)) != 0:
        raise OSError(ctypes.get_errno(), "capset")
