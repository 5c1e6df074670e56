"""GET of many: pages, filters, cursors, and everything as CSV or NDJSON."""

import contextlib
import csv
import http.client
import io
import json
import os
import pathlib
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from api import raw
from api.checks import (FIELDS, KINDS, OWN_TIME, ensure_known, expect, expect_problem, make_client,
                        new_id, path_of, sample)

TYPES = {"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv"}
ALL_AT_ONCE = ("csv", "ndjson")


def store(client, kind, records):
    for at in range(0, len(records), 900):
        expect(client.post_ndjson(f"/v1/{kind}", records[at:at + 900]), 200)


def page(client, kind, **params):
    answer = expect(client.get(f"/v1/{kind}", **params), 200)
    assert set(answer) == {"items", "next_cursor"}
    return answer["items"], answer["next_cursor"]


def walk(client, kind, **params):
    """All items, page by page; each cursor is sent alone."""
    items, cursor = page(client, kind, **params)
    while cursor is not None:
        more, cursor = page(client, kind, cursor=cursor)
        assert len(more) <= int(params.get("limit", 100))
        items += more
    return items


def ids(items):
    return [item["id"] for item in items]


def rows_of(body):
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def download(client, kind, form, **params):
    """The ids of everything, in either form."""
    answer = client.get(f"/v1/{kind}", format=form, **params)
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"].split(";")[0] == TYPES[form]
    if form == "csv":
        return ids(rows_of(answer.body))
    return ids(json.loads(line) for line in answer.body.splitlines())


def moment(second):
    """Distinct moments of one day, in order."""
    return f"2025-03-04T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


def by_place(record, kind="surveys"):
    """Newest first, then by the bytes of the id: what sorted() needs as a key."""
    digits = [int(part) for part in record[OWN_TIME[kind]].translate(
        str.maketrans("-T:.Z", "     ")).split()]
    return [-digit for digit in digits], record["id"].encode()


def insert_actions(database_url, workspace, count, columns="", values=""):
    """Many records at once, past the interface: second n of 2024, titles of 200 characters."""
    connection = psycopg2.connect(database_url)
    with contextlib.closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO action (workspace_id, id, title, status, opened_at {columns})"
            "SELECT w.id, 'a' || n, repeat('x', 200), 'open', timestamptz '2024-01-01Z'"
            f" + n * interval '1 second' {values} FROM workspace w, generate_series(1, %s) n"
            " WHERE w.name = %s", (count, workspace))


# Pages


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_newest_first_as_single_records_are(fresh, kind):
    ensure_known(fresh)
    stored = [sample(kind, **{OWN_TIME[kind]: moment(second)}) for second in (5, 3, 9, 1)]
    store(fresh, kind, stored)
    items = walk(fresh, kind, from_="2025-03-04", limit=3)
    assert ids(items) == ids(sorted(stored, key=lambda record: by_place(record, kind)))
    for item in items:
        assert set(item) == FIELDS[kind]
        assert item == expect(fresh.get(path_of(kind, item["id"])), 200)


def test_no_records(fresh):
    assert page(fresh, "surveys") == ([], None)
    assert download(fresh, "surveys", "ndjson") == []
    answer = fresh.get("/v1/surveys", format="csv")
    assert answer.body.count(b"\r\n") == 1 and set(answer.body.decode().strip().split(",")) == FIELDS[
        "surveys"]


def test_how_many_a_page_holds(fresh):
    store(fresh, "surveys", [sample("surveys", answered_at=moment(n)) for n in range(1100)])
    for given, held in ((None, 100), (1, 1), (250, 250), (251, 251), (999, 999), (1000, 1000)):
        items, cursor = page(fresh, "surveys", limit=given)
        assert len(items) == held and cursor is not None
    assert len(walk(fresh, "surveys", limit=550)) == 1100
    items, cursor = page(fresh, "surveys", from_=moment(1000), limit=100)
    assert len(items) == 100 and cursor is None, "the last page is full, and is known to be the last"


