"""Medians, the table that is printed, and the figures of the last line."""

import dataclasses
import json
import statistics
import sys

from bench.lib.load import Run

HEAD = f"{'part':10} {'what':28} {'conns':>5} {'per s':>9} {'p50 ms':>8} {'p99 ms':>8} {'service µs':>10} {'PG µs':>7}"


def median_run(runs):
    """Field by field."""
    return Run(*(statistics.median(getattr(run, field.name) for run in runs) for field in dataclasses.fields(Run)))


def fastest(runs):
    return max(runs, key=lambda run: run.rate)


def ratio(a, b):
    return None if a is None or not b else a / b


class Report:
    def __init__(self):
        self.figures = {}
        self.began = False

    def note(self, text):
        """Progress, on standard error."""
        print(text, file=sys.stderr, flush=True)

    def row(self, part, what, connections, run):
        if not self.began:
            print(HEAD)
            self.began = True
        print(f"{part:10} {what:28} {connections:5} {run.rate:9.0f} {run.p50_ms:8.2f} {run.p99_ms:8.2f} "
              f"{run.service_us:10.1f} {run.postgres_us:7.1f}", flush=True)

    def line(self, part, text):
        print(f"{part:10} {text}", flush=True)

    def set(self, **figures):
        """Figures of the last line; None where there is none."""
        for name, value in figures.items():
            self.figures[name] = round(value, 4) if isinstance(value, float) else value

    def end(self):
        print(json.dumps(self.figures))
