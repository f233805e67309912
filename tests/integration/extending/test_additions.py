"""What is added to the contract must be carried through the package: the type checker names every file that is not done yet."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

MEMBERS = "proxx_worker/contract/output_settings.py"
CONTAINERS = "proxx_worker/contract/codecs.py"
ENCODERS = "proxx_worker/planning/video_codecs.py"
ERRORS = "proxx_worker/contract/errors.py"

PLANNED = """
from proxx_worker.contract.codecs import CONTAINERS, refusal
from proxx_worker.contract.output_settings import Codec, Container
print(CONTAINERS[Codec.PRETEND] == (Container.MKV,), refusal(Codec.PRETEND, Container.MOV))
"""


class Copy:
    """A copy of the package that is changed by editing its text."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._folder = folder
        shutil.copytree(root / "proxx_worker", folder / "proxx_worker", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(root / "pyproject.toml", folder)

    def insert(self, path: str, before: str, text: str) -> None:
        """Put `text` before the last place where `before` stands."""
        file = self._folder / path
        head, found, tail = file.read_text().rpartition(before)
        assert found
        file.write_text(head + text + found + tail)

    def replace(self, path: str, old: str, new: str) -> None:
        file = self._folder / path
        assert file.read_text().count(old) == 1
        file.write_text(file.read_text().replace(old, new))

    def refused(self) -> set[str]:
        """The files that do not type-check."""
        checked = self._run("-m", "mypy", "--cache-dir=.cache", "proxx_worker")
        assert checked.returncode in {0, 1}, checked.stdout + checked.stderr
        files = set(re.findall(r"(?m)^(\S+?\.py):\d+: error: ", checked.stdout))
        assert bool(files) == bool(checked.returncode)
        return files

    def says(self, program: str) -> str:
        """What a program prints that imports the changed package."""
        ran = self._run("-c", program)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # Without coverage's variables: lines of the changed package are not lines of this one.
        environment = {"PATH": os.environ["PATH"]}
        return subprocess.run(
            [sys.executable, *arguments], cwd=self._folder, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def copy(project_root: Path, tmp_path: Path) -> Copy:
    return Copy(project_root, tmp_path)


@pytest.mark.heavy
def test_a_codec_is_refused_until_it_has_containers_and_an_encoder(copy: Copy) -> None:
    copy.insert(MEMBERS, "\n\nclass Container(", '    PRETEND = "pretend"\n')
    assert copy.refused() == {CONTAINERS, ENCODERS}

    copy.insert(
        CONTAINERS,
        "        case _:\n            assert_never(codec)",
        '        case Codec.PRETEND:\n            return (Container.MKV,), "it is no codec"\n',
    )
    assert copy.refused() == {ENCODERS}

    case = '        case Codec.PRETEND:\n            return VideoEncoder("pretend", None, "yuv420p", ("-c:v", "pretend"){tags})\n'
    never = "        case codec:\n            assert_never(codec)"
    copy.insert(ENCODERS, never, case.format(tags=""))
    assert copy.refused() == {ENCODERS}, "which colour tags its bitstream can say must be told"

    copy.replace(ENCODERS, '("-c:v", "pretend"))', '("-c:v", "pretend"), EVERYTHING)')
    assert copy.refused() == set()
    assert copy.says(PLANNED) == "True pretend in mov is refused: it is no codec"


@pytest.mark.heavy
def test_a_codec_without_fields_must_be_planned_among_those(copy: Copy) -> None:
    copy.insert(MEMBERS, "\n\nclass Container(", '    PRETEND = "pretend"\n')
    copy.replace(ENCODERS, "| Codec.AV1) as codec", "| Codec.AV1 | Codec.PRETEND) as codec")
    copy.replace(ENCODERS, "Codec.VP9, Codec.AV1]", "Codec.VP9, Codec.AV1, Codec.PRETEND]")
    assert copy.refused() == {CONTAINERS, ENCODERS}


def test_an_error_code_is_added_in_one_file(copy: Copy) -> None:
    code = '    PRETEND = "PRETEND", ErrorClass.EXECUTION, Again.NEVER, "it is no code", "take another one"\n'
    copy.insert(ERRORS, "    # fmt: on\n", code)
    assert copy.refused() == set()
    shown = "from proxx_worker.contract.errors import ErrorCode, exit_code; print(exit_code([ErrorCode.PRETEND]))"
    assert copy.says(shown) == "2"
    shown = "from proxx_worker.desk.remedies import remedy_of; print(remedy_of('PRETEND').action)"
    assert copy.says(shown) == "take another one"
    assert copy.says("from proxx_worker.cli import main; main(['explain', 'PRETEND'])").splitlines() == [
        "PRETEND (execution, exit code 2)",
        "  when:  it is no code",
        "  do:    take another one",
        "  again: submitting the same spec again ends the same way",
    ]