@pytest.mark.parametrize("limit", [7, 33, 1000])
def test_records_of_one_time(fresh, limit):
    chance = random.Random(limit)
    names = [f"{letter}{n}" for n in range(140) for letter in "aBçZ_"]
    chance.shuffle(names)
    stored = [sample("surveys", id=name, answered_at=moment(chance.choice((3, 3, 3, 4))))
              for name in names]
    store(fresh, "surveys", stored)
    expected = ids(sorted(stored, key=by_place))
    assert ids(walk(fresh, "surveys", limit=limit)) == expected
    assert download(fresh, "surveys", "csv") == expected


def test_an_invitation_lies_at_the_time_it_was_sent(fresh):
    store(fresh, "surveys", [
        {"id": "answered", "type": "nps", "score": 9, "answered_at": moment(10), "sent_at": moment(1)},
        {"id": "invited", "type": "nps", "sent_at": moment(5)},
        {"id": "early", "type": "nps", "score": 9, "answered_at": moment(2)}])
    assert ids(walk(fresh, "surveys", limit=1)) == ["answered", "invited", "early"]
    assert ids(walk(fresh, "surveys", from_=moment(5), to=moment(6))) == ["invited"]


def test_nothing_twice_and_nothing_left_out_while_records_come_in(api, fresh):
    stored = [sample("surveys", answered_at=moment(2 * n)) for n in range(3000)]
    store(fresh, "surveys", stored)
    writer = make_client(api, fresh.workspace, "write")
    done = threading.Event()

    def keep_storing():
        chance = random.Random(1)
        while not done.is_set():
            store(writer, "surveys", [sample("surveys", answered_at=moment(chance.randrange(6000)))
                                      for _ in range(40)])

    thread = threading.Thread(target=keep_storing)
    thread.start()
    try:
        seen = {"pages": ids(walk(fresh, "surveys", limit=50)),
                **{form: download(fresh, "surveys", form) for form in ALL_AT_ONCE}}
    finally:
        done.set()
        thread.join()
    for found in seen.values():
        assert len(set(found)) == len(found)
        assert set(ids(stored)) <= set(found)


def test_a_page_of_long_records_ends_early(fresh):
    stored = [sample("surveys", comment="ã" * 10000, answered_at=moment(n)) for n in range(300)]
    for at in range(0, 300, 40):
        store(fresh, "surveys", stored[at:at + 40])
    items, cursor = page(fresh, "surveys", limit=1000)
    assert 0 < len(items) < 300 and cursor is not None
    assert ids(walk(fresh, "surveys", limit=1000)) == ids(reversed(stored))
    assert download(fresh, "surveys", "csv") == ids(reversed(stored))


# Filters

LABELS = {"customers": ("segment", "channel"),
          "surveys": ("segment", "channel", "touchpoint", "aspect"),
          "interactions": ("segment", "channel", "topic", "agent"),
          "cancellations": ("reason",), "reactivations": (), "payments": ("segment",),
          "costs": ("segment", "channel", "category"), "actions": ("owner", "topic")}


@pytest.mark.parametrize("kind", KINDS)
def test_filters_of_every_kind(fresh, kind):
    ensure_known(fresh)
    expect(fresh.post("/v1/customers", sample("customers", id="other")), 201)
    labels = LABELS[kind]
    choices = {**{label: ["a", "b/ç&=+"] for label in labels}}
    if "customer_id" in FIELDS[kind]:
        choices["customer_id"] = ["known", "other"]
    if kind == "surveys":
        choices["type"] = ["nps", "csat"]
    if kind == "actions":
        choices["status"] = ["open", "dismissed"]
    chance = random.Random(kind)
    stored = [sample(kind, **{OWN_TIME[kind]: moment(n)},
                     **{name: chance.choice(values) for name, values in choices.items()},
                     **({"score": 5} if kind == "surveys" else {})) for n in range(60)]
    store(fresh, kind, stored)
    for wanted in [{name: value} for name, values in choices.items() for value in values] + [
            {name: chance.choice(values) for name, values in choices.items()} for _ in range(4)]:
        expected = [record["id"] for record in reversed(stored)
                    if all(record[name] == value for name, value in wanted.items())]
        assert ids(walk(fresh, kind, **wanted, from_="2025-03-04", limit=7)) == expected, wanted
        assert download(fresh, kind, "ndjson", **wanted, from_="2025-03-04") == expected
    for name in {"customer_id", "type", "status", "owner", "aspect", "reason", "category"} - set(
            FIELDS[kind]):
        expect_problem(fresh.get(f"/v1/{kind}", **{name: "x"}), 400, "unknown_parameter",
                       parameter=name)


