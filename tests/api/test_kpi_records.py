"""The records behind every figure, added up by the rules below from the API's answers alone.

A rule says what a figure is made of: it sees the items of GET /v1/kpis/{kpi}/records and nothing else
but what the figure's own answer says of period and settings.
"""

import collections
import datetime
import itertools
import random

import pytest

from api.checks import expect, expect_problem, make_client, path_of
from property.world import Maker, moment_of, text_of

SIZES = {"customers": 110, "interactions": 420, "surveys": 900, "cancellations": 130,
         "reactivations": 90, "payments": 520, "costs": 90, "actions": 300}
PERIODS = ({"period": "2024-03"}, {"period": "2025-01"}, {"period": "2024-Q4"}, {"period": "2024"},
           {"period": "2024-W44"}, {"from": "2024-03-20", "to": "2024-08-09"},
           {"from": "2024-02-01", "to": "2025-02-01"}, {"period": "2019-05"})
FILTERS = ({}, {"segment": "gold"}, {"channel": "web"}, {"segment": "silver", "channel": "phone"})
COLUMNS = ("kpi", "kind", "id", "customer_id", "at", "counted", "why", "score", "scale_min", "scale_max",
           "direction", "amount", "seconds", "linked_id")


# -- adding up -----------------------------------------------------------------------------------------

class Rows:
    """The items of one figure; of a composite, of() are those of one of its KPIs."""

    def __init__(self, items, figure, period):
        self.items, self.figure, self.period = items, figure, period

    def of(self, kpi):
        return Rows([item for item in self.items if item["kpi"] == kpi], self.figure, self.period)

    def having(self, *whys):
        return [item for item in self.items if item["why"] in whys]

    def count(self, *whys):
        return len(self.having(*whys))

    def amount(self, *whys):
        return sum(item["amount"] for item in self.having(*whys))

    def counted(self):
        return [item for item in self.items if item["counted"]]

    def months(self):
        length = {"month": 1, "quarter": 3, "year": 12}.get(self.period["granularity"])
        first, end = (datetime.date.fromisoformat(self.period[name]) for name in ("from", "to"))
        return length or (end - first).days / 30.436875


def mean(values):
    return sum(values) / len(values) if values else None


def quotient(top, bottom, scale=1):
    return scale * top / bottom if bottom else None


def quantile(values, p):
    """percentile_cont."""
    if not values:
        return None
    ranked = sorted(values)
    place = p * (len(ranked) - 1)
    low = int(place)
    return ranked[low] + (place - low) * (ranked[min(low + 1, len(ranked) - 1)] - ranked[low])


def csat(rows):
    parts = {why: rows.count(why) for why in ("satisfied", "neutral", "dissatisfied")}
    on_five = mean([1 + 4 * (row["score"] - row["scale_min"]) / (row["scale_max"] - row["scale_min"])
                    for row in rows.counted()])
    n = sum(parts.values())
    return quotient(parts["satisfied"], n, 100), n, {**parts, "mean_on_5": on_five}


def nps(rows):
    parts = {f"{why}s": rows.count(why) for why in ("promoter", "passive", "detractor")}
    n = sum(parts.values())
    return quotient(parts["promoters"] - parts["detractors"], n, 100), n, parts


def ces(rows):
    parts = {why: rows.count(why) for why in ("easy", "neutral", "hard")}
    for top in (5, 7):
        parts[f"mean_{top}"] = mean(
            [top + 1 - row["score"] if row["direction"] == "low_is_easy" else row["score"]
             for row in rows.counted() if row["scale_max"] == top])
    n = len(rows.counted())
    return quotient(parts["easy"], n, 100), n, parts


def response_rate(rows):
    sent = rows.count("answered", "late", "unanswered")
    parts = {"sent": sent, "answered": rows.count("answered"), "late": rows.count("late")}
    return quotient(parts["answered"], sent, 100), sent, parts


LOST = ("lost", "lost_voluntary", "lost_involuntary")


