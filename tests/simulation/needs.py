"""What each sync of the worker's is needed for, as far as schedules can tell: every one is in exactly one of three lists.

A sync is named by its function and its place in it.
"""

from collections.abc import Mapping, Sequence

from tests.simulation.weather import Blow

IN_STORMS = (
    "files.durable.write_durable 1",
    "files.durable.write_durable 2",
    "files.rename._link_and_unlink 1",
    "workspace.claimed.read_claimed 1",
    "workspace.recovery._sync_moves 1",
    "workspace.recovery._sync_moves 2",
    "workspace.recovery._sync_moves 3",
    "workspace.recovery._drop_from_inbox 1",
    "workspace.reservation.Reservation.write 1",
    "workspace.reservation.Reservation.replace 1",
    "workspace.spool.Spool.claim 1",
    "workspace.spool.Spool.claim 2",
    "workspace.spool.Spool.finish 1",
    "workspace.spool.Spool.finish 2",
    "workspace.spool.Spool.finish 3",
    "workspace.spool.Spool.finish 4",
    "workspace.spool.Spool._sync_log 1",
    "workspace.submit.sync_drop 1",
    "workspace.submit._copy 1",
    "delivery.output_directory.discard_staging 1",
    "delivery.staged_file.StagedFile.seal 1",
    "delivery.staged_file.StagedFile.seal 2",
    "delivery.staging.Staging.create 1",
    "delivery.staging.Staging.remove 1",
    "delivery.staging.Staging._make_durable 1",
)
"""Those that storms are seen to need."""

_RECORD = rb"/work\d/\.proxx/next\.result\.json"
_OUTPUT = rb"\w+_\d+\.mov"
_STAGING = rb"\.proxx-.*"
_OUTPUTS = rb"/out\d"

PLANNED: Mapping[str, Sequence[Blow]] = {
    # A kill before the folders' first sync; the next start makes none of them; then `.proxx/` is lost, and the id in it.
    "workspace.layout.Workspace._sync_folders 1": (Blow("kill", "fsync", rb"/work\d"), Blow("cut", "open", _OUTPUT)),
    # The same of the file with the id.
    "workspace.layout.Workspace.identity 1": (Blow("kill", "fsync", rb"/work\d/\.proxx"), Blow("cut", "open", _OUTPUT)),
    # A power cut leaves a job's file in both folders; it is collected; another brings the file back, and it belongs to no job.
    "workspace.recovery._drop_from_running 1": (
        Blow(None, "renameat2", rb"/work\d/done/[^.]*\.json"),
        Blow("cut", "open", rb"/work\d/running"),
    ),
    # A cancel that was carried out is back when the same spec is there again.
    "workspace.requests.Requests.settle 1": (
        Blow(None, "unlink", rb"/work\d/inbox/.*\.cancel"),
        Blow("cut", "renameat2", rb"/work\d/running/[^.]*\.json"),
    ),
    # The staging folder is made, and the answer is an error; the job has failed, and the folder is back.
    "delivery.output_directory.OutputDirectory.open_staging 1": (Blow("lose_reply", "mkdir", _STAGING),),
    # Somebody has taken the last output's name. The others are durably out of the output directory, and not yet in staging.
    "delivery.publishing.Publisher._roll_back 1": (Blow(None, "rename", _RECORD), Blow("cut", "rename", _RECORD)),
    # They are still in the output directory, although the job is decided as FAILED.
    "delivery.publishing.Publisher._roll_back 2": (
        Blow(None, "rename", _RECORD),
        Blow(None, "rename", _RECORD),
        Blow("cut", "rmdir", _STAGING),
    ),
    # A share: a kill between an output's link and its sync, then a power cut right after the old name is gone.
    "delivery.publishing.Publisher._finish_rename 1": (
        Blow(None, "link", _OUTPUT),
        Blow("kill", "open", rb"\."),
        Blow(None, "fsync", _OUTPUTS),
        Blow("cut", "fsync", _OUTPUTS),
    ),
    # The staging folder of a job whose outputs are all taken over from another program.
    "delivery.staging.Staging.adopt 1": (Blow(None, "rename", _RECORD), Blow("cut", "write", rb"/work\d/running/.*")),
}
"""Those that need two or three things within a few calls: a storm would meet them once in ten thousand schedules or fewer."""

NOT_NEEDED: Mapping[str, str] = {
    "files.allocate.preallocate_or_fill 1": "to notice a full disk early; what is written over it is synced before it counts",
    "workspace.layout.make_folder 1": "`_sync_folders` syncs the same folder before anything depends on what was made",
    "workspace.lock._lock_both 1": "for readers on other hosts; the lock itself is the kernel's, and a power cut ends it",
    "workspace.spool.Spool.set_aside_corrupt 1": "no power cut tears a result; the commit that follows syncs the same folder",
    "delivery.publishing.Publisher._publish 1": "the removal of staging syncs the same folder before the job leaves `running/`",
    "delivery.staged_file._require_finished 1": "to notice a file that still grows; `seal` syncs it before the decision",
}
"""Those that no schedule can tell from none, and why."""

TOGETHER = ("workspace.layout.Workspace._sync_folders 1", "workspace.layout.make_folder 1")
"""One makes up for the other in a start that nothing befalls: a storm needs one of them."""

OF_THE_LABORATORY = (
    TOGETHER,
    ("files.durable.write_durable 1",),
    ("files.durable.write_durable 2",),
    ("workspace.claimed.read_claimed 1",),
    ("workspace.spool.Spool.claim 1",),
    ("workspace.spool.Spool.claim 2",),
    ("delivery.staging.Staging.create 1",),
    ("delivery.staged_file.StagedFile.seal 1",),  # of the first output, and of the second
    ("delivery.staged_file.StagedFile.seal 2",),
    ("workspace.reservation.Reservation.write 1",),
    ("workspace.reservation.Reservation.replace 1",),
    ("delivery.staging.Staging.remove 1",),
    ("workspace.spool.Spool._sync_log 1",),
    ("workspace.spool.Spool.finish 2",),
    ("workspace.spool.Spool.finish 3",),
    ("workspace.spool.Spool.finish 4",),
)
"""What stands for the 17 syncs of a run that `tests/faults/test_power_loss.py` needs."""
