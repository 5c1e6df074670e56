"""What KPIs cost at 10 million records against 100 thousand, idle and under write load; cached bodies."""

import contextlib
import statistics

from bench.lib import load
from bench.lib.filled import Filled
from bench.lib.reading import PREFIX, Writing, fresh_p50_ms
from bench.lib.report import median_run, ratio

PATHS = {
    "kpi": "/v1/kpis?period=2026-08",
    "series": "/v1/kpis/nps?granularity=month&from=2023-10-01&to=2026-10-01",
    "scorecard": "/v1/scorecard?at=2026-10-05",
}
COUNT = 50  # requests of one measurement
CACHED_CONNECTIONS = 64
SIZES = ("small", "large")

# The service's reading statements; a GET is the only thing here that runs any.
BUFFERS = """SELECT coalesce(sum(shared_blks_hit + shared_blks_read), 0)::bigint
  FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
 WHERE d.datname = current_database() AND query !~* 'insert|update|delete|advisory|api_key|pg_stat|totals_fold'"""


def read(filled, contestant, path):
    """(p50 in ms, shared buffers per request), or None where the route is not there."""
    cluster = filled.cluster
    before = cluster.psql(contestant.name, BUFFERS)[0][0]
    p50_ms = fresh_p50_ms(contestant, path, COUNT)
    if p50_ms is None:
        return None
    return p50_ms, (cluster.psql(contestant.name, BUFFERS)[0][0] - before) / COUNT


def remove_posted(filled):
    """So that the kept databases stay as they were filled."""
    for size in SIZES:
        filled.cluster.psql(size, f"DELETE FROM survey WHERE id LIKE '{PREFIX}%' OR id LIKE 'b%'")


def measure(plan, report, filled, services):
    """{(what, loaded, size): (p50 ms, buffers)}, medians of the rounds."""
    found = {}
    for number in range(plan.rounds):
        report.note(f"kpi: round {number + 1} of {plan.rounds}")
        for loaded in (False, True):
            for what, path in PATHS.items():
                for size in SIZES:
                    with Writing(services[size]) if loaded else contextlib.nullcontext():
                        one = read(filled, services[size], path)
                    if one is not None:
                        found.setdefault((what, loaded, size), []).append(one)
    return {key: tuple(map(statistics.median, zip(*values))) for key, values in found.items()}


def kpi(plan, report):
    with contextlib.ExitStack() as stack:
        filled = stack.enter_context(Filled(plan.small, plan.large, report))
        stack.callback(remove_posted, filled)
        services = {size: stack.enter_context(filled.service(size)) for size in SIZES}
        medians = measure(plan, report, filled, services)
        cached(plan, report, services["large"])
    buffers = []
    for what in PATHS:
        growths = []
        for loaded in (False, True):
            small, large = (medians.get((what, loaded, size)) for size in SIZES)
            if small is None or large is None:
                continue
            growths.append(large[0] / small[0])
            buffers.append(large[1] / small[1])
            report.line("kpi", f"{what:10} {'under write load' if loaded else 'idle':16} "
                        f"{plan.small} records {small[0]:6.2f} ms {small[1]:6.0f} buffers; "
                        f"{plan.large} records {large[0]:6.2f} ms {large[1]:6.0f} buffers")
        idle = medians.get((what, False, "large"))
        report.set(**{f"{what}_growth": max(growths, default=None), f"{what}_ms": idle[0] if idle else None})
    report.set(kpi_buffers_growth=max(buffers, default=None))


def cached(plan, report, service):
    """The same KPIs again and again, nothing changing, against the smallest answer there is."""
    runs = {"KPIs of a month, unchanged": [], "hello (/healthz)": []}
    paths = dict(zip(runs, (PATHS["kpi"], "/healthz")))
    for _ in range(plan.rounds):
        for what, path in paths.items():
            runs[what].append(load.get(service, path, CACHED_CONNECTIONS, plan.seconds))
    rates = []
    for what, measured in runs.items():
        report.row("kpi", what, CACHED_CONNECTIONS, median_run(measured))
        rates.append(median_run(measured).rate)
    report.set(kpi_cached_vs_hello=ratio(*rates))
