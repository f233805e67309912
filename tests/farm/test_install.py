"""The ways to install, each in a new Debian: a check and a first job work, and nothing is left when it is gone."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.results import parse_result
from tests.farm.roots import Root, needs_roots
from tests.farm.venvs import REQUIREMENTS

pytestmark = [pytest.mark.heavy, pytest.mark.whole]
BUILD = "import sys, hatchling.build as it; print(it.build_wheel(sys.argv[1])); print(it.build_sdist(sys.argv[1]))"
FIRST_JOB = """
proxx-worker check
proxx-worker spec --profile proxy_h264_low --output-directory /out --naming-template first /media/a.mov > /spec.json
proxx-worker run /spec.json > /result.json
"""
OURS = {"spec.json", "result.json", "out/first.mp4"}
"""What the first job leaves."""

APT = "apt-get install -qq -y --no-install-recommends"


@pytest.fixture(scope="module")
def built(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist."""
    folder = tmp_path_factory.mktemp("built")
    argv = (sys.executable, "-c", BUILD, folder)
    printed = subprocess.run(argv, cwd=project_root, capture_output=True, text=True, check=True).stdout
    wheel, sdist = (folder / name for name in printed.split())
    return wheel, sdist


def lay(root: Path, clips: Path, *files: Path) -> None:
    """A clip, a place for outputs, and these files below /root."""
    for name in ("media", "out"):
        (root / name).mkdir(exist_ok=True)
    shutil.copy(clips / "A001C001.mov", root / "media" / "a.mov")
    for file in files:
        shutil.copy(file, root / "root")


def first_job(root: Root, path: str) -> None:
    """`check`, then a job. `path`: where the command is."""
    shutil.rmtree(root.path / "out")
    (root.path / "out").mkdir()
    said = root.run(f"PATH={path}:$PATH\n{FIRST_JOB}")
    assert "VIOLATED" not in said
    assert parse_result((root.path / "result.json").read_bytes())["status"] == "COMPLETED"
    assert (root.path / "out" / "first.mp4").stat().st_size


@pytest.fixture(scope="module")
def equipped(debian: Root, built: tuple[Path, Path], clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    """One with FFmpeg, and with what installs Python's programs: pipx of Debian, uv from its lock."""
    with debian.copy(tmp_path_factory.mktemp("equipped") / "root") as root:
        lay(root.path, clips, *built, REQUIREMENTS / "install.txt")
        root.run(f"{APT} ffmpeg pipx python3-venv")
        root.run("python3 -m venv /uv; /uv/bin/pip -q install --no-deps --require-hashes -r install.txt")
        yield root


@needs_roots
@pytest.mark.parametrize(
    ("path", "install", "remove"),
    [
        pytest.param("/root/.local/bin", "pipx install ./proxx_worker-*.whl", "pipx uninstall proxx-worker", id="pipx"),
        pytest.param(
            "/root/.local/bin", "/uv/bin/uv tool install ./proxx_worker-*.whl", "/uv/bin/uv tool uninstall proxx-worker", id="uv"
        ),
        pytest.param(
            "/pip/bin", "python3 -m venv /pip; /pip/bin/pip -q install proxx_worker-*.tar.gz",
            "/pip/bin/pip uninstall -y proxx-worker", id="pip, from the sdist",
        ),
    ],
)  # fmt: skip
def test_the_wheel_and_the_sdist(equipped: Root, path: str, install: str, remove: str) -> None:
    before = equipped.files()
    equipped.run(install)
    first_job(equipped, path)
    equipped.run(remove)
    left = equipped.files() - before - OURS
    # The installers keep logs, locks and caches of their own; and pip the packages that it did not ask to remove.
    own = ("root/.cache/", "root/.local/pipx/logs/", "root/.local/pipx/.cache/", "root/.local/pipx/shared/")
    assert not [name for name in left if "proxx" in name and not name.startswith(own)]
    assert not (equipped.path / path.lstrip("/") / "proxx-worker").exists()


@pytest.fixture(scope="module")
def package(debian: Root, built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Debian package, made from the sdist in a Debian with nothing in it."""
    folder = tmp_path_factory.mktemp("package")
    with debian.copy(folder / "root") as root:
        shutil.copy(built[1], root.path / "root" / "proxx-worker.tar.gz")
        root.run("mkdir /source /built; tar -xzf proxx-worker.tar.gz -C /source --strip-components=1")
        root.run("/source/deploy/debian/build-deb /built")
        (made,) = (root.path / "built").iterdir()
        return Path(shutil.copy(made, folder))


@needs_roots
def test_the_debian_package(debian: Root, package: Path, clips: Path, tmp_path: Path) -> None:
    with debian.copy(tmp_path / "root") as root:
        lay(root.path, clips, package)
        # What it says that it needs, and that alone: so the files from here on are the package's.
        root.run(f'{APT} "$(dpkg-deb --field ./{package.name} Depends)"'.replace("install", "satisfy", 1))
        before = root.files()
        root.run(f"{APT} ./{package.name}")
        assert root.run("id --user proxx").strip().isdecimal()
        unit = "/usr/lib/systemd/system/proxx-worker@.service"
        assert root.run(f"systemd-analyze verify --recursive-errors=no --man=no {unit} 2>&1") == ""
        assert root.run("grep -rl debian/proxx-worker /opt/proxx-worker || true") == "", "the path of where it was made"
        first_job(root, "/usr/bin")
        root.run("install -d -o proxx -g proxx /ws; proxx-worker submit /ws /spec.json; rm /out/first.mp4")
        root.run("proxx-worker watch --once /ws")
        assert (root.path / "ws" / "done" / "spec.json").exists()
        listed = root.run("dpkg --listfiles proxx-worker").split()
        assert {"/usr/share/man/man1/proxx-worker.1.gz", "/usr/bin/proxx-worker", unit} <= set(listed)
        root.run("apt-get purge -qq -y proxx-worker")
        left = {name for name in root.files() - before - OURS if not name.startswith("ws/")}
        # The account stays, with the old lists of accounts that its making left. The rest are records of dpkg, apt and systemd.
        accounts = {f"etc/{name}-" for name in ("passwd", "shadow", "group", "gshadow")}
        assert {name for name in left - accounts if not name.startswith(("run/", "var/cache/", "var/lib/", "var/log/"))} == set()
        assert not [name for name in left if "proxx" in name]
