"""The comparer and the generator, before any service: right answers pass, one wrong cell is found, and what is
sent keeps the contract."""
import copy
from datetime import date, datetime

import pytest

from oracle.comparer import CADENCES, METHODS, UNITS, Tally, compare_groups, compare_period, compare_series, present
from oracle.generator import Generator
from oracle.truth import EVERYONE, KPIS, LABELS, Filter, p_value
from oracle.zones import custom, periods

ZONE = "America/Havana"


class Echo:
    """Answers as a service that is always right, but for what `spoil` does to it."""

    def __init__(self, answers, spoil=lambda kpi, answer: None):
        self.answers, self.spoil = answers, spoil
        self.by_key = {period.label: period for _, period, _ in answers}
        self.status, self.document = 200, None

    def json(self):
        return self.document

    def _measure(self, kpi, period, filter_):
        m = self.answers[kpi, period, filter_]
        answer = {"kpi": kpi, "unit": UNITS[kpi], "cadence": CADENCES[kpi], "value": m.value, "n": m.n,
                  "numerator": m.numerator, "denominator": m.denominator, "parts": copy.deepcopy(m.parts),
                  "interval": None if m.low is m.high is None else {"level": 0.95, "low": m.low, "high": m.high,
                                                          "method": METHODS.get(kpi, "wilson")},
                  "null_reason": m.null_reason, "provisional": m.provisional}
        if UNITS[kpi] == "money":
            answer.update(currency="BRL", minor_digits=2)
        return answer

    def _groups(self, kpi, by, period):
        for (of, when, group), measure in self.answers.items():
            if (of, when, group.by) == (kpi, period, by) and not measure.empty:
                answer = self._measure(kpi, period, group)
                self.spoil(kpi, answer)
                yield {"period": {"from": period.first.isoformat(), "to": period.end.isoformat()},
                       "group": group.names[0] if group.names else None, **answer}

    def get(self, path, **query):
        filter_ = Filter(query.get("segment"), query.get("channel"))
        kpi = path.rsplit("/", 1)[1]
        many = None
        if "granularity" in query:
            many = periods(query["granularity"], *(date.fromisoformat(query[end]) for end in ("from", "to")))
        if "by" in query:
            many = many or [self.by_key[query["period"]]]
            self.document = {"kpi": kpi, "by": query["by"], "series": [
                entry for period in many for entry in self._groups(kpi, query["by"], period)]}
            return self
        if many:
            series = []
            for period in many:
                answer = self._measure(kpi, period, filter_)
                self.spoil(kpi, answer)
                series.append({"period": {"key": period.key}, **answer})
            self.document = {"series": series}
            return self
        period = self.by_key[query.get("period") or f"{query['from']}..{query['to']}"]
        kpis = {}
        earlier = period.year_ago() if query.get("compare") == "year_ago" else period.previous()
        for kpi in KPIS:
            this, before = (self.answers[kpi, p, filter_] for p in (period, earlier))
            kpis[kpi] = answer = self._measure(kpi, period, filter_)
            chance = p_value(kpi, this, before)
            answer["previous"] = {"period": earlier.key, "value": before.value, "n": before.n}
            unlike = kpi == "relationship_quality" and present(this) != present(before)
            answer["change"] = None if unlike or None in (this.value, before.value) else {
                "absolute": this.value - before.value, "p_value": chance,
                "significant": None if chance is None else chance < 0.05}
            self.spoil(kpi, answer)
        self.document = {"kpis": kpis, "period": {
            "key": period.key, "from": period.first.isoformat(), "to": period.end.isoformat(), "timezone": ZONE,
            "complete": True}}
        return self


@pytest.fixture(scope="module")
def asked(oracle):
    made = Generator(3, ZONE, date(2018, 1, 1), date(2018, 12, 31), size=0.2)
    oracle.load(made.records(), ZONE)
    months = periods("month", made.first, made.end)
    singles = months + [custom("2018-03-01", "2018-03-20")]
    filters = [EVERYONE, Filter("pro", "web")]
    answers = oracle.ask([p for period in singles for p in (period, period.previous(), period.year_ago())], filters)
    groups = {by: oracle.groups(by) for by in GROUPINGS}
    for by, many in groups.items():
        answers.update(oracle.ask(months, many, [kpi for kpi in KPIS if by in LABELS[kpi]]))
    return answers, months, singles, filters, groups


GROUPINGS = ("segment", "aspect", "reason", "category")


def run(asked, spoil=lambda kpi, answer: None):
    answers, months, singles, filters, groups = asked
    tally, client = Tally("echo"), Echo(answers, spoil)
    for filter_ in filters:
        compare_series(tally, client, answers, "month", months, filter_)
        for period in singles:
            compare_period(tally, client, answers, ZONE, period, filter_)
    for by, many in groups.items():
        for kpi in KPIS:
            if by in LABELS[kpi]:
                compare_groups(tally, client, answers, kpi, many, months, "month")
                compare_groups(tally, client, answers, kpi, many, months[2:3])
    compare_period(tally, client, answers, ZONE, months[5], compare="year_ago")
    return tally


def test_right_answers_have_no_difference(asked):
    tally = run(asked)
    tally.finish()
    assert tally.not_null > 5000


