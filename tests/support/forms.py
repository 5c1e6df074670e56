"""Records as the bodies that a POST of many takes: JSON array, NDJSON, CSV; each also gzipped."""

import csv
import gzip
import io
import json

TYPES = {"array": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv"}
FORMS = tuple(TYPES)
PACKINGS = tuple((form, packed) for form in FORMS for packed in (False, True))


def cell(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def to_csv(records, delimiter=",", line_end="\r\n", columns=None):
    """Text of a CSV file; the columns are those of any record, in order of appearance."""
    if columns is None:
        columns = list(dict.fromkeys(name for record in records for name in record))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(columns)
    writer.writerows([cell(record.get(name)) for name in columns] for record in records)
    return out.getvalue()


def encode(form, records):
    """The body's bytes."""
    if form == "array":
        return json.dumps(records, ensure_ascii=False).encode()
    if form == "csv":
        return to_csv(records).encode()
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def media(form, packed=False):
    return {"Content-Type": TYPES[form], **({"Content-Encoding": "gzip"} if packed else {})}


def post_many(client, path, records, form="ndjson", packed=False, headers=None):
    body = encode(form, records)
    return client.request("POST", path, gzip.compress(body, 6) if packed else body,
                          {**media(form, packed), **(headers or {})})
