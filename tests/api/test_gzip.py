"""Compressed bodies: any form, in constant memory, and what a damaged one leaves behind."""

import gzip
import json
import os
import random
import threading
import time
import zlib

import pytest

from api.checks import expect, expect_problem, has, path_of, sample
from api.many import COUNTS, counts, stored
from support.forms import FORMS, encode, media, post_many

ALL = os.environ.get("VINCULO_TEST_ALL") == "1"
NDJSON = media("ndjson", True)
FLAT_MIB = 24  # what a service may grow by, whatever it is sent


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


class Growth:
    """Context manager: the most that a process grew by, in MiB."""

    def __init__(self, pid):
        self.pid = pid
        self.before = self.most = resident_mib(pid)
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.done.wait(0.02):
            self.most = max(self.most, resident_mib(self.pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.done.set()
        self.thread.join()

    @property
    def mib(self):
        return self.most - self.before


@pytest.mark.parametrize("form", FORMS)
def test_every_form_may_be_compressed(shop, form):
    given = [sample("surveys", comment="ótimo " * 50) for _ in range(700)]
    assert counts(expect(post_many(shop, "/v1/surveys", given, form, True), 200))[1] == 700
    assert stored(shop, "surveys", given[699:])[0]["comment"] == "ótimo " * 50
    plain = expect(post_many(shop, "/v1/surveys", given, form), 200)
    assert counts(plain) == (700, 0, 700, 0, 0)


def test_a_single_object_too(shop):
    record = sample("surveys")
    body = gzip.compress(json.dumps(record).encode())
    assert has(expect(shop.request("POST", "/v1/surveys", body, media("array", True)), 201), **record)
    headers = {**media("array"), "Content-Encoding": "X-GZip"}
    expect(shop.request("POST", "/v1/surveys", body, headers), 200)


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip, gzip", "compress"])
def test_other_encodings_are_refused(shop, encoding):
    answer = shop.request("POST", "/v1/surveys", b"x", {**NDJSON, "Content-Encoding": encoding})
    assert "gzip" in expect_problem(answer, 415, "unsupported_media_type")["detail"]


def test_single_changes_come_uncompressed(shop):
    record = sample("surveys")
    answer = shop.request("PUT", path_of("surveys", record["id"]),
                          gzip.compress(json.dumps(record).encode()), media("array", True))
    expect_problem(answer, 415, "unsupported_media_type")


def test_members_follow_each_other_and_cut_anywhere(shop):
    given = [sample("surveys") for _ in range(60)]
    lines = encode("ndjson", given)
    middle = len(lines) // 2 + 3
    body = gzip.compress(lines[:middle]) + gzip.compress(b"") + gzip.compress(lines[middle:])
    for size in (1, 13, len(body)):
        parts = (body[at:at + size] for at in range(0, len(body), size))
        summary = expect(shop.request("POST", "/v1/surveys", parts, NDJSON), 200)
        assert counts(summary)[0] == 60
    assert counts(summary) == (60, 0, 60, 0, 0)


def noisy(count):
    """Records that do not compress well, so that a cut falls between them."""
    chance = random.Random(7)
    return [sample("surveys", comment=chance.randbytes(200).hex()) for _ in range(count)]


def damaged(body, way):
    if way == "cut":
        return body[:len(body) * 3 // 4]
    if way == "checksum":
        return body[:-8] + bytes(4) + body[-4:]
    if way == "rubbish after":
        return body + b"rubbish"
    at = len(body) * 3 // 4
    return body[:at] + bytes(byte ^ 0xff for byte in body[at:at + 40]) + body[at + 40:]


@pytest.mark.parametrize("way", ["cut", "checksum", "rubbish after", "flipped"])
@pytest.mark.parametrize("form, code", [("ndjson", "malformed_json"), ("csv", "malformed_csv")])
def test_damage_says_what_was_stored_before(fresh, form, code, way):
    given = noisy(4000)
    body = damaged(gzip.compress(encode(form, given)), way)
    problem = expect_problem(fresh.request("POST", "/v1/surveys", body, media(form, True)), 400, code)
    assert "gzip" in problem["detail"]
    assert 1000 <= problem["created"] <= 4000
    assert [problem[name] for name in COUNTS[2:4]] == [0, 0]
    figures = expect(fresh.get("/v1/kpis", period="2025-03"), 200)["kpis"]
    assert figures["nps"]["n"] == problem["created"]
    path = "/v1/surveys?on_conflict=replace"
    again = counts(expect(post_many(fresh, path, given, form, True), 200))
    if way != "flipped":  # which may have made other records, and other ids, before it was noticed
        assert again == (4000, 4000 - problem["created"], problem["created"], 0, 0)


@pytest.mark.parametrize("way", ["cut", "checksum", "rubbish after", "flipped"])
def test_a_damaged_array_stores_nothing(shop, way):
    given = noisy(500)
    body = damaged(gzip.compress(encode("array", given)), way)
    answer = shop.request("POST", "/v1/surveys", body, media("array", True))
    expect_problem(answer, 400, "malformed_json")
    for record in (given[0], given[-1]):
        expect_problem(shop.get(path_of("surveys", record["id"])), 404, "not_found")


@pytest.mark.parametrize("way", ["cut", "checksum", "rubbish after", "flipped"])
@pytest.mark.parametrize("form", ["ndjson", "csv"])
@pytest.mark.parametrize("count, query", [(400, ""), (1000, "?atomic=true")])
def test_what_fits_a_window_is_stored_after_its_checksum(fresh, form, count, query, way):
    """So a small file that was damaged, and an atomic one of any size, leaves nothing behind."""
    body = damaged(gzip.compress(encode(form, noisy(count))), way)
    answer = fresh.request("POST", f"/v1/surveys{query}", body, media(form, True))
    assert answer.status == 400 and "gzip" in answer.json()["detail"], answer
    assert expect(fresh.get("/v1/surveys"), 200)["items"] == []


@pytest.mark.parametrize("body", [b"", b"{}", b"\x1f", b"\x1f\x8b\x08", bytes(100),
                                  zlib.compress(b"{}\n")])
def test_what_is_no_gzip(shop, body):
    for form, code in (("ndjson", "malformed_json"), ("array", "malformed_json"),
                       ("csv", "malformed_csv")):
        answer = shop.request("POST", "/v1/surveys", body, media(form, True))
        expect_problem(answer, 400, code)


def bomb(piece, mebibytes):
    packer = zlib.compressobj(9, wbits=31)
    block = piece * (1024 * 1024 // len(piece))
    return b"".join([*(packer.compress(block) for _ in range(mebibytes)), packer.flush()])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("piece", [b" ", b"a", b"\n", b"["])
def test_bombs_are_bounded(api, shop, form, piece):
    """64 MiB in 64 kB: memory stays flat, and others are answered meanwhile."""
    body = bomb(piece, 64)
    slowest = 0
    done = threading.Event()
    answers = []

    def attack():
        client = type(shop)(shop.url, shop.key, timeout_s=120)
        answers.append(client.request("POST", "/v1/surveys", body, media(form, True)))
        done.set()

    thread = threading.Thread(target=attack)
    with Growth(api.pid) as growth:
        thread.start()
        while not done.wait(0.01):
            begun = time.monotonic()
            expect(shop.get("/healthz"), 200)
            slowest = max(slowest, time.monotonic() - begun)
        thread.join()
    assert answers[0].status in (200, 400, 413, 422), answers[0]
    print(f"bomb of {piece!r} as {form}: {answers[0].status}, grew {growth.mib:.1f} MiB, "
          f"others waited {1000 * slowest:.0f} ms at most")
    assert growth.mib < FLAT_MIB
    assert slowest < 1


def test_a_bomb_of_field_errors(shop):
    """1,000 lines with all the errors that a line can have: all are refused, not all tell of each error."""
    line = json.dumps({f"x{at}": 0 for at in range(64)}) + "\n"
    answer = shop.request("POST", "/v1/surveys", gzip.compress(1000 * line.encode()), NDJSON)
    summary = expect(answer, 422)
    assert counts(summary) == (1000, 0, 0, 0, 1000)
    assert len(answer.body) < 5 * 1024 * 1024
    problems = [item["problem"] for item in summary["results"]]
    assert {problem["code"] for problem in problems} == {"invalid_record"}
    shown = [len(problem["errors"]) for problem in problems]
    whole = shown.index(0)
    assert whole > 200 and shown == [64] * whole + [0] * (1000 - whole)
    assert "64 field errors" in problems[-1]["detail"]


def test_memory_is_flat_over_a_long_stream(service, workspace):
    """Many surveys through one request; a sanitized build is told to keep little freed memory."""
    count = 1_000_000 if ALL else 100_000
    options = os.environ.get("ASAN_OPTIONS", "").split(":") + ["quarantine_size_mb=4"]
    running = service(env={"ASAN_OPTIONS": ":".join(filter(None, options))})
    client = workspace(running)
    client.connection.timeout = 3600

    def lines():
        packer = zlib.compressobj(1, wbits=31)
        for start in range(0, count, 1000):
            yield packer.compress("".join(
                f'{{"id":"s{at}","type":"nps","score":{at % 11},'
                f'"answered_at":"2025-{at % 12 + 1:02}-04T10:00:00Z"}}\n'
                for at in range(start, start + 1000)).encode())
        yield packer.flush()

    warm = [sample("surveys") for _ in range(2000)]
    expect(post_many(client, "/v1/surveys", warm), 200)
    begun = time.monotonic()
    with Growth(running.pid) as growth:
        summary = expect(client.request("POST", "/v1/surveys", lines(), NDJSON), 200)
    seconds = time.monotonic() - begun
    assert counts(summary) == (count, count, 0, 0, 0)
    print(f"{count} surveys in {seconds:.1f} s ({count / seconds:.0f}/s): resident "
          f"{growth.before:.1f} MiB before, {growth.most:.1f} MiB at most")
    assert growth.mib < FLAT_MIB
