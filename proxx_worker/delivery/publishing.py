"""Giving all outputs of a job their names, or none of them; forwards, backwards, and again after a crash."""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.delivery.names import path_bytes
from proxx_worker.delivery.staged_file import digest_of
from proxx_worker.files.errnos import classify_os_error
from proxx_worker.files.rename import rename_no_clobber
from proxx_worker.files.syncing import sync_directory_fd


@dataclass(frozen=True, slots=True)
class Recorded:
    """An output as the commit record tells it: its final name, size in bytes, SHA-256 as hex."""

    name: str
    size: int
    sha256: str


class PublishingStuckError(Exception):
    """Outputs could be neither published nor taken back: the commit record must stay, and the next start decides.

    Not a `ProxxError`, because it is no fault that a job's result could state: the job is not decided. `error` says why.
    """

    def __init__(self, error: ProxxError) -> None:
        """`error`: what refused the last step back."""
        super().__init__(str(error))
        self.error = error.error


@dataclass(frozen=True, slots=True)
class Passage:
    """The two held folders between which outputs move. `path`: the output directory, for messages and results."""

    output: int
    staging: int
    path: str

    def publish(self, names: Sequence[str]) -> None:
        """Move every name out of staging, and make that durable.

        Where one is refused, take the published ones back first. Raises OUTPUT_EXISTS with `details.output`, the path that was
        taken, NO_SPACE or IO_ERROR; `PublishingStuckError` where taking back failed.
        """
        self._publish(names, [])

    def resume(self, outputs: Sequence[Recorded]) -> None:
        """Finish a publishing that a crash cut, as often as it takes. Every output is compared with its record.

        Raises as `publish` does; IO_ERROR where an output is lost or differs from its record. Then all are back in staging.
        """
        published: list[str] = []
        faults: list[ProxxError] = []
        for output in outputs:
            try:
                if self._is_published(output):
                    published.append(output.name)
            except ProxxError as fault:
                faults.append(fault)
        if faults:
            self.take_back(published)
            raise faults[0]
        names = [output.name for output in outputs if output.name not in published]
        self._publish(names, published)

    def take_back(self, names: Iterable[str]) -> None:
        """Move published outputs back into staging, the last one first, and make that durable.

        Raises `PublishingStuckError` where one is refused: then some stand in either folder.
        """
        taken = list(names)[::-1]
        if not taken:
            return
        try:
            for name in taken:
                self._move_back(name)
            # In this order: a name must not be durably gone from one folder before it is durably in the other.
            self._sync(self.staging)
            self._sync(self.output)
        except ProxxError as error:
            raise PublishingStuckError(error) from error

    def final_path(self, name: str) -> str:
        """Where the output `name` stands once it is published."""
        return f"{self.path.rstrip('/')}/{name}"

    def _publish(self, names: Sequence[str], published: list[str]) -> None:
        try:
            for name in names:
                self._move_out(name)
                published.append(name)
            self._sync(self.output)
        except ProxxError:
            self.take_back(published)
            raise

    def _move_out(self, name: str) -> None:
        raw = path_bytes(name)
        try:
            rename_no_clobber(raw, raw, src_dir_fd=self.staging, dst_dir_fd=self.output)
        except FileExistsError as error:
            raise output_exists([name], self.path) from error
        except OSError as error:
            raise classify_os_error(error, "publish", path_bytes(self.final_path(name))) from error

    def _move_back(self, name: str) -> None:
        raw = path_bytes(name)
        try:
            rename_no_clobber(raw, raw, src_dir_fd=self.output, dst_dir_fd=self.staging)
        except OSError as error:
            raise classify_os_error(error, "take back", path_bytes(self.final_path(name))) from error

    def _sync(self, folder: int) -> None:
        try:
            sync_directory_fd(folder)
        except OSError as error:
            raise classify_os_error(error, "make durable", path_bytes(self.path)) from error

    def _is_published(self, output: Recorded) -> bool:
        """Whether it has its final name already. Raises OUTPUT_EXISTS, IO_ERROR."""
        staged, final = self._status(self.staging, output.name), self._status(self.output, output.name)
        if staged is not None:
            self._require_intact(self.staging, output)
            if final is None:
                return False
            if not os.path.samestat(staged, final):
                raise output_exists([output.name], self.path)
            # Where a rename is a link and an unlink, the crash came between the two.
            self._forget_staged(output.name)
            return True
        if final is None:
            raise self._lost(output, "it is in neither folder")
        self._require_intact(self.output, output)
        return True

    def _status(self, folder: int, name: str) -> os.stat_result | None:
        try:
            return os.stat(path_bytes(name), dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise classify_os_error(error, "look at", path_bytes(self.final_path(name))) from error

    def _require_intact(self, folder: int, output: Recorded) -> None:
        try:
            descriptor = os.open(
                path_bytes(output.name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
            )
        except OSError as error:
            raise classify_os_error(error, "read", path_bytes(self.final_path(output.name))) from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size != output.size:
                raise self._lost(output, f"what stands there has {status.st_size} bytes, not {output.size}")
            if digest_of(descriptor) != output.sha256:
                raise self._lost(output, "what stands there has other bytes")
        except OSError as error:
            raise classify_os_error(error, "read", path_bytes(self.final_path(output.name))) from error
        finally:
            os.close(descriptor)

    def _forget_staged(self, name: str) -> None:
        try:
            self._sync(self.output)
            os.unlink(path_bytes(name), dir_fd=self.staging)
        except OSError as error:
            raise classify_os_error(error, "publish", path_bytes(self.final_path(name))) from error

    def _lost(self, output: Recorded, reason: str) -> ProxxError:
        path = self.final_path(output.name)
        return ProxxError(
            ErrorCode.IO_ERROR,
            f"an output that was finished must still be there to be published: {path} is not ({reason}). "
            "Someone else changed the output directory, or its storage lost data. Submit the job again.",
            output=path,
            reason=reason,
        )


def output_exists(names: Sequence[str], path: str) -> ProxxError:
    """OUTPUT_EXISTS for the taken `names`; `details.output` is the first of them, `details.existing` all, as whole paths."""
    existing = [f"{path.rstrip('/')}/{name}" for name in names]
    return ProxxError(
        ErrorCode.OUTPUT_EXISTS,
        f"an output is never overwritten, and something already has this name: {', '.join(existing)}. "
        "Move it away, or give the job another naming template or output directory.",
        output=existing[0],
        existing=list(existing),
    )