def cohort(rows):
    lost, start = rows.count(*LOST), rows.count("retained", *LOST)
    kept = quotient(start - lost, start)
    return lost, start, None if kept is None else 100 * kept ** (12 / rows.months())


def churn_rate(rows):
    lost, start, retention = cohort(rows)
    parts = {"customers_at_start": start, "lost": lost, "lost_new": rows.count("lost_new"),
             "acquired": rows.count("acquired", "lost_new"), "reactivated": rows.count("reactivated"),
             "cancelled": rows.count("cancelled"), "redundant": rows.count("redundant"),
             "lost_voluntary": rows.count("lost_voluntary"),
             "lost_involuntary": rows.count("lost_involuntary"),
             "annualised": None if retention is None else 100 - retention}
    parts["customers_at_end"] = start + parts["acquired"] + parts["reactivated"] - parts["cancelled"]
    return quotient(lost, start, 100), start, parts


def retention_rate(rows):
    lost, start, annualised = cohort(rows)
    return quotient(start - lost, start, 100), start, {
        "customers_at_start": start, "lost": lost, "retained": rows.count("retained"),
        "annualised": annualised}


def buyer_retention_rate(rows):
    again, gone = rows.count("returned"), rows.count("not_returned")
    return quotient(again, again + gone, 100), again + gone, {
        "buyers": again + rows.count("new_buyer"), "previous_buyers": again + gone,
        "returning_buyers": again}


def repeat_purchase_rate(rows):
    repeat = rows.count("bought_before", "bought_on_two_days")
    buyers = repeat + rows.count("bought_once")
    return quotient(repeat, buyers, 100), buyers, {"buyers": buyers, "repeat_buyers": repeat}


def revenue(rows):
    value = rows.amount("gross", "refund", "zero_amount")
    return value, len(rows.counted()), {
        "gross": rows.amount("gross"), "refunds": -rows.amount("refund"),
        "unattributed": sum(row["amount"] for row in rows.counted() if row["customer_id"] is None)}


def revenue_growth_rate(rows):
    now, before = rows.amount("revenue"), rows.amount("previous_revenue")
    return quotient(now - before, max(before, 0), 100), rows.count("revenue"), {
        "revenue": now, "previous_revenue": before}


def arpc(rows):
    start = rows.count("active_at_start", "active_at_both")
    end = rows.count("active_at_end", "active_at_both")
    value = rows.amount("attributed")
    return quotient(value, (start + end) / 2), rows.count("attributed"), {
        "attributed_revenue": value, "customers_at_start": start, "customers_at_end": end}


def cac(rows):
    costs, acquired = rows.amount("cost"), rows.count("acquired")
    value = quotient(costs, acquired) if rows.count("cost") else None
    return value, acquired, {"costs": costs, "acquired": acquired}


def ltv(rows):
    lost, new = rows.count(*LOST), rows.count("lost_new")
    value = rows.amount("attributed")
    return quotient(rows.figure["settings"]["gross_margin"] * value, lost + new), lost + new, {
        "attributed_revenue": value, "lost": lost, "lost_new": new}


def ltv_cac_ratio(rows):
    value, n, _ = ltv(rows.of("ltv"))
    cost = cac(rows.of("cac"))[0]
    return (quotient(value, cost) if value is not None and cost is not None else None), n, {
        "ltv": value, "cac": cost}


def durations(rows):
    seconds = [row["seconds"] for row in rows.counted()]
    parts = {name: quantile(seconds, p) for name, p in (("p50", .5), ("p90", .9), ("p95", .95))}
    return parts["p50"], len(seconds), {**parts, "mean": mean(seconds),
                                        "waiting_at_end": rows.count("waiting_at_end")}


def first_contact_resolution(rows):
    first, further = rows.count("first_contact"), rows.count("further_contact")
    return quotient(first, first + further, 100), first + further, {
        "first_contact": first, "known": first + further,
        "resolved": first + further + rows.count("answer_unknown")}


