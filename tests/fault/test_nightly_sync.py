"""A file sent every night: the same end, whatever changed in it and however often it broke off.

The file is made here. Every record has an id of its own, so sending all again is safe.
"""

import os
import random
import threading
import time

import pytest

from api.checks import expect, expect_problem
from api.many import COUNTS, counts
from fault.load import LOST
from support.forms import post_many
from support.service import cli

ALL = os.environ.get("VINCULO_TEST_ALL") == "1"
RECORDS = 12_000 if ALL else 4_000
FORMS = ["ndjson", "csv"] if ALL else ["csv"]
MODES = ["", "?on_conflict=replace", "?on_conflict=merge"] if ALL else ["?on_conflict=replace"]
RECOVERY_S = 10


def export():
    chance = random.Random(20260914)
    return [{"id": f"S-{at}", "type": "nps", "score": chance.randrange(11),
             "comment": f"observação {at}", "segment": chance.choice(["norte", "sul"]),
             "answered_at": f"2025-{at % 12 + 1:02}-{at % 28 + 1:02}T10:00:00Z"}
            for at in range(RECORDS)]


def changed_since(records):
    """A tenth has another score and no comment any more."""
    return [{**{name: value for name, value in record.items() if name != "comment"},
             "score": (record["score"] + 3) % 11} if at % 10 == 0 else record
            for at, record in enumerate(records)]


def rows(site):
    return site.sql("SELECT id, score, comment, segment, answered_at, content_hash FROM survey"
                    " ORDER BY id")


def figures(client):
    answer = expect(client.get("/v1/kpis/nps", granularity="month", from_="2025-01-01",
                               to="2026-01-01"), 200)
    return answer["series"]


def check(site):
    done = cli(site.url, "rebuild", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def wait_until_ready(client):
    end = time.monotonic() + RECOVERY_S
    while time.monotonic() < end:
        try:
            if client.get("/readyz").status == 200:
                return
        except LOST:
            pass
        time.sleep(0.05)
    raise AssertionError("no recovery")


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_a_tenth_changed(site, form):
    running = site()
    client = running.client(timeout_s=120)
    first, second = export(), changed_since(export())
    assert counts(expect(post_many(client, "/v1/surveys", first, form, True), 200)) == \
        (RECORDS, RECORDS, 0, 0, 0)
    before = rows(running)

    plain = expect(post_many(client, "/v1/surveys", second, form, True), 207)
    tenth = RECORDS // 10
    assert counts(plain) == (RECORDS, 0, RECORDS - tenth, 0, tenth)
    assert [item["index"] for item in plain["results"]] == list(range(0, RECORDS, 10))[:1000]
    assert {item["problem"]["code"] for item in plain["results"]} == {"id_conflict"}
    assert rows(running) == before

    merged = expect(post_many(client, "/v1/surveys?on_conflict=merge", second, form, True), 200)
    assert counts(merged) == (RECORDS, 0, RECORDS - tenth, tenth, 0)
    by_id = {row[0]: row for row in rows(running)}
    for at, record in enumerate(second):
        assert by_id[record["id"]][1:3] == (record["score"], f"observação {at}")

    replaced = expect(post_many(client, "/v1/surveys?on_conflict=replace", second, form, True), 200)
    assert counts(replaced) == (RECORDS, 0, RECORDS - tenth, tenth, 0)
    by_id = {row[0]: row for row in rows(running)}
    for record in second:
        assert by_id[record["id"]][1:3] == (record["score"], record.get("comment"))
    again = expect(post_many(client, "/v1/surveys?on_conflict=replace", second, form, True), 200)
    assert counts(again) == (RECORDS, 0, RECORDS, 0, 0)
    check(running)


def send_while_the_database_dies(running, path, records, form, delay_s):
    """The answer to a POST of all, PostgreSQL being killed meanwhile and started again."""
    client = running.client(timeout_s=120)
    answers = []
    sender = threading.Thread(
        target=lambda: answers.append(post_many(client, path, records, form)))
    sender.start()
    time.sleep(delay_s)
    running.cluster.kill9()
    sender.join()
    running.cluster.start()
    wait_until_ready(client)
    return answers[0]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", MODES)
def test_broken_off_half_way_and_sent_again(site, form, mode):
    running, untouched = site(), site()
    first, second = export(), changed_since(export())
    records = second if mode else first
    path = f"/v1/surveys{mode}"
    for each in (running, untouched) if mode else ():
        expect(post_many(each.client(timeout_s=120), "/v1/surveys", first, form), 200)
    expect(post_many(untouched.client(timeout_s=120), path, records, form), 200)

    answer = send_while_the_database_dies(running, path, records, form, 0.25)
    client = running.client(timeout_s=120)
    stored = running.sql("SELECT count(*) FROM survey")[0][0]
    if answer.status == 200:
        pytest.skip("the machine was faster than the kill")
    problem = expect_problem(answer, 503, "unavailable")
    known = sum(problem[name] for name in COUNTS[1:])
    assert known <= problem["received"] <= RECORDS
    if not mode:
        # The window under way when the connection broke is the one that nobody knows of.
        assert problem["created"] <= stored <= problem["created"] + 500
    again = expect(post_many(client, path, records, form), 200)
    assert again["received"] == RECORDS and again["rejected"] == 0
    if not mode:
        assert again["unchanged"] == stored
    assert rows(running) == rows(untouched)
    assert figures(client) == figures(untouched.client())
    check(running)
    print(f"{form} {mode or 'plain'}: broke off after {known} of {RECORDS}, the same end")


def test_an_atomic_request_that_breaks_off_leaves_all_or_nothing(site):
    running = site()
    for delay_ms in (5, 20, 40, 60):
        given = [{**record, "id": f"{delay_ms}-{record['id']}"} for record in export()[:1000]]
        answer = send_while_the_database_dies(running, "/v1/surveys?atomic=true", given, "ndjson",
                                              delay_ms / 1000)
        stored = running.sql(f"SELECT count(*) FROM survey WHERE id LIKE '{delay_ms}-%'")[0][0]
        assert stored in (0, 1000)
        if answer.status == 200:
            assert stored == 1000
        else:
            expect_problem(answer, 503, "unavailable")
        again = expect(post_many(running.client(), "/v1/surveys?atomic=true", given), 200)
        assert again["created"] + again["unchanged"] == 1000
    check(running)
