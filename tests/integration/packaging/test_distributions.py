"""What is handed out holds what it needs, has the same bytes whoever builds it, and works where there is no tree."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

# What a checkout alone has a use for.
_OF_THE_CHECKOUT = {".editorconfig", ".gitattributes", ".gitignore", ".github/workflows/ci.yml", ".pre-commit-config.yaml"}


@pytest.fixture
def tracked(project_root: Path) -> set[str]:
    """Every file of the tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=project_root, check=True, capture_output=True, text=True).stdout
    return set(filter(None, listed.split("\0")))


def build(kind: str, project_root: Path, folder: Path) -> Path:
    """Build with the backend of the lock, as a front end would."""
    program = f"import sys, hatchling.build; print(hatchling.build.build_{kind}(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", program, folder],
        cwd=project_root, env={"SOURCE_DATE_EPOCH": "1700000000"}, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
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


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_two_builds_are_the_same_bytes(kind: str, tracked: set[str], project_root: Path, tmp_path: Path) -> None:
    """Another folder, other times and permissions, other order of the entries: none of it is in the archive."""
    other = tmp_path / "elsewhere" / "tree"
    for name in sorted(tracked, reverse=True):
        copy = other / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project_root / name, copy)
        copy.chmod(0o700 if os.access(project_root / name, os.X_OK) else 0o600)
        os.utime(copy, (1, 1))
    archives = []
    for tree in (project_root, other):
        folder = tmp_path / f"from-{tree.name}"
        folder.mkdir()
        archives.append(build(kind, tree, folder).read_bytes())
    assert archives[0] == archives[1]


def test_the_wheel_works_where_there_is_no_tree(project_root: Path, tmp_path: Path, child_environment: dict[str, str]) -> None:
    """Nothing but the wheel and the packages of the lock: those of this environment, without its link to the tree."""
    environment = tmp_path / "environment"
    venv.create(environment)
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "--disable-pip-version-check"]
    wheel = build("wheel", project_root, tmp_path)
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    (packages,) = environment.glob("lib/python3*/site-packages")
    (packages / "of_the_lock.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def says(*argv: str) -> str:
        ran = subprocess.run(
            [environment / "bin" / argv[0], *argv[1:]],
            cwd=tmp_path, env=child_environment, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return ran.stdout

    where = says("python", "-c", "import proxx_worker; print(proxx_worker.__file__)")
    assert Path(where.strip()).is_relative_to(environment)
    assert "ffmpeg" in says("proxx-worker", "check")
    assert says("proxx-worker", "schema", "result") == (project_root / "docs" / "schema" / "result.schema.json").read_text()
