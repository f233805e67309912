"""Faults put into the worker's own code for a while: those of the crash laboratory, and each of its syncs without effect.

A fault is a change of a function's source. Its code object is exchanged, so that it is at work wherever the function is known; a
source that has changed since, and no longer has the words to be changed, fails loudly.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FunctionType, ModuleType

from greenlet import getcurrent

from proxx_worker import recovery as recoverer
from proxx_worker.delivery import output_directory, publishing, staged_file, staging
from proxx_worker.execution import executor
from proxx_worker.files import allocate, durable, rename
from proxx_worker.workspace import claimed, layout, lock, recovery, requests, reservation, spool, submit
from tests.simulation.disk import DEAF

_MODULES: Sequence[ModuleType] = (
    allocate, durable, rename,
    claimed, layout, lock, recovery, requests, reservation, spool, submit,
    output_directory, publishing, staged_file, staging,
)  # fmt: skip
_SYNCS = frozenset(
    {"sync_file", "sync_directory", "sync_directory_fd", "sync_output", "_sync", "fsync", "_sync_log", "_make_durable"}
)


@dataclass(frozen=True)
class Change:
    """In the source of `function`, `old` becomes `new`."""

    function: Callable[..., object]
    old: str
    new: str

    @contextmanager
    def made(self) -> Iterator[None]:
        """The change is at work in the body."""
        assert isinstance(self.function, FunctionType)
        source = textwrap.dedent(inspect.getsource(self.function))
        assert self.old in source, f"{self.function.__qualname__} has changed: look for a new way to seed this fault"
        with _exchanged(self.function, ast.parse(source.replace(self.old, self.new))):
            yield


@dataclass(frozen=True)
class Fault:
    """A fault of the worker's: all its changes at once."""

    name: str
    changes: Sequence[Change]

    @contextmanager
    def seeded(self) -> Iterator[None]:
        """The fault is at work in the body."""
        with ExitStack() as stack:
            for change in self.changes:
                stack.enter_context(change.made())
            yield


@dataclass(frozen=True)
class MissingSync:
    """A sync that makes nothing durable: the `number`-th in `function`."""

    function: FunctionType
    number: int
    words: str

    @property
    def name(self) -> str:
        """Where it is, and what it syncs."""
        module = self.function.__module__.removeprefix("proxx_worker.")
        return f"{module}.{self.function.__qualname__} {self.number}: {self.words}"

    @contextmanager
    def seeded(self) -> Iterator[None]:
        """It has no effect in the body."""
        tree = ast.parse(textwrap.dedent(inspect.getsource(self.function)))
        self.function.__globals__["_without_effect"] = _without_effect
        try:
            with _exchanged(self.function, _WithoutSync(self.number).visit(tree)):
                yield
        finally:
            self.function.__globals__.pop("_without_effect", None)  # it may be gone with another fault of the module


def _without_effect(sync: Callable[[], object]) -> object:
    """Make the call, as ever, so that the schedule stays as it is; only that nothing becomes durable by it."""
    me = getcurrent()
    DEAF.add(me)
    try:
        return sync()
    finally:
        DEAF.discard(me)


class _WithoutSync(ast.NodeTransformer):
    def __init__(self, number: int) -> None:
        self._left = number

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _is_sync(node):
            self._left -= 1
            if self._left == 0:
                call = ast.Lambda(ast.arguments([], [], None, [], [], None, []), node)
                return ast.copy_location(ast.Call(ast.Name("_without_effect", ast.Load()), [call], []), node)
        return self.generic_visit(node)


@contextmanager
def _exchanged(function: FunctionType, tree: ast.AST) -> Iterator[None]:
    assert isinstance(tree, ast.Module)
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list.clear()
    made: dict[str, FunctionType] = {}
    exec(compile(ast.fix_missing_locations(tree), f"<seeded {function.__qualname__}>", "exec"), function.__globals__, made)  # noqa: S102
    whole, function.__code__ = function.__code__, made[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = whole


def _is_sync(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in _SYNCS


def missing_syncs() -> Iterator[MissingSync]:
    """Every sync of the packages `files`, `workspace` and `delivery`, without effect, one at a time."""
    for module in _MODULES:
        for function in _functions(module):
            if function.__name__ not in _SYNCS - {"_sync_log", "_make_durable"}:
                tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
                for number, node in enumerate(filter(_is_sync, _in_order(tree)), start=1):
                    yield MissingSync(function, number, ast.unparse(node))


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    """As a transformer meets them: a call before what is in it."""
    for node in ast.iter_child_nodes(tree):
        yield node
        yield from _in_order(node)


def _is_of(function: FunctionType, module: ModuleType) -> bool:
    return function.__code__.co_filename == module.__file__


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    for value in vars(module).values():
        for member in vars(value).values() if inspect.isclass(value) else [value]:
            function = member.__func__ if isinstance(member, classmethod) else member
            # From Python 3.14 on a class has a function for its annotations, whose source is the class's.
            if inspect.isfunction(function) and function.__name__ != "__annotate__" and _is_of(function, module):
                yield function


FAULTS: Sequence[Fault] = (
    Fault(
        "a result written in place",
        [
            Change(
                spool.Spool.commit,
                "self._record.write(encode_result(result))\n    self._record.replace(self._running(job.stem).result)",
                "fd = os.open(self._running(job.stem).result, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)\n"
                "    os.write(fd, encode_result(result))\n"
                "    sync_file(fd)\n"
                "    os.close(fd)\n"
                "    sync_directory(self.workspace.running)",
            )
        ],
    ),
    Fault(
        "the spec moved first",
        [
            Change(
                spool.Spool.finish,
                "self._move(here.result, there.result)",
                "self._move(here.spec, there.spec)\n    self._move(here.result, there.result)",
            ),
            Change(spool.Spool._move, "if not exists(dst):", "if False:"),
        ],
    ),
    Fault(
        "an output written straight to its name",
        [
            Change(staging.Staging.create, "StagedFile.create(self._fd,", "StagedFile.create(self._output,"),
            Change(
                publishing.Publisher._publish_one, "try:\n", "if self._status(self.output, name):\n        return\n    try:\n"
            ),
        ],
    ),
    Fault(
        "outputs published before the decision",
        [
            Change(
                executor.Executor._execute_in,
                "        result = _commit(",
                "        if error is None:\n            staging.publish(stop.requested)\n        result = _commit(",
            ),
            Change(executor._publish, "staging.publish(stop.requested)", "stop.requested()"),
        ],
    ),
    Fault(
        "a retry",
        [
            Change(
                recovery._items,
                "yield RecoveryItem(",
                "if decide(standing) is Decision.INTERRUPT:\n"
                "        os.replace(files_in(spool.workspace.running, stem).spec, files_in(spool.workspace.inbox, stem).spec)\n"
                "        return\n"
                "    yield RecoveryItem(",
            )
        ],
    ),
    Fault(
        "a recovery that overwrites",
        [Change(recovery._standing, "if exists(path):", "if exists(path) and os.unlink(path):")],
    ),
    Fault(
        "a recovery that gives up",
        [
            Change(
                recoverer.Recoverer.finish_jobs,
                "found = recover(self.spool)",
                'found = recover(self.spool)\n    if found.items:\n        raise ProxxError(ErrorCode.IO_ERROR, "not with this")',
            )
        ],
    ),
)
"""Those of `tests/faults/test_power_loss.py`, made in the code that it makes them in, or in that which writes its steps."""
