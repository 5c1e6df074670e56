"""ETags of figures: the same while nothing changed, another after any change, own or another program's."""

import time

import psycopg2
import pytest

from api.checks import expect, sample
from api.test_kpi_answers import post_all

ROUTES = ("/v1/kpis", "/v1/kpis/nps", "/v1/scorecard")


@pytest.mark.parametrize("route", ROUTES)
def test_not_modified_until_something_changes(fresh, route):
    post_all(fresh, "surveys", [sample("surveys")])
    first = fresh.get(route)
    tag = first.headers["ETag"]
    assert first.status == 200 and tag.startswith('"')
    for sent in (tag, f'"x", W/{tag}', "*"):
        again = fresh.request("GET", route, headers={"If-None-Match": sent})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    assert fresh.get(route).body == first.body
    assert fresh.request("GET", route, headers={"If-None-Match": '"other"'}).status == 200
    changes = [lambda: fresh.post("/v1/surveys", sample("surveys", id="s1")),
               lambda: fresh.patch("/v1/surveys/s1", {"score": 3}),
               lambda: fresh.delete("/v1/surveys/s1"),
               lambda: fresh.put("/v1/targets/nps", {"healthy": 50, "warning": 30}),
               lambda: fresh.patch("/v1/workspace", {"settings": {"gross_margin": 0.5}}),
               lambda: fresh.post("/v1/costs", sample("costs")),
               lambda: fresh.post("/v1/actions", sample("actions"))]
    seen = {tag}
    for change in changes:
        assert change().status in (200, 201, 204)
        after = fresh.request("GET", route, headers={"If-None-Match": tag})
        tag = after.headers["ETag"]
        assert after.status == 200 and tag not in seen
        seen.add(tag)


def test_one_s_own_change_shows_at_once(fresh):
    for count in range(1, 60):
        expect(fresh.post("/v1/surveys", sample("surveys", answered_at="2025-03-04T10:00:00Z")), 201)
        assert expect(fresh.get("/v1/kpis/nps", period="2025-03"), 200)["kpis"]["nps"]["n"] == count


def test_another_program_s_change_shows_within_100_ms(service, workspace):
    running = service()
    client = workspace(running)
    post_all(client, "surveys", [sample("surveys", id="s1", answered_at="2025-03-04T10:00:00Z")])
    database = psycopg2.connect(running.database_url)
    database.autocommit = True
    cursor = database.cursor()
    for score in (3, 9, 3, 9, 3):
        for _ in range(20):  # the answer is kept meanwhile
            client.get("/v1/kpis/nps", period="2025-03")
        cursor.execute("UPDATE survey SET score = %s WHERE id = 's1'", (score,))
        time.sleep(0.1)
        value = expect(client.get("/v1/kpis/nps", period="2025-03"), 200)["kpis"]["nps"]["value"]
        assert value == (100 if score == 9 else -100)
    database.close()


def test_formats_and_queries_have_their_own(fresh):
    tags = {fresh.get("/v1/kpis", **query).headers["ETag"]
            for query in ({}, {"format": "csv"}, {"kpis": "nps"}, {"segment": "x"}, {"period": "2025"})}
    assert len(tags) == 5
