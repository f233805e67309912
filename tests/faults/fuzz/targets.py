"""The four targets by name. Each takes any bytes, and fails only by an exception that a caller would not expect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.faults.fuzz.encoder_targets import fuzz_encoder
from tests.faults.fuzz.media_targets import fuzz_facts
from tests.faults.fuzz.spec_targets import fuzz_jobspec, fuzz_naming
from tests.unit.contract.corpus import VALID, encoded
from tests.unit.media.documents import audio, document, video


@dataclass(frozen=True)
class Target:
    """`seeds`: inputs to start from; a fuzzer finds the others."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


_SPREAD = tuple(bytes((number * step + number) % 256 for number in range(160)) for step in range(1, 12))

TARGETS: Mapping[str, Target] = {
    "jobspec": Target(fuzz_jobspec, (*_SPREAD, *(b"\1" + encoded(spec) for spec in VALID.values()))),
    "naming": Target(fuzz_naming, _SPREAD),
    "facts": Target(fuzz_facts, (*_SPREAD, b"\0" + document(video(), audio()))),
    "encoder": Target(fuzz_encoder, _SPREAD),
}
