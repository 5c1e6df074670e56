"""GET, PUT and DELETE of targets."""

import pytest

from api.checks import expect, expect_problem, moment_of

NPS = {"healthy": 50, "warning": 30}


@pytest.fixture
def stored(api, workspace):
    return workspace(api)


def listed(client):
    return expect(client.get("/v1/targets"), 200)["items"]


def test_a_target_through_its_life(stored):
    path = "/v1/targets/nps"
    expect_problem(stored.get(path), 404, "not_found")
    expect_problem(stored.delete(path), 404, "not_found")
    made = expect(stored.put(path, NPS), 201)
    assert list(made) == ["kpi", "healthy", "warning", "updated_at"]
    assert made == {"kpi": "nps", **NPS, "updated_at": made["updated_at"]}
    assert expect(stored.get(path), 200) == made
    assert expect(stored.put(path, made), 200) == made, "what was read may be sent; nothing changed"
    moved = expect(stored.put(path, {"healthy": 60.5, "warning": -10.25}), 200)
    assert (moved["healthy"], moved["warning"]) == (60.5, -10.25)
    assert moment_of(moved["updated_at"]) > moment_of(made["updated_at"])
    assert expect(stored.get(path), 200) == moved
    answer = stored.delete(path)
    assert (answer.status, answer.body) == (204, b"")
    expect_problem(stored.get(path), 404, "not_found")


def test_the_list_is_in_the_order_of_the_definitions(stored):
    assert listed(stored) == []
    names = [each["kpi"] for each in expect(stored.get("/v1/definitions"), 200)["definitions"]
             if each["direction"] != "neutral"]
    assert len(names) >= 9
    made = {name: expect(stored.put(f"/v1/targets/{name}", {"healthy": 10, "warning": 10}), 201)
            for name in reversed(names)}
    assert listed(stored) == [made[name] for name in names]
    for name in names:
        assert stored.delete(f"/v1/targets/{name}").status == 204
    assert listed(stored) == []


def test_which_way_is_better_comes_from_the_definition(stored):
    for definition in expect(stored.get("/v1/definitions"), 200)["definitions"]:
        put = lambda healthy, warning: stored.put(f"/v1/targets/{definition['kpi']}",
                                                  {"healthy": healthy, "warning": warning})
        if definition["direction"] == "neutral":
            problem = expect_problem(put(3, 2), 422, "invalid_record", "not_allowed_here", "")
            assert "no direction" in problem["errors"][0]["detail"]
            continue
        more = definition["direction"] == "higher_is_better"
        expect(put(3, 2) if more else put(2, 3), 201)
        expect(put(2, 2), 200)
        expect_problem(put(2, 3) if more else put(3, 2), 422, "invalid_record", "out_of_range", "/warning")


@pytest.mark.parametrize("body, code, pointer", [
    ([], "wrong_type", ""), (50, "wrong_type", ""),
    ({}, "required", "/healthy"), ({"healthy": 50}, "required", "/warning"),
    ({**NPS, "warning": None}, "required", "/warning"),
    ({**NPS, "healthy": "50"}, "wrong_type", "/healthy"), ({**NPS, "healthy": True}, "wrong_type", "/healthy"),
    ({**NPS, "healthy": 1.1e15}, "out_of_range", "/healthy"), ({**NPS, "warning": -1e300}, "out_of_range", "/warning"),
    ({**NPS, "critical": 10}, "unknown_field", "/critical"),
    ({**NPS, "kpi": "csat"}, "id_mismatch", "/kpi"), ({**NPS, "kpi": 1}, "wrong_type", "/kpi"),
])
def test_refusals(shop, body, code, pointer):
    expect_problem(shop.put("/v1/targets/nps", body), 422, "invalid_record", code, pointer)
    expect_problem(shop.get("/v1/targets/nps"), 404, "not_found")


def test_what_is_no_target(shop):
    for answer in (shop.get("/v1/targets/happiness"), shop.put("/v1/targets/happiness", NPS),
                   shop.delete("/v1/targets/happiness")):
        assert "nps" in expect_problem(answer, 404, "not_found")["detail"]
    expect_problem(shop.get("/v1/targets", kpi="nps"), 400, "unknown_parameter")
    expect_problem(shop.post("/v1/targets", NPS), 405, "method_not_allowed")
    answer = shop.request("PUT", "/v1/targets/nps", "{", {"Content-Type": "application/json"})
    expect_problem(answer, 400, "malformed_json")
    answer = shop.request("PUT", "/v1/targets/nps", "healthy=5", {"Content-Type": "text/plain"})
    expect_problem(answer, 415, "unsupported_media_type")


def test_targets_are_the_workspaces_own(stored, api, workspace):
    other = workspace(api)
    expect(stored.put("/v1/targets/nps", NPS), 201)
    expect(other.put("/v1/targets/nps", {"healthy": 1, "warning": 0}), 201)
    assert other.delete("/v1/targets/nps").status == 204
    assert expect(stored.get("/v1/targets/nps"), 200)["healthy"] == 50
    assert listed(other) == []
