"""Cases of money, follow-ups and what is made of several KPIs, by hand or from print (see hand.py)."""
from datetime import date, datetime, timedelta, timezone

from oracle.hand import Case, day, month, quarter, scores, year
from oracle.measure import Settings
from oracle.truth import EVERYONE, Filter
from oracle.zones import custom

GONE = {"value": None}


def people(prefix, count, started_at, **more):
    return [{"id": f"{prefix}-{i}", "started_at": started_at, **more} for i in range(count)]


def leave(prefix, count, cancelled_at, **more):
    return [{"id": f"x-{prefix}-{i}", "customer_id": f"{prefix}-{i}", "cancelled_at": cancelled_at, **more}
            for i in range(count)]


def paid(id_, who, amount, paid_at, **more):
    return {"id": id_, "amount": amount, "paid_at": paid_at, **({"customer_id": who} if who else {}), **more}


def lifetime():
    """Issue: 100 customers × 50, margin 0.8, 8 lost → 500. The ends of the interval of 8
    losses are the roots of (8 − λ)² = z²λ, found by bisection in decimals."""
    payments = [paid(f"p-{i}", f"old-{i}", 50, "2025-06-15T12:00:00Z") for i in range(100)]
    return {
        "customers": people("old", 100, "2024-03-01T00:00:00Z"),
        "cancellations": leave("old", 8, "2025-07-01T00:00:00Z"), "payments": payments}


def ltv_margin():
    return Case("ltv_margin", lifetime(), [
        ("ltv", year(2025), EVERYONE, {"value": 500, "n": 8, "numerator": 4000, "denominator": 8,
                                       "low": 4000 / 15.787659786, "high": 4000 / 4.053799035}),
    ], settings=Settings(gross_margin=0.8))


