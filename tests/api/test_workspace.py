"""GET and PATCH /v1/workspace: what is shown, what may change, what follows from it."""

import contextlib
import re
import threading
import time

import psycopg2
import pytest

from api.checks import (expect, expect_problem, make_client, moment_of, new_id, sample, settled)
from support.client import Client
from support.service import Service, cli

MEMBERS = ["name", "timezone", "currency", "language", "settings", "created_at", "updated_at"]
WEIGHTS = {"csat": 0.25, "nps": 0.25, "first_contact_resolution": 0.15, "annualised_retention": 0.15,
           "ces": 0.1, "speed": 0.1}
DEFAULTS = {"response_window_days": 30, "gross_margin": 1, "cac_categories": None,
            "response_target_seconds": 14400, "relationship_weights": WEIGHTS}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


@pytest.fixture
def made(api, workspace):
    """made(**options) -> admin client of a new workspace."""
    return lambda **options: workspace(api, **options)


def shown(client):
    return expect(client.get("/v1/workspace"), 200)


def changed(client, **members):
    return expect(client.patch("/v1/workspace", members), 200)


def database_id(api, client):
    with contextlib.closing(psycopg2.connect(api.database_url)) as connection, \
            connection.cursor() as cursor:
        cursor.execute("SELECT id FROM workspace WHERE name = %s", [client.workspace])
        return cursor.fetchone()[0]


def execute(api, statement, *values):
    """Runs one statement as any other program would."""
    with contextlib.closing(psycopg2.connect(api.database_url)) as connection, \
            connection, connection.cursor() as cursor:
        cursor.execute(statement, values)


def is_clean(api, client):
    done = cli(api.database_url, "rebuild", "--check", "--workspace", client.workspace)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_shown(made):
    client = made(timezone="America/Sao_Paulo", currency="EUR", language="en")
    workspace = shown(client)
    assert list(workspace) == MEMBERS
    assert workspace["name"] == client.workspace
    assert workspace["timezone"] == "America/Sao_Paulo"
    assert (workspace["currency"], workspace["language"]) == ("EUR", "en")
    assert workspace["settings"] == DEFAULTS
    assert list(workspace["settings"]) == list(DEFAULTS)
    assert list(workspace["settings"]["relationship_weights"]) == list(WEIGHTS)
    assert MOMENT.fullmatch(workspace["created_at"])
    assert workspace["updated_at"] == workspace["created_at"]
    assert client.request("HEAD", "/v1/workspace").status == 200


def test_the_defaults(made):
    workspace = shown(made())
    assert [workspace[name] for name in ("timezone", "currency", "language")] == ["UTC", "BRL", "pt"]


OTHERS = {"response_window_days": 7, "gross_margin": 0.8, "cac_categories": ["ads", "événements, {x}\\\""],
          "response_target_seconds": 3600,
          "relationship_weights": {"csat": 1, "nps": 0.333333333, "first_contact_resolution": 0, "annualised_retention": 0,
                                   "ces": 1e-9, "speed": 0.7}}


def test_each_member_changes_alone(made):
    client = made()
    before = shown(client)
    for change in ({"timezone": "Asia/Kolkata"}, {"currency": "USD"}, {"language": "en"},
                   *({"settings": {name: value}} for name, value in OTHERS.items())):
        after = changed(client, **change)
        settings = {**before["settings"], **change.get("settings", {})}
        assert after == {**before, **change, "settings": settings, "updated_at": after["updated_at"]}
        assert moment_of(after["updated_at"]) > moment_of(before["updated_at"])
        assert shown(client) == after
        before = after


def test_get_edit_patch(made):
    client = made()
    before = shown(client)
    assert changed(client, **before) == before, "nothing changed, updated_at neither"
    after = changed(client, **{**before, "language": "en"})
    assert after["language"] == "en" and after["created_at"] == before["created_at"]


def test_an_empty_patch_changes_nothing(made):
    client = made()
    before = shown(client)
    assert changed(client) == before
    assert changed(client, settings={}) == before


def test_a_setting_that_is_removed_has_its_default_again(made):
    client = made()
    for name, value in OTHERS.items():
        assert changed(client, settings={name: value})["settings"] == {**DEFAULTS, name: value}
        assert changed(client, settings={name: None})["settings"] == DEFAULTS
    assert changed(client, settings=OTHERS)["settings"] == OTHERS
    assert changed(client, settings=None)["settings"] == DEFAULTS


def test_the_same_settings_change_nothing(made):
    client = made()
    before = changed(client, settings=OTHERS)
    for again in (OTHERS, {"gross_margin": 0.80}, {"gross_margin": 8e-1}, {}):
        assert changed(client, settings=again) == before


