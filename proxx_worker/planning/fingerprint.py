"""One hash per task over settings, facts and command, so that two machines can be compared without comparing outputs."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction

from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.output_settings import OutputSettings
from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.source_record import rational, source_media


def fingerprint(settings: OutputSettings, facts: MediaFacts, arguments: Sequence[str]) -> str:
    """SHA-256 (hex) over canonical JSON of the three; `arguments` must already be free of paths."""
    document = {
        "settings": settings_as_json(settings),
        "facts": source_media(facts).model_dump(mode="json"),
        "arguments": list(arguments),
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def settings_as_json(settings: OutputSettings) -> Mapping[str, JsonValue]:
    """The settings as a result shows them: rates as `30000/1001`, the resolution as a JobSpec writes it."""
    values = asdict(settings) | {"resolution": str(settings.resolution)}
    return {name: rational(value) if isinstance(value, Fraction) else value for name, value in values.items()}
