"""Linux capabilities: the parts of root's power that a process may give up (capabilities(7)). Other users normally have none."""

import ctypes
from typing import Final

OPEN_ALL: Final = 0b0110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: a worker run by root reads the sources of all users."""

REMOVE_ALL: Final = 0b1000
"""CAP_FOWNER: to remove and replace other users' files in folders like /tmp."""

_VERSION: Final = 0x2008_0522
_libc = ctypes.CDLL(None, use_errno=True)


def keep(capabilities: int) -> None:
    """Give up all of this thread's capabilities but these, a mask within the first 32. Raises `OSError`."""
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; low words, then high ones
    if _libc.capget(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    kept = [sets[0] & capabilities, sets[1] & capabilities, 0, 0, 0, 0]
    if list(sets) != kept and _libc.capset(header, (ctypes.c_uint32 * 6)(*kept)) != 0:
        raise OSError(ctypes.get_errno(), "capset")
