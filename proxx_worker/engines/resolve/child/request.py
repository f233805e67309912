"""The child's request: one JSON document, written by the parent and read by the child, which are of the same version."""

import json
from dataclasses import asdict, dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Limits:
    """How long the child waits, in seconds.

    `start`: until a Resolve that it started can be scripted. `begin`: at 0 percent. `idle`: for a render that has ended below
    100 percent (percentages lag by up to 10 s), or that gives no answer. `stop`: until an earlier render of ours ends after
    it was stopped, which takes as long as the frame in flight (8 minutes were seen). `settle`: how long a finished file must
    stay the same size. `clean`: for the cleanup after the answer. `poll`: between two polls.
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
    """One request: survey sources, or render one.

    `keep`: descriptors that a Resolve started by the child inherits. `home`: the user's home folder. `target`: the folder to
    render into. `format`, `codec`: Resolve's ids. `sources`: all for `survey`, one for `render`. `name`: of the output file,
    without `extension`. `timecode`: of the timeline's first frame.
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
        """The JSON document. Bytes of paths that are not UTF-8 are lone surrogates, which JSON escapes."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, document: bytes) -> "Request":
        """The reverse of `encode`."""
        fields = json.loads(document)
        return cls(**{**fields, "limits": Limits(**fields["limits"])})
