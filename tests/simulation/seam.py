"""Where the simulation meets the worker: for a while the system's names in the worker's modules stand for a simulated machine.

The real modules are untouched, and so is everything else that runs in this process.
"""

import datetime as dt
import fcntl
import os
import pathlib
import pkgutil
import secrets
import select
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from inspect import isfunction
from types import FunctionType, ModuleType

import proxx_worker.delivery
import proxx_worker.execution
import proxx_worker.files
import proxx_worker.observe
import proxx_worker.process
import proxx_worker.workspace
from proxx_worker.files import allocate, rename, syncing
from tests.faults import invariants
from tests.simulation.system import System

_PACKAGES = (
    proxx_worker.delivery,
    proxx_worker.execution,
    proxx_worker.files,
    proxx_worker.observe,
    proxx_worker.process,
    proxx_worker.workspace,
)
_MODULES = ("proxx_worker.engines.source_file", "proxx_worker.recovery", "proxx_worker.worker")
# Threads, children and systemd's socket: what stands for them is in `world.py`.
_REPLACED = frozenset({"proxx_worker.workspace.events", "proxx_worker.process.drain", "proxx_worker.observe.supervisor"})


@cache
def _modules() -> tuple[ModuleType, ...]:
    names = [info.name for package in _PACKAGES for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")]
    return tuple(import_module(name) for name in (*names, *_MODULES) if name not in _REPLACED)


@cache
def _functions() -> tuple[FunctionType, ...]:
    """Every function of these modules that has a default of the system's: it was bound when the module was read."""
    found: list[FunctionType] = []
    for module in _modules():
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                members = [member.__func__ if isinstance(member, classmethod) else member for member in vars(value).values()]
                found.extend(member for member in members if isfunction(member))
            elif isfunction(value) and value.__module__ == module.__name__:
                found.append(value)
    system = {fcntl.flock, time.monotonic, time.sleep}
    return tuple(it for it in found if system & {*(it.__defaults__ or ()), *_hashable(it.__kwdefaults__ or {})})


def _hashable(defaults: Mapping[str, object]) -> Iterator[object]:
    yield from (value for value in defaults.values() if callable(value))


@contextmanager
def simulated(system: System) -> Iterator[None]:
    """In the body, the worker's modules, and the auditor's, see `system` and nothing else."""
    by_value: dict[object, object] = {
        os: system.os,
        fcntl: system.fcntl,
        select: system.select,
        time: system.time,
        socket: system.socket,
        secrets: system.secrets,
        pathlib.Path: system.path,
        dt.datetime: system.datetime,
    }
    calls: dict[object, object] = {
        fcntl.flock: system.flock,
        time.monotonic: system.monotonic,
        time.sleep: system.kernel.wait,
    }
    undo: list[tuple[ModuleType, str, object]] = []

    def put(module: ModuleType, name: str, value: object) -> None:
        undo.append((module, name, vars(module).get(name)))
        setattr(module, name, value)

    defaults = [(it, it.__defaults__, it.__kwdefaults__) for it in _functions()]
    try:
        for module in (*_modules(), invariants):
            for name, value in list(vars(module).items()):
                if isinstance(value, ModuleType | type) and value in by_value:
                    put(module, name, by_value[value])
            put(module, "open", system.open_file)
        put(rename, "_function", system.renameat2)
        put(allocate, "_fallocate", system.fallocate)
        put(syncing, "_sync_file_range", None)
        for function, by_position, by_name in defaults:
            function.__defaults__ = by_position and tuple(calls.get(value, value) for value in by_position)
            function.__kwdefaults__ = by_name and {key: calls.get(value, value) for key, value in by_name.items()}
        yield
    finally:
        for function, by_position, by_name in defaults:
            function.__defaults__, function.__kwdefaults__ = by_position, by_name
        for module, name, value in reversed(undo):
            if value is None and name == "open":
                delattr(module, name)
            else:
                setattr(module, name, value)


SUPPORTED = sys.platform == "linux"
"""The worker's code for macOS makes other calls."""
