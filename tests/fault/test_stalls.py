"""The database answers slowly or not at all: every request has an answer within its deadline."""

import contextlib
import json
import os
import signal
import threading
import time

import psycopg2

from api.checks import expect, expect_problem, sample
from fault.load import Load
from fault.memory import SANITIZER, rss_mib
from fault.test_kills import verify, wait_until_writable
from support.cluster import children_of
from support.service import cli

TIMEOUTS = {"VINCULO_DATABASE_TIMEOUT_MS": "1500", "VINCULO_LOCK_TIMEOUT_MS": "800"}
BOUND_S = 10  # some statements may follow each other, and connecting has a deadline of its own


@contextlib.contextmanager
def frozen(cluster):
    """The whole server stands still: connections stay open and nothing answers."""
    pids = [cluster.process.pid, *children_of(cluster.process.pid)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def held_lock(here, workspace="main"):
    """Another writer holds the workspace's lock, as a rebuild does."""
    with contextlib.closing(psycopg2.connect(here.url)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT workspace_lock((SELECT id FROM workspace WHERE name = %s))",
                           [workspace])
            yield


def timed(call):
    begun = time.monotonic()
    answer = call()
    return answer, time.monotonic() - begun


def test_a_frozen_database_gives_503_and_no_hang(site):
    here = site(TIMEOUTS)
    client = here.client()
    stored = sample("surveys")
    expect(client.post("/v1/surveys", stored), 201)
    path = f"/v1/surveys/{stored['id']}"
    calls = {
        "post": lambda own: own.post("/v1/surveys", sample("surveys")),
        "stream": lambda own: own.post_ndjson("/v1/surveys", [sample("surveys")] * 3),
        "kpis": lambda own: own.get("/v1/kpis"), "get": lambda own: own.get(path),
        "put": lambda own: own.put(path, stored), "delete": lambda own: own.delete(path),
        "ready": lambda own: own.get("/readyz"), "health": lambda own: own.get("/healthz"),
    }
    outcomes = {}

    def run(name, call):
        outcomes[name] = timed(lambda: call(here.client()))
    with frozen(here.cluster):
        threads = [threading.Thread(target=run, args=case) for case in calls.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for name, (answer, seconds) in outcomes.items():
        assert seconds < BOUND_S, (name, seconds)
        if name == "health":
            assert answer.status == 200 and seconds < 1
        elif name != "ready":  # the service may not have noticed yet
            assert answer.status == 503, (name, answer)
    assert wait_until_writable(client) < 5
    end = time.monotonic() + 5
    while client.get("/readyz").status != 200 and time.monotonic() < end:
        time.sleep(0.05)
    assert client.get("/readyz").status == 200


def test_a_database_that_freezes_under_load(site):
    here = site(TIMEOUTS)
    client = here.client()
    expect(client.post("/v1/customers", {"id": "customer", "started_at": "2020-01-01T00:00:00Z"}), 201)
    load = Load(here.service.url, here.keys["main"], 24)
    try:
        load.go()
        time.sleep(0.5)
        with frozen(here.cluster):
            time.sleep(4)
            load.pause()
        # What the frozen server had begun, it may still finish; only then is a change settled.
        wait_until_writable(client)
        time.sleep(1)
        verify(here, client, load)
        load.go()
        time.sleep(0.5)
        load.pause()
        verify(here, client, load)
    finally:
        load.end()
    assert load.slowest_s < BOUND_S + 2


def test_a_held_workspace_lock_gives_503_after_a_bounded_wait(site):
    here = site(TIMEOUTS)
    client = here.client()
    stored = sample("surveys")
    expect(client.post("/v1/surveys", stored), 201)
    with held_lock(here):
        for call in (lambda: client.post("/v1/surveys", sample("surveys")),
                     lambda: client.patch(f"/v1/surveys/{stored['id']}", {"score": 1}),
                     lambda: client.delete(f"/v1/surveys/{stored['id']}")):
            answer, seconds = timed(call)
            expect_problem(answer, 503, "unavailable")
            assert seconds < BOUND_S
        assert client.get("/v1/kpis", period="2025-03").status == 200, "readers see the old figures"
    wait_until_writable(client)
    assert expect(client.get(f"/v1/surveys/{stored['id']}"), 200)["score"] == 9


def test_the_lock_and_the_statement_after_it_have_their_time_each(site):
    """Both are sent together: what waits as long as it may and then works as long as it may is no loss."""
    here = site({"VINCULO_DATABASE_TIMEOUT_MS": "1500", "VINCULO_LOCK_TIMEOUT_MS": "1400"})
    client = here.client()
    stored = sample("costs")
    expect(client.post("/v1/costs", stored), 201)
    with contextlib.closing(psycopg2.connect(here.url)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS"
                       " 'BEGIN PERFORM pg_sleep(1.3); RETURN OLD; END';"
                       "CREATE TRIGGER linger BEFORE DELETE ON cost FOR EACH ROW EXECUTE FUNCTION linger()")
        connection.commit()
        cursor.execute("SELECT workspace_lock(id) FROM workspace WHERE name = 'main'")
        release = threading.Timer(1.2, connection.rollback)
        release.start()
        answer, seconds = timed(lambda: client.delete(f"/v1/costs/{stored['id']}"))
        release.join()
    assert answer.status == 204 and seconds > 2.1, (answer, seconds)


def test_arrays_that_wait_take_little_more_than_their_text(site, capsys):
    """Parsed, the rest of each would take some 50 MiB while its first records wait."""
    here = site({**TIMEOUTS, **SANITIZER, "VINCULO_LOCK_TIMEOUT_MS": "4000"})
    records = [sample("surveys") for _ in range(600)] + [{"metadata": {"a": [{}] * 150_000}}]
    body = json.dumps(records, separators=(",", ":"))
    expect(here.client().post("/v1/surveys", records[:2]), 200)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(here.client().request(
        "POST", "/v1/surveys", body, {"Content-Type": "application/json"}))) for _ in range(8)]
    before = peak = rss_mib(here.service.pid)
    with held_lock(here):
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            peak = max(peak, rss_mib(here.service.pid))
            time.sleep(0.02)
    for answer in answers:
        expect_problem(answer, 503, "unavailable")
    with capsys.disabled():
        print(f"\n  {len(answers)} arrays of {len(body) / 1024:.0f} KiB: RSS {before:.0f} → {peak:.0f} MiB at most")
    assert len(answers) == len(threads)
    assert peak < before + 160, "two at a time may be parsed"