def test_the_media_types(made):
    client = made()
    answer = client.request("PATCH", "/v1/workspace", '{"language":"en"}',
                            {"Content-Type": "application/merge-patch+json"})
    assert expect(answer, 200)["language"] == "en"
    answer = client.request("PATCH", "/v1/workspace", "language=en",
                            {"Content-Type": "application/x-www-form-urlencoded"})
    expect_problem(answer, 415, "unsupported_media_type")


REFUSALS = [
    ([], "wrong_type", ""),
    ("UTC", "wrong_type", ""),
    ({"zone": "UTC"}, "unknown_field", "/zone"),
    ({"a/b~c": 1}, "unknown_field", "/a~1b~0c"),
    ({"timezone": 3}, "wrong_type", "/timezone"),
    ({"timezone": None}, "required", "/timezone"),
    ({"timezone": ""}, "out_of_range", "/timezone"),
    ({"timezone": "Mars/Olympus"}, "out_of_range", "/timezone"),
    ({"timezone": "america/sao_paulo"}, "out_of_range", "/timezone"),
    ({"timezone": "UTC'; DROP TABLE workspace; --"}, "out_of_range", "/timezone"),
    ({"timezone": "posix/America/Sao_Paulo"}, "out_of_range", "/timezone"),
    ({"currency": "brl"}, "out_of_range", "/currency"),
    ({"currency": "BRLX"}, "out_of_range", "/currency"),
    ({"currency": "R$"}, "out_of_range", "/currency"),
    ({"currency": None}, "required", "/currency"),
    ({"currency": ["BRL"]}, "wrong_type", "/currency"),
    ({"language": "fr"}, "out_of_range", "/language"),
    ({"language": None}, "required", "/language"),
    ({"language": True}, "wrong_type", "/language"),
    ({"name": "another"}, "not_allowed_here", "/name"),
    ({"name": None}, "required", "/name"),
    ({"name": 1}, "wrong_type", "/name"),
    ({"name": ""}, "out_of_range", "/name"),
    ({"settings": 30}, "wrong_type", "/settings"),
    ({"settings": {"days": 30}}, "unknown_field", "/settings/days"),
    ({"settings": {"response_window_days": 0}}, "out_of_range", "/settings/response_window_days"),
    ({"settings": {"response_window_days": 366}}, "out_of_range", "/settings/response_window_days"),
    ({"settings": {"response_window_days": 2 ** 40}}, "out_of_range",
     "/settings/response_window_days"),
    ({"settings": {"response_window_days": 30.0}}, "wrong_type", "/settings/response_window_days"),
    ({"settings": {"response_window_days": "30"}}, "wrong_type", "/settings/response_window_days"),
]

def setting(name, value, code, at=""):
    return {"settings": {name: value}}, code, f"/settings/{name}{at}"


REFUSALS += [
    *(setting("gross_margin", value, "out_of_range") for value in (0, 0.0, -0.1, 1.000001, 80)),
    *(setting("gross_margin", value, "wrong_type") for value in ("0.8", True, [0.8])),
    *(setting("response_target_seconds", value, "out_of_range") for value in (0, -1, 31536001)),
    *(setting("response_target_seconds", value, "wrong_type") for value in (3600.5, "3600")),
    *(setting("cac_categories", value, "wrong_type") for value in ("ads", {"ads": True}, 1)),
    setting("cac_categories", [], "out_of_range"),
    setting("cac_categories", ["ads", 1], "wrong_type", "/1"),
    setting("cac_categories", ["ads", None], "wrong_type", "/1"),
    setting("cac_categories", ["", "ads"], "out_of_range", "/0"),
    setting("cac_categories", ["x" * 65], "out_of_range", "/0"),
    setting("cac_categories", ["ads", "fairs", "ads"], "out_of_range", "/2"),
    setting("cac_categories", [f"c{number}" for number in range(51)], "too_long"),
    setting("relationship_weights", [0.5, 0.5], "wrong_type"),
    setting("relationship_weights", 1, "wrong_type"),
    setting("relationship_weights", {}, "required", "/csat"),
    setting("relationship_weights", {**WEIGHTS, "speed": None}, "required", "/speed"),
    setting("relationship_weights", {**WEIGHTS, "churn": 0.1}, "unknown_field", "/churn"),
    setting("relationship_weights", {**WEIGHTS, "nps": 1.1}, "out_of_range", "/nps"),
    setting("relationship_weights", {**WEIGHTS, "nps": -0.1}, "out_of_range", "/nps"),
    setting("relationship_weights", {**WEIGHTS, "nps": "0.1"}, "wrong_type", "/nps"),
    setting("relationship_weights", dict.fromkeys(WEIGHTS, 0), "out_of_range"),
]



