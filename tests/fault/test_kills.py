"""64 clients post, correct and delete while PostgreSQL and then the service are killed with -9."""

import contextlib
import os
import time
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from api.checks import expect
from fault.load import LOST, SLOWEST_S, Load, content_of, present
from support.client import Client
from support.service import cli
from support.waiting import eventually

ROUNDS = 10 if os.environ.get("VINCULO_TEST_ALL") == "1" else 3
CLIENTS = 64
RECOVERY_S = 5


def wait_until_writable(client):
    """Seconds until a record is taken again."""
    begun = time.monotonic()
    while True:
        try:
            answer = client.put("/v1/surveys/probe", {"type": "nps", "score": 1,
                                                      "answered_at": "2001-01-01T00:00:00Z"})
            if answer.status in (200, 201):
                return time.monotonic() - begun
            assert answer.status == 503, answer
        except LOST:
            pass
        assert time.monotonic() - begun < RECOVERY_S, "no recovery"
        time.sleep(0.02)


def verify(site, client, load):
    """Every acknowledged change is there exactly once, and the aggregates are right."""
    for record in load.records():
        path = f"/v1/{record.kind}/{record.id.replace('/', '%2F')}"
        answer = client.get(path)
        shown = content_of(record.kind, answer.json()) if answer.status == 200 else None
        record.acknowledged("GET", None, answer.status, shown)
    for kind, table in (("surveys", "survey"), ("cancellations", "cancellation")):
        stored = site.sql(f"SELECT count(*), count(DISTINCT id) FROM {table} WHERE id <> 'probe'")
        expected = present(load.records(), kind)
        assert stored == [(expected, expected)], kind
    figures = expect(client.get("/v1/kpis", period="2025-03"), 200)["kpis"]
    assert figures["nps"]["n"] == present(load.records(), "surveys")
    churn = figures["churn_rate"]["parts"]
    assert churn["cancelled"] + churn["redundant"] == present(load.records(), "cancellations")
    done = cli(site.url, "rebuild", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def kill_database(site, client, load):
    load.go()
    time.sleep(0.7)
    site.cluster.kill9()
    time.sleep(0.7)
    answer = client.get("/healthz")
    assert answer.status == 200, "the service itself is healthy"
    assert client.get("/readyz").status == 503
    for path in ("/v1/kpis", "/v1/surveys/probe"):
        answer = client.get(path)
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, answer
    site.cluster.start()
    recovery_s = wait_until_writable(client)
    time.sleep(0.5)
    load.pause()
    return recovery_s


def kill_service(site, client, load):
    load.go()
    time.sleep(0.5)
    site.service.kill9()
    site.service.start()
    recovery_s = wait_until_writable(client)
    time.sleep(0.5)
    load.pause()
    return recovery_s


@pytest.mark.parametrize("both_at_once", [False, True], ids=["in turn", "together"])
def test_every_acknowledged_change_is_there_exactly_once(site, both_at_once, capsys):
    here = site()
    client = here.client()
    expect(client.post("/v1/customers", {"id": "customer", "started_at": "2020-01-01T00:00:00Z"}), 201)
    load = Load(here.service.url, here.keys["main"], CLIENTS)
    waits = []
    try:
        for _ in range(1 if both_at_once else ROUNDS):
            if both_at_once:
                load.go()
                time.sleep(0.5)
                here.cluster.kill9()
                here.service.kill9()
                here.cluster.start()
                here.service.start()
                waits.append(wait_until_writable(client))
                load.pause()
                verify(here, client, load)
                continue
            waits.append(kill_database(here, client, load))
            verify(here, client, load)
            waits.append(kill_service(here, client, load))
            verify(here, client, load)
    finally:
        load.end()
    assert not load.failures, load.failures[0]
    assert load.answers[503] > 0 or both_at_once
    assert load.slowest_s < SLOWEST_S
    with capsys.disabled():
        print(f"\n  answers {dict(load.answers)}, slowest {load.slowest_s:.2f} s, writable again "
              f"after {', '.join(f'{wait:.2f}' for wait in waits)} s")


def test_workers_that_cannot_connect_leave_the_work_to_the_others(service, workspace):
    running = service(env={"VINCULO_WORKERS": "4"})
    client = workspace(running)
    name = urllib.parse.urlsplit(running.database_url).path[1:]

    def read_at_once(times):
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda _: Client(client.url, client.key).get("/v1/actions").status, range(times)))

    def wait_until_all_have_read(cursor):
        begun, readers = time.monotonic(), []
        while len(readers) < 4:
            assert time.monotonic() - begun < 30, f"{len(readers)} workers have read"
            assert set(read_at_once(40)) == {200}
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'vinculo' AND query = 'COMMIT'"
                           " AND datname = current_database() ORDER BY state_change DESC")
            readers = [pid for pid, in cursor.fetchall()]
        return readers

    with contextlib.ExitStack() as stack:
        here, elsewhere = (stack.enter_context(contextlib.closing(psycopg2.connect(running.database_url, dbname=database)))
                           for database in (name, "postgres"))
        here.autocommit = elsewhere.autocommit = True
        cursor = here.cursor()
        busy_last = wait_until_all_have_read(cursor)[:3]
        elsewhere.cursor().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        allow = f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"
        stack.callback(elsewhere.cursor().execute, allow)
        cursor.execute("SELECT bool_and(pg_terminate_backend(pid, 5000)) FROM unnest(%s) pid", (busy_last,))
        assert cursor.fetchone() == (True,)
        answers = read_at_once(200)  # more than one can answer at a time
        for _ in range(20):
            answers.append(client.get("/v1/actions").status)
            time.sleep(0.02)  # all rest when the next request comes
        elsewhere.cursor().execute(allow)
        wait_until_all_have_read(cursor)
    assert 1 <= answers.count(503) <= 3 and answers.count(200) == 220 - answers.count(503)  # each finds out once


