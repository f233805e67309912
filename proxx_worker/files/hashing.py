"""SHA-256 of files that may be large and on slow storage."""

import hashlib
import os
from collections.abc import Callable
from typing import Final

CHUNK_BYTES: Final = 1 << 20


def sha256_of(descriptor: int, checkpoint: Callable[[], object]) -> str:
    """SHA-256 of an open file as hex. The descriptor's position is neither used nor changed.

    `checkpoint` is called before each MiB; what it raises ends the hashing. Raises `OSError`.
    """
    digest = hashlib.sha256()
    buffer = bytearray(CHUNK_BYTES)
    view = memoryview(buffer)
    offset = 0
    while True:
        checkpoint()
        size = os.preadv(descriptor, [buffer], offset)
        if size == 0:
            return digest.hexdigest()
        digest.update(view[:size])
        offset += size
