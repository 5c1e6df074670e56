"""Plans are made once per connection, maybe while tables are small, and must stay right as these grow."""

import contextlib
import time

import psycopg2
import pytest

from api.checks import KINDS, ensure_known, sample


def rows_read(cursor, table):
    """By indexes, as far as the sessions have told: at the end of a transaction, once a second."""
    cursor.execute("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = %s", (table,))
    return int(cursor.fetchone()[0])


def rows_read_by(cursor, table, work):
    """By this work, done twice; the second time tells what the first one read."""
    time.sleep(1.1)
    before = rows_read(cursor, table)
    for _ in range(2):
        work()
        time.sleep(1.1)
    return rows_read(cursor, table) - before


SURVEY = {"type": "nps", "score": 3, "answered_at": "2025-03-04T10:00:00Z"}


def test_a_record_is_changed_by_key_though_the_plan_is_from_an_empty_table(service, workspace):
    here = service(env={"VINCULO_WORKERS": "1"})
    client = workspace(here)
    assert client.put("/v1/surveys/s", SURVEY).status == 201
    assert client.patch("/v1/surveys/s", {"score": 4}).status == 200  # here it is planned
    with contextlib.closing(psycopg2.connect(here.database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("ALTER TABLE survey SET (autovacuum_enabled = false)")
        cursor.execute("INSERT INTO survey (workspace_id, id, type, sent_at) SELECT w.id, g::text, 'nps', '2025-03-04'"
                       " FROM workspace w, generate_series(1, 5000) g WHERE w.name = %s", (client.workspace,))
        scores = iter((5, 6))

        def change():
            assert client.patch("/v1/surveys/s", {"score": next(scores)}).status == 200

        assert rows_read_by(cursor, "survey", change) < 500


@pytest.mark.parametrize("kind", KINDS)
def test_one_record_is_found_by_key_though_the_plan_is_from_an_empty_table(service, workspace, kind):
    """Its index by time would find it, too, among all of the workspace."""
    here = service()
    client = workspace(here)
    record = sample(kind)
    path = f"/v1/{kind}/{record['id']}"
    assert client.get(path).status == 404
    if kind in ("cancellations", "reactivations"):
        ensure_known(client)
    for metadata, statuses in (({"n": 1}, (201, 200)), ({"n": 2}, (200, 200))):
        for status in statuses:  # the same once more
            body = {**record, "metadata": metadata}
            assert client.post(f"/v1/{kind}?on_conflict=merge", body).status == status
    assert client.get(path).json()["metadata"] == {"n": 2}
    assert client.delete(path).status == 204
    here.terminate()  # its sessions tell what they have read when they end
    with contextlib.closing(psycopg2.connect(here.database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = %s", (f"{kind[:-1]}_time",))
        assert cursor.fetchone() == (0,)


def test_a_survey_reads_no_other_workspaces_actions(service, workspace):
    """Where there are statistics, which tell of few workspaces with many actions."""
    here = service()
    busy, client = workspace(here), workspace(here)
    with contextlib.closing(psycopg2.connect(here.database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("INSERT INTO action (workspace_id, id, survey_id, title, opened_at)"
                       " SELECT w.id, g::text, 's' || g, 'call', '2025-03-04' FROM workspace w, generate_series(1, 5000) g"
                       " WHERE w.name = %s", (busy.workspace,))
        cursor.execute("ANALYZE action")
        assert rows_read_by(cursor, "action", lambda: client.post("/v1/surveys", SURVEY)) < 500


# At 100 rows a table and 50 workspaces, sorting one workspace's by key looks as cheap as their index by time.
WORKSPACES = "INSERT INTO workspace (name, timezone) SELECT 'plans ' || g, 'UTC' FROM generate_series(1, 50) g RETURNING id"
TIMES = """
    INSERT INTO survey (workspace_id, id, type, answered_at) SELECT w, md5(g::text), 'open', at FROM added;
    INSERT INTO interaction (workspace_id, id, opened_at) SELECT w, md5(g::text), at FROM added;
    INSERT INTO payment (workspace_id, id, amount, currency, paid_at) SELECT w, md5(g::text), 1, 'BRL', at FROM added;
    INSERT INTO cost (workspace_id, id, amount, currency, incurred_at) SELECT w, md5(g::text), 1, 'BRL', at FROM added;
    INSERT INTO action (workspace_id, id, title, opened_at) SELECT w, md5(g::text), 'call', at FROM added;
    INSERT INTO life_event (workspace_id, customer_id, rank, id, at, effective, lost_month, lost_quarter, lost_year)
    SELECT w, md5(g::text), 0, '', at, true, 0, 0, 0 FROM added"""


def test_days_with_records_are_looked_up_by_time_though_the_plan_is_from_small_tables(database):
    with contextlib.closing(psycopg2.connect(database())) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off;"  # as the service
                       "SET session_replication_role = replica")  # of what the records' triggers write nothing is read
        cursor.execute("CREATE TEMPORARY TABLE added (g integer, w integer, at timestamptz)")
        cursor.execute(WORKSPACES)
        first = cursor.fetchone()[0]

        def add(rows, workspaces):
            cursor.execute("TRUNCATE added; INSERT INTO added SELECT g, %s + g %% %s, '2020-01-01Z'::timestamptz + g * interval"
                           " '1 min' FROM generate_series(%s, %s) g", (first, workspaces, rows[0], rows[-1]))
            cursor.execute(TIMES)

        def look_up():
            cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM record_times(%s, now())", (first,))
            plan = cursor.fetchone()[0][0]["Plan"]
            return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]

        for kind in ("survey", "interaction", "payment", "cost", "action", "life_event"):
            cursor.execute(f"ALTER TABLE {kind} SET (autovacuum_enabled = false)")
        add(range(1, 101), 50)
        cursor.execute("ANALYZE")
        look_up()  # here it is planned
        add(range(101, 20101), 1)
        cursor.execute("SELECT min(answered_at), max(answered_at) FROM survey WHERE workspace_id = %s", (first,))
        days = cursor.fetchone()
        cursor.execute("SELECT first, last FROM record_times(%s, now())", (first,))
        assert cursor.fetchone() == days
        assert look_up() < 100
