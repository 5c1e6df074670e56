"""Shapes of the KPI answers, and figures worked out by hand."""

import datetime
import re
import zoneinfo

import pytest

from api.checks import expect, sample

FIGURE = {"kpi", "definition", "unit", "direction", "cadence", "value", "n", "numerator",
          "denominator", "parts", "interval", "null_reason", "provisional", "previous", "change"}
UNITS = {"csat": "percent", "nps": "points", "ces": "percent", "response_rate": "percent",
         "churn_rate": "percent", "retention_rate": "percent", "first_response_time": "seconds",
         "resolution_time": "seconds", "first_contact_resolution": "percent",
         "interactions": "count", "feedback": "count", "follow_up_rate": "percent",
         "buyer_retention_rate": "percent", "repeat_purchase_rate": "percent", "revenue": "money",
         "revenue_growth_rate": "percent", "arpc": "money", "cac": "money", "ltv": "money",
         "ltv_cac_ratio": "ratio", "relationship_quality": "points"}
CADENCE = {"nps": "quarter", "feedback": "quarter", "relationship_quality": "quarter",
           **dict.fromkeys(("churn_rate", "retention_rate", "buyer_retention_rate",
                            "repeat_purchase_rate", "ltv", "ltv_cac_ratio"), "year")}
PARTS = {
    "csat": "satisfied neutral dissatisfied mean_on_5", "nps": "promoters passives detractors",
    "ces": "easy neutral hard mean_5 mean_7", "response_rate": "sent answered late",
    "churn_rate": "customers_at_start lost lost_new acquired reactivated cancelled redundant "
                  "customers_at_end lost_voluntary lost_involuntary",
    "first_response_time": "p50 p90 p95 mean waiting_at_end",
    "resolution_time": "p50 p90 p95 mean waiting_at_end",
    "first_contact_resolution": "first_contact known resolved",
    "interactions": "opened responded resolved closed_unresolved open_at_end",
    "feedback": "positive neutral negative unscored",
    "follow_up_rate": "median_time within_48h", "revenue": "gross refunds unattributed",
    "cac": "costs acquired",
    "relationship_quality": "csat nps first_contact_resolution annualised_retention ces speed",
}


def post_all(client, kind, records):
    summary = expect(client.post_ndjson(f"/v1/{kind}", records), 200)
    assert summary["created"] == len(records)


def nps_answers(month, promoters, passives, detractors):
    scores = [10] * promoters + [8] * passives + [3] * detractors
    return [sample("surveys", score=score, answered_at=f"{month}-{at % 28 + 1:02}T12:00:00Z")
            for at, score in enumerate(scores)]


def figure(client, kpi, **parameters):
    answer = expect(client.get(f"/v1/kpis/{kpi}", **parameters), 200)
    return answer["kpis"][kpi] if "kpis" in answer else answer


def near(*expected):
    return pytest.approx(expected, abs=1e-6)


def test_the_answer_for_one_period(fresh):
    post_all(fresh, "surveys", nps_answers("2025-03", 2, 1, 1))
    answer = expect(fresh.get("/v1/kpis", period="2025-03", segment="x"), 200)
    assert set(answer) == {"period", "filters", "data", "kpis"}
    assert answer["filters"] in ({"segment": "x"}, {"segment": "x", "channel": None})
    assert answer["data"] == {"first": "2025-03-01", "last": "2025-03-04"}
    assert set(answer["kpis"]) == set(UNITS)
    for name, entry in answer["kpis"].items():
        assert FIGURE <= set(entry), name
        assert (entry["kpi"], entry["unit"]) == (name, UNITS[name])
        assert entry["cadence"] == CADENCE.get(name, "month")
        assert re.fullmatch(rf"{name}@\d+", entry["definition"])
        assert set(PARTS.get(name, "").split()) <= set(entry["parts"]), name
        assert (entry["value"] is None) == (entry["null_reason"] is not None)
        assert isinstance(entry["n"], int) and entry["provisional"] in (True, False)


@pytest.mark.parametrize("kind, time", [
    ("surveys", "answered_at"), ("surveys", "sent_at"), ("interactions", "opened_at"), ("customers", "started_at"),
    ("cancellations", "cancelled_at"), ("reactivations", "reactivated_at"), ("payments", "paid_at"),
    ("costs", "incurred_at"), ("actions", "opened_at")])
