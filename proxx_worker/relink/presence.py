"""Whether the proxies are where their results say: a file that leads to them must not lead to what is gone."""

from collections.abc import Sequence
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.text import encodable
from proxx_worker.relink.clips import RelinkClip


def require_proxies(clips: Sequence[RelinkClip]) -> str | None:
    """Raise IO_ERROR if a proxy is missing from its folder. Returns what to say of those that cannot be seen from here.

    A result may have come from another machine, whose storage is not mounted here: its paths can still be written.
    """
    unseen = []
    for clip in clips:
        path, shown = Path(clip.proxy_file), encodable(clip.proxy_file)
        if _exists(path):
            continue
        if _exists(path.parent) and _exists(path) is False:
            message = (
                f"{shown} is not where its result says; nothing was written. If `gather` has moved it, name the gathered.json "
                "of its new folder beside the results; else put it back, or leave its result out"
            )
            raise ProxxError(ErrorCode.IO_ERROR, message, path=shown)
        unseen.append(shown)
    if not unseen:
        return None
    more = f" and {len(unseen) - 1} more" if len(unseen) > 1 else ""
    return f"not checked, because this machine cannot see it: {unseen[0]}{more}; the paths are those of the results"


def _exists(path: Path) -> bool | None:
    """None if the system cannot tell."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return None
    return True
