"""Asks the service for figures and holds every cell of its answers against the oracle's."""
from collections import Counter
from dataclasses import dataclass, field

from oracle.truth import EVERYONE, KPIS, MEDIANS, p_value

SHOWN = 20
EXACT = 1e-6 + 1e-9  # six decimals, and the floating-point noise of the comparison itself
SKETCHED = 0.01
# The contract gives no list of parts for retention_rate: those that are answered must be right.
FREE_PARTS = ("retention_rate",)
UNITS = {"csat": "percent", "nps": "points", "ces": "percent", "response_rate": "percent", "churn_rate": "percent",
         "retention_rate": "percent", "first_response_time": "seconds", "resolution_time": "seconds",
         "first_contact_resolution": "percent", "interactions": "count", "feedback": "count"}
CADENCES = {"nps": "quarter", "feedback": "quarter", "churn_rate": "year", "retention_rate": "year"}
METHODS = {"nps": "adjusted_wald", "first_response_time": "order_statistics", "resolution_time": "order_statistics"}
MISSING = "(missing)"


class Either(tuple):
    """Figures of which each is right, where the contract is silent."""


@dataclass
class Tally:
    name: str
    cells: int = 0
    not_null: int = 0
    differences: int = 0
    shown: list = field(default_factory=list)
    kinds: Counter = field(default_factory=Counter)
    closings: list = field(default_factory=list)  # of the tallies added to this one

    def check(self, where, name, wanted, found, tolerance=EXACT):
        """where: (kpi, period, filter, question). One cell."""
        self.cells += 1
        # `provisional` always has a figure: counting it would only swell the number.
        choices = wanted if isinstance(wanted, Either) else (wanted,)
        if name != "provisional" and choices[0] is not None:
            self.not_null += 1
        if not any(_same(choice, found, tolerance) for choice in choices):
            self.differences += 1
            self.kinds[where[0], name] += 1
            self.shown.append((where, name, wanted, found))

    def add(self, other):
        self.cells += other.cells
        self.not_null += other.not_null
        self.differences += other.differences
        self.closings.append(other.closing())

    def closing(self):
        return (f"oracle: {self.cells} cells compared, {self.not_null} not null, "
                f"{self.differences} differences ({self.name})")

    def finish(self, total=None):
        """Add to the total, and fail on any difference with the first of them."""
        if total is not None:
            total.add(self)
        if self.differences:
            lines = [self.closing()]
            lines += [f"  {kpi} {name}: {count}" for (kpi, name), count in self.kinds.most_common(SHOWN)]
            lines += [f"  {kpi} {period.label} {filter_.query() or ''} [{question}] {name}: "
                      f"oracle {wanted!r}, service {found!r}"
                      for (kpi, period, filter_, question), name, wanted, found in self._varied()]
            raise AssertionError("\n".join(lines))

    def _varied(self):
        """The first differences, of as many sorts as possible."""
        seen = Counter()
        ranked = []
        for entry in self.shown:
            sort = entry[0][0], entry[1]
            ranked.append((seen[sort], entry))
            seen[sort] += 1
        return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])][:SHOWN]


def _same(wanted, found, tolerance):
    if wanted is None or isinstance(wanted, (bool, str)):
        return found is wanted or (isinstance(wanted, str) and found == wanted)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return False
    return abs(found - wanted) <= tolerance


