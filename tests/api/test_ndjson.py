"""POST of many records as NDJSON: results per item, partial refusals, limits."""

import json

import pytest

from api.checks import expect, expect_problem, has, new_id, path_of, sample

COUNTS = ("received", "created", "unchanged", "updated", "rejected")
MEDIA = {"Content-Type": "application/x-ndjson"}
LINE_MAX = 65536


def counts(summary):
    assert set(summary) == {*COUNTS, "results"}, summary.keys()
    assert summary["received"] == sum(summary[name] for name in COUNTS[1:]), summary
    return tuple(summary[name] for name in COUNTS)


def outcomes(summary):
    return [item["outcome"] for item in summary["results"]]


def test_all_taken_is_200(shop):
    given = [sample("surveys") for _ in range(5)]
    summary = expect(shop.post_ndjson("/v1/surveys", given), 200)
    assert counts(summary) == (5, 5, 0, 0, 0)
    assert [item["index"] for item in summary["results"]] == [0, 1, 2, 3, 4]
    assert [item["line"] for item in summary["results"]] == [1, 2, 3, 4, 5]
    assert [item["id"] for item in summary["results"]] == [item["id"] for item in given]
    assert outcomes(summary) == ["created"] * 5
    again = expect(shop.post_ndjson("/v1/surveys", given), 200)
    assert counts(again) == (5, 0, 5, 0, 0)
    assert outcomes(again) == ["unchanged"] * 5
    for record in given:
        assert has(expect(shop.get(path_of("surveys", record["id"])), 200), **record)


def test_some_refused_is_207_and_the_good_ones_are_kept(shop):
    good = [sample("surveys") for _ in range(3)]
    bad = sample("surveys", score=11, colour="red")
    lines = [good[0], bad, good[1], "{not json", good[2], "[1]"]
    answer = shop.post_ndjson("/v1/surveys", lines)
    summary = expect(answer, 207)
    assert answer.headers["Vinculo-Rejected"] == "3"
    assert counts(summary) == (6, 3, 0, 0, 3)
    assert outcomes(summary) == ["created", "rejected", "created", "rejected", "created",
                                 "rejected"]
    refused = summary["results"][1]
    assert has(refused, index=1, line=2, id=bad["id"])
    assert refused["problem"]["code"] == "invalid_record"
    assert {error["pointer"]: error["code"] for error in refused["problem"]["errors"]} == {
        "/score": "out_of_range", "/colour": "unknown_field"}
    assert summary["results"][3]["problem"]["code"] == "malformed_json"
    assert summary["results"][5]["problem"]["code"] in ("invalid_record", "malformed_json")
    assert all("problem" not in item or item["problem"] is None
               for item in summary["results"] if item["outcome"] == "created")
    for record in good:
        expect(shop.get(path_of("surveys", record["id"])), 200)
    expect_problem(shop.get(path_of("surveys", bad["id"])), 404, "not_found")


def test_all_refused_is_422(shop):
    answer = shop.post_ndjson("/v1/surveys", [sample("surveys", score=11), "nonsense"])
    summary = expect(answer, 422)
    assert counts(summary) == (2, 0, 0, 0, 2)


def test_the_own_time_is_required_in_bulk(shop):
    given = sample("surveys")
    del given["answered_at"]
    summary = expect(shop.post_ndjson("/v1/surveys", [given]), 422)
    errors = summary["results"][0]["problem"]["errors"]
    assert [(error["pointer"], error["code"]) for error in errors] == [("/answered_at", "required")]


def test_a_conflict_is_refused_alone(shop):
    stored = sample("customers", name="Ana")
    expect(shop.post("/v1/customers", stored), 201)
    answer = shop.post_ndjson("/v1/customers", [sample("customers"), {**stored, "name": "Eva"},
                                                stored, sample("customers")])
    summary = expect(answer, 207)
    assert outcomes(summary) == ["created", "rejected", "unchanged", "created"]
    assert summary["results"][1]["problem"]["code"] == "id_conflict"
    assert expect(shop.get(path_of("customers", stored["id"])), 200)["name"] == "Ana"


def test_the_same_id_twice_counts_in_the_order_of_the_lines(shop):
    first = sample("surveys", score=1)
    other = {**first, "score": 2}
    summary = expect(shop.post_ndjson("/v1/surveys", [first, first, other, first]), 207)
    assert outcomes(summary) == ["created", "unchanged", "rejected", "unchanged"]
    assert expect(shop.get(path_of("surveys", first["id"])), 200)["score"] == 1


def test_blank_lines_crlf_and_a_missing_final_newline(shop):
    given = [json.dumps(sample("surveys")) for _ in range(4)]
    body = f"\n{given[0]}\r\n\r\n  \n{given[1]}\n\t\n{given[2]}\n{given[3]}"
    summary = expect(shop.request("POST", "/v1/surveys", body, MEDIA), 200)
    assert counts(summary) == (4, 4, 0, 0, 0)
    assert [item["line"] for item in summary["results"]] == [2, 5, 7, 8]
    assert [item["index"] for item in summary["results"]] == [0, 1, 2, 3]


def test_lines_cut_anywhere_by_chunks(shop):
    given = [sample("surveys", comment="ação " * 20) for _ in range(50)]
    body = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in given).encode()
    for size in (1, 7, 4096):
        parts = (body[at:at + size] for at in range(0, len(body), size))
        summary = expect(shop.request("POST", "/v1/surveys", parts, MEDIA), 200)
        assert counts(summary)[0] == 50
    assert counts(summary) == (50, 0, 50, 0, 0)
    assert expect(shop.get(path_of("surveys", given[7]["id"])), 200)["comment"] == "ação " * 20