@pytest.mark.parametrize("patch, code, pointer", REFUSALS)
def test_refusals(shop, patch, code, pointer):
    before = shown(shop)
    expect_problem(shop.patch("/v1/workspace", patch), 422, "invalid_record", code, pointer)
    assert shown(shop) == before


def test_all_errors_at_once_and_nothing_done(shop):
    before = shown(shop)
    problem = expect_problem(shop.patch("/v1/workspace", {
        "timezone": "Nowhere/At_All", "currency": "reais", "language": "en", "colour": "red",
        "settings": {"response_window_days": -1, "x": 1}}), 422, "invalid_record")
    assert sorted((error["pointer"], error["code"]) for error in problem["errors"]) == [
        ("/colour", "unknown_field"), ("/currency", "out_of_range"),
        ("/settings/response_window_days", "out_of_range"), ("/settings/x", "unknown_field"),
        ("/timezone", "out_of_range")]
    assert shown(shop) == before


def test_malformed_json(shop):
    for body in ("", "{", '{"language":"en","language":"pt"}'):
        answer = shop.request("PATCH", "/v1/workspace", body, {"Content-Type": "application/json"})
        expect_problem(answer, 400, "malformed_json")


def test_scopes(shop, scoped):
    for scope, client in scoped.items():
        answer = client.get("/v1/workspace")
        if scope in ("read", "write", "admin"):
            expect(answer, 200)
        else:
            expect_problem(answer, 403, "forbidden_scope")
        if scope != "admin":
            expect_problem(client.patch("/v1/workspace", {"language": "en"}), 403, "forbidden_scope")
    expect_problem(Client(shop.url).get("/v1/workspace"), 401, "unauthorized")
    expect_problem(shop.put("/v1/workspace", {}), 405, "method_not_allowed")
    expect_problem(shop.get("/v1/workspace/x"), 404, "not_found")
    expect_problem(shop.get("/v1/workspace", a="b"), 400, "unknown_parameter")


def test_other_workspaces_stay_as_they_are(made):
    ours, theirs = made(), made()
    before = shown(theirs)
    changed(ours, timezone="Asia/Kolkata", currency="USD", language="en",
            settings={"response_window_days": 1})
    assert shown(theirs) == before


# What follows from a change


def kpi(client, name, period, **options):
    return expect(client.get(f"/v1/kpis/{name}", period=period, compare="none", **options), 200)


def test_a_change_of_zone_moves_records_to_other_days(made, api):
    client = made()
    expect(client.post("/v1/surveys", sample("surveys", answered_at="2025-03-01T01:30:00Z")), 201)
    assert kpi(client, "nps", "2025-03-01")["kpis"]["nps"]["n"] == 1
    changed(client, timezone="America/Sao_Paulo")
    assert kpi(client, "nps", "2025-03-01")["kpis"]["nps"]["n"] == 0
    answer = kpi(client, "nps", "2025-02")
    assert answer["kpis"]["nps"]["n"] == 1
    assert answer["period"]["timezone"] == "America/Sao_Paulo"
    assert answer["data"] == {"first": "2025-02-28", "last": "2025-02-28"}
    is_clean(api, client)


def test_a_change_of_zone_moves_what_was_lost_in_a_month(made, api):
    client = made()
    expect(client.post("/v1/customers", {"id": "a", "started_at": "2024-12-01T00:00:00Z"}), 201)
    expect(client.post("/v1/cancellations", {"customer_id": "a",
                                             "cancelled_at": "2025-03-01T01:30:00Z"}), 201)
    expect(client.post("/v1/reactivations", {"customer_id": "a",
                                             "reactivated_at": "2025-03-20T00:00:00Z"}), 201)
    lost = lambda: [kpi(client, "churn_rate", month)["kpis"]["churn_rate"]["parts"]["lost"]
                    for month in ("2025-02", "2025-03")]
    assert lost() == [0, 0], "back before the month of the loss was over"
    changed(client, timezone="America/Sao_Paulo")
    assert lost() == [1, 0]
    changed(client, timezone="UTC")
    assert lost() == [0, 0]
    is_clean(api, client)


def test_the_response_window_decides_what_came_in_time(made, api):
    client = made()
    for day in (2, 20):
        expect(client.post("/v1/surveys", sample(
            "surveys", sent_at="2025-03-01T00:00:00Z", answered_at=f"2025-03-{day:02}T00:00:00Z")), 201)
    parts = lambda: kpi(client, "response_rate", "2025-03")["kpis"]["response_rate"]["parts"]
    assert parts() == {"sent": 2, "answered": 2, "late": 0}
    changed(client, settings={"response_window_days": 5})
    assert parts() == {"sent": 2, "answered": 1, "late": 1}
    is_clean(api, client)