def test_labels_in_force_are_those_of_the_figures(fresh):
    store(fresh, "customers", [sample("customers", id="c", segment="gold")])
    store(fresh, "interactions", [
        sample("interactions", id="follows", customer_id="c", channel="phone"),
        sample("interactions", id="own", customer_id="c", segment="silver")])
    store(fresh, "surveys", [
        sample("surveys", id="follows", customer_id="c", interaction_id="follows"),
        sample("surveys", id="own", customer_id="c", interaction_id="follows", segment="silver",
               channel="web")])
    store(fresh, "payments", [sample("payments", id="follows", customer_id="c"),
                              sample("payments", id="own", customer_id="c", segment="silver")])
    for kind in ("interactions", "surveys", "payments"):
        assert ids(walk(fresh, kind, segment="gold")) == ["follows"]
        assert ids(walk(fresh, kind, segment="silver")) == ["own"]
    assert ids(walk(fresh, "surveys", channel="phone")) == ["follows"]
    assert ids(walk(fresh, "surveys", channel="web")) == ["own"]
    expect(fresh.patch("/v1/customers/c", {"segment": "bronze"}), 200)
    for kind in ("interactions", "surveys", "payments"):
        assert ids(walk(fresh, kind, segment="bronze")) == ["follows"]
        assert walk(fresh, kind, segment="gold") == []
        figure = expect(fresh.get("/v1/kpis/nps", period="2025-03", segment="bronze"), 200)
        assert figure["kpis"]["nps"]["n"] == 1


def test_ranges_are_half_open_and_days_are_the_workspaces(api, workspace):
    client = workspace(api, timezone="America/Sao_Paulo")
    times = {"a": "2025-03-04T02:59:59.999999Z", "b": "2025-03-04T03:00:00Z",
             "c": "2025-03-05T02:59:59Z", "d": "2025-03-05T03:00:00Z"}
    store(client, "surveys", [sample("surveys", id=name, answered_at=at)
                              for name, at in times.items()])

    def found(**params):
        return "".join(ids(walk(client, "surveys", limit=1, **params)))

    assert found(from_="2025-03-04", to="2025-03-05") == "cb"
    assert found(from_="2025-03-04") == "dcb"
    assert found(to="2025-03-04") == "a"
    assert found(from_=times["b"], to=times["d"]) == "cb"
    assert found(from_="2025-03-04T00:00:00-03:00", to="2025-03-05") == "cb"
    assert found(from_="2025-03-04T06:00:00+03:00") == "dcb"
    assert found(from_="0001-01-01T00:00:00Z", to="9999-01-01T00:00:00Z") == "dcba"
    unescaped = client.request("GET", "/v1/surveys?from=2025-03-04T06:00:00+03:00")
    assert "".join(ids(expect(unescaped, 200)["items"])) == "dcb"


def test_a_day_begins_when_its_clock_jumps_over_midnight(api, workspace):
    client = workspace(api, timezone="America/Sao_Paulo")
    store(client, "surveys", [sample("surveys", id="before", answered_at="2017-10-15T02:59:59Z"),
                              sample("surveys", id="after", answered_at="2017-10-15T03:00:00Z")])
    assert ids(walk(client, "surveys", from_="2017-10-15")) == ["after"]
    assert ids(walk(client, "surveys", to="2017-10-15")) == ["before"]


