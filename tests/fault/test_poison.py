"""A record that the database refuses is refused alone, whoever is stored in the same transaction."""

import threading

from api.checks import expect, sample
from support.service import cli


def poison(here):
    here.sql("ALTER TABLE survey ADD CONSTRAINT no_poison CHECK (id NOT LIKE 'poison%') NOT VALID")


def refused_clearly(answer):
    """Refused for good, as 4xx (a 503 would have the client repeat it for ever)."""
    assert answer.status in (409, 422), answer
    assert b"Failing row" not in answer.body and b"2025-03-04" not in answer.body
    assert answer.json()["code"]


def test_singles_beside_a_poison_record(site):
    here = site()
    poison(here)
    answers = {}

    def post(record_id):
        answers[record_id] = here.client().post("/v1/surveys", sample("surveys", id=record_id))
    ids = [f"good{at}" for at in range(120)] + [f"poison{at}" for at in range(4)]
    for _ in range(3):  # the second and third time: unchanged, in one batch with the refused ones
        threads = [threading.Thread(target=post, args=(record_id,)) for record_id in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for record_id in ids:
            if record_id.startswith("poison"):
                refused_clearly(answers[record_id])
            else:
                assert answers[record_id].status in (200, 201), answers[record_id]
    assert here.sql("SELECT count(*) FROM survey") == [(120,)]
    assert cli(here.url, "rebuild", "--check").returncode == 0


def test_another_programs_unique_index(site):
    here = site()
    here.sql("CREATE UNIQUE INDEX one_email ON customer (workspace_id, email)")
    client = here.client()
    lines = [sample("customers", email=f"c{at}@example.com") for at in range(20)]
    lines[7]["email"] = lines[3]["email"]
    summary = expect(client.post_ndjson("/v1/customers", lines), 207)
    assert (summary["created"], summary["rejected"]) == (19, 1)
    refused_clearly(client.post("/v1/customers", {**lines[7], "id": "again"}))


def test_a_stream_with_poison_records(site):
    here = site()
    poison(here)
    client = here.client()
    lines = [sample("surveys", id=f"s{at}") for at in range(700)]
    for at in (0, 350, 351, 699):
        lines[at]["id"] = f"poison{at}"
    summary = expect(client.post_ndjson("/v1/surveys", lines), 207)
    assert (summary["created"], summary["rejected"]) == (696, 4)
    assert [item["index"] for item in summary["results"] if item["outcome"] == "rejected"] == \
        [0, 350, 351, 699]
    assert expect(client.get("/v1/kpis", period="2025-03"), 200)["kpis"]["nps"]["n"] == 696
    assert cli(here.url, "rebuild", "--check").returncode == 0


def test_changes_to_poison(site):
    here = site()
    poison(here)
    client = here.client()
    refused_clearly(client.put("/v1/surveys/poison", sample("surveys", id="poison")))
    expect(client.put("/v1/surveys/good", sample("surveys", id="good")), 201)
    here.sql("ALTER TABLE survey ADD CONSTRAINT no_poison_score CHECK (score <> 7) NOT VALID")
    refused_clearly(client.patch("/v1/surveys/good", {"score": 7}))
    assert expect(client.get("/v1/surveys/good"), 200)["score"] == 9
    expect(client.patch("/v1/surveys/good", {"score": 8}), 200)


def test_a_whole_batch_of_poison(site):
    here = site()
    poison(here)
    client = here.client()
    answer = client.post_ndjson("/v1/surveys", [sample("surveys", id=f"poison{at}")
                                                for at in range(300)])
    assert expect(answer, 422)["rejected"] == 300
    expect(client.post("/v1/surveys", sample("surveys")), 201)


def test_workspaces_do_not_share_a_poison_record(site):
    here = site()
    here.add_workspace("other")
    poison(here)
    results = []

    def post(workspace, record_id):
        client = here.client(workspace)
        for _ in range(20):
            results.append((record_id, client.post(
                "/v1/surveys", sample("surveys", id=record_id, score=5)).status))
    threads = [threading.Thread(target=post, args=args) for args in (
        ("main", "poison"), ("other", "fine"), ("main", "fine"), ("other", "poison"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for name, status in results if name == "fine"} == {200, 201}
    assert all(status >= 400 for name, status in results if name == "poison")