def ltv_plain():
    """The same at margin 1; nobody lost; nobody there; and a shop that knows no cancellations."""
    return Case("ltv_plain", lifetime(), [
        ("ltv", year(2025), EVERYONE, {"value": 625, "n": 8, "numerator": 5000, "denominator": 8}),
        # z² alone is left of the upper end of the losses.
        ("ltv", quarter("2025-Q2"), EVERYONE, {"value": None, "null_reason": "zero_churn", "n": 0, "numerator": 5000,
                                               "low": 5000 / 3.841458820694, "high": None}),
        ("ltv", year(2023), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("ltv", year(2024), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("arpc", year(2025), EVERYONE, {"value": 5000 / 96, "n": 100, "numerator": 5000, "denominator": 96}),
        ("ltv_cac_ratio", year(2025), EVERYONE, {"value": None, "null_reason": "no_data"}),
    ])


def ltv_interval():
    """Issue: 600,000 attributed and 5 lost → 51,256.83 … 280,938.18."""
    return Case("ltv_interval", {
        "customers": people("a", 20, "2024-03-01T00:00:00Z") + people("n", 2, "2025-02-01T00:00:00Z"),
        "cancellations": leave("a", 4, "2025-07-01T00:00:00Z") + leave("n", 1, "2025-08-01T00:00:00Z"),
        "payments": [paid("1", "a-1", 700000, "2025-03-01T00:00:00Z"),
                     paid("2", "who?", -100000, "2025-03-02T00:00:00Z"),
                     paid("3", None, 5, "2025-03-02T00:00:00Z")]}, [
        ("ltv", year(2025), EVERYONE, {"value": 120000, "n": 5, "low": 51256.83, "high": 280938.18}),
        ("revenue", year(2025), EVERYONE, {"value": 600005, "n": 3, "gross": 700005, "refunds": 100000,
                                           "unattributed": 5}),
    ], digits=5e-3)


def ratio():
    """CAC: 100,000 spent on 50 new customers → 2,000 (calculates.dev/glossary/what-is-cac). LTV:CAC: 300 to 50 → 6
    (geniegoals.co.uk/glossary/ltv-cac-ratio)."""
    return Case("ratio", {
        "customers": people("a", 50, "2024-03-01T00:00:00Z", segment="x") +
                     people("b", 10, "2025-03-01T00:00:00Z", segment="y"),
        "cancellations": leave("a", 2, "2025-07-01T00:00:00Z"),
        "payments": [paid("1", "a-1", 600, "2025-03-01T00:00:00Z")],
        "costs": [{"id": "1", "amount": 100000, "incurred_at": "2024-12-31T23:59:59.999999Z", "category": "ads"},
                  {"id": "2", "amount": 650, "incurred_at": "2025-01-01T00:00:00Z", "category": "ads"},
                  {"id": "3", "amount": -150, "incurred_at": "2025-02-01T00:00:00Z", "category": "fairs"},
                  {"id": "4", "amount": 100, "incurred_at": "2026-01-01T00:00:00Z", "segment": "x"},
                  {"id": "5", "amount": -100, "incurred_at": "2026-01-02T00:00:00Z"}]}, [
        ("cac", year(2024), EVERYONE, {"value": 2000, "n": 50, "numerator": 100000, "denominator": 50,
                                       "costs": 100000, "acquired": 50}),
        ("cac", year(2025), EVERYONE, {"value": 50, "n": 10, "costs": 500}),
        ("cac", year(2025), Filter("y"), {"value": None, "null_reason": "no_data", "acquired": 10}),
        ("cac", year(2025), EVERYONE.group("category", "fairs"), {"value": -15, "n": 10}),
        ("cac", year(2026), EVERYONE, {"value": None, "null_reason": "zero_denominator", "costs": 0}),
        ("cac", year(2023), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("ltv", year(2025), EVERYONE, {"value": 300}),
        ("ltv_cac_ratio", year(2025), EVERYONE, {"value": 6, "n": 2, "numerator": 300, "denominator": 50}),
        ("ltv_cac_ratio", year(2026), EVERYONE, {"value": None, "null_reason": "zero_denominator"}),
        ("ltv_cac_ratio", year(2024), EVERYONE, {"value": None, "null_reason": "no_data"}),
    ])


def nothing_spent():
    """Costs of nothing and nobody lost: cac 0 is the first reason that holds; and nobody acquired, nobody lost."""
    return Case("nothing_spent", {
        "customers": people("a", 4, "2025-03-01T00:00:00Z"), "cancellations": leave("a", 1, "2026-07-01T00:00:00Z"),
        "payments": [paid("1", "a-1", 600, "2025-04-01T00:00:00Z")],
        "costs": [{"id": "1", "amount": 0, "incurred_at": "2025-05-01T00:00:00Z"},
                  {"id": "2", "amount": 9, "incurred_at": "2026-02-01T00:00:00Z"}]}, [
        ("cac", year(2025), EVERYONE, {"value": 0, "n": 4, "numerator": 0, "denominator": 4}),
        ("ltv", year(2025), EVERYONE, {"value": None, "null_reason": "zero_churn"}),
        ("ltv_cac_ratio", year(2025), EVERYONE, {"value": None, "null_reason": "zero_denominator"}),
        ("ltv_cac_ratio", quarter("2026-Q1"), EVERYONE, {"value": None, "null_reason": "zero_denominator"}),
        ("ltv_cac_ratio", quarter("2026-Q2"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("ltv_cac_ratio", year(2026), EVERYONE, {"value": None, "null_reason": "zero_denominator"}),
    ])


def arpc_and_growth():
    """ARPU: 1,000,000 of revenue by 50,000 subscribers on average → 20 (fool.com, "How to Calculate the Average
    Revenue per Unit"), here in thousands. Growth: 500,000 → 600,000 is 20 % (calculatoratoz.com, calculator 43736).
    (E − N) / S = (60 − 20) / 40 where nobody came back and who left had been there at the start."""
    return Case("arpc_and_growth", {
        "customers": people("a", 40, "2026-01-10T00:00:00Z", segment="x") + people("b", 20, "2026-03-05T00:00:00Z"),
        "payments": [paid("1", "a-1", 600, "2026-03-01T00:00:00Z"), paid("2", "b-1", 400, "2026-03-31T23:59:59Z"),
                     paid("3", None, 499000, "2026-03-10T00:00:00Z"), paid("4", None, 600000, "2026-04-01T00:00:00Z"),
                     paid("5", "a-1", -600000, "2026-05-01T00:00:00Z"), paid("6", None, 0, "2026-07-01T00:00:00Z")]}, [
        ("arpc", month("2026-03"), EVERYONE, {"value": 20, "n": 2, "numerator": 1000, "denominator": 50}),
        ("arpc", month("2026-03"), Filter("x"), {"value": 15, "n": 1, "denominator": 40}),
        ("arpc", month("2026-02"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("arpc", month("2026-04"), EVERYONE, {"value": 0, "n": 0, "denominator": 60}),
        ("arpc", month("2026-04"), Filter("y"), {"value": None, "null_reason": "no_data"}),
        ("ltv", month("2026-03"), EVERYONE, {"value": None, "null_reason": "no_cancellations"}),
        ("retention_rate", month("2026-03"), EVERYONE, {"value": None, "null_reason": "no_cancellations"}),
        ("revenue", month("2026-02"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("revenue", month("2026-06"), EVERYONE, {"value": 0, "n": 0, "null_reason": None}),
        ("revenue", month("2026-05"), EVERYONE, {"value": -600000, "gross": 0, "refunds": 600000}),
        ("revenue", month("2026-03"), Filter(None, "web"), {"value": None, "null_reason": "not_applicable_to_filter"}),
        ("revenue_growth_rate", month("2026-04"), EVERYONE, {"value": 20, "numerator": 100000, "denominator": 500000}),
        ("revenue_growth_rate", month("2026-03"), EVERYONE, {"value": None, "null_reason": "no_previous"}),
        ("revenue_growth_rate", month("2026-02"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("revenue_growth_rate", month("2026-05"), EVERYONE, {"value": -200}),
        ("revenue_growth_rate", month("2026-06"), EVERYONE, {"value": None, "null_reason": "zero_denominator"}),
        ("revenue_growth_rate", month("2026-07"), EVERYONE, {"value": None, "null_reason": "no_previous"}),
        ("revenue_growth_rate", month("2026-08"), EVERYONE, {"value": None, "null_reason": "zero_denominator"}),
        # Days 03-31 and 04-01 against the two before: 600,400 against nothing paid.
        ("revenue_growth_rate", custom("2026-03-31", "2026-04-02"), EVERYONE,
         {"value": None, "null_reason": "no_previous"}),
    ])


def formula():
    """(E − N) / S for retention, which holds where nobody comes back and no newcomer leaves: (105 − 20) / 100."""
    return Case("formula", {
        "customers": people("a", 100, "2026-01-10T00:00:00Z") + people("b", 20, "2026-03-05T00:00:00Z"),
        "cancellations": leave("a", 15, "2026-03-20T00:00:00Z", reason="price")}, [
        ("retention_rate", month("2026-03"), EVERYONE, {"value": 85, "n": 100, "numerator": 85}),
        ("churn_rate", month("2026-03"), EVERYONE, {"value": 15, "acquired": 20, "customers_at_end": 105}),
        ("churn_rate", month("2026-03"), EVERYONE.group("reason", "price"), {"value": 15, "lost": 15, "n": 100}),
        ("churn_rate", month("2026-03"), EVERYONE.group("reason"), {"value": 0, "lost": 0, "n": 100}),
    ])


def buyers():
    """Issue: {a, b, c, d}, then {b, c, e} → 50. Nothing bought by refunds, gifts and unknown purses."""
    def each(names, at, **more):
        return [paid(f"{name}{at}", name, 100, at, **more) for name in names]
    return Case("buyers", {"payments":
                each("abcd", "2026-04-10T12:00:00Z") + each("bce", "2026-05-31T23:59:59.999999Z") +
                [paid("1", "a", 0, "2026-05-02T00:00:00Z"), paid("2", "d", -5, "2026-05-02T00:00:00Z"),
                 paid("3", None, 5, "2026-05-02T00:00:00Z")] +
                # b on one day only, twice; f on two days, around midnight; g of another segment.
                each("f", "2026-07-10T23:59:59.999999Z") + each("f", "2026-07-11T00:00:00Z") +
                each("h", "2026-07-11T00:00:00Z") + each("h", "2026-07-11T23:59:59.999999Z") +
                each("b", "2026-07-12T00:00:00Z", segment="s")}, [
        ("buyer_retention_rate", month("2026-05"), EVERYONE, {"value": 50, "n": 4, "numerator": 2, "denominator": 4}),
        ("buyer_retention_rate", month("2026-04"), EVERYONE, {"value": None, "null_reason": "no_previous"}),
        ("buyer_retention_rate", month("2026-06"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("buyer_retention_rate", month("2026-07"), EVERYONE, {"value": None, "null_reason": "no_previous"}),
        ("buyer_retention_rate", quarter("2026-Q3"), EVERYONE, {"value": 20, "n": 5}),
        ("buyer_retention_rate", month("2026-05"), Filter(None, "c"),
         {"value": None, "null_reason": "not_applicable_to_filter"}),
        ("repeat_purchase_rate", month("2026-04"), EVERYONE, {"value": 0, "n": 4, "low": 0}),
        ("repeat_purchase_rate", month("2026-05"), EVERYONE, {"value": 200 / 3, "n": 3}),
        ("repeat_purchase_rate", month("2026-07"), EVERYONE, {"value": 200 / 3, "n": 3, "p_value": None}),
        ("repeat_purchase_rate", day("2026-07-11"), EVERYONE, {"value": 50, "n": 2}),
        ("repeat_purchase_rate", month("2026-07"), Filter("s"), {"value": 0, "n": 1}),
        ("repeat_purchase_rate", month("2026-06"), EVERYONE, {"value": None, "null_reason": "no_data"}),
    ])


def follow_ups():
    """Low scores of every sort; the first action done from the answer on to 168 h after it, to the microsecond."""
    answered = datetime(2026, 2, 10, 12, tzinfo=timezone.utc)
    surveys = scores("n", "nps", {6: 1}, answered.isoformat()) + scores("c", "csat", {2: 1}, answered.isoformat()) + \
        scores("e", "ces", {3: 1}, answered.isoformat(), aspect="trust") + \
        scores("t", "ces", {5: 1}, answered.isoformat(), direction="low_is_easy", solicited=False) + \
        scores("u", "csat", {1: 2}, answered.isoformat()) + scores("ok", "nps", {7: 5}, "2026-03-10T00:00:00Z")
    done = [("n-6-0", timedelta(hours=168)), ("c-2-0", timedelta(hours=168, microseconds=1)),
            ("e-3-0", timedelta(hours=-1)), ("e-3-0", timedelta(hours=48)), ("e-3-0", timedelta(hours=50)),
            ("t-5-0", timedelta(0)), ("ok-7-0", timedelta(hours=1))]
    actions = [{"id": f"{i}", "title": "ligar", "survey_id": survey, "status": "done",
                "opened_at": "2026-02-01T00:00:00Z",
                "done_at": (datetime(2026, 3, 10, 1, tzinfo=timezone.utc) if survey == "ok-7-0" else
                            answered + after).isoformat()} for i, (survey, after) in enumerate(done)]
    actions += [{"id": "open", "title": "ligar", "survey_id": "u-1-0", "opened_at": "2026-02-10T12:00:00Z"},
                {"id": "no", "title": "ligar", "survey_id": "u-1-1", "opened_at": "2026-02-10T12:00:00Z",
                 "status": "dismissed"},
                {"id": "none", "title": "ligar", "opened_at": "2026-02-10T12:00:00Z", "status": "done",
                 "done_at": "2026-02-10T12:00:00Z"}]
    return Case("follow_ups", {"surveys": surveys, "actions": actions}, [
        ("follow_up_rate", month("2026-02"), EVERYONE, {"value": 50, "n": 6, "numerator": 3, "denominator": 6,
                                                        "within_48h": 2, "median_time": 48 * 3600,
                                                        "provisional": False}),
        ("follow_up_rate", month("2026-03"), EVERYONE, {"value": None, "null_reason": "zero_denominator", "n": 0,
                                                        "median_time": None}),
        ("follow_up_rate", month("2026-04"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("follow_up_rate", month("2026-02"), EVERYONE.group("aspect", "trust"), {"value": 100, "n": 1}),
    ])


def quality():
    """Issue: 80, 50, 70, 90, 60, 50 → 73.75 (an NPS of 50 counts as 75); without NPS and CES → 75.384615."""
    def served(prefix, opened, label):
        start = datetime.fromisoformat(opened)
        return [{"id": f"{prefix}-{i}", "opened_at": opened, "channel": label,
                 "first_response_at": (start + timedelta(hours=8)).isoformat(),
                 "resolved_at": (start + timedelta(hours=9)).isoformat(), "resolved_on_first_contact": i < 7}
                for i in range(10)]
    at = "2025-05-05T00:00:00+00:00"
    two = {"channel": "two"}
    surveys = scores("c", "csat", {5: 4, 1: 1}, at) + scores("n", "nps", {9: 2, 8: 2}, at) + \
        scores("e", "ces", {6: 3, 1: 2}, at) + scores("c2", "csat", {5: 4, 1: 1}, at, **two) + \
        scores("half-c", "csat", {5: 1}, at, channel="half") + scores("half-n", "nps", {9: 1}, at, channel="half") + \
        scores("little", "csat", {5: 1}, at, channel="little") + scores("little-e", "ces", {7: 1}, at, channel="little")
    customers = people("a", 10, "2024-02-01T00:00:00Z", channel="two") + people("b", 10, "2024-02-01T00:00:00Z")
    return Case("quality", {
        "customers": customers, "interactions": served("one", at, None) + served("two", at, "two"),
        "cancellations": leave("a", 1, "2025-07-01T00:00:00Z") + leave("b", 1, "2025-07-01T00:00:00Z"),
        "surveys": surveys}, [
        ("relationship_quality", year(2025), Filter(None, "two"), {
            "value": 980 / 13, "n": 4, "csat": 80, "nps": None, "first_contact_resolution": 70,
            "annualised_retention": 90, "ces": None, "speed": 50, "null_reason": None}),
        ("relationship_quality", year(2025), Filter(None, "half"), {"value": 100, "n": 2, "nps": 100}),
        ("relationship_quality", year(2025), Filter(None, "little"), {"value": None, "null_reason": "low_coverage",
                                                                      "n": 2, "ces": 100}),
        ("relationship_quality", year(2025), Filter(None, "none"), {"value": None, "null_reason": "no_data", "n": 0}),
        ("relationship_quality", year(2025), EVERYONE.group("channel"), {
            "value": 73.75, "n": 6, "csat": 80, "nps": 75, "first_contact_resolution": 70,
            "annualised_retention": 90, "ces": 60, "speed": 50}),
    ])


# Fader & Hardie 2007, "How to project customer retention": the customers with the higher initial rate, at the start
# of their second … thirteenth year, of a thousand.
SURVIVORS = (1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394)


def survivors(first=date(2010, 1, 1)):
    """Years from 2010 on: everyone starts within the first, who does not renew leaves when the next begins."""
    customers = [{"id": f"s{i}", "started_at": f"{first.year}-01-01T{i % 24:02}:00:00Z"} for i in range(SURVIVORS[0])]
    cancellations = [{"id": f"x{i}", "customer_id": f"s{i}", "cancelled_at": f"{first.year + k}-12-31T23:59:59Z"}
                     for k, (before, after) in enumerate(zip(SURVIVORS, SURVIVORS[1:])) for i in range(after, before)]
    return {"customers": customers, "cancellations": cancellations}


MONEY_CASES = [make() for make in (ltv_margin, ltv_plain, ltv_interval, ratio, nothing_spent, arpc_and_growth, formula,
                                   buyers, follow_ups, quality)]
