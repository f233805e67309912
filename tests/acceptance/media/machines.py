"""The same FFmpeg as other machines would run it: fewer CPUs, older SIMD.

Every library below FFmpeg finds out by itself what the CPU can do, so each is told in its own way: FFmpeg's own code by
`-cpuflags`, x264, x265 and SVT-AV1 by `asm` among their parameters, libvpx by VPX_SIMD_CAPS, the C library's mathematics by
GLIBC_TUNABLES. libopus has no such switch: its SIMD follows the machine.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.clips import tool

_FLAGS = {
    "sse2": "mmx+mmxext+cmov+sse+sse2",
    "ssse3": "+sse3+ssse3",
    "sse4.2": "+sse4.1+sse4.2",
    "avx": "+avx",
    "avx2": "+avx2+fma3+bmi1+bmi2",
}
LEVELS = tuple(_FLAGS)
"""Each with all it builds on, as CPUs come: `-cpuflags sse2` alone would be one without SSE, and none with AVX2 lacks FMA3.

Without a level: what the machine has.
"""

_VPX = {"sse2": 0x07, "ssse3": 0x1F, "sse4.2": 0x3F, "avx": 0x7F, "avx2": 0xFF}
_SVT = {"sse2": "ssse3", "sse4.2": "sse4_2"}
"""SVT-AV1 as FFmpeg 9.0 has it crashes with `asm=sse2`, whatever it encodes. CPUs without SSSE3 are of before 2006."""

_ABOVE = ("SSSE3", "SSE4_1", "SSE4_2", "AVX", "FMA", "FMA4", "AVX2", "AVX512F")
_FIRST_ABOVE = {"sse2": 0, "ssse3": 1, "sse4.2": 3, "avx": 4, "avx2": 7}

_PROGRAM = """#!{python} -IS
import os, sys

argv = sys.argv[1:]
for option, words in {parameters!r}:
    if option in argv:
        at = argv.index(option) + 1
        argv[at] = argv[at] + ":" + words
os.environ.update({environment!r})
os.execv({ffmpeg!r}, [{ffmpeg!r}, "-cpuflags", {flags!r}, *argv])
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """`level` None: the SIMD that is here. `one_cpu`: on the first CPU alone."""

    level: str | None = None
    one_cpu: bool = False

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands before the worker's command."""
        return ("taskset", "-c", "0") if self.one_cpu else ()

    def ffmpeg(self, folder: Path) -> Path:
        """The program to give as `--ffmpeg`."""
        if self.level is None:
            return Path(tool("ffmpeg"))
        path = folder / f"ffmpeg-{self.level}"
        parameters = (
            ("-x264-params", f"asm={self.level}"),
            ("-x265-params", f"asm={self.level}"),
            ("-svtav1-params", f"asm={_SVT.get(self.level, self.level)}"),
        )
        missing = ",".join(f"-{name}" for name in _ABOVE[_FIRST_ABOVE[self.level] :])
        path.write_text(
            _PROGRAM.format(
                python=sys.executable,
                ffmpeg=tool("ffmpeg"),
                flags="".join(_FLAGS[name] for name in LEVELS[: LEVELS.index(self.level) + 1]),
                parameters=parameters,
                environment={"VPX_SIMD_CAPS": str(_VPX[self.level]), "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={missing}"},
            )
        )
        path.chmod(0o755)
        return path