def test_data_are_the_days_that_have_records_of_any_kind(fresh, kind, time):
    zone = zoneinfo.ZoneInfo("America/Sao_Paulo")  # three hours behind
    expect(fresh.patch("/v1/workspace", {"timezone": zone.key}), 200)
    expect(fresh.put("/v1/customers/known", {"started_at": "2022-08-15T12:00:00Z"}), 201)
    record = sample(kind)
    if time == "sent_at":  # not answered
        record = {"type": "nps"}
    elif kind == "surveys":  # counts by its answer
        record["sent_at"] = "2019-05-05T12:00:00Z"
    first_day = "2021-01-31"
    if "customer_id" in record:  # a life event cannot be before the start
        first_day = "2023-01-31"
    first_moment = f"{first_day[:5]}02-01T02:59:59Z"

    def data():
        return expect(fresh.get("/v1/kpis", kpis="nps"), 200)["data"]

    assert data() == {"first": "2022-08-15", "last": "2022-08-15"}
    post_all(fresh, kind, [{**record, "id": "first", time: first_moment},
                           {**record, "id": "last", time: "2025-02-01T03:00:00Z"}])
    assert data() == {"first": min(first_day, "2022-08-15"), "last": "2025-02-01"}
    tomorrow = datetime.datetime.now(zone).replace(hour=0, minute=0, second=0) + datetime.timedelta(days=1)
    expect(fresh.post(f"/v1/{kind}", {**record, "id": "ahead", time: tomorrow.isoformat()}), 201)
    assert data()["last"] == "2025-02-01"
    expect(fresh.patch(f"/v1/{kind}/last", {time: "2024-06-30T12:00:00Z"}), 200)
    assert data()["last"] == "2024-06-30"
    expect(fresh.delete(f"/v1/{kind}/last"), 204)
    assert data()["last"] == max(first_day, "2022-08-15")
    expect(fresh.delete(f"/v1/{kind}/first"), 204)
    assert data() == {"first": "2022-08-15", "last": "2022-08-15"}


def test_one_kpi_of_one_period(fresh):
    post_all(fresh, "surveys", nps_answers("2025-03", 2, 1, 1))
    whole = expect(fresh.get("/v1/kpis", period="2025-03"), 200)["kpis"]["nps"]
    assert {name: figure(fresh, "nps", period="2025-03")[name] for name in FIGURE} == \
        {name: whole[name] for name in FIGURE}


def test_a_series(fresh):
    post_all(fresh, "surveys", nps_answers("2025-03", 2, 1, 1) + nps_answers("2025-05", 1, 0, 0))
    answer = expect(fresh.get("/v1/kpis/nps", granularity="month", period="2025"), 200)
    assert {"kpi", "granularity", "timezone", "filters", "data", "series"} <= set(answer)
    assert (answer["kpi"], answer["granularity"], answer["timezone"]) == ("nps", "month", "UTC")
    series = answer["series"]
    assert [entry["period"]["key"] for entry in series] == [f"2025-{m:02}" for m in range(1, 13)]
    assert [entry["value"] for entry in series] == [None, None, 25, None, 100] + [None] * 7
    assert [entry["null_reason"] for entry in series] == \
        ["no_data", "no_data", None, "no_data", None] + ["no_data"] * 7
    assert not any(entry.get("previous") or entry.get("change") for entry in series)


def test_a_series_widens_to_whole_periods(fresh):
    answer = expect(fresh.get("/v1/kpis/nps", granularity="month", from_="2025-01-31",
                              to="2025-03-02"), 200)
    assert [entry["period"]["key"] for entry in answer["series"]] == ["2025-01", "2025-02", "2025-03"]
    answer = expect(fresh.get("/v1/kpis/nps", granularity="week", period="2025-03"), 200)
    assert [entry["period"]["from"] for entry in answer["series"]] == [
        "2025-02-24", "2025-03-03", "2025-03-10", "2025-03-17", "2025-03-24", "2025-03-31"]


