"""The oracle: raw records in plain tables of its own database, and SQL that says what every KPI must be."""
import gzip
import json
import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psycopg2
from psycopg2.extras import execute_values

from oracle import composite
from oracle.measure import Measure, Settings
from oracle.zones import DAY, day_start, periods

SQL = Path(__file__).parent / "sql"
OF_SQL = ("csat", "nps", "ces", "response_rate", "churn_rate", "retention_rate", "buyer_retention_rate",
          "repeat_purchase_rate", "revenue", "revenue_growth_rate", "arpc", "cac", "ltv", "first_response_time",
          "resolution_time", "first_contact_resolution", "interactions", "feedback", "follow_up_rate")
OF_OTHERS = {"ltv_cac_ratio": ("ltv", "cac"),
             "relationship_quality": ("csat", "nps", "ces", "retention_rate", "first_contact_resolution",
                                      "first_response_time")}
KPIS = OF_SQL + tuple(OF_OTHERS)
STANDING = ("churn_rate", "retention_rate", "arpc", "cac", "ltv")
MEDIANS = ("first_response_time", "resolution_time")
PROPORTIONS = ("csat", "ces", "response_rate", "first_contact_resolution", "follow_up_rate")
# How long after a period's end its figure may still change though all records of its own are there.
STILL_DUE = {"response_rate": lambda settings: timedelta(days=settings.response_window_days),
             "follow_up_rate": lambda _: timedelta(days=7)}
SURVEY_LABELS = ("segment", "channel", "touchpoint", "aspect", "agent", "topic")
CONTACT_LABELS = ("segment", "channel", "agent", "topic")
# What each KPI can be grouped by.
LABELS = {kpi: ("segment", "channel") for kpi in KPIS}
LABELS.update({kpi: SURVEY_LABELS for kpi in ("csat", "nps", "ces", "response_rate", "feedback", "follow_up_rate")})
LABELS.update({kpi: CONTACT_LABELS for kpi in (*MEDIANS, "first_contact_resolution", "interactions")})
LABELS.update({kpi: ("segment",) for kpi in ("buyer_retention_rate", "repeat_purchase_rate", "revenue",
                                             "revenue_growth_rate")})
LABELS.update({"churn_rate": ("segment", "channel", "reason"), "cac": ("segment", "channel", "category")})
MONTHS = {"month": 1, "quarter": 3, "year": 12}
COLUMNS = {
    "customers": ("customer", ("id", "started_at", "segment", "channel")),
    "surveys": ("survey", ("id", "customer_id", "interaction_id", "type", "score", "scale_min", "scale_max",
                           "direction", "aspect", "touchpoint", "solicited", "comment", "channel", "segment",
                           "sent_at", "answered_at")),
    "interactions": ("interaction", ("id", "customer_id", "channel", "segment", "topic", "agent", "direction",
                                     "bot", "opened_at", "first_response_at", "resolved_at",
                                     "resolved_on_first_contact", "closed_at")),
    "cancellations": ("cancellation", ("id", "customer_id", "cancelled_at", "reason", "voluntary")),
    "reactivations": ("reactivation", ("id", "customer_id", "reactivated_at")),
    "payments": ("payment", ("id", "customer_id", "amount", "paid_at", "segment")),
    "costs": ("cost", ("id", "amount", "incurred_at", "category", "channel", "segment")),
    "actions": ("action", ("id", "survey_id", "status", "opened_at", "due_at", "done_at")),
}


@dataclass(frozen=True)
class Filter:
    """segment and channel select; by names a label and `names` the group: these values of it, none of them: unset."""

    segment: str = None
    channel: str = None
    by: str = None
    names: tuple = ()

    def query(self):
        """The parameters that select; the group is not asked for, all of them are."""
        return {name: value for name, value in (("segment", self.segment), ("channel", self.channel))
                if value is not None}

    def label(self):
        said = [f"{name}={value}" for name, value in self.query().items()]
        return " ".join(said + ([f"{self.by} in {self.names or None}"] if self.by else []))

    def group(self, by, *names):
        return replace(self, by=by, names=names)


EVERYONE = Filter()


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
    if kind == "actions" and full.get("status") is None:
        full["status"] = "open"
    return full


