"""Laws between the figures of one workspace."""

import collections
import datetime
import zoneinfo

import pytest

from property.world import CHANNELS, LIFE, PERIODS, SEGMENTS, figures, moment_of

QUARTERS = {f"2024-Q{q}": [f"2024-{m:02}" for m in range(3 * q - 2, 3 * q + 1)] for q in range(1, 5)}
YEARS = {"2024": list(QUARTERS)}
LABELS = [label for label in SEGMENTS if label], [label for label in CHANNELS if label]

# What adds up over periods and over groups. Parts that tell of a moment or of a mean do not.
ADDITIVE = {
    "csat": ("satisfied", "neutral", "dissatisfied"), "nps": ("promoters", "passives", "detractors"),
    "ces": ("easy", "neutral", "hard"), "response_rate": ("sent", "answered", "late"),
    "first_contact_resolution": ("first_contact", "known", "resolved"),
    "interactions": ("opened", "responded", "resolved", "closed_unresolved"),
    "feedback": ("positive", "neutral", "negative", "unscored"),
    "churn_rate": ("acquired", "reactivated", "cancelled", "redundant"),
    "first_response_time": (), "resolution_time": (),
    "follow_up_rate": ("low_scores", "followed_up", "within_48h"),
}
MONEY = {"revenue": ("gross", "refunds", "unattributed"), "cac": ("costs", "acquired"), "arpc": ("attributed_revenue",)}
GROUPED = {**ADDITIVE, "churn_rate": ADDITIVE["churn_rate"] + (
    "customers_at_start", "customers_at_end", "lost", "lost_new", "lost_voluntary", "lost_involuntary"),
    "first_response_time": ("waiting_at_end",), "resolution_time": ("waiting_at_end",),
    "interactions": ADDITIVE["interactions"] + ("open_at_end",)}


@pytest.fixture
def world(worlds):
    return worlds[0]


@pytest.fixture(scope="session")
def all_figures(worlds):
    return [answer for world in worlds for answer in figures(world.client).values()]


def ask(world, period, **filters):
    answer = world.client.get("/v1/kpis", period=period, **filters)
    assert answer.status == 200, answer
    return answer.json()["kpis"]


def counts(kpis, table=ADDITIVE):
    """(kpi, part) → count; n is one of the parts where it counts records."""
    found = collections.Counter()
    for kpi, parts in table.items():
        for part in parts:
            found[kpi, part] = kpis[kpi]["parts"][part] or 0
        if kpi != "churn_rate":
            found[kpi, "n"] = kpis[kpi]["n"]
    return found


def test_low_value_high(all_figures):
    seen = collections.Counter()
    for answer in all_figures:
        for kpi, figure in answer["kpis"].items():
            interval = figure["interval"]
            if figure["value"] is None or interval is None:
                continue
            assert interval["low"] <= figure["value"] <= interval["high"], figure
            seen[kpi] += 1
            if figure["unit"] == "percent":
                assert 0 <= interval["low"] and interval["high"] <= 100
            if figure["unit"] == "points":
                assert -100 <= interval["low"] and interval["high"] <= 100
    for kpi in ("csat", "nps", "ces", "response_rate", "churn_rate", "first_contact_resolution",
                "first_response_time"):
        assert seen[kpi] > 10, seen


def test_null_and_reason_go_together(all_figures):
    for answer in all_figures:
        for figure in answer["kpis"].values():
            assert (figure["value"] is None) == (figure["null_reason"] is not None), figure
            if figure["unit"] == "percent" and figure["value"] is not None:
                assert figure["value"] == pytest.approx(
                    100 * figure["numerator"] / figure["denominator"], abs=1e-6)
                assert figure["denominator"] > 0
                assert figure["kpi"] == "revenue_growth_rate" or figure["denominator"] == figure["n"]