@pytest.mark.parametrize("kpi, change", [
    ("nps", lambda answer: answer.update(value=(answer["value"] or 0) + 0.00001)),
    ("churn_rate", lambda answer: answer["parts"].update(redundant=answer["parts"]["redundant"] + 1)),
    ("first_response_time", lambda answer: answer["parts"].update(p95=(answer["parts"]["p95"] or 1) * 1.011)),
    ("resolution_time", lambda answer: answer["parts"].pop("mean")),
    ("csat", lambda answer: answer.update(null_reason="zero_denominator")),
    ("interactions", lambda answer: answer["parts"].update(extra=1)),
    ("response_rate", lambda answer: answer.update(provisional=True)),
    ("ces", lambda answer: answer.update(interval={"level": 0.95, "low": 0, "high": 100, "method": "wilson"})),
    ("feedback", lambda answer: answer.update(value=None)),
    ("revenue", lambda answer: answer["parts"].update(refunds=-answer["parts"]["refunds"])),
    ("revenue_growth_rate", lambda answer: answer.update(denominator=1)),
    ("cac", lambda answer: answer.update(numerator=answer["numerator"] + 1)),
    ("ltv", lambda answer: answer.update(interval=None)),
    ("relationship_quality", lambda answer: answer["parts"].update(annualised_retention=1)),
    ("follow_up_rate", lambda answer: answer["parts"].update(within_48h=answer["parts"]["within_48h"] + 1)),
])
def test_a_wrong_cell_is_found(asked, kpi, change):
    tally = run(asked, lambda name, answer: change(answer) if name == kpi else None)
    assert tally.differences > 0
    assert {name for name, _ in tally.kinds} == {kpi}
    with pytest.raises(AssertionError, match=kpi):
        tally.finish()


def test_a_missing_and_a_needless_group_are_found(asked):
    answers, months, _, _, groups = asked
    some = {key: measure for key, measure in answers.items() if key[2] != groups["category"][0]}
    tally = Tally("echo")
    compare_groups(tally, Echo(some), answers, "cac", groups["category"], months, "month")
    assert {name for _, name in tally.kinds} == {"absent"}
    tally = Tally("echo")
    compare_groups(tally, Echo(answers), some, "cac", groups["category"][1:], months, "month")
    assert {name for _, name in tally.kinds} == {"unknown group"}


def test_wrong_change_is_found(asked):
    def spoil(_, answer):
        if answer.get("change") and answer["change"]["p_value"] is not None:
            answer["change"]["p_value"] += 0.001
    assert {name for _, name in run(asked, spoil).kinds} == {"change.p_value"}


def check_moments(kind, record):
    """The rules of design.md section 2 that tie fields of one record together."""
    at = {name: datetime.fromisoformat(value) for name, value in record.items() if name.endswith("_at")}
    if kind == "interactions":
        assert all(moment >= at["opened_at"] for moment in at.values())
        assert record.get("resolved_on_first_contact") is None or "resolved_at" in record
    if kind == "actions":
        assert ("done_at" in record) == (record.get("status") == "done")
        assert at.get("done_at", at["opened_at"]) >= at["opened_at"]
    if kind == "surveys":
        assert at and ("answered_at" in at or not {"score", "comment"} & record.keys())
        assert record["type"] != "open" or "score" not in record


@pytest.mark.parametrize("seed", (1, 2026))
def test_generated_requests_keep_the_contract(seed):
    """Replayed on a model of the rules about customers and life events, in the order of sending."""
    made = Generator(seed, "America/Sao_Paulo", date(2017, 1, 1), date(2018, 12, 31))
    stored = {kind: {} for kind in made.kept}

    def start(name):
        return datetime.fromisoformat(stored["customers"][name]["started_at"])

    def events(name):
        return [datetime.fromisoformat(row.get("cancelled_at") or row.get("reactivated_at"))
                for kind in ("cancellations", "reactivations") for row in stored[kind].values()
                if row["customer_id"] == name]

    def keep(kind, record):
        check_moments(kind, record)
        if kind in ("cancellations", "reactivations"):
            moment = record.get("cancelled_at") or record.get("reactivated_at")
            assert datetime.fromisoformat(moment) >= start(record["customer_id"])
        stored[kind][record["id"]] = record
        if kind == "customers":
            assert all(moment >= start(record["id"]) for moment in events(record["id"]))

    for kind, rows in made.batches():
        for row in rows:
            assert row["id"] not in stored[kind]
            keep(kind, row)
    assert stored == made.kept
    requests = made.correct()
    assert {method for method, *_ in requests} == {"POST", "PUT", "PATCH", "DELETE"}
    for method, kind, name, body, _ in requests:
        if method == "DELETE":
            assert kind != "customers" or not events(name)
            del stored[kind][name]
        elif method == "PATCH":
            merged = {**stored[kind][name], **body}
            keep(kind, {field: value for field, value in merged.items() if value is not None})
        else:
            assert (name in stored[kind]) == (method == "PUT")
            keep(kind, body)
    assert stored == made.kept
    assert made.records() == {kind: list(rows.values()) for kind, rows in made.kept.items()}
    again = Generator(seed, "America/Sao_Paulo", date(2017, 1, 1), date(2018, 12, 31))
    assert again.batches() and again.correct() == requests