def interactions(rows):
    parts = {why: rows.count(why)
             for why in ("opened", "responded", "resolved", "closed_unresolved", "open_at_end")}
    return parts["opened"], parts["opened"], parts


def feedback(rows):
    parts = {why: rows.count(why) for why in ("positive", "neutral", "negative", "unscored")}
    return sum(parts.values()), sum(parts.values()), parts


def follow_up_rate(rows):
    followed, low = rows.having("followed_up"), rows.count("followed_up", "not_followed_up")
    seconds = [row["seconds"] for row in followed]
    return quotient(len(followed), low, 100), low, {
        "low_scores": low, "followed_up": len(followed), "median_time": quantile(seconds, .5),
        "within_48h": sum(value <= 48 * 3600 for value in seconds)}


def relationship_quality(rows):
    score, _, _ = nps(rows.of("nps"))
    median = durations(rows.of("first_response_time"))[0]
    target = rows.figure["settings"]["response_target_seconds"]
    parts = {"csat": csat(rows.of("csat"))[0], "nps": None if score is None else (score + 100) / 2,
             "first_contact_resolution": first_contact_resolution(rows.of("first_contact_resolution"))[0],
             "annualised_retention": cohort(rows.of("retention_rate"))[2], "ces": ces(rows.of("ces"))[0],
             "speed": median if median is None else 100 * min(1, target / median) if median else 100}
    present = {name: value for name, value in parts.items() if value is not None}
    weights = rows.figure["settings"]["weights"]
    weight = sum(weights[name] for name in present)
    value = None
    if weight and weight >= sum(weights.values()) / 2:
        value = sum(weights[name] * value for name, value in present.items()) / weight
    return value, len(present), parts


RULES = {rule.__name__: rule for rule in (
    csat, nps, ces, response_rate, churn_rate, retention_rate, buyer_retention_rate,
    repeat_purchase_rate, revenue, revenue_growth_rate, arpc, cac, ltv, ltv_cac_ratio,
    first_contact_resolution, interactions, feedback, follow_up_rate, relationship_quality)}
RULES |= {"first_response_time": durations, "resolution_time": durations}

# Read from sketches, within 1 %; all else is exact to the decimals that are shown.
WITHIN_A_HUNDREDTH = {
    "first_response_time": {"value", "p50", "p90", "p95"}, "resolution_time": {"value", "p50", "p90", "p95"},
    "follow_up_rate": {"median_time"}, "relationship_quality": {"value", "speed"}}


# -- the records ---------------------------------------------------------------------------------------

class Records(Maker):
    """Records of every kind; ids are numbered, those of customers chosen."""

    def record_id(self, kind):
        return f"{kind[0]}/{self.random.randrange(SIZES[kind])}"

    def payments(self):
        return {"customer_id": self.choose(None, *[self.record_id("customers")] * 8),
                "amount": self.choose(0, -self.random.randrange(1, 9000), *[self.random.randrange(1, 50_000)] * 8),
                "segment": self.choose(*[None] * 6, "gold"), "paid_at": text_of(self.moment())}

    def costs(self):
        return {"amount": self.choose(0, -50, *[self.random.randrange(1, 90_000)] * 6),
                "category": self.choose(None, "ads", "fairs", "wages"), "channel": self.choose(None, "web", "phone"),
                "segment": self.choose(None, "gold", "silver"), "incurred_at": text_of(self.moment())}

    def about(self, survey):
        """An action about an answer, done around 48 and 168 hours after it, or before, or not at all."""
        answered = moment_of(survey["answered_at"])
        done = answered + datetime.timedelta(seconds=self.choose(
            -1, 0, 48 * 3600, 48 * 3600 + 1, 168 * 3600, 168 * 3600 + 1, self.random.randrange(900_000)))
        made = {"title": "Call", "survey_id": survey["id"], "status": self.choose("open", *["done"] * 4),
                "opened_at": text_of(min(answered, done) - datetime.timedelta(hours=1))}
        return {**made, "done_at": text_of(done)} if made["status"] == "done" else made


