"""Logs are JSON lines with request ids, and hold nothing of persons, records, queries or keys."""

import json
import time

import pytest

from api import raw
from api.checks import KINDS, expect, make_client, path_of
from fault.test_kills import wait_until_writable
from support.client import Client

# Every planted text contains one of these, in whatever way it is escaped.
MARKS = ("planted", "PLANTED", "pl4nted")
MEDIA = {"Content-Type": "application/json"}


def planted_records():
    texts = {"metadata": {"planted-key": "planted-metadata"}}
    return {
        "customers": {"id": "planted-customer", "started_at": "2025-01-01T00:00:00Z",
                      "name": "Planted PLANTED Name", "email": "planted@example.com",
                      "segment": "planted-segment", "channel": "planted-channel", **texts},
        "interactions": {"id": "planted-interaction", "opened_at": "2025-03-01T00:00:00Z",
                         "customer_id": "planted-customer", "topic": "planted-topic",
                         "agent": "planted-agent", **texts},
        "surveys": {"id": "planted-survey", "type": "nps", "score": 3, "comment": "planted comment",
                    "customer_id": "planted-customer", "answered_at": "2025-03-01T00:00:00Z", **texts},
        "cancellations": {"id": "planted-cancellation", "customer_id": "planted-customer",
                          "cancelled_at": "2025-03-01T00:00:00Z", "reason": "planted-reason",
                          "comment": "planted comment", **texts},
        "reactivations": {"id": "planted-reactivation", "customer_id": "planted-customer",
                          "reactivated_at": "2025-04-01T00:00:00Z", **texts},
    }


def every_kind_of_request(here, client):
    """Good ones and bad ones, with planted texts in every place that a client can write to."""
    for kind, record in planted_records().items():
        path = path_of(kind, record["id"])
        client.post(f"/v1/{kind}", record)
        client.post(f"/v1/{kind}", record)
        client.post(f"/v1/{kind}", {**record, "metadata": {"planted": 2}})
        client.post(f"/v1/{kind}", {**record, "planted_field": "planted"})
        client.post(f"/v1/{kind}", {"id": "planted-pl4nted", "score": "planted"})
        client.put(path, {**record, "id": "planted-other"})
        client.put(path, {**record, "metadata": {"planted": 3}})
        client.patch(path, {"metadata": {"planted": None}})
        client.post(f"/v1/{kind}", record, {"Idempotency-Key": "planted-idempotency"})
        client.post_ndjson(f"/v1/{kind}", [record, '{"planted', {**record, "id": "planted-2"}],
                           {"Idempotency-Key": "planted-bulk"})
        client.request("POST", f"/v1/{kind}", '{"planted": "planted', MEDIA)
        client.request("POST", f"/v1/{kind}", "planted=1",
                       {"Content-Type": "application/x-planted-pl4nted"})
        client.get(f"{path}?planted-parameter=planted-value")
        client.get(f"/v1/{kind}/planted%zzplanted")
    for path in ("/planted/route", "/v1/planted", "/v1/kpis/planted", "/v1/kpis?period=planted",
                 "/v1/kpis?planted=1", "/v1/kpis?segment=planted-segment&channel=planted",
                 "/v1/kpis?kpis=planted", "/v1/definitions/planted"):
        client.request("GET", path, headers={"Origin": "https://planted.example",
                                             "User-Agent": "planted-agent", "Cookie": "planted=1",
                                             "Referer": "https://planted.example/?planted"})
    client.request("PLANTED", "/v1/kpis")
    client.delete(path_of("customers", "planted-customer"))
    Client(here.service.url, "vk_planted").get("/v1/kpis")
    Client(here.service.url).request("GET", "/v1/kpis", headers={"Authorization": "planted pl4nted"})
    limited = make_client(here.service, "main", "figures", ["https://shop.example.com"])
    limited.request("GET", "/v1/kpis", headers={"Origin": "https://planted.example"})
    raw.exchange(here.service.port, b"planted garbage\r\n\r\n")
    raw.exchange(here.service.port, b"GET /planted HTTP/1.1\r\nplanted\r\n\r\n")
    raw.exchange(here.service.port, b"GET /planted" + b"planted" * 20_000 + b" HTTP/1.1\r\n\r\n")


def lines_of(log):
    entries = []
    for line in log.splitlines():
        entry = json.loads(line)
        assert isinstance(entry, dict) and entry["time"] and entry["level"], line
        entries.append(entry)
    return entries


@pytest.mark.parametrize("level", ["info", "debug"])
def test_no_planted_text_is_logged(site, level):
    here = site({"VINCULO_LOG_LEVEL": level})
    client = here.client()
    every_kind_of_request(here, client)
    here.sql("ALTER TABLE survey ADD CHECK (id <> 'planted-poison') NOT VALID")
    poison = {**planted_records()["surveys"], "id": "planted-poison"}
    client.post("/v1/surveys", poison)
    client.put("/v1/surveys/planted-poison", poison)
    client.post_ndjson("/v1/surveys", [poison])
    here.cluster.kill9()
    try:
        for kind, record in planted_records().items():
            client.post(f"/v1/{kind}", record)
            client.get(path_of(kind, record["id"]))
            client.patch(path_of(kind, record["id"]), {"metadata": {"planted": 1}})
            client.post_ndjson(f"/v1/{kind}", [record])
    finally:
        here.cluster.start()
    wait_until_writable(client)
    every_kind_of_request(here, client)
    assert here.service.terminate() == 0

    log = here.service.log_text()
    entries = lines_of(log)
    assert len(entries) > 100
    found = [line for line in log.splitlines()
             if any(mark in line for mark in MARKS) or here.keys["main"][3:] in line]
    assert not found, found[:5]
    for text in ("example.com", "postgres@", "Planted"):
        assert text not in log, text


def test_request_ids_are_logged(site):
    here = site()
    client = here.client()
    given = "0190c3f0-1111-7000-8000-0000000000aa"
    client.request("GET", "/v1/kpis", headers={"X-Request-Id": given})
    made = [expect(client.get("/v1/kpis"), 200) and client.get("/v1/nothing").headers["X-Request-Id"]
            for _ in range(3)]
    assert here.service.terminate() == 0
    logged = [entry.get("request_id") for entry in lines_of(here.service.log_text())]
    for request_id in (given, *made):
        assert logged.count(request_id) == 1, request_id


def test_a_log_cannot_be_forged(site):
    here = site()
    client = here.client()
    forged = 'x","level":"error","event":"forged'
    for text in (forged, "a\\nforged", "forged\x1b[31m"):
        raw.exchange(here.service.port, raw.head("GET", "/v1/kpis", client.key, X_Request_Id=text))
        raw.exchange(here.service.port, raw.head("GET", "/" + text.replace(" ", ""), client.key))
    assert here.service.terminate() == 0
    for entry in lines_of(here.service.log_text()):
        assert entry["event"] != "forged"


def test_the_log_stays_small_while_the_database_is_away(site):
    """An outage is told once in a while, not by every attempt."""
    here = site()
    client = here.client()
    before = len(lines_of(here.service.log_text()))
    here.cluster.kill9()
    try:
        time.sleep(3)
    finally:
        here.cluster.start()
    wait_until_writable(client)
    others = [entry for entry in lines_of(here.service.log_text())[before:]
              if entry["event"] != "request"]
    assert len(others) < 40, others
    for kind in KINDS:
        assert client.get(f"/v1/{kind}/x").status == 404
