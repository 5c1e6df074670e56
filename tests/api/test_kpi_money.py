"""Money, buyers, follow-ups and figures by label, on small cases worked out by hand."""

import csv
import io
import time

from api.checks import expect, sample
from api.test_kpi_answers import figure, post_all


def payment(customer, amount, day, **fields):
    return sample("payments", customer_id=customer, amount=amount, paid_at=f"{day}T12:00:00Z", **fields)


def test_revenue_names_its_currency_and_parts(fresh):
    post_all(fresh, "payments", [payment("a", 1000, "2025-03-04"), payment("a", -250, "2025-03-09"),
                                 payment(None, 500, "2025-03-31"), payment("b", 800, "2025-02-28")])
    revenue = figure(fresh, "revenue", period="2025-03")
    assert (revenue["value"], revenue["n"], revenue["unit"]) == (1250, 3, "money")
    assert (revenue["currency"], revenue["minor_digits"]) == ("BRL", 2)
    assert revenue["parts"] == {"gross": 1500, "refunds": 250, "unattributed": 500}
    assert revenue["previous"]["value"] == 800 and revenue["change"]["absolute"] == 450
    assert figure(fresh, "revenue_growth_rate", period="2025-03")["value"] == 56.25  # 450 of 800
    assert figure(fresh, "revenue", period="2025-01")["null_reason"] == "no_data"
    assert figure(fresh, "revenue", period="2025-04")["value"] == 0
    assert figure(fresh, "revenue", period="2025-03", channel="web")["null_reason"] == \
        "not_applicable_to_filter"


def test_buyers_who_come_back(fresh):
    """{a, b, c, d} bought in 2024 and {b, c, e} in 2025: two of four."""
    post_all(fresh, "payments", [payment(who, 100, "2024-05-02") for who in "abcd"] +
             [payment(who, 100, "2025-06-02") for who in "bce"] +
             [payment("a", -100, "2025-06-02"), payment("f", 0, "2025-06-02")])
    for query in ({"period": "2025"}, {"from_": "2025-01-01", "to": "2026-01-01"}):
        kept = figure(fresh, "buyer_retention_rate", **query)
        assert (kept["value"], kept["numerator"], kept["denominator"]) == (50, 2, 4), query
        repeat = figure(fresh, "repeat_purchase_rate", **query)
        assert (repeat["value"], repeat["numerator"], repeat["denominator"]) == (66.666667, 2, 3), query


def test_two_days_make_a_repeat_buyer_and_corrections_unmake_one(fresh):
    first, second = payment("a", 100, "2025-03-04"), payment("a", 100, "2025-03-20")
    post_all(fresh, "payments", [first, second, payment("b", 5, "2025-03-04"), payment("b", 5, "2025-03-04")])
    assert figure(fresh, "repeat_purchase_rate", period="2025-03")["value"] == 50
    expect(fresh.patch(f"/v1/payments/{second['id']}", {"paid_at": "2025-04-02T00:00:00Z"}), 200)
    assert figure(fresh, "repeat_purchase_rate", period="2025-03")["value"] == 0
    assert figure(fresh, "repeat_purchase_rate", period="2025-04")["value"] == 100
    assert figure(fresh, "repeat_purchase_rate", period="2025-Q2")["value"] == 100
    expect(fresh.delete(f"/v1/payments/{first['id']}"), 204)
    assert figure(fresh, "repeat_purchase_rate", period="2025-04")["value"] == 0


def test_what_customers_cost_and_bring(fresh):
    post_all(fresh, "customers", [sample("customers", id=str(at), started_at="2024-01-01T00:00:00Z",
                                         segment="pro" if at < 40 else None) for at in range(100)])
    post_all(fresh, "payments", [payment(str(at), 50, "2025-05-05") for at in range(100)])
    post_all(fresh, "cancellations", [sample("cancellations", customer_id=str(at),
                                             cancelled_at="2025-08-01T00:00:00Z") for at in range(8)])
    expect(fresh.patch("/v1/workspace", {"settings": {"gross_margin": 0.8}}), 200)
    ltv = figure(fresh, "ltv", period="2025")
    assert (ltv["value"], ltv["n"], ltv["settings"]) == (500, 8, {"gross_margin": 0.8})
    # 100 at the start, 92 at the end.
    assert figure(fresh, "arpc", period="2025")["value"] == 52.083333
    assert figure(fresh, "ltv", period="2025", segment="pro")["value"] == 200  # 40 × 50 × 0.8 / 8
    post_all(fresh, "costs", [sample("costs", amount=900, category="ads", incurred_at="2024-01-05T00:00:00Z"),
                              sample("costs", amount=100, category="rent", incurred_at="2024-01-05T00:00:00Z")])
    assert figure(fresh, "cac", period="2024")["value"] == 10
    by = expect(fresh.get("/v1/kpis/cac", period="2024", by="category"), 200)
    assert {row["group"]: row["value"] for row in by["series"]} == {"ads": 9, "rent": 1}
    expect(fresh.patch("/v1/workspace", {"settings": {"cac_categories": ["ads"]}}), 200)
    assert figure(fresh, "cac", period="2024")["value"] == 9
    reasons = expect(fresh.get("/v1/kpis/churn_rate", period="2025", by="reason"), 200)["series"]
    assert [(row["group"], row["value"]) for row in reasons] == [(None, 8)]


