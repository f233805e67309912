"""ASC Media Hash List: proxies are added to the history of their folder, by the ASC's own implementation."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from ascmhl import commands
from ascmhl.generator import MHLGenerationCreationSession
from ascmhl.history import MHLHistory
from click import ClickException
from lxml.etree import XMLSyntaxError

from proxx_worker.relink.clips import RelinkClip, UnfitError

HASH_FORMAT = "xxh128"
"""The list's schema has no SHA-256; XXH128 is its fastest."""


def add_to_history(clips: Sequence[RelinkClip], folder: str, comment: str) -> int:
    """Make a generation of the history in `folder` with these proxies in it. Returns how many it holds.

    All files are checked before anything is written: each must be in the folder, be the file that its result names, and match
    what an earlier generation recorded. Other files in the folder are left alone. Raises `UnfitError`, and `OSError`.
    """
    root = os.path.abspath(folder)
    proxies = [_inside(clip, root) for clip in clips]
    if not proxies:
        raise UnfitError("there is no proxy to list: no task of these results is completed")
    try:
        return _add(clips, proxies, root, comment)
    except ClickException as error:
        raise UnfitError(f"the history in {root} cannot be continued: {error.format_message()}; nothing was written") from error
    except XMLSyntaxError as error:
        raise UnfitError(
            f"the history in {root} cannot be continued: a file in ascmhl/ is not XML: {error}; restore it. Nothing was written"
        ) from error


def _add(clips: Sequence[RelinkClip], proxies: Sequence[str], root: str, comment: str) -> int:
    history = MHLHistory.load_from_path(root)
    session = MHLGenerationCreationSession(history)
    for clip, path in zip(clips, proxies, strict=True):
        if _sha256(path) != clip.proxy_sha256:
            raise UnfitError(f"{clip.proxy} is not the file that its result names: its SHA-256 differs; nothing was written")
        sealed = commands.seal_file_path(history, path, [HASH_FORMAT], session)
        if not all(one.success for one in sealed.values()):
            raise UnfitError(f"{clip.proxy} is not what the folder's history recorded; nothing was written")
    commands.commit_session(session, None, None, None, None, None, comment)
    return len(proxies)


def _inside(clip: RelinkClip, root: str) -> str:
    """The proxy's path below `root`, which may be another name of its folder: one of the two has a symlink in it."""
    path = os.path.abspath(clip.proxy_file)
    if os.path.commonpath([path, root]) == root:
        return path
    folder, real_root = Path(path).parent.resolve(), Path(root).resolve()
    if folder.is_relative_to(real_root):
        return str(Path(root) / folder.relative_to(real_root) / Path(path).name)
    raise UnfitError(f"{clip.proxy} is not in {root}: name the folder that contains the proxies")


def _sha256(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