@pytest.mark.parametrize("query, code, parameter", [
    ("limit=0", "invalid_parameter", "limit"), ("limit=1001", "invalid_parameter", "limit"),
    ("limit=", "invalid_parameter", "limit"), ("limit=-1", "invalid_parameter", "limit"),
    ("limit=1e2", "invalid_parameter", "limit"), ("limit=+5", "invalid_parameter", "limit"),
    ("limit=00005", "invalid_parameter", "limit"), ("limit=5&limit=5", "invalid_parameter", "limit"),
    ("from=", "invalid_parameter", "from"), ("from=2025-02-29", "invalid_parameter", "from"),
    ("from=2025-03", "invalid_parameter", "from"), ("to=today", "invalid_parameter", "to"),
    ("to=2025-03-04T10:00:00", "invalid_parameter", "to"),
    ("from=0000-01-01T00:00:00Z", "invalid_parameter", "from"),
    ("from=2025-03-04&to=2025-03-04", "invalid_parameter", "to"),
    ("from=2025-03-05&to=2025-03-04", "invalid_parameter", "to"),
    ("from=2025-03-05T00:00:00Z&to=2025-03-04T00:00:00Z", "invalid_parameter", "to"),
    ("type=", "invalid_parameter", "type"), ("type=NPS", "invalid_parameter", "type"),
    ("segment=", "invalid_parameter", "segment"), ("customer_id=", "invalid_parameter", "customer_id"),
    (f"segment={'x' * 65}", "invalid_parameter", "segment"),
    (f"customer_id={'x' * 129}", "invalid_parameter", "customer_id"),
    ("format=xml", "invalid_parameter", "format"), ("format=", "invalid_parameter", "format"),
    ("score=9", "unknown_parameter", "score"), ("colour=red", "unknown_parameter", "colour"),
    ("owner=me", "unknown_parameter", "owner"), ("cursor=", "bad_cursor", "cursor"),
])
def test_parameters_are_checked(shop, query, code, parameter):
    expect_problem(shop.request("GET", f"/v1/surveys?{query}"), 400, code, parameter=parameter)


# Cursors


@pytest.fixture(scope="module")
def listed(api, workspace):
    """A workspace with 40 surveys of segment `gold ç`, every other one an nps."""
    client = workspace(api)
    store(client, "surveys", [
        sample("surveys", id=f"id/{n} ç", answered_at=moment(n), segment="gold ç",
               type=("nps", "csat")[n % 2], score=3) for n in range(40)])
    return client


def test_a_cursor_holds_filters_and_limit(listed):
    items, cursor = page(listed, "surveys", segment="gold ç", type="csat", limit=3,
                         from_="2025-03-04", to=moment(39))
    assert len(items) == 3 and items[0]["id"] == "id/37 ç"
    more, following = page(listed, "surveys", cursor=cursor)
    assert ids(more) == [f"id/{n} ç" for n in (31, 29, 27)]
    assert ids(page(listed, "surveys", cursor=cursor)[0]) == ids(more), "it can be used again"
    assert ids(page(listed, "surveys", cursor=following)[0])[0] == "id/25 ç"
    rest = [f"id/{n} ç" for n in range(31, 0, -2)]
    assert ids(page(listed, "surveys", cursor=cursor, limit=1000)[0]) == rest
    for form in ALL_AT_ONCE:
        assert download(listed, "surveys", form, cursor=cursor) == rest


@pytest.mark.parametrize("name, value", [
    ("segment", "gold ç"), ("type", "csat"), ("from", "2025-03-04"), ("customer_id", "x")])
def test_a_cursor_goes_with_no_filters(listed, name, value):
    cursor = page(listed, "surveys", limit=3)[1]
    answer = listed.get("/v1/surveys", cursor=cursor, **{name: value})
    expect_problem(answer, 400, "unsupported_combination", parameter=name)


def test_an_altered_cursor_is_a_bad_one(listed):
    cursor = page(listed, "surveys", limit=3, segment="gold ç")[1]
    others = [cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1:]
              for at in range(len(cursor))]
    others += [cursor[:-1], cursor[1:], cursor + "A", cursor + "=", cursor * 2, "x", "%00", "ç", "{}",
               "A" * 22, "A" * 9000]
    for other in others:
        answer = listed.get("/v1/surveys", cursor=other)
        if other != "%00":
            expect_problem(answer, 400, "bad_cursor", parameter="cursor")
        assert answer.status == 400
    expect_problem(listed.get("/v1/interactions", cursor=cursor), 400, "bad_cursor")


def test_a_cursor_belongs_to_its_workspace(listed, fresh):
    cursor = page(listed, "surveys", limit=3)[1]
    expect_problem(fresh.get("/v1/surveys", cursor=cursor), 400, "bad_cursor")