def padded_line(length):
    """A valid record as a line of so many bytes, the line break left out."""
    record = json.dumps(sample("surveys", metadata={"a": "b"}))
    return record[:-1] + " " * (length - len(record)) + "}"


def test_lines_up_to_64_kib(shop):
    body = "\n".join([padded_line(1000), padded_line(LINE_MAX - 1), padded_line(1000)])
    assert counts(expect(shop.request("POST", "/v1/surveys", body, MEDIA), 200))[1] == 3


@pytest.mark.parametrize("length", [LINE_MAX + 2, 3 * LINE_MAX, 40 * LINE_MAX])
def test_a_longer_line_is_refused_alone(shop, length):
    lines = [padded_line(1000), padded_line(length), padded_line(1000), padded_line(length)]
    for ending in ("\n", ""):
        summary = expect(shop.request("POST", "/v1/surveys", "\n".join(lines) + ending, MEDIA), 207)
        assert [item["outcome"] == "rejected" for item in summary["results"]] == \
            [False, True, False, True]
        assert summary["results"][1]["problem"]["code"] == "too_large"


def test_more_than_a_thousand_items_tell_of_the_refused_ones_alone(shop):
    given = [sample("surveys") for _ in range(1500)]
    for at in range(0, 1500, 100):
        given[at]["score"] = 99
    summary = expect(shop.post_ndjson("/v1/surveys", given), 207)
    assert counts(summary) == (1500, 1485, 0, 0, 15)
    assert [item["index"] for item in summary["results"]] == list(range(0, 1500, 100))
    assert set(outcomes(summary)) == {"rejected"}


def test_a_thousand_items_tell_of_each(shop):
    given = [sample("surveys") for _ in range(1000)]
    given[999]["score"] = 99
    summary = expect(shop.post_ndjson("/v1/surveys", given), 207)
    assert len(summary["results"]) == 1000
    assert summary["results"][999]["outcome"] == "rejected"


def test_the_first_thousand_refused_ones(shop):
    given = [sample("surveys", score=99 if at % 5 else 5) for at in range(2000)]
    summary = expect(shop.post_ndjson("/v1/surveys", given), 207)
    assert counts(summary) == (2000, 400, 0, 0, 1600)
    assert [item["index"] for item in summary["results"]] == \
        [at for at in range(2000) if at % 5][:1000]


def test_idempotency_key_numbers_the_items_without_id(shop):
    key = new_id("bulk")
    given = [{"type": "nps", "score": score, "answered_at": "2025-03-04T10:00:00Z"}
             for score in range(3)]
    given[1]["id"] = new_id("own")
    for outcome in ("created", "unchanged"):
        summary = expect(shop.post_ndjson("/v1/surveys", given, {"Idempotency-Key": key}), 200)
        assert [item["id"] for item in summary["results"]] == [f"{key}:0", given[1]["id"],
                                                              f"{key}:2"]
        assert outcomes(summary) == [outcome] * 3
    assert expect(shop.get(path_of("surveys", f"{key}:2")), 200)["score"] == 2


def test_ids_are_made_where_none_are_given(shop):
    given = [{"type": "nps", "score": 1, "answered_at": "2025-03-04T10:00:00Z"}] * 2
    summary = expect(shop.post_ndjson("/v1/surveys", given), 200)
    first, second = (item["id"] for item in summary["results"])
    assert first != second
    expect(shop.get(path_of("surveys", first)), 200)


@pytest.mark.parametrize("line", [
    b'{"id":"x","id":"y","type":"nps","score":1,"answered_at":"2025-03-04T10:00:00Z"}',
    b'{"type":"open","comment":"\\u0000","answered_at":"2025-03-04T10:00:00Z"}',
    b'{"type":"open","comment":"\xff\xfe","answered_at":"2025-03-04T10:00:00Z"}',
    b'{"type":"open","comment":"\\ud800","answered_at":"2025-03-04T10:00:00Z"}',
    b'{"type":"open","comment":"a","answered_at":"2025-03-04T10:00:00Z"} {}',
    b"[" * 20000, b'{"a":' * 5000, b"null", b"\x00", b"\x00\x00{}", b"NaN",
])
def test_hostile_lines_are_refused_alone(shop, line):
    before, after = sample("surveys"), sample("surveys")
    summary = expect(shop.post_ndjson("/v1/surveys", [before, line, after]), 207)
    assert outcomes(summary) == ["created", "rejected", "created"]


def test_an_empty_body_stores_nothing(shop):
    for body in ("", "\n\n"):
        answer = shop.request("POST", "/v1/surveys", body, MEDIA)
        assert answer.status == 200 and answer.json()["received"] == 0 or \
            answer.status in (400, 422), answer


@pytest.mark.parametrize("media", ["application/x-ndjson; charset=utf-8", "Application/X-NDJSON"])
def test_media_type_with_parameter_and_in_any_case(shop, media):
    body = json.dumps(sample("surveys"))
    expect(shop.request("POST", "/v1/surveys", body, {"Content-Type": media}), 200)


def test_refused_lines_do_not_show_more_of_the_stored_record(shop):
    stored = sample("customers", name="Planted Secret Name", email="secret@example.com")
    expect(shop.post("/v1/customers", stored), 201)
    answer = shop.post_ndjson("/v1/customers", [{**stored, "name": "x", "email": None}])
    assert b"Planted" not in answer.body and b"secret@" not in answer.body
