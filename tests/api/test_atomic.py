"""?atomic=true: all or nothing, in every form."""

import threading

import pytest

from api.checks import ensure_known, expect, expect_problem, has, path_of, sample
from api.many import codes, counts, outcomes, stored
from support.client import Client
from support.forms import FORMS, post_many

ATOMIC = "/v1/surveys?atomic=true"


def gone(client, kind, records):
    for record in records:
        expect_problem(client.get(path_of(kind, record["id"])), 404, "not_found")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packed", [False, True])
def test_all_good_ones_are_stored(shop, form, packed):
    given = [sample("surveys") for _ in range(700)]
    summary = expect(post_many(shop, ATOMIC, given, form, packed), 200)
    assert counts(summary) == (700, 700, 0, 0, 0)
    assert summary["not_stored"] == 0
    assert counts(expect(post_many(shop, ATOMIC, given, form, packed), 200)) == (700, 0, 700, 0, 0)


@pytest.mark.parametrize("form", FORMS)
def test_one_bad_one_keeps_all_out(shop, form):
    given = [sample("surveys") for _ in range(600)]
    given[5]["score"] = 11
    given[550]["type"] = "mood"
    answer = post_many(shop, ATOMIC, given, form)
    summary = expect(answer, 422)
    assert answer.headers["Vinculo-Rejected"] == "2"
    assert counts(summary) == (600, 0, 0, 0, 2)
    assert summary["not_stored"] == 598
    assert [at for at, outcome in enumerate(outcomes(summary)) if outcome == "rejected"] == [5, 550]
    assert set(outcomes(summary)) == {"rejected", "not_stored"}
    assert codes(summary)[5] == "invalid_record" and codes(summary)[0] is None
    gone(shop, "surveys", [given[0], given[5], given[599]])


@pytest.mark.parametrize("form", FORMS)
def test_a_conflict_keeps_all_out(shop, form):
    taken = sample("surveys", score=1)
    expect(shop.post("/v1/surveys", taken), 201)
    given = [sample("surveys"), {**taken, "score": 2}, taken, sample("surveys")]
    summary = expect(post_many(shop, ATOMIC, given, form), 422)
    assert outcomes(summary) == ["not_stored", "rejected", "not_stored", "not_stored"]
    assert codes(summary)[1] == "id_conflict"
    gone(shop, "surveys", [given[0], given[3]])
    assert stored(shop, "surveys", [taken])[0]["score"] == 1


def test_what_the_database_refuses_is_found_among_all(shop):
    """Customers that would start after their own cancellations: the schema's rule, not a field's."""
    fixed = [sample("customers", started_at="2020-01-01T00:00:00Z") for _ in range(2)]
    expect(shop.post("/v1/customers", fixed), 200)
    for customer in fixed:
        expect(shop.post("/v1/cancellations", sample(
            "cancellations", customer_id=customer["id"], cancelled_at="2021-01-01T00:00:00Z")), 201)
    given = [sample("customers") for _ in range(300)]
    for at, customer in zip((17, 222), fixed):
        given[at] = {**customer, "started_at": "2022-01-01T00:00:00Z"}
    summary = expect(shop.post("/v1/customers?atomic=true&on_conflict=replace", given), 422)
    assert counts(summary) == (300, 0, 0, 0, 2)
    assert [at for at, outcome in enumerate(outcomes(summary)) if outcome == "rejected"] == [17, 222]
    for at in (17, 222):
        errors = summary["results"][at]["problem"]["errors"]
        assert [(error["pointer"], error["code"]) for error in errors] == \
            [("/started_at", "before_start")]
    gone(shop, "customers", given[:3])
    assert [record["started_at"] for record in stored(shop, "customers", fixed)] == \
        ["2020-01-01T00:00:00Z"] * 2


def test_life_events_without_their_customers(shop):
    ensure_known(shop)
    given = [sample("cancellations"), sample("cancellations", customer_id="nobody-here")]
    summary = expect(shop.post("/v1/cancellations?atomic=true", given), 422)
    assert outcomes(summary) == ["not_stored", "rejected"]
    assert summary["results"][1]["problem"]["errors"][0]["code"] == "unknown_customer"
    gone(shop, "cancellations", given)


def test_the_same_id_twice_in_the_order_of_the_lines(shop):
    first = sample("surveys", score=1)
    other = {**first, "score": 2}
    assert outcomes(expect(shop.post(ATOMIC, [first, other]), 422)) == ["not_stored", "rejected"]
    gone(shop, "surveys", [first])
    summary = expect(shop.post(ATOMIC + "&on_conflict=replace", [first, other, first, other]), 200)
    assert outcomes(summary) == ["created", "updated", "updated", "updated"]
    assert stored(shop, "surveys", [first])[0]["score"] == 2


@pytest.mark.parametrize("form", ("ndjson", "csv"))
def test_a_thousand_and_no_more(shop, form):
    given = [sample("surveys") for _ in range(1001)]
    problem = expect_problem(post_many(shop, ATOMIC, given, form), 413, "too_large")
    assert problem["created"] == 0
    gone(shop, "surveys", [given[0], given[1000]])
    assert counts(expect(post_many(shop, ATOMIC, given[:1000], form), 200))[1] == 1000


def test_damaged_forms_store_nothing(shop):
    given = [sample("surveys") for _ in range(3)]
    answer = shop.post_ndjson(ATOMIC, [given[0], "{no", given[1]])
    assert outcomes(expect(answer, 422)) == ["not_stored", "rejected", "not_stored"]
    gone(shop, "surveys", given)


def test_the_parameter(shop):
    record = sample("surveys")
    for value in ("yes", "", "1"):
        answer = shop.post(f"/v1/surveys?atomic={value}", [record])
        expect_problem(answer, 400, "invalid_parameter", parameter="atomic")
    assert "not_stored" not in expect(shop.post("/v1/surveys?atomic=false", [record]), 200)
    assert has(expect(shop.post(ATOMIC, record), 200), **record)
    assert counts(expect(shop.post(ATOMIC, []), 200)) == (0,) * 5


def test_readers_never_see_a_part(fresh):
    """While atomic requests come and go, the figure is always a multiple of their size."""
    seen = set()
    done = threading.Event()

    def read():
        client = Client(fresh.url, fresh.key)
        while not done.is_set():
            seen.add(expect(client.get("/v1/kpis", period="2025-03"), 200)["kpis"]["nps"]["n"] or 0)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(8):
            given = [sample("surveys") for _ in range(250)]
            expect(post_many(fresh, ATOMIC, given, "ndjson"), 200)
            expect(post_many(fresh, ATOMIC, [*given, sample("surveys", score=99)], "csv"), 422)
    finally:
        done.set()
        reader.join()
    assert seen <= {250 * at for at in range(9)}, seen


def test_atomic_requests_and_single_ones_side_by_side(shop):
    """Neither starves nor disturbs the other."""
    failures = []

    def singles():
        client = Client(shop.url, shop.key)
        for _ in range(150):
            answer = client.post("/v1/surveys", sample("surveys"))
            if answer.status != 201:
                failures.append(answer)

    threads = [threading.Thread(target=singles) for _ in range(4)]
    for thread in threads:
        thread.start()
    for at in range(20):
        given = [sample("surveys", score=99 if at % 2 and item == 7 else 5) for item in range(50)]
        expect(post_many(shop, ATOMIC, given), 422 if at % 2 else 200)
    for thread in threads:
        thread.join()
    assert not failures
