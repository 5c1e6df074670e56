"""GET /v1/scorecard: every KPI at its cadence, as the same KPI asked for that period."""

from api.checks import expect, sample
from api.test_kpi_answers import post_all

PERIODS = {"month": "2025-08", "quarter": "2025-Q2"}


def test_each_kpi_at_its_cadence(fresh):
    post_all(fresh, "customers", [sample("customers", id=f"c{at}", started_at="2024-02-01T00:00:00Z")
                                  for at in range(10)])
    post_all(fresh, "surveys", [sample("surveys", score=score, answered_at=f"2025-{month:02}-15T00:00:00Z")
                                for month in range(1, 10) for score in (10, 9, 2)])
    post_all(fresh, "cancellations", [sample("cancellations", customer_id="c1",
                                             cancelled_at="2025-03-01T00:00:00Z")])
    card = expect(fresh.get("/v1/scorecard", at="2025-09-10"), 200)
    assert (card["at"], card["window"], card["timezone"]) == ("2025-09-10", "trailing", "UTC")
    expect(fresh.put("/v1/targets/nps", {"healthy": 30, "warning": 0}), 201)
    card = expect(fresh.get("/v1/scorecard", at="2025-09-10"), 200)
    for name, shown in card["kpis"].items():
        if shown["cadence"] == "year":
            query = {"from_": "2024-09-01", "to": "2025-09-01"}
        else:
            query = {"period": PERIODS[shown["cadence"]]}
        asked = expect(fresh.get(f"/v1/kpis/{name}", **query), 200)
        assert shown.pop("period") == asked["period"], name
        previous, change = shown.pop("previous"), shown.pop("change")
        whole = asked["kpis"][name]
        if shown["cadence"] == "year":  # of last_12_months the twelve months before
            assert previous["period"] == "2023-09-01..2024-09-01", name
        else:
            assert (previous, change) == (whole["previous"], whole["change"]), name
        assert shown == {key: value for key, value in whole.items() if key not in ("previous", "change")}
    assert card["kpis"]["churn_rate"]["value"] == 10
    assert card["kpis"]["nps"]["target"] == {"healthy": 30, "warning": 0, "status": "healthy"}


def test_the_calendar_window(fresh):
    card = expect(fresh.get("/v1/scorecard", at="2025-09-10", window="calendar"), 200)
    assert {shown["period"]["key"] for shown in card["kpis"].values()} == {"2025-08", "2025-Q2", "2024"}
    for query, parameter in (({"at": "2025-02-30"}, "at"), ({"window": "rolling"}, "window"),
                             ({"period": "2025"}, "period")):
        problem = expect(fresh.get("/v1/scorecard", **query), 400)
        assert problem["errors"][0]["parameter"] == parameter


def test_actions_open_overdue_and_done(fresh):
    post_all(fresh, "actions", [
        sample("actions"), sample("actions", due_at="2025-03-05T00:00:00Z"),
        sample("actions", due_at="2999-01-01T00:00:00Z"),
        sample("actions", status="done", done_at="2025-03-06T00:00:00Z", due_at="2025-03-05T00:00:00Z"),
        sample("actions", status="done", done_at="2025-04-06T00:00:00Z"),
        sample("actions", status="dismissed", due_at="2025-03-05T00:00:00Z")])
    card = expect(fresh.get("/v1/scorecard", at="2025-04-02"), 200)
    assert card["actions"] == {"open": 3, "overdue": 1, "done": 1}