def make_records(seed):
    make = Records(seed, facts={})
    made = {kind: [{"id": f"{kind[0]}/{at}", **make.record(kind)} for at in range(SIZES[kind])]
            for kind in SIZES if kind != "actions"}
    start = {customer["id"]: moment_of(customer["started_at"]) for customer in made["customers"]}
    for kind, field in (("cancellations", "cancelled_at"), ("reactivations", "reactivated_at")):
        made[kind] = [event for event in made[kind] if moment_of(event[field]) >= start[event["customer_id"]]]
    answered = [survey for survey in made["surveys"] if "answered_at" in survey]
    made["actions"] = [{"id": f"a/{at}", **make.about(make.choose(*answered))} for at in range(SIZES["actions"])]
    return made


def edges():
    """Records at the very ends of February and March 2024, and a microsecond before and after them."""
    made = collections.defaultdict(list)
    ends = [datetime.datetime(2024, month, 1, 3, tzinfo=datetime.timezone.utc) for month in (2, 3, 4)]
    for at, (end, offset) in enumerate(itertools.product(ends, (-1, 0, 1))):
        moment = end + datetime.timedelta(microseconds=offset)
        then, day = text_of(moment), datetime.timedelta(days=1)
        long_before = text_of(moment - 300 * day)
        made["customers"] += [{"id": f"new-{at}", "started_at": then},
                              *({"id": f"{what}-{at}", "started_at": long_before} for what in ("out", "back"))]
        made["cancellations"] += [{"id": f"out-{at}", "customer_id": f"out-{at}", "cancelled_at": then},
                                  {"id": f"back-{at}", "customer_id": f"back-{at}",
                                   "cancelled_at": text_of(moment - 10 * day)}]
        made["reactivations"] += [{"id": f"back-{at}", "customer_id": f"back-{at}", "reactivated_at": then}]
        made["payments"] += [{"id": f"edge-{at}-{who}", "customer_id": who.partition(" ")[0], "amount": 700,
                              "paid_at": then} for who in (f"out-{at}", "often", "often again")]
        made["payments"] += [{"id": f"later-{at}", "customer_id": f"out-{at}", "amount": 50,
                              "paid_at": "2024-03-15T12:00:00Z"}]
        made["costs"] += [{"id": f"edge-{at}", "amount": 900, "category": "ads", "incurred_at": then}]
        made["surveys"] += [{"id": f"nps-{at}", "type": "nps", "score": at, "answered_at": then},
                            {"id": f"sent-{at}", "type": "open", "sent_at": then}]
        made["interactions"] += [{"id": f"in-{at}", "opened_at": then},
                                 {"id": f"done-{at}", "opened_at": long_before, "first_response_at": then,
                                  "resolved_at": then, "resolved_on_first_contact": True},
                                 {"id": f"shut-{at}", "opened_at": long_before, "closed_at": then}]
    return made


@pytest.fixture(scope="module")
def shop(api, workspace):
    client = workspace(api, timezone="America/Sao_Paulo")
    settings = {"cac_categories": ["ads", "fairs"], "gross_margin": 0.7, "response_window_days": 29}
    expect(client.patch("/v1/workspace", {"settings": settings}), 200)
    for made in make_records(4), edges():
        for kind, records in made.items():
            assert expect(client.post_ndjson(f"/v1/{kind}", records), 200)["created"] == len(records)
    return client


def walk(client, kpi, limit=1000, **asked):
    """All items, page by page, and the first page's period."""
    page = expect(client.get(f"/v1/kpis/{kpi}/records", limit=limit, **asked), 200)
    items, period = page["items"], page["period"]
    while page["next_cursor"]:
        assert len(page["items"]) <= limit
        page = expect(client.get(f"/v1/kpis/{kpi}/records", cursor=page["next_cursor"]), 200)
        assert page["period"] == period
        items += page["items"]
    return items, period


def same(found, expected, tolerance):
    if found is None or expected is None:
        return found is expected
    return abs(found - expected) <= max(1e-6, tolerance * abs(expected))


