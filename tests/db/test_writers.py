"""Who writes beside the service: other programs, and whoever holds a workspace's lock."""

import contextlib
import threading
import time

import psycopg2
import pytest

from api.checks import KINDS
from support.client import Client
from support.service import cli


@pytest.fixture(scope="module")
def running(service):
    return service()


def workspace_id(connection, client):
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM workspace WHERE name = %s", (client.workspace,))
        return cursor.fetchone()[0]


def test_a_stricter_isolation_level_is_refused(running, workspace):
    """Its snapshot is older than the lock, so its derived rows could miss what others committed."""
    client = workspace(running)
    assert client.post("/v1/customers", {"id": "c", "started_at": "2025-01-01T00:00:00Z"}).status == 201
    with psycopg2.connect(running.database_url) as connection:
        connection.set_session(isolation_level="REPEATABLE READ")
        with connection.cursor() as cursor, pytest.raises(psycopg2.Error) as refused:
            cursor.execute("INSERT INTO reactivation (workspace_id, id, customer_id, reactivated_at)"
                           " SELECT workspace_id, 'r', id, started_at FROM customer")
        assert refused.value.pgcode == "VC004"


@pytest.mark.parametrize("kind", KINDS)
def test_rows_have_the_columns_that_the_service_sends(running, workspace, kind):
    """PostgreSQL compares their types alone: two texts could be stored in each other's place."""
    fields = workspace(running).get(f"/v1/{kind}", format="csv").body.decode().strip().split(",")
    with psycopg2.connect(running.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT a.attname FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid"
                       " WHERE t.typname = %s ORDER BY a.attnum", (f"{kind[:-1]}_row",))
        columns = [name for name, in cursor]
    assert columns == ["ord", "workspace_id", *fields[:fields.index("created_at")], "content_hash"]


def test_rows_of_another_program_are_counted(running, workspace):
    client = workspace(running, timezone="America/Sao_Paulo")
    with psycopg2.connect(running.database_url) as connection:
        number = workspace_id(connection, client)
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO survey (workspace_id, id, type, score, scale_min, scale_max,"
                           " answered_at) SELECT %s, g::text, 'nps', g %% 11, 0, 10,"
                           " timestamptz '2025-03-01Z' + g * interval '1 hour'"
                           " FROM generate_series(1, 200) g", (number,))
            cursor.execute("UPDATE survey SET score = 10 WHERE workspace_id = %s AND score = 6", (number,))
            cursor.execute("DELETE FROM survey WHERE workspace_id = %s AND score = 0", (number,))
            cursor.execute("SELECT count(*) FILTER (WHERE score >= 9), count(*) FILTER (WHERE score < 7),"
                           " count(*) FROM survey WHERE workspace_id = %s", (number,))
            promoters, detractors, total = cursor.fetchone()
    figure = client.get("/v1/kpis", period="2025", kpis="nps").json()["kpis"]["nps"]
    assert (figure["parts"]["promoters"], figure["parts"]["detractors"], figure["n"]) == \
        (promoters, detractors, total)
    assert cli(running.database_url, "rebuild", "--check").returncode == 0


@pytest.mark.parametrize("table", ["survey", "life_event", "survey_totals", "survey_totals_month",
                                   "duration_sketch_day"])
def test_truncate_is_refused(running, table):
    with psycopg2.connect(running.database_url) as connection, connection.cursor() as cursor, \
            pytest.raises(psycopg2.Error) as refused:
        cursor.execute(f"TRUNCATE {table}")
    assert refused.value.pgcode == "0A000"


def test_a_locked_workspace_leaves_the_others_alone(running, workspace):
    """A rebuild holds its workspace's lock for long; others go on, and its own posts wait for it."""
    locked, free = workspace(running), workspace(running)
    answers = []

    def post_to_the_locked_one():
        answers.append(locked.post("/v1/customers", {"id": "x", "started_at": "2025-01-01T00:00:00Z"}))

    with psycopg2.connect(running.database_url) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT workspace_lock(%s)", (workspace_id(connection, locked),))
        waiting = threading.Thread(target=post_to_the_locked_one)
        waiting.start()
        slowest = 0
        for i in range(20):
            began = time.monotonic()
            assert free.post("/v1/customers", {"id": f"c{i}", "started_at": "2025-01-01T00:00:00Z"}).status == 201
            assert free.get("/v1/kpis", period="2025").status == 200
            slowest = max(slowest, time.monotonic() - began)
        assert waiting.is_alive() and slowest < 2, slowest
    waiting.join(10)
    assert [answer.status for answer in answers] == [201]


def test_an_id_that_another_program_stores_meanwhile(running, workspace):
    """A replica applies rows without triggers, so without the lock: the id is taken in the middle of the INSERT."""
    client = workspace(running)
    answers = []
    with contextlib.closing(psycopg2.connect(running.database_url)) as connection, \
            contextlib.closing(psycopg2.connect(running.database_url)) as observer:
        observer.autocommit = True
        number = workspace_id(connection, client)
        with connection.cursor() as cursor, observer.cursor() as observing:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("INSERT INTO cost (workspace_id, id, amount, currency, incurred_at)"
                           " VALUES (%s, 'taken', 5, 'EUR', '2025-01-01Z')", (number,))
            thread = threading.Thread(target=lambda: answers.append(Client(running.url, client.key).post(
                "/v1/costs", {"id": "taken", "amount": 7, "incurred_at": "2025-01-01T00:00:00Z"})))
            thread.start()
            await_waiting(observing)
            connection.commit()
            thread.join(10)
    assert answers[0].status == 409 and answers[0].json()["code"] == "id_conflict", answers
    assert client.get("/v1/costs/taken").json()["amount"] == 5


