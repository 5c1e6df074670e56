"""Private PostgreSQL clusters, all with the same settings."""

import os
import pathlib
import shutil
import subprocess

from tests.support.cluster import OWNER, Cluster, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Durable (fsync, full_page_writes, synchronous_commit are on by default). Checkpoints are forced before
# each measurement and do not fall due inside it.
SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "30min",
    "jit": "off",  # as the service sets it for itself
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "top",
}


class BenchCluster(Cluster):
    """A cluster in a temporary folder."""

    def __init__(self):
        super().__init__(SETTINGS)

    def checkpoint(self):
        self.psql("postgres", "CHECKPOINT")


class KeptCluster(BenchCluster):
    """A cluster in a given folder that outlives the run; `fresh` is true where it was made just now."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self.fresh = False

    def __enter__(self):
        self.directory = str(self.folder)
        self.port = None
        if not (self.folder / "complete").exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            if os.geteuid() == 0:
                shutil.chown(self.folder, OWNER, OWNER)
            self.fresh = True
        try:
            self.port = free_port()
            if self.fresh:
                self._initialise()
            else:
                with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as conf:
                    conf.write(f"port = {self.port}\n")
                pathlib.Path(self.data, "postmaster.pid").unlink(missing_ok=True)
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *exc):
        self.stop("fast")

    def completed(self):
        """From now on the folder may be used again."""
        (self.folder / "complete").touch()


def cache_folder():
    """Where kept clusters lie: under build/, or elsewhere where PostgreSQL's account cannot get there."""
    folder = ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        reachable = subprocess.run(["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--init-groups",
                                    "test", "-x", str(folder)], cwd="/", check=False)
        if reachable.returncode != 0:
            folder = pathlib.Path("/var/lib/vinculo-bench")
            folder.mkdir(parents=True, exist_ok=True)
    return folder
