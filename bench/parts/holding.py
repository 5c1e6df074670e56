"""One REPEATABLE READ transaction held open, as by a dump or a long report: POST and KPIs beside it."""

import contextlib
import time

import psycopg2

from bench.lib import load, services
from bench.lib.reading import fresh_p50_ms
from bench.lib.report import fastest, median_run, ratio

CONNECTIONS = 250
KPI = "/v1/kpis?period=2026-09"
KPI_COUNT = 50


def hold(vinculo):
    """An open snapshot of the service's database."""
    connection = psycopg2.connect(vinculo.cluster.url(vinculo.name))
    connection.set_session("REPEATABLE READ")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM workspace")
    return connection


def snapshot(plan, report):
    with contextlib.ExitStack() as stack:
        vinculo = stack.enter_context(services.new_vinculo())
        contestants = [vinculo, *services.rivals(stack)]
        runs = {contestant: [] for contestant in contestants}
        load.warm_up(contestants, CONNECTIONS)
        for _ in range(plan.rounds):
            for contestant in contestants:
                contestant.cluster.checkpoint()
                runs[contestant].append(load.post(contestant, CONNECTIONS, plan.seconds))
        kpi_ms = fresh_p50_ms(vinculo, KPI, KPI_COUNT)
        holding = hold(vinculo)
        end = time.monotonic() + plan.hold_seconds
        while time.monotonic() < end:
            last = load.post(vinculo, CONNECTIONS, plan.seconds)
        held_kpi_ms = fresh_p50_ms(vinculo, KPI, KPI_COUNT)
        holding.close()
    alone, *others = (median_run(runs[contestant]) for contestant in contestants)
    rival = fastest(others)
    report.row("snapshot", "fastify, none held", CONNECTIONS, rival)
    report.row("snapshot", "vinculo, none held", CONNECTIONS, alone)
    report.row("snapshot", f"vinculo, held for {plan.hold_seconds} s", CONNECTIONS, last)
    report.line("snapshot", f"KPIs of a month: {kpi_ms:.2f} ms, {held_kpi_ms:.2f} ms with the snapshot held")
    report.set(snapshot_vs_fastify=ratio(last.rate, rival.rate), post_under_snapshot=ratio(last.rate, alone.rate),
               kpi_under_snapshot=ratio(held_kpi_ms, kpi_ms))