def compare(kpi, figure, items, period):
    """The number of cells compared that are not null."""
    if figure["null_reason"] == "not_applicable_to_filter":
        assert items == [], kpi
        return 0
    value, n, parts = RULES[kpi](Rows(items, figure, period))
    assert set(parts) == set(figure["parts"]), kpi
    rough = WITHIN_A_HUNDREDTH.get(kpi, ())
    cells = {"n": (figure["n"], n), **{name: (figure["parts"][name], parts[name]) for name in parts}}
    if figure["null_reason"] == "no_cancellations":
        cells.pop("annualised", None)
    elif figure["null_reason"] == "no_data":
        assert value in (None, 0), (kpi, value)
    else:
        cells["value"] = figure["value"], value
    for name, (found, expected) in cells.items():
        assert same(found, expected, 0.01 if name in rough else 1e-9), (kpi, period, name, found, expected)
    return sum(found is not None for found, _ in cells.values())


def test_the_table_has_every_kpi(shop):
    definitions = expect(shop.get("/v1/definitions"), 200)["definitions"]
    assert {definition["kpi"] for definition in definitions} == set(RULES)


def test_rows_add_up_to_their_figures(shop):
    cells = collections.Counter()
    for given, filters in itertools.product(PERIODS, FILTERS):
        asked = {f"{name}_": value for name, value in {**given, **filters}.items()}
        figures = expect(shop.get("/v1/kpis", compare="none", **asked), 200)["kpis"]
        for kpi, figure in figures.items():
            items, period = walk(shop, kpi, **asked)
            assert len({(item["kpi"], item["kind"], item["id"], item["why"]) for item in items}) == len(items)
            cells[kpi] += compare(kpi, figure, items, period)
    print(f"\n{sum(cells.values())} cells that are not null:", dict(cells))
    assert set(cells) == set(RULES) and min(cells.values()) >= 50


# -- pages, filters, refusals ----------------------------------------------------------------------------

# Those whose moment may lie before the period: balances, and the period before.
EARLIER = {"retained", "waiting_at_end", "open_at_end", "active_at_start", "active_at_end", "active_at_both",
           "previous_revenue", "not_returned", "same_buyer", "refund", "zero_amount", "unattributed"}
COLLECTIONS = {"survey": "surveys", "interaction": "interactions", "customer": "customers", "payment": "payments",
               "cancellation": "cancellations", "reactivation": "reactivations", "cost": "costs"}
BRASILIA = datetime.timezone(datetime.timedelta(hours=-3))


def test_small_pages_are_the_large_one(shop):
    for kpi in RULES:
        whole, _ = walk(shop, kpi, period="2024-08", segment="gold")
        for limit in (1, 7):
            assert walk(shop, kpi, limit, period="2024-08", segment="gold")[0] == whole
        parts = [walk(shop, kpi, 11, period="2024-08", segment="gold", counted=counted)[0]
                 for counted in ("true", "false")]
        assert [[item for item in whole if item["counted"] is counted] for counted in (True, False)] == parts


def test_items_are_the_records(shop):
    pick = random.Random(3)
    for kpi in RULES:
        items, period = walk(shop, kpi, period="2024")
        assert items and all(tuple(item) == COLUMNS for item in items)
        for item in items:
            day = moment_of(item["at"]).astimezone(BRASILIA).date().isoformat()
            assert day < period["to"] and (day >= period["from"] or item["why"] in EARLIER), item
        for item in pick.sample(items, 5):
            record = expect(shop.get(path_of(COLLECTIONS[item["kind"]], item["id"])), 200)
            who = record["id"] if item["kind"] == "customer" else record.get("customer_id")
            assert item["customer_id"] == who
            for name in ("score", "scale_min", "scale_max", "amount"):
                assert item[name] in (None, record.get(name)), (item, record)
            if item["linked_id"]:
                linked = "actions" if item["kind"] == "survey" else "cancellations"
                found = expect(shop.get(path_of(linked, item["linked_id"])), 200)
                assert item["id"] in (found.get("survey_id"), found["customer_id"])