def counted(api, client):
    with contextlib.closing(psycopg2.connect(api.database_url)) as connection, connection, \
            connection.cursor() as cursor:
        # Where the service is folding at this moment, this does nothing and that ends soon.
        while True:
            cursor.execute("SELECT totals_fold(%s)", [database_id(api, client)])
            cursor.execute("SELECT count(*) FROM cost_change WHERE workspace_id = %s", [database_id(api, client)])
            if cursor.fetchone() == (0,):
                break
        cursor.execute("SELECT xmin::text FROM cost_totals WHERE workspace_id = %s",
                       [database_id(api, client)])
        return sorted(cursor.fetchall())


def test_what_wins_customers_is_counted_again_and_the_rest_need_not_be(made, api):
    client = made()
    expect(client.post("/v1/costs", sample("costs", category="ads")), 201)
    before = counted(api, client)
    assert before
    changed(client, settings={"gross_margin": 0.5, "response_target_seconds": 60,
                              "relationship_weights": {**WEIGHTS, "ces": 0}})
    assert counted(api, client) == before
    changed(client, settings={"cac_categories": ["ads"]})
    assert set(counted(api, client)).isdisjoint(before)
    is_clean(api, client)


@pytest.mark.parametrize("change", [
    "gross_margin = 0", "cac_categories = '{}'", "cac_categories = '{ads,NULL}'",
    "response_target_seconds = 0", "relationship_weights = '{0,0,0,0,0,0}'", "relationship_weights = '{1,1}'",
    "relationship_weights = '{0.5,0.5,0,0,0,NULL}'", "relationship_weights = '{2,0,0,0,0,0}'",
    "relationship_weights = '{NaN,0,0,0,0,0}'", "relationship_weights = '{-1,1,0,0,0,0}'"])
def test_no_program_stores_settings_that_cannot_be(made, api, change):
    client = made()
    with pytest.raises(psycopg2.errors.CheckViolation):
        execute(api, f"UPDATE workspace SET {change} WHERE name = %s", client.workspace)
    assert shown(client)["settings"] == DEFAULTS


def test_any_program_may_change_the_zone(made, api):
    client = made()
    expect(client.post("/v1/surveys", sample("surveys", answered_at="2025-03-01T01:30:00Z")), 201)
    execute(api, "UPDATE workspace SET timezone = 'America/Sao_Paulo', response_window_days = 9"
                 " WHERE name = %s", client.workspace)
    workspace = shown(client)
    assert workspace["timezone"] == "America/Sao_Paulo"
    assert moment_of(workspace["updated_at"]) > moment_of(workspace["created_at"])
    assert kpi(client, "nps", "2025-02")["kpis"]["nps"]["n"] == 1
    is_clean(api, client)
    with pytest.raises(psycopg2.errors.InvalidParameterValue):
        execute(api, "UPDATE workspace SET timezone = 'Mars/Olympus' WHERE name = %s",
                client.workspace)


AMOUNTS = {"payments": {"amount": 1990, "paid_at": "2025-03-04T10:00:00Z"},
           "costs": {"amount": 500, "incurred_at": "2025-03-04T10:00:00Z"}}


@pytest.mark.parametrize("kind", AMOUNTS)
def test_the_currency_changes_while_there_are_no_amounts(made, kind):
    client = made()
    changed(client, currency="EUR")
    stored = expect(client.post(f"/v1/{kind}", {"id": new_id(), **AMOUNTS[kind]}), 201)
    assert stored["currency"] == "EUR", "known at once"
    expect_problem(client.patch("/v1/workspace", {"currency": "USD"}), 422, "invalid_record",
                   "not_allowed_here", "/currency")
    changed(client, currency="EUR", language="en")
    assert client.delete(f"/v1/{kind}/{stored['id']}").status == 204
    changed(client, currency="USD")
    answer = client.post(f"/v1/{kind}", {**AMOUNTS[kind], "currency": "EUR"})
    expect_problem(answer, 422, "invalid_record", "wrong_currency", "/currency")