def test_a_cursor_outlives_the_service(service, workspace):
    running = service()
    client = workspace(running)
    store(client, "surveys", [sample("surveys", id=f"s{n}", answered_at=moment(n)) for n in range(5)])
    cursor = page(client, "surveys", limit=2)[1]
    assert running.terminate() == 0
    client.close()
    running.start()
    assert ids(page(client, "surveys", cursor=cursor)[0]) == ["s2", "s1"]


# Formats

NASTY = ["plain", "a,b;c", 'say "so"', '"', '""', " blanks ", "line\nbreak", "cr\r\nlf", "\rx", "\tx",
         "=1+1", "+1", "@SUM(A1)", "-2", "ótimo 👍", "\u2028", "\x1f", "\x7f", "null", "true", "0012",
         "é", "e\u0301", "\ufeffbom", "'", "\\", "\\n", ",", ";", "\n", " "]


def test_csv_gives_every_value_byte_for_byte(fresh):
    stored = [sample("surveys", id=f"{n:03}{' ;,' * (n % 2)}x", comment=text, segment=text.strip() or "x",
                     answered_at=moment(n), metadata={"said": text, "n": [n, 1.5, None, True]})
              for n, text in enumerate(NASTY)]
    store(fresh, "surveys", stored)
    body = fresh.get("/v1/surveys", format="csv").body
    rows = rows_of(body)
    items = walk(fresh, "surveys")
    assert len(rows) == len(items) == len(stored)
    for row, item, sent in zip(rows, items, reversed(stored)):
        assert item["comment"] == sent["comment"]
        for name, value in item.items():
            if name == "metadata":
                assert json.loads(row[name]) == value
            elif isinstance(value, bool):
                assert row[name] == ("true" if value else "false")
            else:
                assert row[name] == ("" if value is None else str(value)), name
    names = body.split(b"\r\n", 1)[0].decode().split(",")
    assert set(names) == FIELDS["surveys"] and len(names) == len(FIELDS["surveys"])


def test_what_comes_out_goes_in_again(fresh, api, workspace):
    store(fresh, "surveys", [sample("surveys", comment=text, answered_at=moment(n))
                             for n, text in enumerate(NASTY)])
    other = workspace(api)
    for form in ALL_AT_ONCE:
        body = fresh.get("/v1/surveys", format=form).body
        summary = expect(other.request("POST", "/v1/surveys", body, {"Content-Type": TYPES[form]}), 200)
        assert summary["created"] + summary["unchanged"] == len(NASTY)

    def contents(client):
        return [{name: value for name, value in item.items() if not name.endswith("ed_at")}
                for item in walk(client, "surveys")]

    assert contents(other) == contents(fresh)


def test_ndjson_lines_are_the_items(listed):
    answer = listed.get("/v1/surveys", format="ndjson")
    assert answer.body.endswith(b"\n")
    assert [json.loads(line) for line in answer.body.splitlines()] == walk(listed, "surveys")


def test_a_limit_cuts_what_is_sent_at_once(listed):
    for form in ALL_AT_ONCE:
        for limit in (1, 3, 40, 1000):
            assert len(download(listed, "surveys", form, limit=limit)) == min(limit, 40)


@pytest.mark.parametrize("accept, form", [
    ("*/*", "json"), ("application/json", "json"), ("application/*", "json"), ("text/csv", "csv"),
    ("text/*", "csv"), ("TEXT/CSV", "csv"), ("application/x-ndjson", "ndjson"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json"),
    ("text/csv, */*", "csv"), ("text/csv;q=0.5, application/json", "json"),
    ("text/csv, application/json;q=0.9", "csv"), ("text/csv; charset=utf-8", "csv"),
    ("application/json;q=0, */*", "ndjson"), ("application/problem+json", "json"), ("", "json")])
def test_accept_chooses_the_format(listed, accept, form):
    answer = listed.request("GET", "/v1/surveys?limit=2", headers={"Accept": accept})
    assert answer.status == 200
    assert answer.headers["Content-Type"].split(";")[0] == TYPES[form]


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "text/csv;q=0", "csv"])
def test_other_formats_are_not_acceptable(listed, accept):
    answer = listed.request("GET", "/v1/surveys", headers={"Accept": accept})
    expect_problem(answer, 406, "not_acceptable")
    answer = listed.request("GET", "/v1/surveys?format=csv", headers={"Accept": accept})
    assert answer.status == 200, "format= goes before Accept"