def test_reasons_are_those_of_the_document(shop):
    document = shop.get("/openapi.yaml").body.decode()
    told = document.partition("The part that it makes up")[2].partition("[")[2].partition("]")[0]
    seen = {item["why"] for kpi in RULES for period in ("2024", "2024-Q2", "2024-Q3", "2024-Q4")
            for item in walk(shop, kpi, period=period)[0]}
    assert seen == {word.strip() for word in told.split(",")}


def test_a_relative_period_and_the_default(fresh):
    now = datetime.datetime.now(datetime.timezone.utc)
    last = now.replace(day=1) - datetime.timedelta(days=1)
    for at, moment in enumerate((now, last, last)):
        expect(fresh.post("/v1/surveys", {"id": f"{at}", "type": "nps", "score": 9, "answered_at": text_of(moment)}), 201)
    for asked, expected in (({}, {"1", "2"}), ({"period": "last_month"}, {"1", "2"}), ({"period": "this_month"}, {"0"})):
        items, _ = walk(fresh, "nps", limit=1, **asked)
        assert {item["id"] for item in items} == expected


def test_what_is_rare_among_much_is_found(fresh):
    """More records than a statement looks at, many of one moment, and only some that fit."""
    first = datetime.datetime(2025, 3, 3, tzinfo=datetime.timezone.utc)

    def answers():
        for at in range(5600):
            moment = first + datetime.timedelta(seconds=0 if at < 5100 else at)
            yield {"id": f"{at:04}", "type": "nps", "score": at % 11, "answered_at": text_of(moment),
                   **({"channel": "rare"} if at % 700 == 3 else {})}
    assert expect(fresh.post_ndjson("/v1/surveys", answers()), 200)["created"] == 5600
    rare, _ = walk(fresh, "nps", limit=3, period="2025-03", channel="rare")
    assert [item["id"] for item in rare] == [f"{at:04}" for at in range(3, 5100, 700)]
    items, _ = walk(fresh, "nps", period="2025-03")
    assert len(items) == 5600 and len({item["id"] for item in items}) == 5600


def test_refusals(shop, api):
    path = "/v1/kpis/nps/records"
    expect_problem(shop.get("/v1/kpis/happiness/records"), 404, "not_found")
    expect_problem(shop.get(path, period="2024-13"), 400, "invalid_parameter", parameter="period")
    expect_problem(shop.get(path, from_="2024-01-01"), 400, "invalid_parameter", parameter="to")
    expect_problem(shop.get(path, period="2024", to="2025-01-01"), 400, "unsupported_combination", parameter="period")
    for limit in ("0", "1001", "x", "-1", ""):
        expect_problem(shop.get(path, limit=limit), 400, "invalid_parameter", parameter="limit")
    expect_problem(shop.get(path, counted="yes"), 400, "invalid_parameter", parameter="counted")
    expect_problem(shop.get(path, segment=""), 400, "invalid_parameter", parameter="segment")
    expect_problem(shop.get(path, by="segment"), 400, "unknown_parameter", parameter="by")
    expect_problem(shop.get(path, cursor="x"), 400, "bad_cursor", parameter="cursor")
    cursor = expect(shop.get(path, period="2024", limit=1), 200)["next_cursor"]
    expect_problem(shop.get(path, cursor=cursor, period="2024"), 400, "unsupported_combination", parameter="period")
    expect_problem(shop.get("/v1/kpis/csat/records", cursor=cursor), 400, "bad_cursor", parameter="cursor")
    expect_problem(shop.get("/v1/surveys", cursor=cursor), 400, "bad_cursor", parameter="cursor")
    listed = expect(shop.get("/v1/surveys", limit=1), 200)["next_cursor"]
    expect_problem(shop.get(path, cursor=listed), 400, "bad_cursor", parameter="cursor")
    expect_problem(make_client(api, shop.workspace, "figures").get(path), 403, "forbidden_scope")
