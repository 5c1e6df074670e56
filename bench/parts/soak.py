"""Minutes of mixed load: posts, imports, corrections, deletions, KPIs. Do memory, latency and tables stay as they are?"""

import contextlib
import http.client
import json
import statistics
import threading
import time

from bench.lib import load, services, surveys
from bench.lib.cpu import resident_mib
from bench.lib.reading import PREFIX, Client, survey
from bench.parts.importing import send

CONNECTIONS = 16
IMPORT_RECORDS = 5_000  # once a minute
CORRECTIONS_PER_S = 20  # of these a quarter deletions
KPIS_PER_S = 5
KPI = "/v1/kpis?period=2026-09"

# What grows with records is left out: they themselves, and what is kept per customer.
SIZES = """SELECT sum(pg_total_relation_size(oid)) / 1048576.0 FROM pg_class
 WHERE relkind = 'r' AND (relname ~ '_((totals|sketch)_(day|month)|change)$' OR relname IN ('data_version', 'totals_folded'))"""
WAITING = "SELECT count(*) FROM survey_change c JOIN totals_folded f USING (workspace_id) WHERE c.number > f.through"


class Steady(threading.Thread):
    """Calls work(client) so many times a second until stopped; keeps what went wrong."""

    def __init__(self, vinculo, per_s, work):
        super().__init__(daemon=True)
        self.vinculo, self.pause_s, self.work = vinculo, 1 / per_s, work
        self.stopped, self.error = threading.Event(), None

    def run(self):
        client = Client(self.vinculo)
        try:
            while not self.stopped.wait(self.pause_s):
                self.work(client)
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stopped.set()
        self.join()
        if self.error is not None:
            raise self.error


def corrections():
    """Work for Steady: posts a survey, then changes it, or deletes it."""
    count = 0

    def work(client):
        nonlocal count
        body = survey()
        client.post(body)
        count += 1
        if count % 4 == 0:
            client.change("DELETE", body["id"], None)
        else:
            client.change("PATCH", body["id"], {"score": count % 11, "segment": f"segment-{count % 5}"})
    return work


def soak(plan, report):
    with contextlib.ExitStack() as stack:
        vinculo = stack.enter_context(services.new_vinculo("soak"))
        times, minutes = [], []
        stack.enter_context(Steady(vinculo, CORRECTIONS_PER_S, corrections()))
        stack.enter_context(Steady(vinculo, KPIS_PER_S, lambda client: times.append(client.get(KPI)[1])))
        for minute in range(plan.soak_minutes):
            posts = load.Load(vinculo, "post.lua", "/", CONNECTIONS, 60)
            send(vinculo, [surveys.ndjson(f"{PREFIX}soak{minute}", 0, IMPORT_RECORDS)])
            run = posts.result()
            kpi_ms = statistics.median(times)
            times.clear()
            sizes, waiting = (float(vinculo.cluster.psql("soak", query)[0][0]) for query in (SIZES, WAITING))
            minutes.append((resident_mib(vinculo.pid), run.p50_ms, run.p99_ms, kpi_ms, sizes))
            report.row("soak", f"minute {minute + 1}", CONNECTIONS, run)
            report.line("soak", f"  service {minutes[-1][0]:.0f} MiB, KPIs of a month {kpi_ms:.1f} ms, totals and changes "
                        f"{sizes:.0f} MiB, {waiting:.0f} changes waiting")
        figures = services.cli_output(vinculo.cluster.url("soak"), "rebuild", "--check")
        report.line("soak", figures)
    # The first minute fills caches and tables.
    early, late = (list(map(statistics.median, zip(*part))) for part in (minutes[1:4], minutes[-3:]))
    names = ("soak_rss_growth", "soak_p50_growth", "soak_p99_growth", "soak_kpi_growth", "soak_totals_growth")
    report.set(**{name: after / before for name, before, after in zip(names, early, late)})
