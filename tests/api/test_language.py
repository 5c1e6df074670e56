"""The language of comments: the workspace's, whoever writes and however it changes."""

import contextlib
import json
import socket
import threading

import psycopg2
import pytest

from api.checks import expect, path_of, sample
from api.test_feedback import PATH, said, search, store, walk
from api.test_lists import body_of, slow_reader, wait_until_stalled
from support.client import Client
from support.service import cli, cli_output
from support.waiting import eventually


@contextlib.contextmanager
def sql(api):
    """A cursor of any other program's; what it did is committed in the end."""
    with contextlib.closing(psycopg2.connect(api.database_url)) as connection, connection, \
            connection.cursor() as cursor:
        yield cursor


def number_of(api, client):
    with sql(api) as cursor:
        cursor.execute("SELECT id FROM workspace WHERE name = %s", [client.workspace])
        return cursor.fetchone()[0]


def languages(api, client):
    """{id: language of its comment} of all surveys."""
    with sql(api) as cursor:
        cursor.execute("SELECT s.id, s.comment_language FROM survey s JOIN workspace w ON w.id = s.workspace_id"
                       " WHERE w.name = %s ORDER BY s.id", [client.workspace])
        return dict(cursor.fetchall())


def check(api, client):
    return cli(api.database_url, "rebuild", "--check", "--workspace", client.workspace)


def is_clean(api, client):
    done = check(api, client)
    assert done.returncode == 0, done.stdout + done.stderr


def speak(client, language):
    assert expect(client.patch("/v1/workspace", {"language": language}), 200)["language"] == language


INSERT = ("INSERT INTO survey (workspace_id, id, type, score, scale_min, scale_max, comment, answered_at)"
          " VALUES (%s, %s, 'nps', 9, 0, 10, %s, '2025-03-04Z')")


def test_comments_of_before_and_after_a_change(api, fresh):
    store(fresh, [said("a", "The deliveries are late", 1), sample("surveys", id="silent")])
    speak(fresh, "en")
    store(fresh, [said("b", "Delivery again", 2), said("c", "Entregas e reclamações", 3)])
    assert search(fresh, "deliveries") == ["a", "b"]
    speak(fresh, "pt")
    store(fresh, [said("d", "Entrega, reclamacao", 4)])
    assert (search(fresh, "reclamações"), search(fresh, "delivery"), search(fresh, "deliveries")) == \
        (["c", "d"], ["b"], ["a"])
    assert languages(api, fresh) == {"a": "pt", "b": "pt", "c": "pt", "d": "pt", "silent": None}
    is_clean(api, fresh)


def test_comments_that_come_and_go(api, fresh):
    store(fresh, [said("a", "Entregas", 1), said("b", None, 2)])
    speak(fresh, "en")
    expect(fresh.patch(path_of("surveys", "a"), {"comment": None}), 200)
    expect(fresh.patch(path_of("surveys", "b"), {"comment": "Late deliveries"}), 200)
    assert languages(api, fresh) == {"a": None, "b": "en"}
    assert (search(fresh, "entregas"), search(fresh, "delivery")) == ([], ["b"])
    speak(fresh, "pt")
    expect(fresh.patch(path_of("surveys", "a"), {"comment": "Reclamações"}), 200)
    expect(fresh.patch(path_of("surveys", "b"), {"comment": "Reclamação"}), 200)
    assert languages(api, fresh) == {"a": "pt", "b": "pt"}
    assert search(fresh, "reclamar") == ["a", "b"]
    expect(fresh.put(path_of("surveys", "a"), {"type": "nps", "score": 1, "answered_at": "2025-03-04T00:00:00Z"}), 200)
    assert languages(api, fresh) == {"a": None, "b": "pt"}
    is_clean(api, fresh)


def test_records_and_figures_stay_what_they_were(api, fresh):
    expect(fresh.post("/v1/customers", sample("customers", id="c", segment="gold")), 201)
    store(fresh, [said(f"s{n}", "Entrega" if n % 3 else None, n, type="csat", score=n % 5 + 1, customer_id="c")
                  for n in range(40)])

    def everything():
        figures = [expect(fresh.get("/v1/kpis", period="2025-03", **labels), 200)["kpis"]
                   for labels in ({}, {"segment": "gold"})]
        return walk(fresh), fresh.get("/v1/surveys", format="ndjson").body, figures

    before = everything()
    for language in ("en", "pt"):
        speak(fresh, language)
        assert everything() == before
        is_clean(api, fresh)


def test_another_program_need_not_know(api, workspace):
    here, there = workspace(api), workspace(api, language="en")
    ours, theirs = number_of(api, here), number_of(api, there)
    with sql(api) as cursor:
        cursor.execute(INSERT, (ours, "a", "Entregas e reclamações"))
        cursor.execute(INSERT, (ours, "b", None))
        cursor.execute(INSERT, (ours, "c", "Reclamações"))
        cursor.execute(INSERT, (theirs, "a", "Deliveries"))
    assert (languages(api, here), languages(api, there)) == ({"a": "pt", "b": None, "c": "pt"}, {"a": "en"})
    assert (search(here, "reclamar"), search(there, "delivery")) == (["a", "c"], ["a"])
    with sql(api) as cursor:
        cursor.execute("UPDATE survey SET comment = NULL WHERE workspace_id = %s AND id = 'a'", (ours,))
        cursor.execute("UPDATE survey SET comment = 'Reclamando' WHERE workspace_id = %s AND id = 'b'", (ours,))
        cursor.execute("UPDATE survey SET workspace_id = %s WHERE workspace_id = %s AND id = 'c'", (theirs, ours))
        cursor.execute("UPDATE survey SET comment = 'A delivery' WHERE workspace_id = %s AND id = 'a'", (theirs,))
    assert (languages(api, here), languages(api, there)) == ({"a": None, "b": "pt"}, {"a": "en", "c": "en"})
    assert (search(here, "reclamar"), search(there, "deliveries"), search(there, "reclamações")) == (["b"], ["a"], ["c"])
    with sql(api) as cursor:
        cursor.execute("UPDATE workspace SET language = 'pt' WHERE id = %s", (theirs,))
    assert languages(api, there) == {"a": "pt", "c": "pt"}
    assert search(there, "reclamar") == ["c"]
    is_clean(api, here)
    is_clean(api, there)


