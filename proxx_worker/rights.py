"""What the worker itself gives up once it has read its configuration, and what it keeps (decision 0031)."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import proxx_worker
from proxx_worker.engines.resolve.paths import ScriptingPaths
from proxx_worker.engines.tools import Tools
from proxx_worker.process.sandbox import require_kernel, unknown_to
from proxx_worker.process.self_confinement import LEAST_ABI, Confined, Reach, confine_self
from proxx_worker.settings import Settings

_SYSTEM: Final = (
    "/proc",  # mounts, the children's memory, which process holds a lock
    "/etc/ld.so.cache",  # for programs that it starts
    "/etc/localtime",  # for the log
    "/usr/share/zoneinfo",
)


def kept_because(settings: Settings) -> str | None:
    """Why the worker keeps all rights of its user; None: it gives up those that it does not need.

    Raises SANDBOX_UNAVAILABLE where the kernel has no Landlock.
    """
    if settings.source_roots is None or settings.output_roots is None:
        return "source_roots and output_roots are not both set"
    if settings.sandbox == "off":
        return 'sandbox = "off"'
    if not ScriptingPaths.of(settings.resolve_script_api, settings.resolve_script_lib, settings.resolve_executable).absent:
        return "DaVinci Resolve is set up and needs full rights"
    version = require_kernel()
    if version < LEAST_ABI:
        return f"Landlock ABI {version} lets no confined process move files between folders; Linux 5.19 and later do"
    return None


def describe_rights(settings: Settings) -> str:
    """Whether the kernel confines the worker to its roots, for `check`. Raises SANDBOX_UNAVAILABLE."""
    reason = kept_because(settings)
    if reason is not None:
        return f"only the worker's own checks keep it inside its roots: {reason}"
    version = require_kernel()
    unknown = unknown_to(version)
    left = f"; this kernel does not restrict {', '.join(unknown)}" if unknown else ""
    return f"the kernel confines the worker itself to its roots and what it needs to run: Landlock ABI {version}{left}"


def give_up_rights(settings: Settings, tools: Tools | None, writes: Sequence[Path] = ()) -> Confined | None:
    """Confine this process for good to what the worker needs under `settings`, unless `kept_because` says why not.

    `tools`: None where one is missing. `writes`: folders to write besides those that the settings name. Call before any thread is
    started. Children that run keep their rights, and the worker may not signal them: a starter is ended, the next child gets a
    confined one. Raises SANDBOX_UNAVAILABLE.
    """
    if kept_because(settings) is not None:
        return None
    if tools is not None and tools.sandbox is not None:
        tools.sandbox.close()
    written = [*writes, *([] if settings.metrics_file is None else [Path(os.path.realpath(settings.metrics_file)).parent])]
    reach = Reach(
        reads=[*(settings.source_roots or ()), *_SYSTEM, *_modules()],
        writes=[*(settings.output_roots or ()), *(str(folder.absolute()) for folder in written)],
        runs=settings.sandbox_read,
        programs=[sys.executable, *([] if tools is None else [tools.ffmpeg, tools.ffprobe])],
    )
    return confine_self(reach, abstract_sockets=os.environ.get("NOTIFY_SOCKET", "").startswith("@"))


def _modules() -> list[str]:
    """Where Python finds what is imported later, and what a virtual environment says of itself.

    Without the first entry of `sys.path`: with `python -m` it is the current folder, whatever that is.
    """
    found = sys.path if sys.flags.safe_path else sys.path[1:]
    own = str(Path(proxx_worker.__file__).parents[1])
    return [own, f"{sys.prefix}/pyvenv.cfg", *(path for path in found if path.startswith("/"))]