def compare_measure(tally, where, measure, answer):
    """All cells of one KPI, one period, one filter. `answer` is the service's object for it."""
    kpi = where[0]
    about = SKETCHED if kpi in MEDIANS else 0

    def near(figure):
        return max(EXACT, about * abs(figure or 0))

    def count(figure):
        # Counts are 0 where a record of the kind is dated before the end; before that 0 and null are both true.
        return Either((figure, None)) if figure == 0 and not measure.dated else figure

    tally.check(where, "value", measure.value, answer.get("value", MISSING), near(measure.value))
    tally.check(where, "n", count(measure.n), answer.get("n", MISSING))
    tally.check(where, "numerator", count(measure.numerator), answer.get("numerator", MISSING))
    # Sums and medians have n records and no denominator; giving the records as one is as true.
    bottom = count(measure.denominator)
    tally.check(where, "denominator", Either((None, measure.n)) if bottom is None else bottom,
                answer.get("denominator", MISSING))
    parts = answer.get("parts") or {}
    for name, figure in measure.parts.items():
        if name not in parts and kpi in FREE_PARTS:
            continue
        approximate = name in ("p50", "p90", "p95")
        tally.check(where, f"parts.{name}", figure if isinstance(figure, float) else count(figure),
                    parts.get(name, MISSING), near(figure) if approximate else EXACT)
    for name in parts.keys() - measure.parts.keys():
        if kpi not in FREE_PARTS:
            tally.check(where, f"parts.{name}", MISSING, parts[name])
    interval = answer.get("interval") or {}
    tally.check(where, "interval.low", measure.low, interval.get("low"), near(measure.low))
    tally.check(where, "interval.high", measure.high, interval.get("high"), near(measure.high))
    tally.check(where, "null_reason", measure.null_reason, answer.get("null_reason", MISSING))
    tally.check(where, "provisional", measure.provisional, answer.get("provisional", MISSING))


def compare_change(tally, where, this, before, answer, complete):
    """previous and change of one period's answer."""
    kpi = where[0]
    about = SKETCHED if kpi in MEDIANS else 0
    previous, change = answer.get("previous") or {}, answer.get("change") or {}
    tally.check(where, "previous.value", before.value, previous.get("value"),
                max(EXACT, about * abs(before.value or 0)))
    tally.check(where, "previous.n", Either((before.n, None)) if before.n == 0 else before.n, previous.get("n"))
    if before.value is not None and where[1].previous().key:
        tally.check(where, "previous.period", where[1].previous().key, previous.get("period"))
    known = complete and this.value is not None and before.value is not None
    step = this.value - before.value if known else None
    slack = about * (abs(this.value) + abs(before.value)) if known else 0
    tally.check(where, "change.absolute", step, change.get("absolute"), max(2 * EXACT, slack))
    chance = p_value(kpi, this, before) if known else None
    tally.check(where, "change.p_value", chance, change.get("p_value"))
    tally.check(where, "change.significant", None if chance is None else chance < 0.05, change.get("significant"))


def fetch(client, path, **query):
    response = client.get(path, **query)
    assert response.status == 200, f"GET {path} {query}: {response.status} {response.body[:400]!r}"
    return response.json()


def compare_period(tally, client, answers, zone, period, filter_=EVERYONE):
    """One request for all KPIs of one period. `answers` must hold the period and the one before."""
    query = {**period.query(), **filter_.query()}
    document = fetch(client, "/v1/kpis", **query)
    echoed = document["period"]
    assert (echoed["from"], echoed["to"], echoed["timezone"]) == \
        (period.first.isoformat(), period.end.isoformat(), zone), f"{query}: {echoed}"
    assert period.key in (None, echoed["key"]), f"{query}: {echoed}"
    for kpi in KPIS:
        where = (kpi, period, filter_, "one period")
        answer = document["kpis"].get(kpi)
        assert answer is not None, f"{query}: {kpi} is missing"
        assert (answer["kpi"], answer["unit"], answer["cadence"]) == (kpi, UNITS[kpi], CADENCES.get(kpi, "month"))
        if answer["interval"]:
            assert (answer["interval"]["level"], answer["interval"]["method"]) == (0.95, METHODS.get(kpi, "wilson"))
        this, before = (answers[kpi, p, filter_] for p in (period, period.previous()))
        compare_measure(tally, where, this, answer)
        compare_change(tally, where, this, before, answer, echoed["complete"])


def compare_series(tally, client, answers, granularity, wanted, filter_=EVERYONE, kpis=KPIS):
    """One request a KPI for all periods of one granularity, first to last without a gap."""
    for kpi in kpis:
        query = {"granularity": granularity, "from": wanted[0].first.isoformat(), "to": wanted[-1].end.isoformat(),
                 **filter_.query()}
        document = fetch(client, f"/v1/kpis/{kpi}", **query)
        keys = [entry["period"]["key"] for entry in document["series"]]
        assert keys == [period.key for period in wanted], f"{kpi} {query}: periods {keys}"
        for period, entry in zip(wanted, document["series"]):
            compare_measure(tally, (kpi, period, filter_, "series"), answers[kpi, period, filter_], entry)
