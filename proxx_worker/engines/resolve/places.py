"""Where DaVinci Resolve's scripting lies. No version is asked for: which Resolve that is, is the operator's decision.

The defaults are where Blackmagic's installers put it, as its scripting README has them.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.process.spawn import is_executable_file

_MAC = "/Library/Application Support/Blackmagic Design/DaVinci Resolve/Developer/Scripting"
_MAC_LIB = "/Applications/DaVinci Resolve/DaVinci Resolve.app/Contents/Libraries/Fusion/fusionscript.so"
_LINUX = "/opt/resolve/Developer/Scripting"
_LINUX_LIB = "/opt/resolve/libs/Fusion/fusionscript.so"

DEFAULT_API, DEFAULT_LIB = (_MAC, _MAC_LIB) if sys.platform == "darwin" else (_LINUX, _LINUX_LIB)
MODULE = "Modules/DaVinciResolveScript.py"
PAGE = "see docs/resolve.md"


@dataclass(frozen=True, slots=True)
class Places:
    """Absolute paths. `api`: the folder that holds `Modules`. `executable`: what to start; None to attach to what runs.

    `named`: the operator has named at least one of them, so that one that is missing is a fault and not merely an absence.
    """

    api: str
    lib: str
    executable: str | None
    named: bool

    @classmethod
    def of(cls, api: str | None, lib: str | None, executable: str | None) -> "Places":
        """What is configured, and else the system's usual places."""
        named = any(path is not None for path in (api, lib, executable))
        return cls(api or DEFAULT_API, lib or DEFAULT_LIB, executable, named)

    @property
    def absent(self) -> bool:
        """Whether nobody has named a Resolve and none lies in the usual place: this worker is not meant to have one."""
        return not self.named and not Path(self.lib).exists()

    def require(self) -> None:
        """Raise RESOLVE_UNAVAILABLE, naming the setting, where one of them is not there. Starts nothing."""
        if self.absent:
            raise ProxxError(
                ErrorCode.RESOLVE_UNAVAILABLE,
                f"camera RAW is rendered by DaVinci Resolve Studio, and there is none here: {self.lib} does not exist. Install "
                f"it on this machine, or set `resolve_script_lib` and `resolve_script_api` ({PAGE}); or make these proxies "
                "elsewhere.",
                resolve_script_lib=self.lib,
            )
        module = f"{self.api}/{MODULE}"
        _require("resolve_script_lib", self.lib, os.access(self.lib, os.R_OK) and Path(self.lib).is_file(), "a file to read")
        _require("resolve_script_api", module, os.access(module, os.R_OK), "a file to read")
        if self.executable is not None:
            _require("resolve_executable", self.executable, is_executable_file(self.executable), "a program to run")


def _require(setting: str, path: str, fine: bool, what: str) -> None:  # noqa: FBT001 - a private step of `require`
    if not fine:
        raise ProxxError(
            ErrorCode.RESOLVE_UNAVAILABLE,
            f"DaVinci Resolve's scripting must be at hand, but {path} is not {what}. Install Resolve Studio, or correct "
            f"`{setting}` ({PAGE}).",
            setting=setting,
            path=path,
        )
