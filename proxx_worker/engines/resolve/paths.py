"""The paths of DaVinci Resolve's scripting files. No version is checked: the operator decides which Resolve to use.

The defaults are where Blackmagic's installers put them, according to its scripting README.
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
class ScriptingPaths:
    """Absolute paths. `api`: the folder that contains `Modules`. `executable`: None to attach to a running Resolve.

    `configured`: the operator has set at least one of them, so a missing one is an error.
    """

    api: str
    lib: str
    executable: str | None
    configured: bool

    @classmethod
    def of(cls, api: str | None, lib: str | None, executable: str | None) -> "ScriptingPaths":
        """The configured paths, with the installers' defaults for those that are not."""
        configured = any(path is not None for path in (api, lib, executable))
        return cls(api or DEFAULT_API, lib or DEFAULT_LIB, executable, configured)

    @property
    def absent(self) -> bool:
        """Whether no Resolve is configured and none is installed in the default location: this worker is to run without."""
        return not self.configured and not Path(self.lib).exists()

    def require(self) -> None:
        """Raise RESOLVE_UNAVAILABLE, naming the setting, if one of them is missing. Starts no process."""
        if self.absent:
            raise ProxxError(
                ErrorCode.RESOLVE_UNAVAILABLE,
                f"camera RAW needs DaVinci Resolve Studio, which is not installed here: {self.lib} does not exist. Install "
                f"it on this machine, or set `resolve_script_lib` and `resolve_script_api` ({PAGE}), or make these proxies "
                "on another machine.",
                resolve_script_lib=self.lib,
            )
        module = f"{self.api}/{MODULE}"
        _require("resolve_script_lib", self.lib, os.access(self.lib, os.R_OK) and Path(self.lib).is_file(), "a readable file")
        _require("resolve_script_api", module, os.access(module, os.R_OK), "a readable file")
        if self.executable is not None:
            _require("resolve_executable", self.executable, is_executable_file(self.executable), "an executable file")


def _require(setting: str, path: str, ok: bool, what: str) -> None:  # noqa: FBT001 - a private step of `require`
    if not ok:
        raise ProxxError(
            ErrorCode.RESOLVE_UNAVAILABLE,
            f"DaVinci Resolve's scripting files must exist, but {path} is not {what}. Install Resolve Studio, or correct "
            f"`{setting}` ({PAGE}).",
            setting=setting,
            path=path,
        )