@pytest.mark.parametrize("table, time", [("payment", "paid_at"), ("cost", "incurred_at")])
def test_no_program_stores_another_currency(made, api, table, time):
    client = made()
    insert = (f"INSERT INTO {table} (workspace_id, id, amount, currency, {time})"
              " VALUES (%s, 'x', 1, %s, now())")
    workspace_id = database_id(api, client)
    with pytest.raises(psycopg2.Error) as refused:
        execute(api, insert, workspace_id, "USD")
    assert refused.value.pgcode == "VC003"
    execute(api, insert, workspace_id, "BRL")
    with pytest.raises(psycopg2.Error) as refused:
        execute(api, "UPDATE workspace SET currency = 'USD' WHERE id = %s", workspace_id)
    assert refused.value.pgcode == "VC002"


# Under way


@contextlib.contextmanager
def held(api, client):
    """Somebody else holds the workspace's lock."""
    with contextlib.closing(psycopg2.connect(api.database_url)) as connection, \
            connection.cursor() as cursor:
        cursor.execute("SELECT workspace_lock(%s)", [database_id(api, client)])
        yield


def test_one_recount_at_a_time(workspace, service):
    api = service(env={"VINCULO_LOCK_TIMEOUT_MS": "1500"})
    ours, theirs = workspace(api), workspace(api)
    other = settled(Client(api.url, theirs.key))
    with held(api, ours):
        waiting = threading.Thread(target=lambda: ours.patch("/v1/workspace", {"timezone": "Asia/Tokyo"}))
        waiting.start()
        time.sleep(0.3)
        expect_problem(other.patch("/v1/workspace", {"timezone": "Asia/Tokyo"}), 503, "queue_full")
        expect_problem(other.patch("/v1/workspace", {"settings": {"cac_categories": ["ads"]}}), 503,
                       "queue_full")
        expect_problem(other.patch("/v1/workspace", {"language": "en"}), 503, "queue_full")
        expect(other.patch("/v1/workspace", {"settings": {"gross_margin": 0.5}}), 200)
        waiting.join()
    expect(other.patch("/v1/workspace", {"timezone": "Asia/Tokyo"}), 200)


def test_a_held_lock_gives_503_after_a_bounded_wait(workspace, service):
    api = service(env={"VINCULO_LOCK_TIMEOUT_MS": "300"})
    client = workspace(api)
    with held(api, client):
        begun = time.monotonic()
        expect_problem(client.patch("/v1/workspace", {"timezone": "Asia/Tokyo"}), 503, "unavailable")
        assert 0.25 < time.monotonic() - begun < 3
    assert shown(client)["timezone"] == "UTC"


SLOW = """CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_sleep(4); RETURN NULL; END $$;
          CREATE TRIGGER slow AFTER UPDATE ON workspace FOR EACH ROW EXECUTE FUNCTION slow()"""


def test_a_long_recount_has_a_timeout_of_its_own(workspace, service):
    api = service(env={"VINCULO_DATABASE_TIMEOUT_MS": "1000", "VINCULO_IDLE_TIMEOUT_S": "2"})
    client = workspace(api)
    execute(api, SLOW)
    begun = time.monotonic()
    assert changed(client, timezone="Asia/Tokyo")["timezone"] == "Asia/Tokyo"
    assert time.monotonic() - begun > 4
    # Ordinary statements on the same connections are bounded as before.
    for _ in range(16):
        assert shown(client)["timezone"] == "Asia/Tokyo"


def test_a_recount_that_takes_too_long_changes_nothing(workspace, service):
    api = service(env={"VINCULO_REBUILD_TIMEOUT_MS": "500"})
    client = workspace(api)
    before = shown(client)
    execute(api, SLOW)
    begun = time.monotonic()
    expect_problem(client.patch("/v1/workspace", {"timezone": "Asia/Tokyo"}), 503, "unavailable")
    assert time.monotonic() - begun < 3
    assert shown(client) == before


def test_a_recount_under_way_does_not_hold_up_the_end(workspace, database):
    with Service(database(), {"VINCULO_SHUTDOWN_TIMEOUT_MS": "500"}) as api:
        client = workspace(api)
        execute(api, SLOW.replace("4", "30"))
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(
            client.patch("/v1/workspace", {"timezone": "Asia/Tokyo"})))
        waiting.start()
        time.sleep(0.5)
        begun = time.monotonic()
        api.terminate()
        assert time.monotonic() - begun < 4
        waiting.join()
        expect_problem(answers[0], 503, "unavailable")
    with contextlib.closing(psycopg2.connect(api.database_url)) as connection, \
            connection.cursor() as cursor:
        end = time.monotonic() + 5  # the server notices within a second that nobody waits
        busy = True
        while busy and time.monotonic() < end:
            time.sleep(0.1)
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')")
            busy = cursor.fetchone()[0]
        assert not busy
        cursor.execute("SELECT timezone FROM workspace WHERE name = %s", [client.workspace])
        assert cursor.fetchone()[0] == "UTC"
