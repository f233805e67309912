"""Waits until one of some descriptors can be read."""

import math
import select
from collections.abc import Iterable


def wait_readable(descriptors: Iterable[int], seconds: float) -> None:
    """Wait until one of `descriptors` is readable, for at most `seconds`.

    By poll(2): select(2) takes only descriptors below 1024, and a worker may have inherited as many.
    """
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    poll.poll(math.ceil(max(0.0, seconds) * 1000))
