"""NDJSON of any length in constant memory; what happens when a stream or its database breaks."""

import http.client
import json
import os
import socket
import threading
import time

from api import raw
from api.checks import expect, sample
from fault.memory import SANITIZER, rss_mib
from support.service import cli

ALL = os.environ.get("VINCULO_TEST_ALL") == "1"
RECORDS = 1_000_000 if ALL else 200_000
GROWTH_MIB = 24
NDJSON = {"Content-Type": "application/x-ndjson"}


def survey_lines(first, count, wrong_every=0):
    """Bytes of consecutive surveys; each wrong_every-th has a score out of range."""
    def line(at):
        score = 99 if wrong_every and at % wrong_every == 0 else at % 11
        day = f"2025-{at % 12 + 1:02}-{at % 28 + 1:02}"
        return (f'{{"id":"s{at}","type":"nps","score":{score},"answered_at":"{day}T10:00:00Z",'
                f'"comment":"comment {at}"}}\n')
    return "".join(line(at) for at in range(first, first + count)).encode()


def in_tenths(seen):
    """Of a series of sizes the largest of each tenth, for reading."""
    step = -(-len(seen) // 10)
    return " ".join(f"{max(seen[at:at + step]):.0f}" for at in range(0, len(seen), step))


def read_all(here, path):
    """(lines, ids, seen): how many lines a list has, how many different ids, and RSS while it is read."""
    connection = http.client.HTTPConnection("127.0.0.1", here.service.port, timeout=300)
    connection.request("GET", path, headers={"Authorization": f"Bearer {here.keys['main']}"})
    answer = connection.getresponse()
    assert answer.status == 200
    lines, ids, seen = 0, set(), []
    for line in answer:
        if lines % 1000 == 0:
            seen.append(rss_mib(here.service.pid))
        ids.add(json.loads(line)["id"] if path.endswith("ndjson") else line.partition(b",")[0])
        lines += 1
    connection.close()
    return lines, len(ids), seen


def test_a_long_stream_in_constant_memory(site, capsys):
    here = site(SANITIZER)
    client = here.client(timeout_s=300)
    seen = []
    block = 1000

    def parts():
        for first in range(0, RECORDS, block):
            yield survey_lines(first, block, wrong_every=1000)
            seen.append(rss_mib(here.service.pid))
    begun = time.monotonic()
    summary = expect(client.request("POST", "/v1/surveys", parts(), NDJSON), 207)
    seconds = time.monotonic() - begun
    refused = RECORDS // 1000
    assert (summary["received"], summary["created"], summary["rejected"]) == \
        (RECORDS, RECORDS - refused, refused)
    assert [item["index"] for item in summary["results"]] == list(range(0, RECORDS, 1000))[:1000]
    early = max(seen[:len(seen) // 10])
    with capsys.disabled():
        print(f"\n  {RECORDS} surveys in, {seconds:.1f} s; most RSS of each tenth, MiB: {in_tenths(seen)}")
    assert max(seen) < early + GROWTH_MIB
    figures = expect(client.get("/v1/kpis", period="2025"), 200)["kpis"]
    assert figures["nps"]["n"] == figures["feedback"]["value"] == RECORDS - refused
    done = cli(here.url, "rebuild", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    if ALL:  # tests/api/test_lists.py reads 200,000
        check_the_way_out(here, early, RECORDS - refused, capsys)


def check_the_way_out(here, early, count, capsys):
    for form, head in (("ndjson", 0), ("csv", 1)):
        begun = time.monotonic()
        lines, ids, seen = read_all(here, f"/v1/surveys?format={form}")
        seconds = time.monotonic() - begun
        assert (lines, ids) == (count + head, count + head)
        with capsys.disabled():
            print(f"\n  {count} surveys out as {form}, {seconds:.1f} s; most RSS of each tenth, MiB: "
                  f"{in_tenths(seen)}")
        assert max(seen) < early + GROWTH_MIB


def test_single_posts_go_first(site, capsys):
    """While streams run, a single post is answered soon."""
    here = site()
    ended = threading.Event()

    def stream(number):
        client = here.client(timeout_s=60)

        def parts():
            first = 0
            while not ended.is_set():
                yield survey_lines(number * 10_000_000 + first, 200)
                first += 200
        expect(client.request("POST", "/v1/surveys", parts(), NDJSON), 200)
    streams = [threading.Thread(target=stream, args=(number,)) for number in range(1, 5)]
    for thread in streams:
        thread.start()
    time.sleep(0.5)
    client = here.client()
    waits = []
    for _ in range(21):
        begun = time.monotonic()
        expect(client.post("/v1/surveys", sample("surveys")), 201)
        waits.append(time.monotonic() - begun)
    ended.set()
    for thread in streams:
        thread.join()
    waits.sort()
    with capsys.disabled():
        print(f"\n  single posts beside 4 streams: median {waits[10] * 1000:.0f} ms, "
              f"slowest {waits[-1] * 1000:.0f} ms")
    assert waits[10] < 1


def test_the_database_is_lost_in_mid_stream(site):
    """503 with the counts so far; sending all again is safe."""
    here = site()
    client = here.client(timeout_s=60)
    count = 20_000

    def parts():
        for first in range(0, count, 500):
            if first == count // 2:
                time.sleep(0.3)
                here.cluster.kill9()
            yield survey_lines(first, 500)
    try:
        answer = client.request("POST", "/v1/surveys", parts(), NDJSON)
    finally:
        here.cluster.start()
    assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, answer
    told = answer.json()
    stored = here.sql("SELECT count(*) FROM survey")[0][0]
    assert 0 < told["created"] <= stored < count, (told, stored)
    end = time.monotonic() + 10
    while client.get("/readyz").status != 200 and time.monotonic() < end:
        time.sleep(0.05)
    again = expect(client.request("POST", "/v1/surveys", survey_lines(0, count), NDJSON), 200)
    assert (again["unchanged"], again["created"]) == (stored, count - stored)
    assert here.sql("SELECT count(*), count(DISTINCT id) FROM survey") == [(count, count)]
    assert cli(here.url, "rebuild", "--check").returncode == 0


def test_a_client_that_breaks_off(site):
    """What was taken stays, what is half a line does not, and nothing is held afterwards."""
    here = site()
    client = here.client()
    for at in range(20):
        with raw.connect(here.service.port) as sock:
            body = survey_lines(at * 1000, 300)[:-20]
            raw.send(sock, raw.head("POST", "/v1/surveys", client.key, **{
                "Content_Type": "application/x-ndjson", "Content_Length": 10_000_000}) + body)
            if at % 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    time.sleep(1)
    expect(client.post("/v1/surveys", sample("surveys")), 201)
    ids = {row[0] for row in here.sql("SELECT id FROM survey WHERE id LIKE 's%'")}
    assert not any(f"s{at * 1000 + 299}" in ids for at in range(20))
    assert cli(here.url, "rebuild", "--check").returncode == 0
    assert here.service.terminate(15) == 0, "a broken stream holds the stop"


def test_a_term_in_mid_stream(site):
    """The stream is answered or cut, the exit is in time, and what the answer counts is stored."""
    here = site()
    client = here.client(timeout_s=60)
    outcome = {}

    def parts():
        for first in range(0, 10_000_000, 500):
            yield survey_lines(first, 500)

    def stream():
        try:
            outcome["answer"] = client.request("POST", "/v1/surveys", parts(), NDJSON)
        except (OSError, ValueError) as error:
            outcome["error"] = error
        except Exception as error:  # http.client's own
            outcome["error"] = error
    thread = threading.Thread(target=stream)
    thread.start()
    time.sleep(1)
    begun = time.monotonic()
    assert here.service.terminate(20) == 0
    assert time.monotonic() - begun < 11
    thread.join(20)
    assert not thread.is_alive()
    stored = here.sql("SELECT count(*) FROM survey")[0][0]
    assert stored > 0
    if "answer" in outcome:
        told = json.loads(outcome["answer"].body)
        assert told.get("created", 0) <= stored
    assert cli(here.url, "rebuild", "--check").returncode == 0