def test_a_held_lock_does_not_stop_other_workspaces_for_good(site):
    here = site(TIMEOUTS)
    here.add_workspace("other")
    ours, theirs = here.client(), here.client("other")
    expect(theirs.post("/v1/surveys", sample("surveys")), 201)
    with held_lock(here):
        waiting = threading.Thread(target=lambda: ours.post("/v1/surveys", sample("surveys")))
        waiting.start()
        time.sleep(0.1)
        deadline = time.monotonic() + 5
        answer = theirs.post("/v1/surveys", sample("surveys"))
        while answer.status == 503 and time.monotonic() < deadline:
            time.sleep(0.1)
            answer = theirs.post("/v1/surveys", sample("surveys"))
        expect(answer, 201)
        waiting.join()


def test_a_full_queue_is_refused_and_empties_again(site):
    here = site({**TIMEOUTS, "VINCULO_WRITER_QUEUE_MAX": "8", "VINCULO_LOCK_TIMEOUT_MS": "2000",
                 "VINCULO_DATABASE_TIMEOUT_MS": "4000"})
    answers = []

    def post():
        answers.append(here.client().post("/v1/surveys", sample("surveys")))
    with held_lock(here):
        threads = [threading.Thread(target=post) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    codes = {answer.json()["code"] for answer in answers if answer.status == 503}
    for answer in answers:
        if answer.status != 201:
            expect_problem(answer, 503, answer.json()["code"])
    assert "queue_full" in codes and codes <= {"queue_full", "unavailable"}
    wait_until_writable(here.client())
    created = sum(answer.status == 201 for answer in answers)
    stored = here.sql("SELECT count(*) FROM survey WHERE id <> 'probe'")[0][0]
    assert created <= stored <= created + sum(answer.json().get("code") == "unavailable"
                                              for answer in answers if answer.status == 503)


def test_a_rebuild_under_load_keeps_every_change(site):
    here = site()
    client = here.client()
    expect(client.post("/v1/customers", {"id": "customer", "started_at": "2020-01-01T00:00:00Z"}), 201)
    load = Load(here.service.url, here.keys["main"], 16)
    try:
        load.go()
        for _ in range(3):
            done = cli(here.url, "rebuild")
            assert done.returncode == 0, done.stderr
            done = cli(here.url, "rebuild", "--check")
            assert done.returncode == 0, done.stdout + done.stderr
        load.pause()
        verify(here, client, load)
    finally:
        load.end()


def test_rebuild_check_finds_a_wrong_figure(site):
    here = site()
    client = here.client()
    expect(client.post("/v1/surveys", sample("surveys")), 201)
    deadline = time.monotonic() + 10
    while here.sql("SELECT count(*) FROM survey_change") != [(0,)]:
        assert time.monotonic() < deadline, "the service folds no changes"
        time.sleep(0.05)
    here.sql("DELETE FROM survey_totals")
    done = cli(here.url, "rebuild", "--check")
    assert done.returncode == 1 and done.stdout.strip(), done
    assert cli(here.url, "rebuild").returncode == 0
    assert cli(here.url, "rebuild", "--check").returncode == 0
    assert expect(client.get("/v1/kpis", period="2025-03"), 200)["kpis"]["nps"]["n"] == 1


def test_a_figure_that_cannot_be_read_to_its_end_is_503_and_then_read_again(site):
    """The statements of an answer are sent together: one in their middle waits for a table until its time is up."""
    here = site({"VINCULO_LOCK_TIMEOUT_MS": "300", "VINCULO_WORKERS": "1"})
    client = here.client()
    expect(client.post("/v1/surveys", sample("surveys")), 201)
    with contextlib.closing(psycopg2.connect(here.url)) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE duration_sketch IN ACCESS EXCLUSIVE MODE")
        expect(client.get("/v1/kpis", period="2025-03", compare="none"), 503)
        assert expect(client.get("/v1/kpis", period="2025-03", kpis="nps"), 200)["kpis"]["nps"]["n"] == 1
        holder.rollback()
    whole = expect(client.get("/v1/kpis", period="2025-03", compare="none"), 200)
    assert whole["kpis"]["nps"]["n"] == 1 and whole["kpis"]["first_response_time"]["null_reason"] == "no_data"
