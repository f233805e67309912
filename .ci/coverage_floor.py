"""Fails where the coverage just measured is below its floor: every branch of the pure packages, 90 % of the package."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

# What is measured, and the least of it that tests must reach, in percent of lines and branches together.
FLOORS = {
    "proxx_worker/contract/": 100.0,
    "proxx_worker/media/": 100.0,
    "proxx_worker/planning/": 100.0,
    "proxx_worker/verification/": 100.0,
    "proxx_worker/": 90.0,
}


def measured() -> dict[str, dict[str, int]]:
    """The counts of each file, from the data file in the working directory (pytest-cov has combined the children's into it)."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "report"], check=True)
    with TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        subprocess.run([*coverage, "json", "--quiet", "-o", report], check=True)
        files = json.loads(report.read_bytes())["files"]
    return {name: file["summary"] for name, file in files.items()}


def percent(files: dict[str, dict[str, int]], prefix: str) -> float:
    """Covered lines and branches of all files under `prefix`, in percent of those there are."""
    counts = [summary for name, summary in files.items() if name.startswith(prefix)]
    total = sum(count["num_statements"] + count["num_branches"] for count in counts)
    covered = sum(count["covered_lines"] + count["covered_branches"] for count in counts)
    return 100 * covered / total if total else 0.0


def main() -> int:
    """Print each floor and what was reached; 1 where one is missed."""
    files = measured()
    missed = 0
    for prefix, floor in FLOORS.items():
        reached = percent(files, prefix)
        below = reached < floor
        missed += below
        print(f"{'BELOW' if below else 'ok':5}  {prefix:26} {reached:6.2f} %  (floor {floor:g} %)")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