def test_follow_ups_in_any_order_of_arrival(fresh):
    low = [sample("surveys", id=f"s{at}", score=2, answered_at="2025-03-04T10:00:00Z") for at in range(4)]

    def done(survey, moment, **fields):
        return sample("actions", survey_id=survey, status="done", opened_at="2025-03-01T00:00:00Z",
                      done_at=moment, **fields)

    post_all(fresh, "actions", [done("s0", "2025-03-05T10:00:00Z"), done("s1", "2025-03-11T10:00:00Z")])
    post_all(fresh, "surveys", low + [sample("surveys", score=9, answered_at="2025-03-04T10:00:00Z")])
    post_all(fresh, "actions", [done("s2", "2025-03-11T10:00:01Z"), done("s3", "2025-03-04T09:59:59Z")])
    rate = figure(fresh, "follow_up_rate", period="2025-03")
    assert (rate["value"], rate["n"]) == (50, 4)  # one second past 168 h, and one before the answer, are not
    assert rate["parts"]["within_48h"] == 1
    assert abs(rate["parts"]["median_time"] / (96 * 3600) - 1) < 0.01  # of 24 h and 168 h
    expect(fresh.patch("/v1/surveys/s0", {"score": 9}), 200)
    assert figure(fresh, "follow_up_rate", period="2025-03")["numerator"] == 1


def test_groups_and_their_filters(fresh):
    def answer(score, segment, channel):
        return sample("surveys", score=score, segment=segment, channel=channel)
    post_all(fresh, "surveys", [answer(10, "pro", "web"), answer(0, "pro", "web"), answer(10, "pro", "app"),
                                answer(10, None, "web")])
    by = expect(fresh.get("/v1/kpis/nps", period="2025-03", by="segment"), 200)
    assert (by["kpi"], by["by"], by["granularity"]) == ("nps", "segment", "month")
    assert {row["group"]: (row["value"], row["n"]) for row in by["series"]} == \
        {"pro": (33.333333, 3), None: (100, 1)}
    web = expect(fresh.get("/v1/kpis/nps", period="2025-03", by="segment", channel="web"), 200)
    assert {row["group"]: row["value"] for row in web["series"]} == {"pro": 0, None: 100}
    pro = expect(fresh.get("/v1/kpis/nps", period="2025-03", by="channel", segment="pro"), 200)
    assert {row["group"]: row["value"] for row in pro["series"]} == {"web": 0, "app": 100}
    for query, code in (({"by": "agent", "segment": "pro"}, "unsupported_combination"),
                        ({"by": "segment", "segment": "pro"}, "unsupported_combination"),
                        ({"by": "reason"}, "unsupported_combination"), ({"by": "colour"}, "invalid_parameter"),
                        ({"by": "segment", "compare": "previous"}, "unsupported_combination")):
        assert expect(fresh.get("/v1/kpis/nps", period="2025-03", **query), 400)["code"] == code, query


def test_the_largest_groups_and_all_others(fresh):
    post_all(fresh, "surveys", [sample("surveys", score=10, touchpoint=f"t{at:03}")
                                for at in range(110) for _ in range(2 if at < 100 else 1)])
    rows = expect(fresh.get("/v1/kpis/nps", period="2025-03", by="touchpoint"), 200)["series"]
    assert len(rows) == 101 and rows[-1]["group"] == "other" and rows[-1]["n"] == 10
    assert {row["group"] for row in rows[:-1]} == {f"t{at:03}" for at in range(100)}


def test_one_tidy_table(fresh):
    post_all(fresh, "surveys", [sample("surveys", score=10, segment='a "b", c')])
    answer = fresh.get("/v1/kpis/nps", period="2025-03", by="segment", format="csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert list(rows[0]) == (
        "period,from,to,complete,provisional,group_by,group,kpi,value,unit,n,numerator,denominator,low,high,"
        "null_reason,previous,change,p_value,significant,status,definition").split(",")
    assert [(row["period"], row["group_by"], row["group"], row["value"], row["n"]) for row in rows] == \
        [("2025-03", "segment", 'a "b", c', "100", "1")]
    table = list(csv.DictReader(io.StringIO(fresh.get("/v1/kpis", period="2025-03", format="csv").body.decode())))
    assert len(table) == len(expect(fresh.get("/v1/kpis", period="2025-03"), 200)["kpis"])
    series = fresh.get("/v1/kpis", period="2025", granularity="month", kpis="nps,csat", format="csv")
    assert series.body.decode().count("\r\n") == 1 + 2 * 12


def test_actions_cost_no_more_than_their_surveys(fresh):
    """Right after an import, before there are statistics: it took 50 times as long."""
    surveys = [sample("surveys", score=1, id=f"low-{at}") for at in range(900)]
    actions = [sample("actions", survey_id=f"low-{at * 3}", status="done", done_at="2025-03-05T10:00:00Z")
               for at in range(300)]
    took = []
    for kind, records in (("surveys", surveys), ("actions", actions)):
        begun = time.monotonic()
        assert expect(fresh.post_ndjson(f"/v1/{kind}", records), 200)["created"] == len(records)
        took.append(time.monotonic() - begun)
    assert took[1] < 4 * took[0]
    followed = figure(fresh, "follow_up_rate", period="2025-03")
    assert (followed["n"], followed["numerator"]) == (900, 300)
