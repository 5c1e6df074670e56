"""Runs the parts of the benchmark that are named, or all; called by bench/run."""

import argparse
import dataclasses

from bench.lib.report import Report
from bench.parts.figures import kpi
from bench.parts.holding import snapshot
from bench.parts.importing import import_
from bench.parts.instances import instances
from bench.parts.posting import post, stall
from bench.parts.soak import soak


@dataclasses.dataclass(frozen=True)
class Plan:
    """How long and how much."""
    rounds: int
    seconds: int          # of one measurement
    stall_seconds: int
    import_records: int   # of one measurement of import and COPY
    stream_records: int   # of the one long import
    small: int            # records behind the KPIs
    large: int
    hold_seconds: int     # how long a snapshot is held
    soak_minutes: int


FULL = Plan(5, 8, 4, 200_000, 10_000_000, 100_000, 10_000_000, 60, 10)
QUICK = Plan(2, 3, 2, 50_000, 200_000, 20_000, 200_000, 12, 2)

# The parts, and the figures of the last line that each gives.
PARTS = {
    "post": (post, ("post_c250_vs_fastify", "post_c64_vs_fastify", "post_c250_p99_vs_fastify_p50", "post_c250_vs_nodb",
                    "post_c250_vs_batching", "rival_vs_pgbench")),
    "stall": (stall, ("stall_free",)),
    "import": (import_, ("import_vs_copy", "import_rss_mib")),
    "kpi": (kpi, ("kpi_buffers_growth", "kpi_growth", "series_growth", "scorecard_growth", "kpi_ms", "series_ms",
                  "scorecard_ms", "kpi_cached_vs_hello")),
    "snapshot": (snapshot, ("snapshot_vs_fastify", "post_under_snapshot", "kpi_under_snapshot")),
    "instances": (instances, ("two_instances", "two_instances_deadlocks")),
    "soak": (soak, ("soak_rss_growth", "soak_p50_growth", "soak_p99_growth", "soak_kpi_growth", "soak_totals_growth")),
}


def part_of(name):
    for part, (_, figures) in PARTS.items():
        if name == part or name in figures:
            return part
    raise argparse.ArgumentTypeError(f"there is no part or figure {name}; parts: {', '.join(PARTS)}")


def main():
    parser = argparse.ArgumentParser(prog="bench/run", description="Measures Vinculo; see bench/README.md.",
                                     epilog="Parts: " + "; ".join(f"{part} ({', '.join(figures)})"
                                                                  for part, (_, figures) in PARTS.items()))
    parser.add_argument("--quick", action="store_true", help="short rounds and small data: to see that all works")
    parser.add_argument("parts", nargs="*", type=part_of, metavar="NAME", help="parts, or figures of the last line")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    report = Report()
    report.set(**{figure: None for _, figures in PARTS.values() for figure in figures})
    for part, (measure, _) in PARTS.items():
        if not options.parts or part in options.parts:
            report.note(f"part {part}")
            measure(plan, report)
    report.end()


if __name__ == "__main__":
    main()