def test_several_series_at_once(fresh):
    post_all(fresh, "surveys", nps_answers("2025-03", 2, 1, 1))
    answer = fresh.get("/v1/kpis", granularity="month", period="2025-Q1", kpis="nps,csat")
    text = answer.body.decode()
    expect(answer, 200)
    assert '"nps"' in text and '"csat"' in text and '"2025-02"' in text and '"churn_rate"' not in text


def test_numbers_have_at_most_six_decimals(fresh):
    post_all(fresh, "surveys", nps_answers("2025-03", 7, 3, 1) +
             [sample("surveys", type="csat", score=score) for score in (1, 3, 5, 4, 2, 5, 5)])
    post_all(fresh, "interactions", [
        sample("interactions", first_response_at=f"2025-03-04T10:0{at}:00.123457Z") for at in range(7)])
    body = fresh.get("/v1/kpis", period="2025-03").body.decode()
    assert not re.search(r"\d\.\d{7,}|\d[eE][+-]?\d", body)
    assert "NaN" not in body and "nan" not in body and "inf" not in body.replace("info", "")


def test_the_worked_example_of_nps(fresh):
    post_all(fresh, "surveys", nps_answers("2025-08", 32, 13, 6) + nps_answers("2025-05", 36, 14, 10))
    nps = figure(fresh, "nps", period="2025-Q3")
    assert (nps["value"], nps["n"], nps["numerator"], nps["denominator"]) == (50.980392, 51, 26, 51)
    assert nps["parts"] == {"promoters": 32, "passives": 13, "detractors": 6}
    interval = nps["interval"]
    assert (interval["level"], interval["method"]) == (0.95, "adjusted_wald")
    assert (interval["low"], interval["high"]) == near(29.294855, 67.001442)
    assert nps["previous"] == {"period": "2025-Q2", "value": 43.333333, "n": 60}
    assert (nps["change"]["absolute"], nps["change"]["p_value"]) == near(7.647059, 0.613230)
    assert nps["change"]["significant"] is False
    assert (nps["null_reason"], nps["provisional"], nps["direction"]) == \
        (None, False, "higher_is_better")


def test_one_promoter_alone(fresh):
    post_all(fresh, "surveys", nps_answers("2025-03", 1, 0, 0))
    interval = figure(fresh, "nps", period="2025-03")["interval"]
    assert (interval["low"], interval["high"]) == near(-48.498649, 100)


@pytest.mark.parametrize("satisfied, n, low, high", [
    (81, 263, 25.5289, 36.6210), (15, 148, 6.2386, 16.0487), (0, 20, 0, 16.1125)])
def test_wilson_intervals_of_newcombe_1998(fresh, satisfied, n, low, high):
    post_all(fresh, "surveys", [sample("surveys", type="csat", score=5 if at < satisfied else 1)
                                for at in range(n)])
    csat = figure(fresh, "csat", period="2025-03")
    assert (csat["numerator"], csat["denominator"]) == (satisfied, n)
    assert csat["interval"]["method"] == "wilson"
    interval = csat["interval"]
    assert (interval["low"], interval["high"]) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize("now, before, p_value", [
    ((5, 5), (2, 5), 0.049535), ((5, 5), (5, 5), 1), ((4, 4), (1, 4), None), ((5, 5), (0, 4), None)])
def test_the_change_of_a_proportion(fresh, now, before, p_value):
    for month, (satisfied, n) in (("2025-03", now), ("2025-02", before)):
        post_all(fresh, "surveys", [sample("surveys", type="csat", score=5 if at < satisfied else 1,
                                           answered_at=f"{month}-10T00:00:00Z") for at in range(n)])
    change = figure(fresh, "csat", period="2025-03")["change"]
    if p_value is None:
        assert change["p_value"] is None and change["significant"] is None
    else:
        assert change["p_value"] == pytest.approx(p_value, abs=1e-6)
        assert change["significant"] is (p_value < 0.05)