def test_what_waits_is_taken_by_a_worker_that_has_connected_again(service, workspace):
    """Of two workers that wait for locks one is cut off, and cannot connect at once; five changes wait for a worker."""
    running = service(env={"VINCULO_WORKERS": "2", "VINCULO_LOCK_TIMEOUT_MS": "15000", "VINCULO_DATABASE_TIMEOUT_MS": "20000"})
    held, cut, free = (workspace(running) for _ in range(3))
    for client in (held, cut, free):
        expect(client.put("/v1/costs/x", {"amount": 1, "incurred_at": "2024-01-01T00:00:00Z"}), 201)
    name = urllib.parse.urlsplit(running.database_url).path[1:]

    def change(client):
        return Client(client.url, client.key).patch("/v1/costs/x", {"amount": 2}).status

    with contextlib.ExitStack() as stack:
        here, elsewhere, *lockers = (
            stack.enter_context(contextlib.closing(psycopg2.connect(running.database_url, dbname=database)))
            for database in (name, "postgres", name, name))
        here.autocommit = elsewhere.autocommit = True
        cursor = here.cursor()
        pool = stack.enter_context(ThreadPoolExecutor(7))

        def hold_up(client, locker):
            """A change of this client that waits for a lock: (its answer to come, its backend)."""
            stack.callback(locker.rollback)
            locker.cursor().execute("SELECT workspace_lock(id) FROM workspace WHERE name = %s", (client.workspace,))
            answer = pool.submit(change, client)

            def blocked():
                cursor.execute("SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))",
                               (locker.get_backend_pid(),))
                return cursor.fetchone()
            return answer, eventually(blocked)[0]

        held_answer, _ = hold_up(held, lockers[0])
        cut_answer, pid = hold_up(cut, lockers[1])
        waiting = [pool.submit(change, free) for _ in range(5)]
        eventually(lambda: "\nvinculo_worker_queue_requests 5\n" in free.get("/metrics").body.decode())
        elsewhere.cursor().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        assert cut_answer.result() == 503
        elsewhere.cursor().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert [answer.result(timeout=10) for answer in waiting] == [200] * 5
        assert not held_answer.done()


def test_what_the_database_is_short_of_is_not_asked_for_twice(cluster, service, workspace):
    running = service()
    client = workspace(running)
    expect(client.get("/v1/kpis", period="2025"), 200)
    shortage = f"short of disk {uuid.uuid4()}"
    with contextlib.closing(psycopg2.connect(running.database_url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(
            "CREATE OR REPLACE FUNCTION day_start(day date, zone text) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE"
            f" AS $$ BEGIN RAISE EXCEPTION '{shortage}' USING ERRCODE = 'disk_full'; END $$")
    assert client.get("/v1/kpis", period="2024").status == 503
    assert cluster.log_text().count(f"ERROR:  {shortage}") == 1


def test_cut_connections_to_the_database(site):
    here = site()
    client = here.client()
    expect(client.post("/v1/customers", {"id": "customer", "started_at": "2020-01-01T00:00:00Z"}), 201)
    load = Load(here.service.url, here.keys["main"], 16)
    try:
        load.go()
        for _ in range(5):
            time.sleep(0.3)
            here.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                     "WHERE datname = current_database() AND pid <> pg_backend_pid()")
        wait_until_writable(client)
        load.pause()
        verify(here, client, load)
    finally:
        load.end()
    assert load.slowest_s < SLOWEST_S