def test_a_held_post_is_given_up_in_time_though_others_keep_coming(service, workspace):
    """Its patience is its own: later posts of the same workspace must not lengthen it."""
    here = service(env={"VINCULO_LOCK_TIMEOUT_MS": "1000"})
    locked = workspace(here)
    waited = []

    def post(number):
        other = Client(here.url, locked.key)
        began = time.monotonic()
        answer = other.post("/v1/customers", {"id": f"c{number}", "started_at": "2025-01-01T00:00:00Z"})
        waited.append((answer.status, time.monotonic() - began))

    with psycopg2.connect(here.database_url) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT workspace_lock(%s)", (workspace_id(connection, locked),))
        posts = [threading.Thread(target=post, args=(number,)) for number in range(25)]
        for thread in posts:
            thread.start()
            time.sleep(0.15)
        for thread in posts:
            thread.join(10)
    assert {status for status, _ in waited} == {503}, waited
    assert max(seconds for _, seconds in waited) < 3, waited


def await_waiting(cursor):
    """Until a transaction of the service waits for a lock."""
    give_up = time.monotonic() + 5
    while time.monotonic() < give_up:
        cursor.execute("SELECT FROM pg_stat_activity WHERE datname = current_database()"
                       " AND wait_event_type = 'Lock' AND application_name = 'vinculo'")
        if cursor.rowcount > 0:
            return
    pytest.fail("nothing waits for the lock")


def posting(answers, name, here, client, path, body):
    """The thread that posts on a connection of its own and leaves the answer under this name."""
    def post():
        answers[name] = Client(here.url, client.key).post(path, body)
    thread = threading.Thread(target=post)
    thread.start()
    return thread


def test_what_comes_while_the_lock_is_waited_for_goes_along(service, workspace):
    """Two instances take turns: each one's turn is one transaction of all that has come meanwhile."""
    here = service()
    client, other = workspace(here), workspace(here)
    answers = {}

    def start(client, name):
        return posting(answers, name, here, client, "/v1/customers",
                       {"id": name, "started_at": "2025-01-01T00:00:00Z"})

    with contextlib.closing(psycopg2.connect(here.database_url)) as connection, \
            contextlib.closing(psycopg2.connect(here.database_url)) as observer:
        observer.autocommit = True
        number = workspace_id(connection, client)
        with connection.cursor() as cursor, observer.cursor() as observing:
            cursor.execute("SELECT workspace_lock(%s)", (number,))
            first = start(client, "first")
            await_waiting(observing)
            connection.rollback()
            first.join(10)
            cursor.execute("SELECT workspace_lock(%s)", (number,))
            threads = [start(client, "waiting")]
            await_waiting(observing)
            threads += [start(client, "later"), start(other, "elsewhere")]
            time.sleep(0.03)
            connection.rollback()
            for thread in threads:
                thread.join(10)
    assert {name: answer.status for name, answer in answers.items()} == \
        {"first": 201, "waiting": 201, "later": 201, "elsewhere": 201}
    created = {name: answer.json()["created_at"] for name, answer in answers.items()}
    assert created["waiting"] == created["later"] != created["first"]


def test_singles_do_not_join_an_atomic_array_that_waits_for_the_lock(service, workspace):
    """Or what becomes of it would become of them."""
    here = service()
    client = workspace(here)
    customer = {"id": "taken", "started_at": "2025-01-01T00:00:00Z"}
    assert client.post("/v1/customers", customer).status == 201
    answers = {}

    def start(name, path, body):
        return posting(answers, name, here, client, path, body)

    with contextlib.closing(psycopg2.connect(here.database_url)) as connection, \
            contextlib.closing(psycopg2.connect(here.database_url)) as observer:
        observer.autocommit = True
        number = workspace_id(connection, client)
        with connection.cursor() as cursor, observer.cursor() as observing:
            cursor.execute("SELECT workspace_lock(%s)", (number,))
            threads = [start("before", "/v1/customers", {**customer, "id": "before"})]
            await_waiting(observing)
            connection.rollback()
            threads[0].join(10)
            cursor.execute("SELECT workspace_lock(%s)", (number,))
            threads.append(start("array", "/v1/customers?atomic=true", [{**customer, "id": "in the array"}]))
            await_waiting(observing)
            threads += [start("good", "/v1/customers", {**customer, "id": "good"}),
                        start("conflict", "/v1/customers", {**customer, "started_at": "2024-01-01T00:00:00Z"})]
            time.sleep(0.03)
            connection.rollback()
            for thread in threads:
                thread.join(10)
            cursor.execute("SELECT id FROM customer WHERE workspace_id = %s ORDER BY id", (number,))
            stored = [row[0] for row in cursor.fetchall()]
    assert {name: answer.status for name, answer in answers.items()} == \
        {"before": 201, "array": 200, "good": 201, "conflict": 409}
    assert answers["array"].json()["created"] == 1
    assert stored == ["before", "good", "in the array", "taken"]
