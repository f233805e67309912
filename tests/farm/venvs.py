"""Test tools in virtual environments of their own: what they need must not decide what the worker or its own tests run with."""

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"


def make_venv(folder: Path, *names: str) -> Path:
    """An environment with what `requirements/NAME.txt` pins, by hash and nothing else; returns its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    for name in names:
        locked = ("--no-deps", "--require-hashes", "--requirement", REQUIREMENTS / f"{name}.txt")
        subprocess.run([folder / "bin" / "python", "-m", "pip", *quiet, "install", *locked], check=True)
    return folder / "bin"
