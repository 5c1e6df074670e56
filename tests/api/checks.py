"""What every test of the interface needs: sample records, the shape of a problem, further keys."""

import datetime
import itertools
import time
import urllib.parse

from support.client import Client
from support.service import cli_output

KINDS = ("customers", "surveys", "interactions", "cancellations", "reactivations", "payments",
         "costs", "actions")

# Every field of each kind, as the contract lists them; each answer has these and the two below.
FIELDS = {
    "customers": "id started_at name email segment channel metadata",
    "surveys": "id customer_id interaction_id submission_id type score scale_min scale_max "
               "direction aspect touchpoint solicited comment channel segment sent_at answered_at "
               "metadata",
    "interactions": "id customer_id channel topic agent direction bot opened_at first_response_at "
                    "resolved_at resolved_on_first_contact closed_at segment metadata",
    "cancellations": "id customer_id cancelled_at reason voluntary comment metadata",
    "reactivations": "id customer_id reactivated_at metadata",
    "payments": "id customer_id amount currency paid_at segment metadata",
    "costs": "id amount currency incurred_at category channel segment metadata",
    "actions": "id customer_id survey_id interaction_id title owner topic status opened_at due_at "
               "done_at metadata",
}
FIELDS = {kind: set(names.split()) | {"created_at", "updated_at"} for kind, names in FIELDS.items()}

OWN_TIME = {"customers": "started_at", "surveys": "answered_at", "interactions": "opened_at",
            "cancellations": "cancelled_at", "reactivations": "reactivated_at",
            "payments": "paid_at", "costs": "incurred_at", "actions": "opened_at"}

numbers = itertools.count(1)


def moment_of(text):
    """To compare by: as texts ".68Z" comes after ".689Z"."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def new_id(stem="r"):
    return f"{stem}-{next(numbers)}"


def sample(kind, **fields):
    """A small valid record with an id of its own. Life events name the customer `known`."""
    record = {
        "customers": {"started_at": "2025-01-05T12:00:00Z"},
        "surveys": {"type": "nps", "score": 9, "answered_at": "2025-03-04T10:00:00Z"},
        "interactions": {"opened_at": "2025-03-04T10:00:00Z"},
        "cancellations": {"customer_id": "known", "cancelled_at": "2025-03-04T10:00:00Z"},
        "reactivations": {"customer_id": "known", "reactivated_at": "2025-03-05T10:00:00Z"},
        "payments": {"amount": 1050, "paid_at": "2025-03-04T10:00:00Z"},
        "costs": {"amount": 1050, "incurred_at": "2025-03-04T10:00:00Z"},
        "actions": {"title": "Call back", "opened_at": "2025-03-04T10:00:00Z"},
    }[kind]
    return {"id": new_id(kind[0]), **record, **fields}


def ensure_known(client):
    """Stores the customer whom the samples of life events name."""
    answer = client.put("/v1/customers/known", {"started_at": "2025-01-01T00:00:00Z"})
    assert answer.status in (200, 201), answer


def settled(client, deadline_s=2):
    """The client, once the service knows its key: a key of another process shows after a moment."""
    end = time.monotonic() + deadline_s
    while client.get("/v1/kpis", kpis="nps").status == 401 and time.monotonic() < end:
        time.sleep(0.005)
    return client


def make_client(service, workspace_name, scope, origins=()):
    given = [part for origin in origins for part in ("--origin", origin)]
    key = cli_output(service.database_url, "key", "create", "--workspace", workspace_name,
                     "--scope", scope, *given)
    return settled(Client(service.url, key))


def path_of(kind, record_id):
    return f"/v1/{kind}/{urllib.parse.quote(record_id, safe='')}"


def has(record, **fields):
    """True where the record has these values."""
    return all(record[name] == value for name, value in fields.items())


def expect(response, status):
    """The JSON of an answer that must have this status; None where it has no body."""
    assert response.status == status, response
    return response.json() if response.body else None


def expect_problem(response, status, code, field=None, pointer=None, parameter=None):
    """A problem (RFC 9457) of this status and code; returns it.

    field: the code that one of `errors` must have, at `pointer` where given.
    """
    assert response.status == status, response
    assert response.headers["Content-Type"].split(";")[0] == "application/problem+json", response
    problem = response.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert all(isinstance(problem[name], str) and problem[name]
               for name in ("type", "title", "detail", "request_id")), problem
    assert problem["request_id"] == response.headers["X-Request-Id"]
    for error in problem.get("errors", []):
        assert ("pointer" in error) != ("parameter" in error), problem
        assert isinstance(error["code"], str) and error["detail"], problem
    if field is not None:
        found = [error for error in problem["errors"] if error["code"] == field]
        assert found, problem
        if pointer is not None:
            assert pointer in [error["pointer"] for error in found], problem
    if parameter is not None:
        assert parameter in [error["parameter"] for error in problem["errors"]], problem
    if status in (429, 503):
        assert int(response.headers["Retry-After"]) > 0
    return problem
