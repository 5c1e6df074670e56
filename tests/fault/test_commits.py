"""The next transaction is sent while one commits: each comes to its own end, and its clients are told of that one."""

import concurrent.futures
import re

import pytest

from api.checks import expect, expect_problem, sample
from support.service import cli
from support.waiting import eventually

TIMEOUTS = {"VINCULO_DATABASE_TIMEOUT_MS": "1500", "VINCULO_LOCK_TIMEOUT_MS": "500"}

# What happens to a survey is told by its id. What sleeps shows as such in pg_stat_activity.
TRIGGERS = """
    CREATE FUNCTION at_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.id LIKE '%slow%' THEN PERFORM pg_sleep(0.9); END IF;
        RETURN NEW; END $$;
    CREATE TRIGGER at_insert BEFORE INSERT ON survey FOR EACH ROW EXECUTE FUNCTION at_insert();
    CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.id LIKE '%late%' THEN PERFORM pg_sleep(0.9); END IF;
        IF NEW.id LIKE '%stuck%' THEN PERFORM pg_sleep(60); END IF;
        IF NEW.id LIKE '%never%' THEN RAISE EXCEPTION 'never' USING ERRCODE = 'check_violation'; END IF;
        RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON survey DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION at_commit();"""


@pytest.fixture
def here(site):
    made = site(TIMEOUTS)
    made.sql(TRIGGERS)
    return made


@pytest.fixture
def post(here):
    """post(id) -> the future answer to a survey with this id."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        yield lambda record_id: pool.submit(
            lambda: here.client().post("/v1/surveys", sample("surveys", id=record_id)))


def statements(here):
    """Of the service's connections, what those that sleep in a trigger are doing."""
    return [query for query, in here.sql(
        "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'")]


def sleeping(here, statement):
    return eventually(lambda: any(query.startswith(statement) for query in statements(here)))


def waiting(here, count):
    """So many records wait for the writer."""
    client = here.client()
    gauge = re.compile(rf"^vinculo_writer_queue_records {count}$".encode(), re.MULTILINE)
    eventually(lambda: gauge.search(client.get("/metrics").body))


def in_turn(here, post, first, *others):
    """Sends `first`, whose INSERT takes a while, and the others meanwhile: they are the next transaction."""
    answers = [post(first)]
    sleeping(here, "INSERT")
    answers += [post(record_id) for record_id in others]
    waiting(here, len(others))
    return answers


def stored(here):
    return {record_id for record_id, in here.sql("SELECT id FROM survey")}


def agrees(here):
    assert cli(here.url, "rebuild", "--check").returncode == 0


def test_the_next_transaction_is_sent_while_one_commits(here, post):
    first, second = in_turn(here, post, "slow-late", "second")
    sleeping(here, "COMMIT")
    waiting(here, 0)
    assert any(query == "COMMIT" for query in statements(here)) and not second.done()
    assert first.result().status == second.result().status == 201


def test_clients_are_told_while_the_next_transaction_works(here, post):
    first, second = in_turn(here, post, "first-slow", "second-slow")
    assert first.result().status == 201
    assert any(query.startswith("INSERT") for query in statements(here)) and not second.done()
    assert second.result().status == 201
    agrees(here)


def test_nobody_is_told_before_the_commit(here, post):
    first, second = in_turn(here, post, "first-slow-late", "second")
    sleeping(here, "COMMIT")
    assert not first.done() and not second.done() and stored(here) == set()
    assert first.result().status == second.result().status == 201
    assert stored(here) == {"first-slow-late", "second"}
    agrees(here)


def test_a_commit_with_nothing_behind_it(here, post):
    assert post("late").result().status == 201
    expect_problem(post("never").result(), 422, "invalid_record")
    assert stored(here) == {"late"}


def test_a_commit_that_is_refused(here, post):
    """Who is to blame is refused alone, whatever was stored together with it or after it."""
    answers = dict(zip(ids := ["slow", "good", "never", "slow-too", "never-too"], in_turn(here, post, *ids)))
    for record_id in ("slow", "good", "slow-too"):
        assert answers[record_id].result().status == 201
    for record_id in ("never", "never-too"):
        expect_problem(answers[record_id].result(), 422, "invalid_record")
    assert stored(here) == {"slow", "good", "slow-too"}
    agrees(here)


def test_a_commit_that_is_refused_before_a_good_one(here, post):
    first, second = in_turn(here, post, "slow-never", "good")
    assert second.result().status == 201
    expect_problem(first.result(), 422, "invalid_record")
    assert stored(here) == {"good"}
    agrees(here)


def cut(here):
    """Ends the service's connection whose statement or COMMIT sleeps."""
    here.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
             " AND wait_event = 'PgSleep'")


def test_a_commit_that_is_not_answered_in_time(here, post):
    """What it comes to is unknown, and what was sent behind it is not stored: both clients send it again."""
    first, second = in_turn(here, post, "slow-stuck", "good")
    for answer in (first, second):
        expect_problem(answer.result(), 503, "unavailable")
    assert stored(here) == set()
    cut(here)
    assert eventually(lambda: post("good").result().status in (200, 201))
    assert stored(here) == {"good"}
    agrees(here)


def test_a_connection_that_is_cut_in_a_commit(here, post):
    """What it came to is unknown to the first client. Of the second's transaction nothing was answered: it is run again."""
    first, second = in_turn(here, post, "slow-late", "good")
    sleeping(here, "COMMIT")
    cut(here)
    expect_problem(first.result(), 503, "unavailable")
    assert second.result().status == 201
    assert stored(here) == {"good"}
    agrees(here)


def test_a_connection_that_is_cut_after_a_commit(here, post):
    first, second = in_turn(here, post, "slow", "also-slow")
    assert first.result().status == 201
    cut(here)
    expect_problem(second.result(), 503, "unavailable")
    assert stored(here) == {"slow"}
    assert post("also-slow").result().status == 201
    agrees(here)


def test_an_atomic_array_behind_a_commit(here, post):
    first, second = in_turn(here, post, "slow-late", "good")
    client = here.client()
    answer = client.send_json("POST", "/v1/surveys?atomic=true",
                              [sample("surveys", id="one"), sample("surveys", id="two")])
    assert answer.status == 200, answer
    assert first.result().status == second.result().status == 201
    answer = client.send_json("POST", "/v1/surveys?atomic=true",
                              [sample("surveys", id="three"), sample("surveys", id="never")])
    assert expect(answer, 422)["rejected"] == 2
    assert stored(here) == {"slow-late", "good", "one", "two"}
    agrees(here)


def test_a_stop_waits_for_the_last_commit(here, post):
    answer = post("slow-late")
    sleeping(here, "INSERT")
    assert here.service.terminate() == 0
    assert answer.result().status == 201
    assert stored(here) == {"slow-late"}
    agrees(here)
