"""Fuzzes one target, guided by coverage: `python -m tests.faults.fuzz.drive TARGET [libFuzzer's flags and corpus folders]`."""

import sys

import atheris

with atheris.instrument_imports(include=["proxx_worker"]):
    from tests.faults.fuzz.targets import TARGETS


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
