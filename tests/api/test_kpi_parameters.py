"""What the KPI routes accept and refuse, and the periods that they answer for."""

import datetime
import re
import zoneinfo

import pytest

from api.checks import expect, expect_problem, sample

TODAY = datetime.datetime.now(datetime.timezone.utc).date()
NAMES = ("today", "this_week", "last_week", "this_month", "last_month", "this_quarter",
         "last_quarter", "this_year", "last_year", "last_12_months", "last_90_days")


def first_of_month(day, months=0):
    index = day.year * 12 + day.month - 1 + months
    return datetime.date(index // 12, index % 12 + 1, 1)


@pytest.mark.parametrize("path", ["/v1/kpis/nothing", "/v1/kpis/NPS", "/v1/kpis/nps%2Fx",
                                  "/v1/kpis/%00"])
def test_an_unknown_kpi(shop, path):
    answer = shop.get(path)
    assert answer.status == 404 or (answer.status == 400 and "%00" in path), answer
    expect_problem(answer, answer.status, answer.json()["code"])


@pytest.mark.parametrize("kpis", ["nothing", "nps,nothing", "nps,", "", ",", "nps nps", "NPS"])
def test_an_unknown_kpi_in_a_list(shop, kpis):
    problem = expect_problem(shop.get("/v1/kpis", kpis=kpis), 400, "invalid_parameter",
                             parameter="kpis")
    assert "nps" in str(problem)


def test_a_choice_of_kpis(shop):
    answer = expect(shop.get("/v1/kpis", kpis="nps,csat"), 200)
    assert set(answer["kpis"]) == {"nps", "csat"}


@pytest.mark.parametrize("period", [
    "", "nonsense", "26", "02026", "2026-13", "2026-00", "2026-0", "2026-9", "2026-Q0", "2026-Q5",
    "2026-q3", "2026-W00", "2026-W54", "2025-W53", "2026-W1", "2026-02-29", "2026-09-31",
    "2026-09-00", "2026-9-1", "2026/09", "2026-09-14T00:00:00Z", " 2026", "2026 ", "last_week ",
    "LAST_WEEK", "yesterday", "-2026", "+2026", "２０２６", "2026-Q3-1", "99999999999999999999",
    "0000", "1e3",
])
def test_a_bad_period_lists_the_notations(shop, period):
    for path in ("/v1/kpis", "/v1/kpis/nps"):
        problem = expect_problem(shop.get(path, period=period), 400, "invalid_parameter",
                                 parameter="period")
        listed = str(problem)
        assert re.search(r"Q\d|Qn", listed) and re.search(r"W\d\d|Wnn|Www", listed), listed
        assert "last_month" in listed and "from" in listed


@pytest.mark.parametrize("range_", [
    {"from_": "2025-01-01"}, {"to": "2025-01-01"}, {"from_": "2025-01-02", "to": "2025-01-01"},
    {"from_": "2025-01-01", "to": "2025-01-01"}, {"from_": "2025-02-30", "to": "2025-03-03"},
    {"from_": "2025-01", "to": "2025-03"}, {"from_": "", "to": ""},
    {"from_": "2025-01-01T00:00:00Z", "to": "2025-02-01T00:00:00Z"},
])
def test_bad_ranges(shop, range_):
    answer = shop.get("/v1/kpis", **range_)
    expect_problem(answer, 400, answer.json()["code"])
    assert answer.json()["code"] in ("invalid_parameter", "unsupported_combination")


@pytest.mark.parametrize("parameters", [
    {"period": "2025", "from_": "2025-01-01", "to": "2025-02-01"},
    {"granularity": "fortnight", "period": "2025"}, {"granularity": "", "period": "2025"},
    {"compare": "never"}, {"compare": ""}, {"segment": "s" * 65}, {"channel": "c" * 65},
])
def test_refused_values_and_combinations(shop, parameters):
    answer = shop.get("/v1/kpis/nps", **parameters)
    expect_problem(answer, 400, answer.json()["code"])
    assert answer.json()["code"] in ("invalid_parameter", "unsupported_combination")


def test_a_repeated_parameter_is_refused(shop):
    answer = shop.get("/v1/kpis?period=2025&period=2026")
    assert answer.status == 400, answer
    expect_problem(answer, 400, answer.json()["code"])


def test_a_series_has_at_most_1500_periods(shop):
    def days(count):
        to = datetime.date(2020, 1, 1) + datetime.timedelta(days=count)
        return shop.get("/v1/kpis/nps", granularity="day", from_="2020-01-01", to=to.isoformat())
    assert len(expect(days(1500), 200)["series"]) == 1500
    problem = expect_problem(days(1501), 400, "invalid_parameter")
    assert re.search(r"1[,. ]?500", str(problem))


@pytest.mark.parametrize("period, first, end, granularity", [
    ("2024", "2024-01-01", "2025-01-01", "year"), ("2024-Q1", "2024-01-01", "2024-04-01", "quarter"),
    ("2024-Q4", "2024-10-01", "2025-01-01", "quarter"),
    ("2024-02", "2024-02-01", "2024-03-01", "month"),
    ("2024-12", "2024-12-01", "2025-01-01", "month"), ("2020-W53", "2020-12-28", "2021-01-04", "week"),
    ("2021-W01", "2021-01-04", "2021-01-11", "week"), ("2024-02-29", "2024-02-29", "2024-03-01", "day"),
    ("1970-01-01", "1970-01-01", "1970-01-02", "day"),
])
def test_notations(shop, period, first, end, granularity):
    answer = expect(shop.get("/v1/kpis", period=period), 200)
    assert answer["period"] == {"key": period, "granularity": granularity, "from": first, "to": end,
                                "timezone": "UTC", "complete": True}


def test_a_range(shop):
    answer = expect(shop.get("/v1/kpis", from_="2024-02-10", to="2024-03-05"), 200)
    assert (answer["period"]["from"], answer["period"]["to"]) == ("2024-02-10", "2024-03-05")
    assert answer["period"]["complete"] is True
    assert set(answer["period"]) == {"key", "granularity", "from", "to", "timezone", "complete"}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_periods(shop, name):
    if datetime.datetime.now(datetime.timezone.utc).date() != TODAY:
        pytest.skip("the day changed during the run")
    monday = TODAY - datetime.timedelta(days=TODAY.weekday())
    month = first_of_month(TODAY)
    quarter = datetime.date(TODAY.year, (TODAY.month - 1) // 3 * 3 + 1, 1)
    year = datetime.date(TODAY.year, 1, 1)
    day = datetime.timedelta(days=1)
    expected = {
        "today": (TODAY, TODAY + day),
        "this_week": (monday, monday + 7 * day), "last_week": (monday - 7 * day, monday),
        "this_month": (month, first_of_month(month, 1)),
        "last_month": (first_of_month(month, -1), month),
        "this_quarter": (quarter, first_of_month(quarter, 3)),
        "last_quarter": (first_of_month(quarter, -3), quarter),
        "this_year": (year, first_of_month(year, 12)),
        "last_year": (first_of_month(year, -12), year),
        "last_12_months": (first_of_month(month, -12), month),
        "last_90_days": (TODAY - 90 * day, TODAY),
    }[name]
    answer = expect(shop.get("/v1/kpis", period=name), 200)
    assert (answer["period"]["from"], answer["period"]["to"]) == tuple(map(str, expected))
    assert answer["period"]["complete"] is (expected[1] <= TODAY)


def test_the_default_is_the_last_complete_month_of_the_zone(api, workspace):
    for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        client = workspace(api, timezone=zone)
        before = datetime.datetime.now(zoneinfo.ZoneInfo(zone)).date()
        answers = [expect(client.get("/v1/kpis"), 200)["period"]]
        after = datetime.datetime.now(zoneinfo.ZoneInfo(zone)).date()
        for period in answers:
            assert period["timezone"] == zone and period["complete"] is True
            assert period["granularity"] == "month"
            assert period["key"] in {f"{first_of_month(day, -1):%Y-%m}" for day in (before, after)}


def test_the_last_complete_twelve_are_the_default_series(shop):
    for granularity in ("month", "quarter", "year"):
        series = expect(shop.get("/v1/kpis/nps", granularity=granularity), 200)["series"]
        assert len(series) == 12
        assert all(entry["period"]["complete"] for entry in series)
        assert datetime.date.fromisoformat(series[-1]["period"]["to"]) <= TODAY
    month = expect(shop.get("/v1/kpis/nps", granularity="month"), 200)["series"]
    assert month[-1]["period"]["key"] == f"{first_of_month(TODAY, -1):%Y-%m}"


def test_an_unfinished_period_counts_and_is_not_compared(fresh):
    recent = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
    if recent.date() != TODAY:
        pytest.skip("midnight")
    moment = recent.strftime("%Y-%m-%dT%H:%M:%SZ")
    expect(fresh.post("/v1/surveys", sample("surveys", answered_at=moment)), 201)
    previous = first_of_month(TODAY, -1)
    expect(fresh.post("/v1/surveys", sample("surveys", answered_at=f"{previous}T10:00:00Z")), 201)
    for period in ("today", "this_month", f"{TODAY:%Y-%m}", f"{TODAY:%Y}", "this_quarter"):
        answer = expect(fresh.get("/v1/kpis", period=period, kpis="nps"), 200)
        assert answer["period"]["complete"] is False
        nps = answer["kpis"]["nps"]
        assert nps["value"] == 100 and nps["change"] is None
    answer = expect(fresh.get("/v1/kpis", period="last_month", kpis="nps"), 200)
    assert answer["period"]["complete"] is True and answer["kpis"]["nps"]["n"] == 1


@pytest.mark.parametrize("compare, key, value, p_value", [
    ("previous", "2025-02", 0, 0.605577), ("year_ago", "2024-03", -100, 0.345779),
    ("none", None, None, None)])
def test_compare(fresh, compare, key, value, p_value):
    """One answer each; the p-values by the formula of the contract, worked out apart."""
    for month, score in (("2024-03", 0), ("2025-02", 8), ("2025-03", 10)):
        expect(fresh.post("/v1/surveys", sample("surveys", score=score,
                                                answered_at=f"{month}-10T00:00:00Z")), 201)
    nps = expect(fresh.get("/v1/kpis", period="2025-03", compare=compare), 200)["kpis"]["nps"]
    if key is None:
        assert nps["previous"] is None and nps["change"] is None
        return
    assert nps["previous"] == {"period": key, "value": value, "n": 1}
    assert nps["change"] == {"absolute": 100 - value, "p_value": pytest.approx(p_value, abs=1e-6),
                             "significant": False}
