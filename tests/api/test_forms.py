"""The forms in which many records come: an array, NDJSON and CSV say the same."""

import json

import pytest

from api.checks import expect, expect_problem, has, new_id, path_of, sample
from api.many import codes, counts, outcomes, stored
from support.forms import FORMS, encode, post_many, to_csv

JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
ARRAY_MAX = 1024 * 1024


def rich_surveys():
    """Two of each sort of value that a cell can hold."""
    return [
        sample("surveys", comment='não "gostei";\nfim, de verdade ☹', solicited=False,
               metadata={"a": [1, {"b": "ç"}], "c": None}, scale_min=0, scale_max=10),
        sample("surveys", comment="açúcar", solicited=True, segment="Região Sul"),
        sample("surveys", type="ces", score=7, scale_min=1, scale_max=7,
               direction="high_is_easy"),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_stores_the_same(fresh, form):
    given = rich_surveys()
    summary = expect(post_many(fresh, "/v1/surveys", given, form), 200)
    assert counts(summary) == (3, 3, 0, 0, 0)
    assert outcomes(summary) == ["created"] * 3
    assert [item["index"] for item in summary["results"]] == [0, 1, 2]
    assert [item["id"] for item in summary["results"]] == [record["id"] for record in given]
    for record, found in zip(given, stored(fresh, "surveys", given)):
        assert has(found, **record), found
    for other in FORMS:
        again = expect(post_many(fresh, "/v1/surveys", given, other), 200)
        assert counts(again) == (3, 0, 3, 0, 0), other


@pytest.mark.parametrize("form, lines", [("array", [None] * 4), ("ndjson", [1, 2, 3, 4]),
                                         ("csv", [2, 3, 5, 6])])
def test_refused_ones_are_named_by_index_and_line(fresh, form, lines):
    given = [sample("surveys"), sample("surveys", comment="two\nlines", score=11),
             sample("surveys"), sample("surveys", type="mood")]
    answer = post_many(fresh, "/v1/surveys", given, form)
    summary = expect(answer, 207)
    assert answer.headers["Vinculo-Rejected"] == "2"
    assert counts(summary) == (4, 2, 0, 0, 2)
    assert [item["line"] for item in summary["results"]] == lines
    assert codes(summary) == [None, "invalid_record", None, "invalid_record"]
    assert summary["results"][1]["problem"]["errors"][0]["pointer"] == "/score"
    expect(post_many(fresh, "/v1/surveys", [given[1], given[3]], form), 422)


# The array

def test_an_array_goes_whole_or_not_at_all_when_it_is_malformed(shop):
    given = [sample("surveys") for _ in range(3)]
    body = json.dumps(given)[:-1]
    for broken in (body, body + ",]", body + "}", body + "] x", body + ',{"a":1,"a":2}]'):
        expect_problem(shop.request("POST", "/v1/surveys", broken, JSON), 400, "malformed_json")
    for record in given:
        expect_problem(shop.get(path_of("surveys", record["id"])), 404, "not_found")


def test_items_that_are_no_objects_are_refused_alone(shop):
    given = [sample("surveys"), 1, None, [], "text", [{}], sample("surveys")]
    summary = expect(shop.post("/v1/surveys", given), 207)
    assert counts(summary) == (7, 2, 0, 0, 5)
    assert set(codes(summary)[1:6]) == {"invalid_record"}
    expect(shop.post("/v1/surveys", [[{}]]), 422)


@pytest.mark.parametrize("body", [b"[]", b" \r\n\t[ ] "])
def test_an_empty_array_stores_nothing(shop, body):
    assert counts(expect(shop.request("POST", "/v1/surveys", body, JSON), 200)) == (0,) * 5


def test_a_thousand_items_and_no_more(shop):
    given = [sample("surveys") for _ in range(1001)]
    problem = expect_problem(shop.post("/v1/surveys", given), 413, "too_large")
    assert "NDJSON" in problem["detail"]
    expect_problem(shop.get(path_of("surveys", given[0]["id"])), 404, "not_found")
    summary = expect(shop.post("/v1/surveys", given[:1000]), 200)
    assert counts(summary) == (1000, 1000, 0, 0, 0)
    assert len(summary["results"]) == 1000


def padded(records, length):
    body = json.dumps(records)
    return body[:-1] + " " * (length - len(body)) + "]"


@pytest.mark.parametrize("chunked", [False, True])
def test_an_array_of_a_mebibyte_and_no_more(shop, chunked):
    given = [sample("surveys") for _ in range(10)]

    def send(body):
        body = body.encode()
        parts = (body[at:at + 50000] for at in range(0, len(body), 50000))
        return shop.request("POST", "/v1/surveys", parts if chunked else body, JSON)

    problem = expect_problem(send(padded(given, ARRAY_MAX + 1)), 413, "too_large")
    assert "NDJSON" in problem["detail"]
    expect_problem(shop.get(path_of("surveys", given[0]["id"])), 404, "not_found")
    assert counts(expect(send(padded(given, ARRAY_MAX)), 200)) == (10, 10, 0, 0, 0)


def test_an_object_without_announced_length(shop):
    record = sample("surveys", comment="sem tamanho")
    body = json.dumps(record).encode()
    answer = shop.request("POST", "/v1/surveys", iter([body[:10], body[10:]]), JSON)
    assert has(expect(answer, 201), **record)
    assert answer.headers["Location"] == path_of("surveys", record["id"])
    expect(shop.request("POST", "/v1/surveys", iter([body]), JSON), 200)
    expect_problem(shop.request("POST", "/v1/surveys", iter([b"{no"]), JSON), 400, "malformed_json")
    expect_problem(shop.request("POST", "/v1/surveys", iter([b"{", b" " * 70000, b"}"]), JSON),
                   413, "too_large")


def test_an_idempotency_key_numbers_the_items(shop):
    key = new_id("array")
    given = [{"type": "nps", "score": score, "answered_at": "2025-03-04T10:00:00Z"}
             for score in range(3)]
    for form in FORMS:
        answer = post_many(shop, "/v1/surveys", given, form, headers={"Idempotency-Key": key})
        assert [item["id"] for item in expect(answer, 200)["results"]] == \
            [f"{key}:{at}" for at in range(3)]


def test_publishable_keys_post_single_surveys_only(scoped):
    given = [{"type": "nps", "score": 9}]
    for form in FORMS:
        for packed in (False, True):
            answer = post_many(scoped["publishable"], "/v1/surveys", given, form, packed)
            assert answer.status in (403, 415), answer
    expect_problem(scoped["publishable"].post("/v1/surveys", given), 403, "forbidden_scope")
    expect(scoped["publishable"].post("/v1/surveys", given[0]), 201)


# CSV

def test_as_a_brazilian_spreadsheet_writes_it(shop):
    ids = [new_id("planilha") for _ in range(2)]
    text = ("\ufeffid;type;score;comment;solicited;answered_at\r\n"
            f"{ids[0]};nps;9;\"Ótimo; \"\"voltarei\"\"\r\nsempre\";sim;2025-03-04T10:00:00-03:00\r\n"
            f"{ids[1]};nps;3;péssimo;não;2025-03-04T11:00:00-03:00\r\n")
    summary = expect(shop.request("POST", "/v1/surveys", text.encode(), CSV), 200)
    assert counts(summary) == (2, 2, 0, 0, 0)
    assert [item["line"] for item in summary["results"]] == [2, 4]
    first, second = stored(shop, "surveys", [{"id": record_id} for record_id in ids])
    assert has(first, comment='Ótimo; "voltarei"\r\nsempre', solicited=True, score=9,
               answered_at="2025-03-04T13:00:00Z")
    assert has(second, comment="péssimo", solicited=False)


@pytest.mark.parametrize("charset", ["windows-1252", "Windows-1252", '"windows-1252"'])
def test_windows_1252_on_request(shop, charset):
    record = sample("customers", name="João “Zé” Conceição – €")
    body = to_csv([record], ";").encode("windows-1252")
    summary = expect(shop.request("POST", "/v1/customers", body,
                                  {"Content-Type": f"text/csv; charset={charset}"}), 200)
    assert counts(summary)[1] == 1
    assert stored(shop, "customers", [record])[0]["name"] == record["name"]


def test_other_charsets_are_refused(shop):
    for media_type in ("text/csv; charset=utf-16", "application/json; charset=windows-1252",
                       "application/x-ndjson; charset=latin1"):
        answer = shop.request("POST", "/v1/customers", b"id\r\n", {"Content-Type": media_type})
        expect_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("header, code", [
    ("id;started_at;colour", "unknown_field"), ("id;started_at;id", "not_allowed_here")])
def test_a_wrong_header_is_refused_before_the_first_row(shop, header, code):
    record_id = new_id("header")
    text = f"{header}\r\n{record_id};2025-01-01T00:00:00Z;x\r\n"
    answer = shop.request("POST", "/v1/customers", text.encode(), CSV)
    expect_problem(answer, 422, "invalid_record", field=code)
    expect_problem(shop.get(path_of("customers", record_id)), 404, "not_found")


def test_no_header_at_all(shop):
    for body in (b"", b"\r\n"):
        expect_problem(shop.request("POST", "/v1/customers", body, CSV), 400, "malformed_csv")


def test_a_row_that_cannot_be_read_is_refused_alone(shop):
    good = [sample("customers", name=f"n{at}") for at in range(3)]
    rows = [f"{record['id']},{record['started_at']},{record['name']}" for record in good]
    text = "\n".join(["id,started_at,name", rows[0], 'x,"a"b,c', rows[1], "too,few",
                      f"y,2025-01-01T00:00:00Z,{'n' * 70000}", rows[2], ""])
    summary = expect(shop.request("POST", "/v1/customers", text.encode(), CSV), 207)
    assert outcomes(summary) == ["created", "rejected", "created", "rejected", "rejected",
                                 "created"]
    assert codes(summary) == [None, "malformed_csv", None, "malformed_csv", "too_large", None]
    assert [item["line"] for item in summary["results"]] == [2, 3, 4, 5, 6, 7]


def test_rows_cut_anywhere(shop):
    given = [sample("surveys", comment=f'"ação";\r\n{at}') for at in range(40)]
    body = encode("csv", given)
    for size in (1, 7, 4096):
        parts = (body[at:at + size] for at in range(0, len(body), size))
        summary = expect(shop.request("POST", "/v1/surveys", parts, CSV), 200)
        assert counts(summary)[0] == 40
    assert counts(summary) == (40, 0, 40, 0, 0)


@pytest.mark.parametrize("form", ("ndjson", "csv"))
def test_more_than_several_windows(fresh, form):
    given = [sample("surveys", score=at % 11) for at in range(2345)]
    given[1234]["score"] = 99
    summary = expect(post_many(fresh, "/v1/surveys", given, form), 207)
    assert counts(summary) == (2345, 2344, 0, 0, 1)
    assert [item["index"] for item in summary["results"]] == [1234]


def test_line_breaks_in_real_comments_survive_csv(api, workspace, data_set):
    records = [record for record in data_set("olist_reviews", "surveys")
               if "\n" in record.get("comment", "")][:200]
    client = workspace(api)
    counts(expect(post_many(client, "/v1/surveys", records, "csv", True), 200))
    for record, found in zip(records, stored(client, "surveys", records)):
        assert found["comment"] == record["comment"]