@pytest.mark.parametrize("form", TYPES)
def test_head(api, listed, form):
    for _ in range(3):
        answer = listed.request("HEAD", f"/v1/surveys?format={form}")
        assert answer.status == 200 and answer.body == b""
        assert answer.headers["Content-Type"].split(";")[0] == TYPES[form]
    assert listed.request("HEAD", "/v1/surveys?cursor=x").status == 400
    head = raw.head("HEAD", f"/v1/surveys?format={form}", listed.key, Connection="close")
    with raw.connect(api.port) as sock:
        raw.send(sock, head)
        assert raw.read_to_end(sock).endswith(b"\r\n\r\n"), "nothing after the headers"


def test_clients_without_chunks(api, listed):
    request = raw.head("GET", "/v1/surveys?format=csv", listed.key).replace(b"HTTP/1.1", b"HTTP/1.0")
    with raw.connect(api.port) as sock:
        raw.send(sock, request)
        head, _, body = raw.read_to_end(sock).partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert body == listed.get("/v1/surveys", format="csv").body


def test_scopes(scoped):
    for scope, client in scoped.items():
        for form in TYPES:
            answer = client.get("/v1/surveys", format=form)
            if scope in ("figures", "publishable"):
                expect_problem(answer, 403, "forbidden_scope")
            else:
                assert answer.status == 200


def test_another_workspaces_records_do_not_show(listed, fresh):
    store(fresh, "surveys", [sample("surveys", id="ours", segment="gold ç")])
    for params in ({}, {"segment": "gold ç"}, {"from_": "2020-01-01"}):
        assert ids(walk(fresh, "surveys", **params)) == ["ours"]
        assert download(fresh, "surveys", "csv", **params) == ["ours"]


# Much


@pytest.fixture(scope="module")
def crowded(service, workspace):
    """A service of one worker, and a workspace with 45,000 actions; three of them are of topic
    `rare`: the newest, the oldest, and one between."""
    running = service(env={"VINCULO_WORKERS": "1"})
    client = workspace(running)
    insert_actions(running.database_url, client.workspace, 45000, ", topic",
                   ", CASE WHEN n IN (1, 22000, 45000) THEN 'rare' ELSE 'usual' END")
    client.service = running
    return client


def test_rare_records_are_found_among_many(crowded):
    rare = ["a45000", "a22000", "a1"]
    assert ids(walk(crowded, "actions", topic="rare")) == rare
    assert ids(walk(crowded, "actions", topic="rare", limit=1)) == rare
    assert walk(crowded, "actions", topic="none") == []
    for form in ALL_AT_ONCE:
        assert download(crowded, "actions", form, topic="rare") == rare
        assert download(crowded, "actions", form, topic="rare", limit=2) == rare[:2]
        assert download(crowded, "actions", form, topic="none") == []


def everything(count):
    return [f"a{n}" for n in range(count, 0, -1)]


def test_everything_in_order(crowded):
    for form in ALL_AT_ONCE:
        assert download(crowded, "actions", form) == everything(45000)
    assert ids(walk(crowded, "actions", limit=1000)) == everything(45000)