def test_churn_by_hand(fresh):
    """100 active at the start, 10 join, 12 cancel, of whom one joined and one came back."""
    starts = {f"old{at}": "2024-06-01T00:00:00Z" for at in range(100)}
    starts.update({f"new{at}": "2025-03-10T00:00:00Z" for at in range(10)})
    post_all(fresh, "customers", [sample("customers", id=name, started_at=start)
                                  for name, start in starts.items()])
    leavers = [f"old{at}" for at in range(11)] + ["new0"]
    post_all(fresh, "cancellations", [sample("cancellations", customer_id=name,
                                             cancelled_at="2025-03-20T00:00:00Z") for name in leavers])
    post_all(fresh, "reactivations", [sample("reactivations", customer_id="old0",
                                             reactivated_at="2025-03-25T00:00:00Z")])
    churn = figure(fresh, "churn_rate", period="2025-03")
    retention = figure(fresh, "retention_rate", period="2025-03")
    assert (churn["value"], retention["value"]) == (10, 90)
    parts = churn["parts"]
    assert {name: parts[name] for name in PARTS["churn_rate"].split()} == {
        "customers_at_start": 100, "lost": 10, "lost_new": 1, "acquired": 10, "reactivated": 1,
        "cancelled": 12, "redundant": 0, "customers_at_end": 99, "lost_voluntary": 0,
        "lost_involuntary": 0}
    assert (churn["n"], churn["denominator"]) == (100, 100)


def test_the_median_of_two(fresh):
    """p50 of {60, 9060} is 4560 within 1 %."""
    post_all(fresh, "interactions", [
        sample("interactions", first_response_at="2025-03-04T10:01:00Z"),
        sample("interactions", first_response_at="2025-03-04T12:31:00Z")])
    answer = figure(fresh, "first_response_time", period="2025-03")
    assert answer["value"] == pytest.approx(4560, rel=0.01)
    assert answer["parts"]["p50"] == answer["value"]
    assert answer["parts"]["mean"] == 4560
    assert (answer["n"], answer["numerator"], answer["interval"]) == (2, None, None)


def test_null_and_its_reason(fresh):
    def reasons(**parameters):
        answer = expect(fresh.get("/v1/kpis", period="2025-03", **parameters), 200)
        return {name: entry["null_reason"] for name, entry in answer["kpis"].items()}
    assert set(reasons().values()) == {"no_data"}
    expect(fresh.post("/v1/customers", sample("customers", id="c")), 201)
    assert reasons()["churn_rate"] == reasons()["retention_rate"] == "no_cancellations"
    expect(fresh.post("/v1/cancellations", sample("cancellations", customer_id="c",
                                                  cancelled_at="2025-06-01T00:00:00Z")), 201)
    churn = figure(fresh, "churn_rate", period="2025-03")
    assert (churn["value"], churn["null_reason"], churn["n"]) == (0, None, 1)
    expect(fresh.post("/v1/interactions", sample("interactions", resolved_at="2025-03-05T00:00:00Z")),
           201)
    assert reasons()["first_contact_resolution"] == "zero_denominator"
    assert reasons()["interactions"] is None
    later = figure(fresh, "interactions", period="2025-04")
    assert (later["value"], later["null_reason"]) == (0, None)
    earlier = figure(fresh, "interactions", period="2025-02")
    assert (earlier["value"], earlier["null_reason"]) == (None, "no_data")


def test_aspects_and_unsolicited_answers_stay_out_of_the_headline(fresh):
    post_all(fresh, "surveys", [sample("surveys"), sample("surveys", aspect="trust"),
                                sample("surveys", solicited=False),
                                sample("surveys", aspect="trust", comment="x")])
    assert figure(fresh, "nps", period="2025-03")["n"] == 1
    assert figure(fresh, "feedback", period="2025-03")["value"] == 1


def test_days_of_the_workspace_s_zone(api, workspace):
    """São Paulo, 2018-11-04: midnight does not exist, the day begins at 01:00-02:00 (03:00Z)."""
    client = workspace(api, timezone="America/Sao_Paulo")
    post_all(client, "surveys", [sample("surveys", answered_at=moment) for moment in (
        "2018-11-04T02:59:59.999999Z", "2018-11-04T03:00:00Z", "2018-11-05T01:59:59.999999Z",
        "2018-11-05T02:00:00Z")])
    answer = expect(client.get("/v1/kpis/nps", granularity="day", from_="2018-11-03",
                               to="2018-11-06"), 200)
    assert [entry["n"] for entry in answer["series"]] == [1, 2, 1]