def test_classes_add_up_to_the_answers(all_figures):
    for answer in all_figures:
        for kpi in ("csat", "nps", "ces"):
            figure = answer["kpis"][kpi]
            assert sum(figure["parts"][part] or 0 for part in ADDITIVE[kpi]) == figure["n"]
        feedback = answer["kpis"]["feedback"]
        assert sum(feedback["parts"][part] or 0 for part in ADDITIVE["feedback"]) == \
            (feedback["value"] or 0)


def test_churn_and_retention(all_figures):
    seen = 0
    for answer in all_figures:
        churn, retention = answer["kpis"]["churn_rate"], answer["kpis"]["retention_rate"]
        assert churn["null_reason"] == retention["null_reason"]
        parts = churn["parts"]
        if any(parts[name] is None for name in ("customers_at_start", "customers_at_end")):
            assert churn["value"] is None
            continue
        assert parts["customers_at_start"] + parts["acquired"] + parts["reactivated"] \
            - parts["cancelled"] == parts["customers_at_end"], parts
        assert parts["lost_voluntary"] + parts["lost_involuntary"] <= parts["lost"]
        assert parts["lost"] <= parts["customers_at_start"]
        assert parts["lost"] + parts["lost_new"] <= parts["cancelled"]
        if churn["value"] is not None:
            assert churn["value"] + retention["value"] == pytest.approx(100, abs=2e-6)
            seen += parts["lost"] > 0
    assert seen > 20


def test_the_end_of_a_period_is_the_start_of_the_next(world):
    for periods in (PERIODS[:16], list(QUARTERS) + ["2025-Q1"], ["2023", "2024", "2025"]):
        parts = [ask(world, period)["churn_rate"]["parts"] for period in periods]
        for one, following in zip(parts, parts[1:]):
            if one["customers_at_end"] is not None and following["customers_at_start"] is not None:
                assert one["customers_at_end"] == following["customers_at_start"]


@pytest.mark.parametrize("filters", [{}, {"segment": "gold"}, {"segment": "silver", "channel": "web"}],
                         ids=["total", "segment", "both"])
def test_counts_add_up_over_periods(world, filters):
    for whole, parts in {**QUARTERS, **YEARS}.items():
        for table in (ADDITIVE, MONEY):
            total, expected = collections.Counter(), counts(ask(world, whole, **filters), table)
            for part in parts:
                total.update(counts(ask(world, part, **filters), table))
            assert total == expected, whole
    days = (datetime.date(2024, 3, 1) + datetime.timedelta(days=n) for n in range(31))
    total = sum((counts(ask(world, str(day), **filters)) for day in days), collections.Counter())
    assert +total == +counts(ask(world, "2024-03", **filters))
    weeks = sum((counts(ask(world, f"2024-W{n:02}", **filters)) for n in range(10, 14)),
                collections.Counter())
    answer = world.client.get("/v1/kpis", from_="2024-03-04", to="2024-04-01", **filters).json()
    assert +weeks == +counts(answer["kpis"])


BY = {"segment": ("nps", "follow_up_rate", "revenue", "cac", "arpc", "interactions", "churn_rate"),
      "channel": ("csat", "feedback", "cac", "arpc", "first_contact_resolution", "churn_rate"), "agent": ("interactions", "nps"),
      "category": ("cac",)}


def test_groups_by_label_add_up_to_the_whole(world):
    """The unlabelled ones are a group of their own."""
    table = {**GROUPED, **MONEY}
    for period in ("2024-02", "2024-Q3", "2024"):
        whole = ask(world, period)
        for label, kpis in BY.items():
            for kpi in kpis:
                series = world.client.get(f"/v1/kpis/{kpi}", period=period, by=label).json()["series"]
                parts = ("costs",) if label == "category" else table[kpi]
                for part in parts:
                    assert sum(group["parts"][part] or 0 for group in series) == \
                        pytest.approx(whole[kpi]["parts"][part] or 0, abs=1e-6), (period, label, kpi, part)