def slow_reader(client, path, version=b"HTTP/1.1"):
    """A connection that has asked and does not read: little fits into its buffers."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", client.service.port))
    request = raw.head("GET", path, client.key, Connection="close")
    raw.send(sock, request.replace(b"HTTP/1.1", version, 1))
    return sock


def body_of(sock):
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    assert answer.status == 200
    return answer.read()


def wait_until_stalled(process, patience_s=60):
    """Returns once the service has filled all buffers and rests: its processor time stands still."""
    def ticks():
        fields = pathlib.Path(f"/proc/{process}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    give_up, before = time.monotonic() + patience_s, -100
    while ticks() - before > 2:
        assert time.monotonic() < give_up, "the service does not come to rest"
        before = ticks()
        time.sleep(0.3)


def test_slow_readers_hold_no_worker(crowded):
    with contextlib.ExitStack() as open_sockets:
        slow = [open_sockets.enter_context(slow_reader(crowded, "/v1/actions?format=csv"))
                for _ in range(12)]
        wait_until_stalled(crowded.service.pid)
        began = time.monotonic()
        for n in range(1, 101):
            expect(crowded.get(f"/v1/actions/a{n}"), 200)
        assert time.monotonic() - began < 5
        for sock in slow[:2]:
            assert ids(rows_of(body_of(sock))) == everything(45000)


def test_readers_that_go_away_leave_nothing_behind(crowded):
    for n in range(150):  # more than may be under way at a time
        sock = slow_reader(crowded, "/v1/actions?format=ndjson")
        sock.settimeout(20)
        assert raw.status_of(sock.recv(100)) == 200
        if n % 2:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
    assert len(download(crowded, "actions", "ndjson")) == 45000


def test_too_many_readers_at_a_time_are_told_so(crowded):
    with contextlib.ExitStack() as open_sockets:
        socks = [open_sockets.enter_context(slow_reader(crowded, "/v1/actions?format=csv"))
                 for _ in range(64)]
        for sock in socks:
            sock.settimeout(20)
            assert raw.status_of(sock.recv(20)) == 200
        expect_problem(crowded.get("/v1/actions", format="csv"), 503, "queue_full")
        expect(crowded.get("/v1/actions"), 200)
    end = time.monotonic() + 10
    while crowded.get("/v1/actions", format="csv", limit=1).status != 200:
        assert time.monotonic() < end
        time.sleep(0.05)


def kill_connections(database_url, condition="true"):
    """How many there were."""
    connection = psycopg2.connect(database_url)
    with contextlib.closing(connection), connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name"
                       f" = 'vinculo' AND datname = current_database() AND {condition}")
        return cursor.rowcount


def test_a_lost_connection_between_two_statements_does_not_show(crowded):
    with slow_reader(crowded, "/v1/actions?format=csv") as sock:
        time.sleep(0.3)
        kill_connections(crowded.service.database_url)
        assert ids(rows_of(body_of(sock))) == everything(45000)


@pytest.mark.parametrize("path, table", [("/v1/actions?limit=3", "action"),
                                         ("/v1/kpis?period=2025", "survey_totals")])
def test_a_connection_lost_in_the_middle_of_an_answer_does_not_show(crowded, path, table):
    url = crowded.service.database_url
    with ThreadPoolExecutor(1) as pool, contextlib.closing(psycopg2.connect(url)) as locking:
        locking.cursor().execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        answer = pool.submit(crowded.get, path)
        give_up = time.monotonic() + 20
        while kill_connections(url, "wait_event_type = 'Lock'") == 0:
            assert time.monotonic() < give_up, "nothing waits for the table"
        locking.rollback()
        assert expect(answer.result(), 200) == expect(crowded.get(path), 200)


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
def test_what_breaks_off_does_not_look_whole(service, workspace, version):
    running = service()
    client = workspace(running)
    client.service = running
    insert_actions(running.database_url, client.workspace, 60000)
    expect(client.get("/v1/actions/a1"), 200)
    with slow_reader(client, "/v1/actions?format=csv", version) as sock:
        time.sleep(0.3)
        connection = psycopg2.connect(running.database_url)
        with contextlib.closing(connection), connection, connection.cursor() as cursor:
            cursor.execute("ALTER TABLE action RENAME TO action_away")
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
            body_of(sock)
    expect_problem(client.get("/v1/actions"), 503, "unavailable")
    expect_problem(client.get("/v1/actions", format="csv"), 503, "unavailable")


SANITIZER = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=4"]))


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


@pytest.mark.parametrize("form", ALL_AT_ONCE)
def test_memory_stays_flat_over_200000_records(service, workspace, form):
    count = 200000
    running = service(env={"ASAN_OPTIONS": SANITIZER, "VINCULO_WORKERS": "1"})
    client = workspace(running)
    insert_actions(running.database_url, client.workspace, count)
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    connection.request("GET", f"/v1/actions?format={form}",
                       headers={"Authorization": f"Bearer {client.key}"})
    answer = connection.getresponse()
    seen, sizes = 0, []
    while part := answer.read(1 << 20):
        seen += part.count(b"\n")
        sizes.append(resident_mib(running.pid))
    connection.close()
    assert seen == count + (form == "csv")
    assert max(sizes) - sizes[2] < 8, (sizes[0], sizes[2], max(sizes), sizes[-1])
