"""What the tests of POSTs of many records share."""

from api.checks import expect, path_of

COUNTS = ("received", "created", "unchanged", "updated", "rejected")


def counts(summary):
    """The five counts, which add up unless an atomic request was refused."""
    assert set(summary) - {"not_stored"} == {*COUNTS, "results"}, summary.keys()
    others = sum(summary[name] for name in COUNTS[1:]) + summary.get("not_stored", 0)
    assert summary["received"] == others, summary
    return tuple(summary[name] for name in COUNTS)


def outcomes(summary):
    return [item["outcome"] for item in summary["results"]]


def codes(summary):
    """Of each result its problem's code, or None."""
    return [(item.get("problem") or {}).get("code") for item in summary["results"]]


def stored(client, kind, records):
    """The records of these ids as they are stored now."""
    return [expect(client.get(path_of(kind, record["id"])), 200) for record in records]


def without_times(record):
    return {name: value for name, value in record.items()
            if name not in ("created_at", "updated_at")}
