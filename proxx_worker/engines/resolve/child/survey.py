"""The survey before the first render: what Resolve offers, and how it imports each source."""

from proxx_worker.engines.resolve.child.session import Session
from proxx_worker.engines.resolve.child.wire import UNAVAILABLE, dictionary, refuse, sequence, texts

UNSUPPORTED = "SOURCE_UNSUPPORTED"


def survey(session: Session) -> None:
    """Send a `media` event for every source, in order. Raises `RefusalError` for what fails all of them."""
    session.require_target()
    project = session.create_project()
    _require_offered(session, project)
    pool = session.wire.call(project, "GetMediaPool")
    examined: dict[str, dict[str, object]] = {}
    for index, path in enumerate(session.request.sources):
        if path not in examined:  # what Resolve does with a second import of a clip is not known
            examined[path] = _examine(session, pool, path)
        session.wire.send("media", index=index, **examined[path])


def import_one(session: Session, pool: object, path: str) -> tuple[object, str | None]:
    """The clip that Resolve imports from the file at `path`, or why it does not import exactly one."""
    items = sequence(session.wire.call(pool, "ImportMedia", [path]))
    if len(items) == 1 and items[0] is not None:
        return items[0], None
    if not items:
        return None, "Resolve must import it, but does not: check that it is complete and in a format that Resolve reads"
    return None, f"Resolve must import it as one clip, but imports {len(items)}. Give clips one by one"


def _examine(session: Session, pool: object, path: str) -> dict[str, object]:
    item, fault = import_one(session, pool, path)
    if fault is not None:
        return {"code": UNSUPPORTED, "message": fault}
    properties = dictionary(session.wire.call(item, "GetClipProperty", ""))
    plain = {name: value for name, value in properties.items() if isinstance(value, str | int | float) or value is None}
    return {"properties": plain}


def _require_offered(session: Session, project: object) -> None:
    request, wire = session.request, session.wire
    presets = texts(wire.call(project, "GetRenderPresetList"))
    if request.preset not in presets:
        refuse(
            UNAVAILABLE,
            f"the render preset {request.preset!r} must exist in this Resolve, which has {', '.join(presets) or 'none'}. Import "
            "it there, or correct `resolve_preset`.",
            preset=request.preset,
            presets=presets,
        )
    formats = dictionary(wire.call(project, "GetRenderFormats"))
    if request.format not in formats.values():
        _not_offered(f"the format {request.format}", formats)
    codecs = dictionary(wire.call(project, "GetRenderCodecs", request.format))
    if request.codec not in codecs.values():
        _not_offered(f"the codec {request.codec} in {request.format}", codecs)


def _not_offered(what: str, offered: dict[str, object]) -> None:
    ids = sorted(str(value) for value in offered.values())
    refuse(
        UNAVAILABLE,
        f"this Resolve must offer {what}, but offers {', '.join(ids) or 'nothing'}. Render on a machine that does, or use "
        "another profile.",
        offered=ids,
    )
