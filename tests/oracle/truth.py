"""The oracle: raw records in plain tables of its own database, and SQL that says what every KPI must be."""
import gzip
import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psycopg2
from psycopg2.extras import execute_values

SQL = Path(__file__).parent / "sql"
KPIS = ("csat", "nps", "ces", "response_rate", "churn_rate", "retention_rate", "first_response_time",
        "resolution_time", "first_contact_resolution", "interactions", "feedback")
MEDIANS = ("first_response_time", "resolution_time")
PROPORTIONS = ("csat", "ces", "response_rate", "first_contact_resolution")
MONTHS = {"month": 1, "quarter": 3, "year": 12}
COLUMNS = {
    "customers": ("customer", ("id", "started_at", "segment", "channel")),
    "surveys": ("survey", ("id", "customer_id", "interaction_id", "type", "score", "scale_min", "scale_max",
                           "direction", "aspect", "solicited", "comment", "channel", "segment", "sent_at",
                           "answered_at")),
    "interactions": ("interaction", ("id", "customer_id", "channel", "segment", "direction", "bot", "opened_at",
                                     "first_response_at", "resolved_at", "resolved_on_first_contact",
                                     "closed_at")),
    "cancellations": ("cancellation", ("id", "customer_id", "cancelled_at", "reason", "voluntary")),
    "reactivations": ("reactivation", ("id", "customer_id", "reactivated_at")),
}


@dataclass(frozen=True)
class Filter:
    segment: str = None
    channel: str = None

    def query(self):
        return {name: value for name, value in vars(self).items() if value is not None}


EVERYONE = Filter()


@dataclass(frozen=True)
class Measure:
    """What one KPI of one period and filter must be. `dated`: a record of the kind is dated before its end."""

    value: float
    n: int
    numerator: int
    denominator: int
    parts: dict
    low: float
    high: float
    null_reason: str
    dated: bool
    provisional: bool


def order_ranks(most):
    """(n, r) for n = 6 … most: the largest r with P(Bin(n, ½) ≤ r − 1) ≤ 0.025, in whole numbers."""
    n, k = 6, 0
    choose, total = 1, 1  # C(n, k) and the sum of C(n, 0 … k)
    ranks = []
    while n <= most:
        following = choose * (n - k) // (k + 1)
        while 40 * (total + following) <= 2 ** n:
            k, choose, total = k + 1, following, total + following
            following = choose * (n - k) // (k + 1)
        ranks.append((n, k + 1))
        total = 2 * total - choose
        n += 1
        choose = choose * n // (n - k)
    return ranks


def with_defaults(kind, record):
    """The record with the defaults that count in a KPI filled in."""
    full = dict(record)
    if kind == "surveys":
        if full.get("solicited") is None:
            full["solicited"] = True
        if full["type"] in ("csat", "ces"):
            if full.get("scale_max") is None:
                full["scale_max"] = 5 if full["type"] == "csat" else 7
            if full.get("scale_min") is None:
                full["scale_min"] = 1
    if kind == "interactions" and full.get("bot") is None:
        full["bot"] = False
    return full


class Oracle:
    """One set of raw records in `zone`; load() replaces them, ask() answers."""

    def __init__(self, url):
        self.connection = psycopg2.connect(url)
        self.connection.autocommit = True
        self.zone = "UTC"
        self.longest = 0
        with self.connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA IF EXISTS oracle CASCADE")
            cursor.execute((SQL / "schema.sql").read_text())

    def close(self):
        self.connection.close()

    def load(self, records, zone):
        """records: kind (as the API names the collection) → records as they stand now."""
        self.zone = zone
        with self.connection.cursor() as cursor:
            for kind, (table, columns) in COLUMNS.items():
                cursor.execute(f"TRUNCATE oracle.{table}")
                rows = [with_defaults(kind, record) for record in records.get(kind, ())]
                execute_values(cursor, f"INSERT INTO oracle.{table} ({', '.join(columns)}) VALUES %s",
                               [[row.get(column) for column in columns] for row in rows], page_size=1000)
                cursor.execute(f"ANALYZE oracle.{table}")
            cursor.execute("TRUNCATE oracle.order_rank")
            execute_values(cursor, "INSERT INTO oracle.order_rank VALUES %s",
                           order_ranks(max(6, len(records.get("interactions", ())))), page_size=1000)
            cursor.execute("ANALYZE oracle.order_rank")

    def ask(self, periods, filters=(EVERYONE,), kpis=KPIS):
        """{(kpi, period, filter): Measure} for every combination."""
        periods, filters = list(dict.fromkeys(periods)), list(dict.fromkeys(filters))
        ends = [period.bounds(self.zone) for period in periods]
        now = datetime.now(timezone.utc)
        answers = {}
        with self.connection.cursor() as cursor:
            cursor.execute("TRUNCATE oracle.period, oracle.filter")
            execute_values(cursor, "INSERT INTO oracle.period VALUES %s",
                           [(i, a, b, MONTHS.get(p.granularity, p.days / 30.436875))
                            for i, (p, (a, b)) in enumerate(zip(periods, ends))])
            execute_values(cursor, "INSERT INTO oracle.filter VALUES %s",
                           [(i, f.segment, f.channel) for i, f in enumerate(filters)])
            cursor.execute("ANALYZE oracle.period, oracle.filter")
            cursor.execute((SQL / "derive.sql").read_text())
            for kpi in kpis:
                cursor.execute((SQL / f"{kpi}.sql").read_text())
                for period, filter_, value, n, top, bottom, parts, low, high, reason, dated in cursor.fetchall():
                    answers[kpi, periods[period], filters[filter_]] = Measure(
                        _number(value), n, top, bottom, parts, _number(low), _number(high), reason, dated,
                        kpi == "response_rate" and now < ends[period][1] + timedelta(days=30))
        return answers


def _number(value):
    return None if value is None else float(value)


def p_value(kpi, this, before):
    """Two-sided, of a change between two independent samples; None where the contract has none."""
    if kpi == "nps" and this.n and before.n:
        (m1, v1), (m2, v2) = _adjusted(this), _adjusted(before)
        return _two_sided((m1 - m2) / math.sqrt(v1 + v2))
    if kpi in PROPORTIONS and min(this.denominator, before.denominator) >= 5:
        k1, n1, k2, n2 = this.numerator, this.denominator, before.numerator, before.denominator
        if k1 * n2 == k2 * n1:
            return 1.0
        total, pooled = n1 + n2, (k1 + k2) / (n1 + n2)
        z = (k1 / n1 - k2 / n2) / math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
        return _two_sided(z * math.sqrt((total - 1) / total))
    return None


def _adjusted(measure):
    n = measure.n + 3
    up, down = (measure.parts["promoters"] + 0.75) / n, (measure.parts["detractors"] + 0.75) / n
    return up - down, (up + down - (up - down) ** 2) / n


def _two_sided(z):
    return math.erfc(abs(z) / math.sqrt(2))


def read_ndjson(path):
    """The records of a gzipped NDJSON file, in order."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