def test_groups_and_the_unlabelled_rest_add_up(world):
    """Labelled groups never exceed the whole; segment and channel cut each other consistently."""
    segments, channels = LABELS
    for period in ("2024-02", "2024-Q3", "2024"):
        whole = counts(ask(world, period), GROUPED)
        for name, labels in (("segment", segments), ("channel", channels)):
            labelled = sum((counts(ask(world, period, **{name: label}), GROUPED) for label in labels),
                           collections.Counter())
            assert all(labelled[key] <= whole[key] for key in whole), (period, name)
        for segment in segments:
            own = counts(ask(world, period, segment=segment), GROUPED)
            both = sum((counts(ask(world, period, segment=segment, channel=channel), GROUPED)
                        for channel in channels), collections.Counter())
            assert all(both[key] <= own[key] for key in own), (period, segment)


def first_instant(day, zone):
    """The day's first existing instant, in UTC."""
    naive = datetime.datetime.combine(day, datetime.time())
    moment = naive.replace(tzinfo=zone).astimezone(datetime.timezone.utc)
    while moment.astimezone(zone).date() < day:
        moment += datetime.timedelta(minutes=30)
    return moment


def effective(world, record, field, kind, via):
    """The label of a record: its own, else that of what it names."""
    if record.get(field):
        return record[field]
    return world.facts[kind].get(record.get(via), {}).get(field)


def test_groups_are_those_of_the_facts(world):
    """Headline answers and opened interactions per month, segment and channel, counted by hand."""
    zone = zoneinfo.ZoneInfo(world.zone)
    headline = [record for record in world.facts["surveys"].values() if "score" in record
                and "aspect" not in record and record.get("solicited") is not False]
    checked = 0
    for month in range(1, 13):
        low = first_instant(datetime.date(2024, month, 1), zone)
        high = first_instant(datetime.date(2024 + month // 12, month % 12 + 1, 1), zone)
        answers = [record for record in headline if low <= moment_of(record["answered_at"]) < high]
        opened = [record for record in world.facts["interactions"].values()
                  if low <= moment_of(record["opened_at"]) < high]
        for segment in (None, *LABELS[0]):
            for channel in (None, *LABELS[1]):
                filters = {name: label for name, label in (("segment", segment), ("channel", channel))
                           if label}
                kpis = ask(world, f"2024-{month:02}", **filters)
                for kpi in ("nps", "csat", "ces"):
                    expected = sum(
                        record["type"] == kpi
                        and segment in (None, effective(world, record, "segment", "customers",
                                                        "customer_id"))
                        and channel in (None, effective(world, record, "channel", "interactions",
                                                        "interaction_id"))
                        for record in answers)
                    assert kpis[kpi]["n"] == expected, (month, filters, kpi)
                    checked += expected > 0
                expected = sum(
                    segment in (None, effective(world, record, "segment", "customers", "customer_id"))
                    and channel in (None, record.get("channel")) for record in opened)
                assert (kpis["interactions"]["parts"]["opened"] or 0) == expected, (month, filters)
    assert checked > 30


def test_customers_of_a_segment_add_up_by_the_facts(world):
    """Customers active at the end of a period, per segment, from the life events by hand."""
    zone = zoneinfo.ZoneInfo(world.zone)
    for period, day in (("2024-06", datetime.date(2024, 7, 1)), ("2024", datetime.date(2025, 1, 1))):
        end = first_instant(day, zone)
        active = collections.Counter()
        for name, customer in world.facts["customers"].items():
            events = [(moment_of(customer["started_at"]), 0, "", True)]
            for rank, (kind, field) in enumerate(LIFE.items(), start=1):
                events += [(moment_of(event[field]), rank, event_id, kind == "reactivations")
                           for event_id, event in world.facts[kind].items()
                           if event["customer_id"] == name]
            before = [event for event in sorted(events) if event[0] < end]
            if before and before[-1][3]:
                active[customer.get("segment")] += 1
        assert ask(world, period)["churn_rate"]["parts"]["customers_at_end"] == sum(active.values())
        for segment in LABELS[0]:
            parts = ask(world, period, segment=segment)["churn_rate"]["parts"]
            assert (parts["customers_at_end"] or 0) == active[segment]
