"""What is measured: each contestant is a service with a database of its own, ready at a URL with a key."""

import contextlib
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

from bench.lib.cpu import cpu_seconds
from bench.lib.database import BenchCluster
from tests.support.cluster import free_port
from tests.support.service import Service, cli_output

ROOT = pathlib.Path(__file__).resolve().parents[2]
RIVAL = ROOT / "bench" / "rivals" / "fastify"
RELEASE = ROOT / "build" / "release" / "vinculo"
NODB = ROOT / "build" / "bench-nodb" / "vinculo"
READY_DEADLINE_S = 20

RIVAL_PROCESSES = 1  # the fastest form on two cores: README.md
RIVAL_CONNECTIONS = (1, 2, 4)  # which is the fastest depends on the machine and the load: all are measured


class Contestant:
    """A running service: url, key; the pids whose trees are the service and its PostgreSQL."""

    def __init__(self, name, url, key, pid, cluster):
        self.name, self.url, self.key, self.pid, self.cluster = name, url, key, pid, cluster

    def cpu(self):
        """(service's, PostgreSQL's) processor seconds so far."""
        return cpu_seconds(self.pid), cpu_seconds(self.cluster.process.pid)


def make_workspace(url, name="bench"):
    """Migrates the database and returns an admin key of a new workspace."""
    os.environ["VINCULO_BIN"] = str(RELEASE)
    cli_output(url, "migrate")
    cli_output(url, "workspace", "create", name)
    return cli_output(url, "key", "create", "--workspace", name, "--scope", "admin")


@contextlib.contextmanager
def vinculo(cluster, url, key, name="vinculo", binary=RELEASE, env=None):
    """`vinculo serve`, as released: everything on, request log at level info into a file."""
    os.environ["VINCULO_BIN"] = str(binary)
    with Service(url, env) as service:
        yield Contestant(name, service.url, key, service.pid, cluster)


@contextlib.contextmanager
def new_vinculo(name="vinculo", binary=RELEASE, cluster=None):
    """The same on a new database, in a cluster of its own unless one is given."""
    with contextlib.ExitStack() as stack:
        cluster = cluster or stack.enter_context(BenchCluster())
        url = cluster.create_database(name)
        key = make_workspace(url)
        yield stack.enter_context(vinculo(cluster, url, key, name, binary))


def _await_answer(url, key, process):
    give_up = time.monotonic() + READY_DEADLINE_S
    request = urllib.request.Request(f"{url}/healthz", headers={"Authorization": f"Bearer {key}"})
    while True:
        try:
            urllib.request.urlopen(request, timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError("the rival did not start") from None
            time.sleep(0.05)


@contextlib.contextmanager
def rival(name, connections, batching=False, processes=RIVAL_PROCESSES):
    """Fastify + pg in a cluster of its own. Batching needs one queue, hence one process."""
    with BenchCluster() as cluster:
        cluster.create_database("rival")
        cluster.psql("rival", (RIVAL / "schema.sql").read_text(encoding="utf-8"))
        port = free_port()
        env = {**os.environ, "DATABASE_URL": cluster.url("rival"), "PORT": str(port), "KEY": "rival-key",
               "PROCESSES": str(1 if batching else processes), "CONNECTIONS": str(connections),
               "BATCHING": "1" if batching else "", "NODE_ENV": "production"}
        process = subprocess.Popen(["node", "server.mjs"], cwd=RIVAL, env=env)
        try:
            url = f"http://127.0.0.1:{port}"
            _await_answer(url, "rival-key", process)
            yield Contestant(name, url, "rival-key", process.pid, cluster)
        finally:
            process.terminate()
            process.wait()


def rivals(stack):
    """The rival with each number of connections to PostgreSQL."""
    return [stack.enter_context(rival(f"fastify, pool of {connections}", connections))
            for connections in RIVAL_CONNECTIONS]
