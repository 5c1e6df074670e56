"""Changes wait beside the totals and are folded into them: nothing is lost, and no figure shows when."""

import contextlib
import itertools
import threading
import time
import uuid

import psycopg2
import pytest

from support.client import Client
from support.service import cli
from support.waiting import eventually

SURVEYS = """INSERT INTO survey (workspace_id, id, type, score, scale_min, scale_max, answered_at, segment)
             SELECT %(workspace)s, %(name)s || g, 'nps', g %% 11, 0, 10,
                    date '2025-03-01' + g %% 60, 's' || g %% 3 FROM generate_series(1, %(count)s) g"""
PAYMENTS = """INSERT INTO payment (workspace_id, id, amount, currency, paid_at)
              SELECT %(workspace)s, %(name)s || g, g, 'BRL', '2025-03-04' FROM generate_series(1, %(count)s) g"""
CONTACTS = """INSERT INTO interaction (workspace_id, id, opened_at)
              SELECT %(workspace)s, %(name)s || g, '2025-03-04' FROM generate_series(1, %(count)s) g"""
COUNTS = {"survey": "records", "interaction": "opened", "payment": "payments", "cost": "costs"}


def run(connection, statement, *values, **named):
    with connection.cursor() as cursor:
        cursor.execute(statement, named or values)
        return cursor.fetchall() if cursor.description else None


