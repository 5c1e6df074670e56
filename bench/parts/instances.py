"""Two instances of the service on one database against one."""

import contextlib
import statistics

from bench.lib import services
from bench.lib.database import BenchCluster
from bench.lib.load import Load

CONNECTIONS = 250


def deadlocks(cluster):
    return cluster.psql("shared", "SELECT deadlocks FROM pg_stat_database WHERE datname = 'shared'")[0][0]


def rate(report, contestants, seconds):
    """All together, connections divided among them."""
    contestants[0].cluster.checkpoint()
    loads = [Load(one, "post.lua", "/", CONNECTIONS // len(contestants), seconds) for one in contestants]
    return sum(one.result().rate for one in loads)


def instances(plan, report):
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(BenchCluster())
        url = cluster.create_database("shared")
        key = services.make_workspace(url)
        both = [stack.enter_context(services.vinculo(cluster, url, key, "shared")) for _ in range(2)]
        one, two = [], []
        for _ in range(plan.rounds):
            one.append(rate(report, both[:1], plan.seconds))
            two.append(rate(report, both, plan.seconds))
        locked = deadlocks(cluster)
    one, two = statistics.median(one), statistics.median(two)
    report.line("instances", f"one {one:.0f} per s, two together {two:.0f} per s, {locked} deadlocks")
    report.set(two_instances=two / one if locked == 0 else None, two_instances_deadlocks=locked)
