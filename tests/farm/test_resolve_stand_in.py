"""The stand-in for DaVinci Resolve, held against what nobody here wrote: a typed stub of the API, and a client that renders."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path

import pytest

from tests.farm.venvs import make_venv
from tests.support.jobs import TOOLS
from tests.support.resolve.world import API, HERE, PRESET, StandIn, raw_clip

ROOT = Path(__file__).resolve().parents[2]
CHILD = ROOT / "proxx_worker" / "engines" / "resolve" / "child"

EMPTY = {"RenderJobStatus", "RenderJob", "RenderPreset"}
"""Records that the stub leaves empty: what stands in them is known from measurements alone (docs/resolve.md)."""

LACKS_DEFAULTS = {"ProjectManager.CreateProject": 1, "Project.GetRenderResolutions": 2}
"""Methods whose last arguments the stub has as required, where Blackmagic's README and typed stub have them as optional."""

OUTSIDE = {"scriptapp"}
"""A function of the module, which no class of the stub has."""


@dataclass(frozen=True)
class Arity:
    """How many arguments a method takes, `self` apart."""

    least: float
    most: float

    def allows(self, count: int) -> bool:
        return self.least <= count <= self.most


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_venv(tmp_path_factory.mktemp("resolve"), "resolve")


@pytest.fixture(scope="module")
def stub(programs: Path) -> ast.Module:
    (path,) = programs.parent.glob("lib/python3*/site-packages/fusionscript-stubs/fusionscript.pyi")
    return ast.parse(path.read_text())


def classes(module: ast.Module) -> Mapping[str, ast.ClassDef]:
    return {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}


def methods(node: ast.ClassDef) -> Mapping[str, Arity]:
    """Of each public method: the least and the most that any of its overloads takes."""
    found: dict[str, list[Arity]] = {}
    for function in node.body:
        if isinstance(function, ast.FunctionDef) and function.name[0].isupper():
            places = len(function.args.args) - 1
            least = places - len(function.args.defaults)
            found.setdefault(function.name, []).append(Arity(least, inf if function.args.vararg else places))
    return {name: Arity(min(it.least for it in all_), max(it.most for it in all_)) for name, all_ in found.items()}


def test_every_method_is_one_of_the_stub_with_its_arity(stub: ast.Module) -> None:
    known = classes(stub)
    ours = {name: node for name, node in classes(ast.parse((HERE / "studio.py").read_text())).items() if name != "Database"}
    assert len(ours) >= 8
    different: dict[str, object] = {}
    for name, node in ours.items():
        theirs = methods(known[name])
        for method, arity in methods(node).items():
            wanted = theirs.get(method)
            lacking = LACKS_DEFAULTS.get(f"{name}.{method}", 0)
            if wanted is None or arity != Arity(wanted.least - lacking, wanted.most):
                different[f"{name}.{method}"] = (arity, wanted)
    assert different == {}


def test_the_exceptions_are_still_needed(stub: ast.Module) -> None:
    known = classes(stub)
    assert {name for name in EMPTY if not [it for it in known[name].body if isinstance(it, ast.AnnAssign)]} == EMPTY
    for name, lacking in LACKS_DEFAULTS.items():
        kind, method = name.split(".")
        assert methods(known[kind])[method].least == lacking + (1 if method == "CreateProject" else 0)


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Name and number of arguments of every `call(api, "Name", ...)` in the child."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "call":
                yield str(node.args[1].value), len(node.args) - 2


def test_every_call_of_the_child_is_one_that_the_stub_knows(stub: ast.Module) -> None:
    arities: dict[str, list[Arity]] = {}
    for node in classes(stub).values():
        for method, arity in methods(node).items():
            arities.setdefault(method, []).append(arity)
    made = {call for path in CHILD.glob("*.py") for call in calls(path)}
    assert len(made) >= 30
    optional = {name.split(".")[1] for name in LACKS_DEFAULTS}
    wrong = {
        (name, count)
        for name, count in made
        if name not in OUTSIDE and name not in optional and not any(arity.allows(count) for arity in arities.get(name, ()))
    }
    assert wrong == set()
    forbidden = {"SaveProject", "DeleteAllRenderJobs", "SetCurrentDatabase", "GetVersion", "GetVersionString", "pinghosts"}
    assert not {name for name, _ in made} & forbidden
    assert {count for name, count in made if name == "scriptapp"} == {1}, "no host, ever"


def test_a_client_that_nobody_here_wrote_renders_through_it(programs: Path, tmp_path: Path) -> None:
    clip, out = raw_clip(tmp_path), tmp_path / "out"
    out.mkdir()
    exempt = {"dvr's project": "a client that is no worker makes a project of its own and keeps it"}
    with StandIn.made(tmp_path / "standin", exempt=exempt) as standin:
        standin.start()
        driver = Path(__file__).with_name("drive_by_dvr.py")
        library = standin.folder / "fusionscript.so"
        command = list(map(str, (programs / "python", driver, API, library, clip, out, PRESET)))
        subprocess.run(command, check=True, env={"PATH": "/usr/bin:/bin"})
        assert "dvr's project" in standin.projects()
    asked = [TOOLS.ffprobe, "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames", "-of", "csv=p=0"]
    told = subprocess.run([*asked, "-select_streams", "v", out / "by_dvr.mov"], capture_output=True, text=True, check=True)
    assert set(told.stdout.split()) == {"prores,10"}  # FFmpeg 9 lists the streams of a stream group again


def test_the_child_needs_the_standard_library_alone() -> None:
    child = "proxx_worker.engines.resolve.child"
    look = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {child}.resolve_child; "
        "print(*(name for name in sys.modules if name.partition('.')[0] not in {*sys.stdlib_module_names, '__main__'}))"
    )
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", look], capture_output=True, text=True, check=True)
    assert set(ended.stdout.split()) == {
        "proxx_worker",
        "proxx_worker.engines",
        "proxx_worker.engines.resolve",
        child,
        *(f"{child}.{path.stem}" for path in CHILD.glob("*.py") if path.stem != "__init__"),
    }