def waiting_for(api, workspace):
    """How many wait for a workspace's lock."""
    with sql(api) as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                       " AND classid = 22102 AND objid = %s", (workspace,))
        return cursor.fetchone()[0]


def test_a_change_waits_for_those_who_write(api, fresh):
    number = number_of(api, fresh)
    with sql(api) as writer:
        writer.execute(INSERT, (number, "a", "Late deliveries"))
        changing = threading.Thread(target=speak, args=(fresh, "en"))
        changing.start()
        eventually(lambda: waiting_for(api, number) == 1)
    changing.join(10)
    assert languages(api, fresh) == {"a": "en"}
    assert search(fresh, "delivery") == ["a"]
    is_clean(api, fresh)


def test_who_writes_waits_for_a_change(api, fresh):
    number = number_of(api, fresh)
    store(fresh, [said("stored", "Deliveries", 1), said("edited", None, 2)])

    def insert():
        with sql(api) as cursor:
            cursor.execute(INSERT, (number, "theirs", "Deliveries"))

    one, other = Client(fresh.url, fresh.key), Client(fresh.url, fresh.key)
    writers = [threading.Thread(target=insert),
               threading.Thread(target=lambda: one.post("/v1/surveys", said("posted", "Deliveries", 3))),
               threading.Thread(target=lambda: other.patch(path_of("surveys", "edited"), {"comment": "Deliveries"}))]
    with sql(api) as changing:
        changing.execute("UPDATE workspace SET language = 'en' WHERE id = %s", (number,))
        for count, writer in enumerate(writers, 1):
            writer.start()
            eventually(lambda wanted=count: waiting_for(api, number) == wanted)
        assert search(fresh, "deliveries") == ["stored"], "not seen before it is committed"
        assert search(fresh, "delivery") == []
    for writer in writers:
        writer.join(10)
    assert languages(api, fresh) == dict.fromkeys(["edited", "posted", "stored", "theirs"], "en")
    assert search(fresh, "delivery") == ["edited", "posted", "stored", "theirs"]
    is_clean(api, fresh)


@pytest.mark.parametrize("spoil, wrong", [
    ("comment_language = 'en' WHERE id = 'a'", "en"), ("comment_language = NULL WHERE id = 'a'", None),
    ("comment_language = 'pt' WHERE id = 'silent'", "pt")])
def test_check_finds_a_wrong_language_and_rebuild_mends_it(api, fresh, spoil, wrong):
    store(fresh, [said("a", "Reclamações", 1), said("b", "Reclamação", 2), sample("surveys", id="silent")])
    right = languages(api, fresh)
    is_clean(api, fresh)
    with sql(api) as cursor:
        cursor.execute(f"UPDATE survey SET {spoil} AND workspace_id = %s", (number_of(api, fresh),))
    done = check(api, fresh)
    assert done.returncode == 1
    title, cell, _ = done.stdout.splitlines()
    assert title == f"workspace {fresh.workspace}, survey: 1 differing cell:"
    name = "silent" if "silent" in spoil else "a"
    assert json.loads(cell[cell.index("{"):]) == {"id": name, "comment_language": wrong}
    cli_output(api.database_url, "rebuild", "--workspace", fresh.workspace)
    is_clean(api, fresh)
    assert languages(api, fresh) == right
    assert search(fresh, "reclamar") == ["a", "b"]


def test_what_is_no_language_is_refused(api, fresh):
    store(fresh, [said("a", "Entrega", 1)])
    for statement in ("UPDATE survey SET comment_language = 'fr' WHERE workspace_id = %s",
                      "UPDATE workspace SET language = 'fr' WHERE id = %s"):
        with pytest.raises(psycopg2.errors.CheckViolation), sql(api) as cursor:
            cursor.execute(statement, (number_of(api, fresh),))


def test_a_list_ends_as_it_began(api, fresh):
    """What is searched while the language changes is searched to its end in that of the beginning."""
    fresh.service = api
    with sql(api) as cursor:
        cursor.execute(
            "INSERT INTO survey (workspace_id, id, type, comment, answered_at)"
            " SELECT %s, 's' || n, 'open', 'Reclamações ' || repeat('. ', 4500), timestamptz '2025-03-04Z' - n * interval '1 s'"
            " FROM generate_series(1, 700) n", (number_of(api, fresh),))
    with slow_reader(fresh, f"{PATH}?q=reclamar&format=ndjson") as sock:
        wait_until_stalled(api.pid)
        speak(fresh, "en")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        found = [json.loads(line)["id"] for line in body_of(sock).splitlines()]
    assert found == [f"s{n}" for n in range(1, 701)]
    assert walk(fresh, q="reclamar") == []
