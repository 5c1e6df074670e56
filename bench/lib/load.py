"""Load: wrk over HTTP, pgbench over SQL, bounded in time; with the processor time that it cost."""

import dataclasses
import itertools
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

from bench.lib.services import RIVAL

LUA = pathlib.Path(__file__).resolve().parents[1] / "lua"
THREADS = 2
WARM_UP_S = 4
runs = itertools.count(int(time.time()) % 1_000_000 * 1000)


@dataclasses.dataclass
class Run:
    """One measurement. Rates per second, latencies in ms, processor time in µs per request."""
    rate: float
    p50_ms: float
    p99_ms: float
    service_us: float
    postgres_us: float


class Load:
    """wrk against a contestant, from now on; result() waits for its end."""

    def __init__(self, contestant, script, path, connections, seconds):
        self.contestant = contestant
        threads = min(THREADS, connections)
        env = {**os.environ, "KEY": contestant.key, "RUN": f"b{next(runs)}"}
        self.before = contestant.cpu()
        self.wrk = subprocess.Popen(
            ["wrk", "-t", str(threads), "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s",
             "-s", str(LUA / script), contestant.url + path],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def result(self):
        output, _ = self.wrk.communicate()
        try:
            told = json.loads(output.splitlines()[-1])
        except (IndexError, ValueError):
            raise RuntimeError(f"wrk against {self.contestant.name}:\n{output}") from None
        if told["refused"] or told["broken"] or not told["requests"]:
            raise RuntimeError(f"{self.contestant.name} answered with errors: {told}")
        service, postgres = (after - before for before, after in zip(self.before, self.contestant.cpu()))
        return Run(told["requests"] / told["duration_us"] * 1e6, told["p50_us"] / 1000, told["p99_us"] / 1000,
                   service / told["requests"] * 1e6, postgres / told["requests"] * 1e6)


def post(contestant, connections, seconds):
    """One survey per request (lua/post.lua)."""
    return Load(contestant, "post.lua", "/", connections, seconds).result()


def warm_up(contestants, connections):
    """JavaScript is compiled, and plans are made, before anything counts."""
    for contestant in contestants:
        post(contestant, connections, WARM_UP_S)


def get(contestant, path, connections, seconds):
    return Load(contestant, "get.lua", path, connections, seconds).result()


def pgbench(cluster, connections, seconds):
    """The rival's transaction without the rival; rate in transactions per second."""
    script = subprocess.run(["node", "pgbench.mjs"], cwd=RIVAL, check=True, capture_output=True, text=True).stdout
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            ["pgbench", "-n", "-M", "prepared", "-c", str(connections), "-j", "2", "-T", str(seconds),
             "-D", f"run={next(runs)}", "-f", file.name, cluster.url("rival")],
            capture_output=True, text=True, check=False)
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode != 0 or found is None:
        raise RuntimeError(f"pgbench:\n{done.stdout}{done.stderr}")
    return float(found[1])