class Oracle:
    """One set of raw records in `zone`; load() replaces them, ask() answers."""

    def __init__(self, url):
        self.connection = psycopg2.connect(url)
        self.zone, self.settings = "UTC", Settings()
        with self.connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA IF EXISTS oracle CASCADE")
            cursor.execute((SQL / "schema.sql").read_text())
            # Made anew for every run: nothing here need survive.
            cursor.execute("SET synchronous_commit = off")
        self.connection.commit()

    def close(self):
        self.connection.close()

    def load(self, records, zone, settings=None):
        """records: kind (as the API names the collection) → records as they stand now."""
        self.zone, self.settings = zone, settings or Settings()
        with self.connection.cursor() as cursor:
            cursor.execute("SET search_path = oracle")
            for kind, (table, columns) in COLUMNS.items():
                rows = [with_defaults(kind, record) for record in records.get(kind, ())]
                self._fill(cursor, table, columns, [[row.get(column) for column in columns] for row in rows])
            self._fill(cursor, "order_rank", ("n", "r"), order_ranks(max(6, len(records.get("interactions", ())))))
            cursor.execute("SELECT DISTINCT (paid_at AT TIME ZONE %s)::date FROM payment", (zone,))
            days = {day + step * DAY for day, in cursor.fetchall() for step in (-1, 0, 1)}
            self._fill(cursor, "day", ("day", "starts"), [(day, day_start(zone, day)) for day in days])
            cursor.execute((SQL / "derive.sql").read_text())
        self.connection.commit()

    @staticmethod
    def _fill(cursor, table, columns, rows):
        cursor.execute(f"TRUNCATE {table}")
        execute_values(cursor, f"INSERT INTO {table} ({', '.join(columns)}) VALUES %s", rows, page_size=1000)
        cursor.execute(f"ANALYZE {table}")

    def labels(self, by):
        """The values of a label that any record has, in the order of their names."""
        tables = (("answer", "labels"), ("contact", "labels"), ("person", "labels"), ("sale", "labels"),
                  ("expense", "labels"))
        query = " UNION ".join(f"SELECT {labels} ->> %(by)s FROM {table}" for table, labels in tables)
        if by == "reason":
            query = "SELECT DISTINCT reason FROM cancellation"
        with self.connection.cursor() as cursor:
            cursor.execute(query, {"by": by})
            return sorted(value for value, in cursor.fetchall() if value is not None)

    def groups(self, by, within=EVERYONE):
        """A filter for each value of a label, and one for those without."""
        return [within.group(by, name) for name in self.labels(by)] + [within.group(by)]

    def ask(self, wanted, filters=(EVERYONE,), kpis=KPIS):
        """{(kpi, period, filter): Measure} for every combination."""
        wanted, filters = list(dict.fromkeys(wanted)), list(dict.fromkeys(filters))
        ends = [period.bounds(self.zone) for period in wanted]
        needed = {kpi for name in kpis for kpi in OF_OTHERS.get(name, (name,))}
        parameters = {name: getattr(self.settings, name)
                      for name in ("gross_margin", "response_window_days", "cac_categories")}
        now = datetime.now(timezone.utc)
        answers = {}
        with self.connection.cursor() as cursor:
            self._fill(cursor, "period", ("no", "previous_a", "a", "b", "months"),
                       [(i, day_start(self.zone, p.previous().first), a, b,
                         MONTHS.get(p.granularity, p.days / 30.436875))
                        for i, (p, (a, b)) in enumerate(zip(wanted, ends))])
            self._fill(cursor, "filter", ("no", "segment", "channel", "label", "names"),
                       [(i, f.segment, f.channel, f.by, list(f.names) or None) for i, f in enumerate(filters)])
            if needed & set(STANDING):
                cursor.execute((SQL / "stand.sql").read_text())
            for kpi in needed:
                cursor.execute((SQL / f"{kpi}.sql").read_text(), parameters)
                for period, filter_, value, n, top, bottom, parts, low, high, reason, dated in cursor.fetchall():
                    answers[kpi, wanted[period], filters[filter_]] = Measure(
                        _number(value), n, _whole(top), _whole(bottom), parts, _number(low), _number(high), reason,
                        dated, kpi in STILL_DUE and now < ends[period][1] + STILL_DUE[kpi](self.settings))
        self.connection.commit()
        for kpi in OF_OTHERS.keys() & set(kpis):
            make = getattr(composite, kpi)
            for period in wanted:
                for filter_ in filters:
                    answers[kpi, period, filter_] = make(
                        self.settings, *(answers[of, period, filter_] for of in OF_OTHERS[kpi]))
        return answers

    def actions(self, month, today):
        """{open, overdue, done}: how actions stand now, and how many were done in the month."""
        a, b = month.bounds(self.zone)
        with self.connection.cursor() as cursor:
            cursor.execute("""SELECT count(*) FILTER (WHERE status = 'open'),
                                     count(*) FILTER (WHERE status = 'open' AND due_at < %s),
                                     count(*) FILTER (WHERE status = 'done' AND done_at >= %s AND done_at < %s)
                              FROM action""", (day_start(self.zone, today), a, b))
            return dict(zip(("open", "overdue", "done"), cursor.fetchone()))

    def cohorts(self, period, filter_=EVERYONE, now=None):
        """Cells of one row: who first started in the period, and of these who was active at the start of each later
        period of the kind that has begun."""
        now = now or datetime.now(timezone.utc)
        a, b = period.bounds(self.zone)
        later = [p.bounds(self.zone)[0] for p in periods(period.granularity, period.first, now.date() + 2 * DAY)[1:]]
        with self.connection.cursor() as cursor:
            cursor.execute((SQL / "cohorts.sql").read_text(),
                           {"a": a, "b": b, "segment": filter_.segment, "channel": filter_.channel,
                            "later": [t for t in later if t <= now]})
            return [cell for cell, in cursor.fetchall()]


def _number(value):
    return None if value is None else float(value)


def _whole(value):
    """A sum of minor units is a whole number, whatever type it comes in."""
    if value is None or value != int(value):
        return _number(value)
    return int(value)


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
