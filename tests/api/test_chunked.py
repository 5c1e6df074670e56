"""Chunked bodies: where a chunk ends must not matter, least of all at the end of a stream's window."""

import json

import pytest

from api import raw
from api.checks import expect, new_id

HEAD = ("POST /v1/customers HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n"
        "Connection: close\r\n\r\n")


def chunked(lines, per_chunk):
    parts = []
    for start in range(0, len(lines), per_chunk):
        part = "".join(line + "\n" for line in lines[start:start + per_chunk]).encode()
        parts.append(b"%x\r\n%s\r\n" % (len(part), part))
    return b"".join(parts) + b"0\r\n\r\n"


@pytest.mark.parametrize("per_chunk", [1, 499, 500, 501, 1000, 6000])
def test_windows_and_chunks_of_any_size_meet(api, shop, per_chunk):
    count = 1500 if per_chunk == 1 else 6000
    name = new_id()
    lines = [json.dumps({"id": f"{name}-{i}", "started_at": "2025-01-01T00:00:00Z"})
             for i in range(count)]
    with raw.connect(api.port, 60) as sock:
        raw.send(sock, HEAD.format(key=shop.key).encode() + chunked(lines, per_chunk))
        head, _, body = raw.read_to_end(sock, 60).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    summary = json.loads(body)
    assert (summary["received"], summary["created"]) == (count, count)
    expect(shop.get(f"/v1/customers/{name}-0"), 200)
    expect(shop.get(f"/v1/customers/{name}-{count - 1}"), 200)