class Records:
    """A workspace by its number, and a connection on which each statement is a transaction of its own."""

    def __init__(self, connection, name):
        self.connection = connection
        self.sql("SET jit = off; SET TimeZone = 'UTC'")  # as the service
        self.number = self.sql("SELECT id FROM workspace WHERE name = %s", name)[0][0]

    def sql(self, statement, *values):
        return run(self.connection, statement, *values)

    def write(self, statement, name, count=1, session=None):
        run(session or self.connection, statement, workspace=self.number, name=name, count=count)

    def session(self):
        return contextlib.closing(psycopg2.connect(self.connection.dsn))

    def insert(self, table, **fields):
        row = {"workspace_id": self.number, "id": str(uuid.uuid4()), **fields}
        self.sql(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", *row.values())

    def fold(self):
        self.sql("SELECT totals_fold(%s)", self.number)

    def waiting(self):
        return sum(self.sql(f"SELECT count(*) FROM {source}_change WHERE workspace_id = %s", self.number)[0][0]
                   for source, in self.sql("SELECT source FROM change_source"))

    def waits_for(self, table):
        return self.sql("SELECT pid FROM pg_locks WHERE NOT granted AND relation = %s::regclass AND database ="
                        " (SELECT oid FROM pg_database WHERE datname = current_database())", table) != []

    def assert_right(self):
        assert self.sql("SELECT * FROM workspace_check(%s)", self.number) == []

    def assert_folded(self):
        """All that is stored is in the totals themselves, in the days' and in the months'."""
        assert self.waiting() == 0
        for table, column in COUNTS.items():
            stored = self.sql(f"SELECT count(*) FROM {table} WHERE workspace_id = %s", self.number)
            for grain in "dm":
                assert self.sql(f"SELECT coalesce(sum({column}), 0) FROM {table}_totals WHERE workspace_id = %s"
                                " AND cut = 0 AND grain = %s", self.number, grain) == stored, table
        self.assert_right()


@pytest.fixture
def records():
    """records(url, name=None, timezone='UTC'): the Records of that workspace, or of a new one."""
    with contextlib.ExitStack() as connections:
        def make(url, name=None, timezone="UTC"):
            connection = connections.enter_context(contextlib.closing(psycopg2.connect(url)))
            connection.autocommit = True
            name = name or str(uuid.uuid4())
            run(connection, "INSERT INTO workspace (name, timezone) VALUES (%s, %s) ON CONFLICT DO NOTHING", name, timezone)
            return Records(connection, name)
        yield make


@pytest.fixture(scope="module")
def quiet(database):
    return database()  # on which no service runs, and little is written


@pytest.fixture(scope="module")
def running(service):
    return service()


def test_what_comes_to_a_source_that_was_looked_at_is_not_passed_by(quiet, records):
    """A fold stands before the interactions. Then come a survey and, with a higher number, an interaction."""
    here = records(quiet)
    with here.session() as folder, here.session() as writer:
        run(writer, "LOCK TABLE interaction_change IN ACCESS EXCLUSIVE MODE")
        fold = threading.Thread(target=run, args=(folder, "SELECT totals_fold(%s)", here.number))
        fold.start()
        eventually(lambda: here.waits_for("interaction_change"))
        assert here.sql("SELECT granted FROM pg_locks WHERE pid = %s AND relation = 'survey_change'::regclass",
                        folder.get_backend_pid()) == [(True,)], "it has not yet looked at the surveys"
        here.write(SURVEYS, "s", session=writer)
        here.write(CONTACTS, "i", session=writer)
        writer.commit()
        fold.join()
        folder.commit()
    here.assert_right()
    here.fold()
    here.assert_folded()


def test_nothing_is_passed_by_while_much_is_written_and_folded(database, records):
    here = records(database())
    end = time.monotonic() + 2

    def write():
        with here.session() as session:
            for at in itertools.takewhile(lambda _: time.monotonic() < end, itertools.count()):
                for statement in SURVEYS, CONTACTS, PAYMENTS:
                    here.write(statement, f"{at}-", session=session)
                time.sleep(0.004)  # folds, which have little to add, are mostly looking when the commit comes
                session.commit()

    writing = threading.Thread(target=write)
    writing.start()
    while writing.is_alive():
        here.fold()
    here.fold()
    here.assert_folded()


def test_with_no_service_few_wait(database, records):
    here = records(database())
    most = here.sql("SELECT changes_most()")[0][0]
    for at, count in enumerate((4000, 4000, 4000, 30000, 1)):
        here.write(SURVEYS, f"{at}-", count)
        assert here.waiting() <= most
    here.assert_right()


def test_a_record_that_moves_changes_both_workspaces(quiet, records):
    both = old, new = records(quiet), records(quiet)
    old.write(PAYMENTS, "p", 2)
    old.fold()
    versions = "SELECT version FROM data_version WHERE workspace_id IN (%s, %s) ORDER BY workspace_id"
    before = old.sql(versions, old.number, new.number)
    old.sql("UPDATE payment SET workspace_id = %s WHERE workspace_id = %s AND id = 'p1'", new.number, old.number)
    assert all(now > then for now, then in zip(old.sql(versions, old.number, new.number), before))
    assert [each.waiting() for each in both] == [1, 1]
    for each in both:
        each.assert_right()
        each.fold()
        each.assert_folded()


def test_a_statement_for_two_workspaces_holds_no_version_while_it_waits(quiet, records):
    """Its first workspace's targets and settings must not wait for whoever has the second one's lock."""
    first, second = sorted((records(quiet), records(quiet)), key=lambda here: here.number)
    with first.session() as holder, first.session() as writer:
        run(holder, "SELECT workspace_lock(%s)", second.number)
        waiting = threading.Thread(target=run, args=(writer, """
            INSERT INTO payment (workspace_id, id, amount, currency, paid_at)
            SELECT w, 'p', 1, 'BRL', '2025-03-04' FROM unnest(%s) w""", [first.number, second.number]))
        waiting.start()
        eventually(lambda: first.sql("SELECT pid FROM pg_locks WHERE NOT granted AND pid = %s",
                                     writer.get_backend_pid()) != [])
        run(holder, "SET lock_timeout = '5s'")
        run(holder, "UPDATE data_version SET version = version + 1 WHERE workspace_id = %s", first.number)
        holder.commit()
        waiting.join()
        writer.commit()
    for here in first, second:
        here.fold()
        here.assert_folded()


def test_records_of_a_workspace_that_is_gone_can_be_moved_and_deleted(quiet, records):
    gone, here = records(quiet), records(quiet)
    gone.write(SURVEYS, "s", 3)
    gone.sql("DELETE FROM api_key WHERE workspace_id = %s", gone.number)
    gone.sql("DELETE FROM workspace WHERE id = %s", gone.number)
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        gone.write(SURVEYS, "t")
    here.sql("UPDATE survey SET workspace_id = %s WHERE workspace_id = %s AND id <> 's1'", here.number, gone.number)
    here.sql("DELETE FROM survey WHERE workspace_id = %s", gone.number)
    here.fold()
    here.assert_folded()
    assert here.sql("SELECT id FROM survey WHERE workspace_id IN (%s, %s) ORDER BY 1", here.number, gone.number) == \
        [("s2",), ("s3",)]


FIGURES = [
    ("/v1/kpis", {"period": "2025-08"}),
    ("/v1/kpis/nps", {"from_": "2025-08-05", "to": "2025-08-16", "by": "segment"}),
    ("/v1/kpis/nps", {"granularity": "day", "from_": "2025-08-01", "to": "2025-09-01", "by": "segment"}),
    ("/v1/kpis/first_response_time", {"granularity": "day", "from_": "2025-08-11", "to": "2025-08-12", "by": "channel"}),
    ("/v1/kpis/nps", {"from_": "2025-09-01", "to": "2025-09-10", "by": "segment"}),
    ("/v1/kpis/revenue", {"period": "2025-08", "by": "segment"}),
]
SCORES = """SELECT coalesce(%s, answered_at::date::text), segment, count(*) FILTER (WHERE score >= 9), count(*)
              FROM survey WHERE workspace_id = %s AND answered_at >= %s AND answered_at < %s GROUP BY 1, 2 ORDER BY 1, 2"""
MEDIAN = """SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY first_response_at - opened_at)
              FROM interaction WHERE workspace_id = %s AND channel = 'web'"""


def add_records(here, surveys, contacts):
    for name, day, segment, score in surveys:
        here.insert("survey", id=name, type="nps", score=score, scale_min=0, scale_max=10, answered_at=day, segment=segment)
    for name, minute, channel in contacts:
        here.insert("interaction", id=name, channel=channel, opened_at="2025-08-11 12:00Z",
                    first_response_at=f"2025-08-11 12:{minute}Z")
    here.insert("payment", amount=100, currency="BRL", paid_at="2025-08-20Z", segment=surveys[0][2])


def test_figures_are_the_same_before_and_after_a_fold(service, running, workspace, records):
    client = workspace(running)
    here = records(running.database_url, client.workspace)
    add_records(here, [("first", "2020-01-01", "old", 9), ("kept", "2025-08-10", "x", 9), ("gone", "2025-08-14", "y", 9),
                       ("moved", "2025-09-03", "z", 9), ("last", "2025-12-31", "x", 9)],
                [("a", "01", "web"), ("b", "05", "web")])
    eventually(lambda: here.waiting() == 0)
    with here.session() as session:
        run(session, "SELECT pg_advisory_xact_lock(22103, %s)", here.number)  # as if it folded: all that follows waits
        here.sql("DELETE FROM survey WHERE workspace_id = %s AND id IN ('first', 'gone', 'last')", here.number)
        here.sql("UPDATE survey SET answered_at = '2025-08-15' WHERE workspace_id = %s AND id = 'moved'", here.number)
        here.sql("UPDATE interaction SET channel = 'mail' WHERE workspace_id = %s AND id = 'b'", here.number)
        add_records(here, [("new", "2025-08-12", "new", 3), ("late", "2025-09-20", "late", 9)],
                    [("c", "08", "web"), ("d", "15", "web")])
        answers = [client.get(path, **query) for path, query in FIGURES]
        assert here.waiting() == 12
        here.assert_right()
    eventually(lambda: here.waiting() == 0)
    another = Client(service(running.database_url).url, client.key)  # it has not kept the answers, as the first one has
    assert [another.get(path, **query).body for path, query in FIGURES] == [answer.body for answer in answers]
    whole, fortnight, daily, responses, *_ = [answer.json() for answer in answers]
    for answer, start, first, end in ((fortnight, "2025-08-05", "2025-08-05", "2025-08-16"),
                                      (daily, None, "2025-08-01", "2025-09-01")):
        assert sorted((row["period"]["from"], row["group"], row["parts"]["promoters"], row["n"])
                      for row in answer["series"] if row["n"]) == here.sql(SCORES, start, here.number, first, end)
    assert whole["data"] == {"first": "2025-08-10", "last": "2025-09-20"}
    assert {row["group"]: row["value"] for row in responses["series"]}["web"] == \
        pytest.approx(here.sql(MEDIAN, here.number)[0][0].total_seconds(), rel=0.01)


@pytest.fixture(scope="module")
def another(service, running):
    """A second service on the same database, which has not kept the answers of the first."""
    return service(running.database_url)


@pytest.mark.parametrize("kind, fields", [
    ("survey", {"type": "nps", "score": 9, "scale_min": 0, "scale_max": 10, "answered_at": "2025-08-07Z"}),
    ("interaction", {"opened_at": "2025-08-07 10:00Z", "first_response_at": "2025-08-07 10:07Z",
                     "resolved_at": "2025-08-07 11:00Z"}),
    ("customer", {"started_at": "2025-08-07Z"}),
    ("cancellation", {"customer_id": "ana", "cancelled_at": "2025-08-07Z"}),
    ("payment", {"customer_id": "ana", "amount": 700, "currency": "BRL", "paid_at": "2025-08-07Z"}),
    ("cost", {"amount": 70, "currency": "BRL", "incurred_at": "2025-08-07Z"}),
    ("action", {"survey_id": "low", "title": "call", "status": "done", "opened_at": "2025-08-05Z",
                "done_at": "2025-08-05 12:00Z"}),
], ids=lambda value: value if isinstance(value, str) else "")
def test_of_each_kind_what_waits_alone_is_counted(running, another, workspace, records, kind, fields):
    client = workspace(running)
    here = records(running.database_url, client.workspace)
    here.insert("customer", id="ana", started_at="2025-01-01Z")
    here.insert("survey", id="low", type="nps", score=2, scale_min=0, scale_max=10, answered_at="2025-08-05Z")
    add_records(here, [("first", "2025-08-01", "x", 9)], [("a", "03", "web")])
    eventually(lambda: here.waiting() == 0)
    before = client.get("/v1/kpis", period="2025-08").json()["kpis"]
    with here.session() as session:
        run(session, "SELECT pg_advisory_xact_lock(22103, %s)", here.number)  # as if it folded
        here.insert(kind, **fields)
        waiting = client.get("/v1/kpis", period="2025-08").json()["kpis"]
        assert here.waiting() > 0
    assert waiting != before
    eventually(lambda: here.waiting() == 0)
    assert Client(another.url, client.key).get("/v1/kpis", period="2025-08").json()["kpis"] == waiting


def test_a_spoiled_sketch_is_seen_and_mended(quiet, records):
    here = records(quiet)
    here.insert("interaction", opened_at="2025-08-11Z", first_response_at="2025-08-11 00:01Z")
    here.fold()
    here.sql("UPDATE duration_sketch SET n = '{77}' WHERE workspace_id = %s AND cut = 0 AND grain = 'd'", here.number)
    seen = cli(quiet, "rebuild", "--check")
    assert seen.returncode == 1 and ", duration_sketch_bucket: 1 differing cell:\n" in seen.stdout, seen
    assert cli(quiet, "rebuild").returncode == 0
    here.assert_right()


def test_a_cell_of_many_buckets_lies_in_its_row(quiet, records):
    """Elsewhere it would be two or three pages more to read, for each cell."""
    here = records(quiet)
    here.write("""INSERT INTO interaction (workspace_id, id, opened_at, first_response_at)
                  SELECT %(workspace)s, %(name)s || g || '-' || n, t.at, t.at + interval '1 s' * 1.02 ^ g
                    FROM (VALUES ('2025-03-04Z'::timestamptz)) t(at), generate_series(1, %(count)s) g,
                         generate_series(0, g * g %% 23) n""", "i", 900)
    here.fold()
    elsewhere = here.sql("""SELECT sum(pg_relation_size(c.reltoastrelid)) FROM pg_class c
                              JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'duration_sketch'::regclass""")
    assert elsewhere == [(0,)]
    largest = here.sql("SELECT max(pg_column_size(bucket) + pg_column_size(n)) FROM duration_sketch WHERE workspace_id = %s",
                       here.number)[0][0]
    assert largest > 2048  # more than a row keeps without being told to
    here.assert_folded()


# Table, a sound record, what spoils it, its labels.
TABLES = [
    ("survey", {"type": "csat", "score": 4, "scale_min": 1, "scale_max": 5, "answered_at": "2025-03-04"},
     [{"score": 5, "scale_min": 5}, {"scale_max": 30_000_000}, {"answered_at": "infinity"}, {"sent_at": "-infinity"},
      {"answered_at": "2300-01-01"}], ["segment", "channel", "touchpoint", "aspect"]),
    ("interaction", {"opened_at": "2025-03-04"},
     [{"opened_at": "4700-01-01 BC"}, {"first_response_at": "2300-01-01"}, {"resolved_at": "2300-01-01"},
      {"closed_at": "infinity"}], ["segment", "channel", "topic", "agent"]),
    ("cost", {"amount": 1, "currency": "BRL", "incurred_at": "2025-03-04"},
     [{"incurred_at": "infinity"}, {"amount": 10 ** 12 + 1}], ["segment", "channel", "category"]),
    ("payment", {"amount": 1, "currency": "BRL", "paid_at": "2025-03-04"},
     [{"paid_at": "2300-01-01"}, {"amount": -10 ** 12 - 1}], ["segment"]),
    ("customer", {"started_at": "2025-03-04"}, [{"started_at": "infinity"}], ["segment", "channel"]),
    ("cancellation", {"customer_id": "c", "cancelled_at": "2025-03-04"}, [{"cancelled_at": "infinity"}], ["reason"]),
]
SOUND = {table: record for table, record, _, _ in TABLES}


@pytest.mark.parametrize("table, spoiled", [
    *[(table, spoiled) for table, _, cases, labels in TABLES for spoiled in cases + [{label: "é" * 150} for label in labels]],
    ("survey", {"follow_up_at": "infinity"}),
], ids=lambda value: "-".join(value) if isinstance(value, dict) else value)
def test_what_could_not_be_counted_is_refused(quiet, records, table, spoiled):
    with pytest.raises(psycopg2.Error) as refused:
        records(quiet).insert(table, **{**SOUND[table], **spoiled})
    assert refused.value.pgcode == "23514"


@pytest.mark.parametrize("timezone", ["Etc/GMT+12", "Pacific/Kiritimati"])
def test_the_utmost_that_is_stored_can_be_counted(quiet, records, timezone):
    here = records(quiet, timezone=timezone)
    label, first, last = "é" * 128, "1900-01-01Z", "2199-12-31 23:59:59.999999Z"
    for score, at in ((-1000, first), (1000, last)):
        here.insert("survey", type="csat", score=score, scale_min=-1000, scale_max=1000, answered_at=at, segment=label)
    here.insert("interaction", opened_at=first, first_response_at=last, resolved_at=last, agent=label)
    here.insert("cost", **{**SOUND["cost"], "amount": 10 ** 12, "incurred_at": last, "category": label})
    here.insert("payment", **{**SOUND["payment"], "amount": -10 ** 12, "paid_at": first, "segment": label})
    here.fold()
    here.assert_folded()


def test_one_workspace_that_cannot_be_folded_leaves_the_others_alone(running, workspace, records):
    clients = [workspace(running) for _ in range(3)]
    three = stuck, *others = [records(running.database_url, client.workspace) for client in clients]
    stuck.sql(f"""CREATE FUNCTION refuse_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$no$$; END';
                  CREATE TRIGGER refuse_it BEFORE INSERT ON survey_totals FOR EACH ROW
                      WHEN (NEW.workspace_id = {stuck.number}) EXECUTE FUNCTION refuse_it()""")
    for at in range(2):  # the second time it is already known to fail
        for each in three:
            each.write(SURVEYS, f"{at}-", 11)
        eventually(lambda: [each.waiting() for each in others] == [0, 0])
    assert stuck.waiting() == 22
    assert clients[0].get("/v1/kpis", period="2025", kpis="nps").json()["kpis"]["nps"]["n"] == 22
    stuck.sql("DROP FUNCTION refuse_it CASCADE")
    eventually(lambda: stuck.waiting() == 0)
    for each in three:
        each.assert_folded()


def test_of_two_sessions_one_folds_and_what_is_rolled_back_waits_again(quiet, records):
    here = records(quiet)
    for name in "abc":
        here.write(SURVEYS, name, 10)  # what a statement wrote is folded at once
    with here.session() as first, here.session() as second:
        run(first, "SELECT totals_fold(%s, 10)", here.number)
        run(second, "SET statement_timeout = '2s'")  # it must not wait for the first one
        assert run(second, "SELECT totals_fold(%s)", here.number) == [(False,)]
        second.commit()
        with pytest.raises(psycopg2.errors.DivisionByZero):
            run(first, "SELECT 1 / 0")
        with pytest.raises(psycopg2.errors.InFailedSqlTransaction):
            run(first, "SELECT totals_fold(%s)", here.number)
        first.commit()  # of an aborted transaction: rolls it back
        for left in 30, 20:
            assert here.waiting() == left
            here.assert_right()
            run(second, "SELECT totals_fold(%s, 10)", here.number)
            second.commit()
    here.fold()
    here.assert_folded()


def test_a_service_killed_at_its_fold_leaves_all_waiting(service, workspace, records):
    site = service()
    client = workspace(site)
    here = records(site.database_url, client.workspace)
    with here.session() as session:
        run(session, "LOCK TABLE survey_totals IN EXCLUSIVE MODE")  # who reads it goes on
        assert client.post("/v1/surveys", {"type": "nps", "score": 9, "answered_at": "2025-03-04T10:00:00Z"}).status == 201
        eventually(lambda: here.waits_for("survey_totals"))
        site.kill9()
    eventually(lambda: here.sql("SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()") == [])
    assert here.waiting() == 1
    assert cli(site.database_url, "rebuild", "--check").returncode == 0
    site.start()
    eventually(lambda: here.waiting() == 0)
    here.assert_folded()


def test_a_further_total_is_declared_by_a_later_migration(database, records):
    """As ARCHITECTURE.md says how: a column, a fact, both declarations once more, a rebuild."""
    url = database()
    records(url).insert("cost", amount=700, currency="BRL", incurred_at="2025-03-04T12:00:00Z")
    with contextlib.closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("""
            ALTER TABLE cost_totals ADD COLUMN large bigint NOT NULL DEFAULT 0;
            ALTER TABLE cost_change ADD COLUMN large boolean;
            CALL changes_declare('cost', '{"incurred_at": "r.incurred_at", "amount": "r.amount",
                "category": "r.category", "segment": "r.segment", "channel": "r.channel", "large": "r.amount > 500"}');
            CALL totals_declare('cost', 'cost_totals', '{segment,channel,category}', $$(0, '', '')$$,
                '(SELECT local_day(r.incurred_at, w.timezone) AS day) e',
                measures => '{"costs": "1", "costs_counted": "1", "cost_amount": "r.amount", "large": "r.large::integer"}');
            SELECT workspace_rebuild(id) FROM workspace""")
        cursor.execute("INSERT INTO cost (workspace_id, id, amount, currency, incurred_at) SELECT id, 'small', 1, 'BRL',"
                       " '2025-03-05T12:00:00Z' FROM workspace")
        cursor.execute("SELECT sum(costs), sum(large) FROM (SELECT * FROM cost_totals WHERE grain = 'd'"
                       " UNION ALL SELECT (cost_totals_rest(id)).* FROM workspace) t WHERE cut = 0")
        assert cursor.fetchone() == (2, 1)
        cursor.execute("SELECT workspace_check(id) FROM workspace")
        assert cursor.fetchall() == []
