"""Stdout and stderr as commands get them."""

import io
import os
from collections.abc import Callable

import pytest

from proxx_worker.cli.streams import guard_stderr, guard_stdout


@pytest.mark.parametrize("guard", [guard_stdout, guard_stderr])
def test_a_line_is_written_at_once_where_python_is_unbuffered(guard: Callable[[io.TextIOWrapper], io.TextIOWrapper]) -> None:
    """PYTHONUNBUFFERED gives streams that write through and are not line-buffered."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with os.fdopen(writer, "wb", buffering=0) as raw, io.TextIOWrapper(raw, write_through=True) as stream:
        guarded = guard(stream)
        guarded.write("a line\n")
        assert os.read(reader, 100) == b"a line\n"
        guarded.detach()
    os.close(reader)
