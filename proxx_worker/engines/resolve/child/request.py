"""What the child is asked for: one JSON document. The parent writes it, the child reads it; both are of one version."""

import json
from dataclasses import asdict, dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Limits:
    """How long the child waits, in seconds.

    `start`: until a Resolve that it started can be scripted. `begin`: at 0 percent. `idle`: for a render that is over but not at
    100 percent yet (percentages lag by up to 10 s), or that gives no answer. `stop`: for an earlier render of ours to end after
    it was stopped, which takes as long as the frame in flight (8 minutes were seen). `settle`: how long a finished file must
    stand still. `clean`: for all that comes after the answer. `poll`: between two questions.
    """

    start: float = 300.0
    begin: float = 60.0
    idle: float = 15.0
    stop: float = 600.0
    settle: float = 1.0
    clean: float = 20.0
    poll: float = 0.5


@dataclass(frozen=True)
class Request:
    """One piece of work: to look at sources, or to render one.

    `keep`: descriptors that a Resolve which the child starts inherits. `home`: that user's home folder. `target`: the folder that
    is rendered into. `format`, `codec`: Resolve's ids. `sources`: all for `survey`, one for `render`. `name`: of the file that is
    to come, without `extension`. `timecode`: of the timeline's first frame.
    """

    work: Literal["survey", "render"]
    script_api: str
    script_lib: str
    executable: str | None
    home: str | None
    project: str
    target: str
    preset: str
    format: str
    codec: str
    sources: list[str]
    limits: Limits = field(default_factory=Limits)
    keep: list[int] = field(default_factory=list)
    name: str = ""
    extension: str = ""
    timecode: str | None = None
    project_settings: list[tuple[str, str]] = field(default_factory=list)
    render_settings: list[tuple[str, bool | int | str]] = field(default_factory=list)

    def encode(self) -> bytes:
        """The document. Paths that are not UTF-8 keep their bytes as lone surrogates, which JSON escapes."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, document: bytes) -> "Request":
        """Read `encode`'s bytes back."""
        fields = json.loads(document)
        return cls(**{**fields, "limits": Limits(**fields["limits"])})
