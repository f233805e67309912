"""Test tools in virtual environments of their own: what they need must not decide what the worker or its own tests run with."""

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"


def make_venv(folder: Path, *names: str, lock: Path | None = None) -> Path:
    """An environment with what `requirements/NAME.txt`, or `lock`, pins by hash, no more; returns its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    for file in [*(REQUIREMENTS / f"{name}.txt" for name in names), *([lock] if lock else [])]:
        locked = ("--no-deps", "--require-hashes", "--requirement", file)
        subprocess.run([folder / "bin" / "python", "-m", "pip", *quiet, "install", *locked], check=True)
    return folder / "bin"
