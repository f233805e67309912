"""The media table as a page, and its figures for whoever watches."""

from collections.abc import Iterator, Mapping

from tests.acceptance.media.rows import Cell
from tests.acceptance.media.table import CLIPS, TARGETS, Refused, Target

INTRODUCTION = """# Real clips, and what becomes of them

Written by `PROXX_WRITE_PAGES=1 make heavy PYTEST_ARGS=tests/acceptance/media/test_media_table.py`; do not edit. `make heavy`
fails if this page is not what comes out, or if an outcome is not what an editor expects
(`tests/acceptance/media/table.py`).

Each `ok` is a proxy that was compared with its source by means other than the worker's own checks: frames and the time of each,
exact rate, end, start timecode, reel, every audio stream's channels, layout, rate and length, the timing of its audio to a
millisecond, display aspect, upright picture, fields and their order, colour tags in container and bitstream, range, and every
picture against the source's, both converted to RGB by zimg.

There are rules for unusual clips: audio is placed by the source's clock
([0020](decisions/0020-audio-by-the-clock.md)), pictures before the first that can be decoded are left out and counted
([0024](decisions/0024-recordings-that-begin-between-keyframes.md)), the rate is what the frames have
([0027](decisions/0027-the-rate-that-the-frames-have.md)), changing frames and fields stay what they are
([0032](decisions/0032-telecine-and-changing-fields.md)), and a turned or mirrored picture is upright in its proxy
([0033](decisions/0033-orientation.md)).
"""

_SHORT = {
    "COMPLETED": "ok",
    "SOURCE_UNSUPPORTED": "unsupported",
    "SOURCE_NO_VIDEO": "no video",
    "SOURCE_DAMAGED": "damaged",
    "ENGINE_MISMATCH": "mismatch",
    "RESOLVE_UNAVAILABLE": "no Resolve",
}

Table = Mapping[str, Mapping[Target, Cell]]


def render(table: Table) -> str:
    """The page."""
    return "\n".join([INTRODUCTION, *_outcomes(table), "", *_reasons(table), "", *_facts(table)]) + "\n"


def _outcomes(table: Table) -> Iterator[str]:
    yield "| clip | " + " | ".join(target.name.removeprefix("proxy_") for target in TARGETS) + " |"
    yield "|---" * (len(TARGETS) + 1) + "|"
    rows = {name: _codes(name, row) for name, row in table.items()}
    for name, codes in rows.items():
        yield f"| `{name}` | " + " | ".join(_SHORT.get(code, code) for code in codes) + " |"
    outcomes = [code for codes in rows.values() for code in codes]
    counts = ", ".join(f"{outcomes.count(code)} {code}" for code in sorted(set(outcomes)))
    yield f"\n{len(outcomes)} jobs: {counts}."


def _codes(name: str, row: Mapping[Target, Cell]) -> list[str]:
    """What became of the clip; where versions of FFmpeg differ, what becomes of it by one that cannot decode it."""
    without = CLIPS[name].without
    return [cell.code for cell in row.values()] if without is None else [without.code] * len(row)


def _reasons(table: Table) -> Iterator[str]:
    yield "## Why not\n"
    yield "| clip | where | code | reason |"
    yield "|---|---|---|---|"
    for name in table:
        grouped: dict[Refused, list[str]] = {}
        without = CLIPS[name].without
        for target, refused in (CLIPS[name].refused if without is None else dict.fromkeys(TARGETS, without)).items():
            grouped.setdefault(refused, []).append(target.name.removeprefix("proxy_"))
        for refused, targets in grouped.items():
            where = "all" if len(targets) == len(TARGETS) else ", ".join(targets)
            yield f"| `{name}` | {where} | `{refused.code}` | {refused.reason} |"


def _facts(table: Table) -> Iterator[str]:
    yield "## What each proxy was held to\n"
    yield "| clip | frames | rate | aspect | fields | turned | timecode | reel | audio |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name in table:
        truth = CLIPS[name].truth
        if truth is not None:
            sound = "; ".join(dict.fromkeys(f"{truth.sounds.count(one)} x {one}" for one in truth.sounds))
            values = (
                truth.frames, truth.rate or "varies", truth.aspect, truth.fields, f"{truth.turns * 90}°",
                truth.timecode or "none", truth.reel or "none", sound or "none",
            )  # fmt: skip
            yield f"| `{name}` | " + " | ".join(map(str, values)) + " |"


def figures(table: Table) -> str:
    """How like each proxy's pictures and sound are to its source's."""
    lines = [f"{'clip':52} {'proxy':20} {'pictures':>8} {'worst SSIM':>10} {'shift':>6} {'typical':>7}  sound"]
    for name, row in table.items():
        for target, cell in row.items():
            if cell.proof is None:
                lines.append(f"{name:52} {target.name:20} {cell.code}")
                continue
            like, sound = cell.proof.likeness, cell.proof.matches
            heard = f"{len(sound)} channels, worst {min(m.correlation for m in sound):.4f}" if sound else ""
            lines.append(
                f"{name:52} {target.name:20} {like.pictures:8} {like.ssim:10.4f} {like.shift:6.2f} {like.typical:7.1f}  {heard}"
            )
    return "\n".join(lines) + "\n"
