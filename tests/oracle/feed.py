"""Sends records and corrections to a service through its API."""
import json
from urllib.parse import quote


# Customers before the events of their lives.
ORDER = ("customers", "interactions", "surveys", "cancellations", "reactivations", "payments", "costs", "actions")


def post_all(client, records):
    for kind in ORDER:
        if kind in records:
            post_batch(client, kind, records[kind])


def post_batch(client, kind, records, outcome="created"):
    """NDJSON: every record must be taken with that outcome."""
    body = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
    response = client.request("POST", f"/v1/{kind}", body, {"Content-Type": "application/x-ndjson"})
    answer = response.json()
    assert response.status == 200 and answer["received"] == answer[outcome] == len(records), \
        f"{kind}: {response.status} { {name: v for name, v in answer.items() if name != 'results'} } " \
        f"{[r for r in answer.get('results', ()) if r.get('outcome') != outcome][:3]}"


def send(client, method, kind, name, body, status):
    """One correction."""
    path = f"/v1/{kind}" + (f"/{quote(name, safe='')}" if name else "")
    payload, headers = None, {}
    if body is not None:
        payload = json.dumps(body, ensure_ascii=False).encode()
        headers["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
    response = client.request(method, path, payload, headers)
    assert response.status == status, f"{method} {path} {body}: {response.status} {response.body[:600]!r}"
