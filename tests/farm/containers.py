"""buildah and podman without a registry, an engine or user namespaces, in namespaces that end with the tests."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.command import wait_until

BASE = "localhost/base"
IMAGE = "localhost/proxx-worker"

# crun refuses the mixed cgroups of some machines, so it gets a view of the second version alone. The rest are the places where
# podman and crun keep what is to be forgotten.
NAMESPACES = """
mount -t proc proc /proc
umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
for place in /run /dev/shm /var/lib/containers /var/lib/cni; do
    [ ! -d "$place" ] || mount -t tmpfs -o mode=0755 tmpfs "$place"
done
touch "$0"
exec sleep infinity
"""


class Containers:
    """Images and containers below one folder."""

    def __init__(self, pid: int, folder: Path) -> None:
        """See `containers_in`."""
        self.pid = pid
        stored = (f"--root={folder}/root", f"--runroot={folder}/run", "--storage-driver=overlay")
        self._buildah = ("buildah", *stored)
        self._podman = ("podman", *stored, "--cgroup-manager=cgroupfs", "--runtime=crun", "--events-backend=none")

    def inside(self, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the namespaces, to its end."""
        # No systemd runs here whose timers could ask for a container's health: the tests ask.
        argv = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "env", "DISABLE_HC_SYSTEMD=true", *map(str, command)]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
        assert done.returncode == 0 or not check, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def build(self, base: Path, project_root: Path, *arguments: str) -> None:
        """The project's Dockerfile, on a base that is the folder `base`."""
        made = self.inside(*self._buildah, "from", "scratch").stdout.strip()
        self.inside(*self._buildah, "add", "--quiet", made, base, "/")
        self.inside(*self._buildah, "commit", "--quiet", made, BASE)
        self.inside(*self._buildah, "rm", made)
        values = [f"--build-arg={argument}" for argument in (f"BASE={BASE}", *arguments)]
        how = ("--isolation=chroot", "--pull-never", "--format=docker", f"--tag={IMAGE}")
        dockerfile = project_root / "deploy" / "docker" / "Dockerfile"
        self.inside(*self._buildah, "build", *how, *values, "--file", dockerfile, project_root)

    def podman(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`podman`."""
        return self.inside(*self._podman, *arguments, check=check)


@contextmanager
def containers_in(folder: Path) -> Iterator[Containers]:
    """Make the namespaces; end them, and all that runs in them, at the end of the block."""
    ready = folder / "ready"
    apart = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", NAMESPACES, ready)
    with (folder / "namespaces.log").open("wb") as log:
        holder = subprocess.Popen(apart, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until(lambda: ready.exists() or holder.poll() is not None, "the namespaces")
        assert holder.poll() is None, (folder / "namespaces.log").read_text()
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
        yield Containers(int(children[0]), folder)
    finally:
        holder.kill()
        holder.wait()
    assert str(folder) not in Path("/proc/self/mountinfo").read_text(), "no mount is left on the machine"
