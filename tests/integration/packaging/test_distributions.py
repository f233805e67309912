"""What is handed out holds what it needs: the sources all of the tree, the wheel the package alone."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

# What a checkout alone has a use for.
_OF_THE_CHECKOUT = {".editorconfig", ".gitattributes", ".gitignore"}


@pytest.fixture
def tracked(project_root: Path) -> set[str]:
    """Every file of the tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=project_root, check=True, capture_output=True, text=True).stdout
    return set(filter(None, listed.split("\0")))


def build(kind: str, project_root: Path, folder: Path) -> Path:
    """Build with the backend of the lock, as a front end would."""
    program = f"import sys, hatchling.build; print(hatchling.build.build_{kind}(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", program, folder], cwd=project_root, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return folder / built.strip()


def test_the_source_distribution_is_the_whole_tree(tracked: set[str], project_root: Path, tmp_path: Path) -> None:
    with tarfile.open(build("sdist", project_root, tmp_path)) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked - held - _OF_THE_CHECKOUT == set()


def test_the_wheel_is_the_package(tracked: set[str], project_root: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(build("wheel", project_root, tmp_path)) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held >= {name for name in tracked if name.startswith("proxx_worker/")}
    assert {name.partition("/")[0] for name in held} == {"proxx_worker"}
