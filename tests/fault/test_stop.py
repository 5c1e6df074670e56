"""TERM: nothing acknowledged is lost, every accepted request is answered, exit 0 in time."""

import json
import signal
import threading
import time

import pytest

from api import raw
from api.checks import expect, sample
from fault.test_stalls import held_lock

DEADLINE_S = 10  # default of VINCULO_SHUTDOWN_TIMEOUT_MS
MARGIN_S = 0.05  # between the clocks of this test and what the kernel has delivered


class Poster(threading.Thread):
    """Posts on one connection and notes when each request was sent, and what came back."""

    def __init__(self, port, key, number):
        super().__init__(daemon=True)
        self.port = port
        self.key = key
        self.number = number
        self.sent = []  # (moment after the last byte, id, status or None)

    def run(self):
        with raw.connect(self.port) as sock:
            for at in range(1_000_000):
                record_id = f"{self.number}-{at}"
                body = json.dumps(sample("surveys", id=record_id)).encode()
                try:
                    sock.sendall(raw.head("POST", "/v1/surveys", self.key,
                                          Content_Type="application/json",
                                          Content_Length=len(body)) + body)
                except OSError:
                    return
                moment = time.monotonic()
                answer = raw.read_answer(sock)
                self.sent.append((moment, record_id, raw.status_of(answer)))
                if raw.status_of(answer) is None or b"connection: close" in answer.lower():
                    return


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_term_under_load(site, which):
    here = site()
    posters = [Poster(here.service.port, here.keys["main"], number) for number in range(32)]
    for poster in posters:
        poster.start()
    time.sleep(1)
    process = here.service.process
    begun = time.monotonic()
    process.send_signal(which)
    code = process.wait(DEADLINE_S + 5)
    took_s = time.monotonic() - begun
    process.stdout.close()
    for poster in posters:
        poster.join(20)
        assert not poster.is_alive(), "a client waits for ever"
    assert code == 0, here.service.log_text()[-2000:]
    assert took_s < DEADLINE_S

    sent = [entry for poster in posters for entry in poster.sent]
    dropped = [entry for entry in sent if entry[2] is None and entry[0] < begun - MARGIN_S]
    assert not dropped, f"{len(dropped)} of {len(sent)} accepted requests had no answer"
    assert {status for _, _, status in sent} <= {201, 503, None}
    created = {record_id for _, record_id, status in sent if status == 201}
    stored = {row[0] for row in here.sql("SELECT id FROM survey")}
    assert len(created) > 100
    assert created <= stored, f"{len(created - stored)} acknowledged records are lost"


def test_idle_and_half_sent_connections_do_not_hold_the_stop(site):
    here = site()
    idle = [raw.connect(here.service.port) for _ in range(20)]
    half = [raw.connect(here.service.port) for _ in range(20)]
    for sock in half:
        raw.send(sock, raw.head("POST", "/v1/surveys", here.keys["main"],
                                Content_Type="application/json", Content_Length=1000) + b'{"id":')
    stream = raw.connect(here.service.port)
    raw.send(stream, raw.head("POST", "/v1/surveys", here.keys["main"],
                              Content_Type="application/x-ndjson", Transfer_Encoding="chunked"))
    time.sleep(0.3)
    begun = time.monotonic()
    assert here.service.terminate(DEADLINE_S + 5) == 0
    assert time.monotonic() - begun < DEADLINE_S + 1
    for sock in (*idle, *half, stream):
        assert raw.read_to_end(sock, 1) is not None, "the connection is still open"
        sock.close()


def test_a_second_term_changes_nothing(site):
    here = site()
    expect(here.client().post("/v1/surveys", sample("surveys")), 201)
    here.service.process.terminate()
    time.sleep(0.01)
    if here.service.process.poll() is None:
        here.service.process.terminate()
    assert here.service.process.wait(DEADLINE_S + 5) == 0
    here.service.process.stdout.close()


def test_term_while_the_database_is_away(site):
    here = site()
    client = here.client()
    expect(client.post("/v1/surveys", sample("surveys")), 201)
    here.cluster.kill9()
    try:
        time.sleep(0.2)
        assert client.post("/v1/surveys", sample("surveys")).status == 503
        begun = time.monotonic()
        assert here.service.terminate(DEADLINE_S + 5) == 0
        assert time.monotonic() - begun < DEADLINE_S + 1
    finally:
        here.cluster.start()


def test_a_client_that_leaves_while_it_waits(site):
    """The answer has nobody to go to; the record is stored all the same, and the service lives."""
    here = site({"VINCULO_LOCK_TIMEOUT_MS": "5000"})
    ids = [f"left-{at}" for at in range(20)]
    with held_lock(here):
        for record_id in ids:
            body = json.dumps(sample("surveys", id=record_id)).encode()
            with raw.connect(here.service.port) as sock:
                raw.send(sock, raw.head("POST", "/v1/surveys", here.keys["main"],
                                        Content_Type="application/json",
                                        Content_Length=len(body)) + body)
        time.sleep(0.5)
    client = here.client()
    end = time.monotonic() + 5
    while len(here.sql("SELECT id FROM survey")) < len(ids) and time.monotonic() < end:
        time.sleep(0.05)
    expect(client.get("/v1/kpis"), 200)
    assert here.sql("SELECT count(*) FROM survey") == [(len(ids),)]
