"""GET /v1/feedback/terms and GET /v1/drivers against counts by hand and from the raw records."""

import collections
import contextlib
import math
import random
import statistics

import psycopg2
import pytest

from api.checks import expect, expect_problem, make_client, sample

TERMS = "/v1/feedback/terms"
DRIVERS = "/v1/drivers"


def store(client, kind, records):
    for at in range(0, len(records), 900):
        expect(client.post_ndjson(f"/v1/{kind}", records[at:at + 900]), 200)


def comments(client, day, texts, **fields):
    store(client, "surveys", [sample("surveys", comment=text, answered_at=f"{day}T12:00:{n % 60:02}Z", **fields)
                              for n, text in enumerate(texts)])


def terms(client, **params):
    return expect(client.get(TERMS, **params), 200)


def wilson(x, n):
    """Newcombe 1998, method 3, in its own words: the roots of |p − π| = z √(π(1 − π)/n)."""
    z = statistics.NormalDist().inv_cdf(0.975)
    middle, half = 2 * x + z * z, z * math.sqrt(z * z + 4 * x * (1 - x / n))
    return (middle - half) / (2 * (n + z * z)), (middle + half) / (2 * (n + z * z))


def newcombe(x1, n1, x2, n2):
    (l1, u1), (l2, u2), p1, p2 = wilson(x1, n1), wilson(x2, n2), x1 / n1, x2 / n2
    return (p1 - p2 - math.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2),
            p1 - p2 + math.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2))


# Terms


def test_terms_by_hand(fresh):
    comments(fresh, "2025-03-05", ["A entrega atrasou", "Entregas atrasadas, entrega ruim!", "entrega OK"],
             type="nps", score=2)
    comments(fresh, "2025-03-06", ["Entrega rápida", "entrega rapida"], type="nps", score=9)
    comments(fresh, "2025-03-07", ["Não gostei"], type="nps", score=7)
    comments(fresh, "2025-03-08", ["Rápida."], type="open", score=None)
    comments(fresh, "2025-02-05", ["entregaram", "o de não", "gostei", "Adorei"], type="nps", score=9)
    comments(fresh, "2025-01-31", ["entrega"] * 3)
    answer = terms(fresh, period="2025-03")
    assert list(answer) == ["period", "filters", "data", "language", "read", "total", "previous", "terms"]
    assert answer["period"] == {"key": "2025-03", "granularity": "month", "from": "2025-03-01",
                                "to": "2025-04-01", "timezone": "UTC", "complete": True}
    assert (answer["filters"], answer["language"], answer["read"], answer["total"]) == ({}, "pt", 7, 7)
    assert answer["data"] == {"first": "2025-01-31", "last": "2025-03-08"}
    assert answer["previous"]["period"]["key"] == "2025-02"
    assert (answer["previous"]["read"], answer["previous"]["total"]) == (4, 4)
    found = {term["lexeme"]: term for term in answer["terms"]}
    assert list(found) == ["entreg", "rap", "atras", "gost", "ok", "ruim"]
    assert found["entreg"] == {
        "term": "entrega", "lexeme": "entreg", "n": 5, "share": 71.428571, "positive": 2, "neutral": 0,
        "negative": 3, "unscored": 0, "previous": {"n": 1, "share": 25}, "change": 46.428571}
    assert found["rap"] == {
        "term": "rápida", "lexeme": "rap", "n": 3, "share": 42.857143, "positive": 2, "neutral": 0,
        "negative": 0, "unscored": 1, "previous": {"n": 0, "share": 0}, "change": 42.857143}
    assert (found["gost"]["term"], found["gost"]["neutral"], found["gost"]["change"]) == (
        "gostei", 1, round(100 / 7 - 25, 6))
    assert [term["lexeme"] for term in terms(fresh, period="2025-03", limit=2)["terms"]] == ["entreg", "rap"]
    alone = terms(fresh, from_="2025-03-07", to="2025-03-08")
    assert (alone["read"], alone["previous"]["total"], alone["previous"]["period"]["from"]) == (1, 2, "2025-03-06")
    assert [(term["term"], term["change"]) for term in alone["terms"]] == [("gostei", 100)]


def test_no_comments(fresh):
    answer = terms(fresh)
    assert (answer["terms"], answer["read"], answer["total"]) == ([], 0, 0)
    comments(fresh, "2025-03-05", ["Bom"])
    assert terms(fresh, period="2025-03")["terms"][0] == {
        "term": "bom", "lexeme": "bom", "n": 1, "share": 100, "positive": 1, "neutral": 0, "negative": 0,
        "unscored": 0, "previous": {"n": 0, "share": None}, "change": None}


def test_terms_by_label(fresh):
    expect(fresh.post("/v1/customers", sample("customers", id="c", segment="ouro")), 201)
    comments(fresh, "2025-03-05", ["caro"], customer_id="c")
    comments(fresh, "2025-03-05", ["barato"], segment="prata", channel="web")
    comments(fresh, "2025-03-05", ["bonito"], channel="web")
    comments(fresh, "2025-03-05", ["velho"], customer_id="c", channel="web")
    for params, words in ((dict(), "barato bonito caro velho"), (dict(segment="ouro"), "caro velho"),
                          (dict(segment="prata"), "barato"), (dict(channel="web"), "barato bonito velho"),
                          (dict(channel="web", segment="ouro"), "velho"), (dict(channel="x"), "")):
        answer = terms(fresh, period="2025-03", **params)
        assert sorted(term["term"] for term in answer["terms"]) == words.split(), params
        assert (answer["read"], answer["total"], answer["filters"]) == (len(words.split()),) * 2 + (params,)


ENGLISH = ("delivery deliveries delivered late later price prices pricing staff friendly support supported "
           "the and of was broken box boxes refund refunds waiting").split()


@pytest.fixture(scope="module")
def much(api, workspace):
    """10,200 comments of March, 300 of February, from a small English vocabulary."""
    client = workspace(api, language="en")
    chance = random.Random(6)

    def text(n):
        return " ".join(chance.choices(ENGLISH, k=6)) + (" oldest" if n >= 10000 else "")

    months = [("2025-04-01Z", 10200), ("2025-03-01Z", 300)]
    with contextlib.closing(psycopg2.connect(api.database_url)) as connection:
        with connection, connection.cursor() as cursor:
            for month, count in months:
                cursor.execute(
                    "INSERT INTO survey (workspace_id, id, type, score, scale_min, scale_max, comment, answered_at)"
                    "SELECT w.id, %s || x.ord, 'nps', x.ord %% 11, 0, 10, x.comment,"
                    " %s::timestamptz - x.ord * interval '1 minute'"
                    " FROM workspace w, unnest(%s::text[]) WITH ORDINALITY x(comment, ord) WHERE w.name = %s",
                    (month, month, [text(n) for n in range(count)], client.workspace))
    return client


def test_terms_equal_the_statistics_of_postgresql(api, much):
    """ts_stat over the comments' own vectors: nothing of the service's SQL in it."""
    answer = terms(much, period="2025-03", limit=200)
    assert (answer["read"], answer["total"], answer["language"]) == (10000, 10200, "en")
    assert (answer["previous"]["read"], answer["previous"]["total"]) == (300, 300)
    newest = ("SELECT to_tsvector(''english'', comment) FROM (SELECT s.* FROM survey s JOIN workspace w"
              f" ON w.id = s.workspace_id WHERE w.name = ''{much.workspace}''"
              " AND s.answered_at >= ''{}'' AND s.answered_at < ''{}''"
              " ORDER BY s.answered_at DESC LIMIT 10000) s WHERE {}")
    classes = {"n": "true", "positive": "score >= 9", "neutral": "score IN (7, 8)", "negative": "score <= 6"}
    counts = collections.defaultdict(dict)
    with contextlib.closing(psycopg2.connect(api.database_url)) as connection:
        with connection.cursor() as cursor:
            for name, condition in classes.items():
                cursor.execute(f"SELECT word, ndoc FROM ts_stat('{newest.format('2025-03-01Z', '2025-04-01Z', condition)}')")
                for word, count in cursor:
                    counts[word][name] = count
            cursor.execute(f"SELECT word, ndoc FROM ts_stat('{newest.format('2025-02-01Z', '2025-03-01Z', 'true')}')")
            before = dict(cursor.fetchall())
    assert "oldest" not in counts and len(counts) == 12
    assert {term["lexeme"] for term in answer["terms"]} == set(counts)
    for term in answer["terms"]:
        expected = counts[term["lexeme"]]
        assert {name: term[name] for name in classes} == {name: expected.get(name, 0) for name in classes}
        assert term["previous"]["n"] == before[term["lexeme"]]
        assert term["unscored"] == 0 and term["term"] in ENGLISH
        assert term["change"] == pytest.approx(term["n"] / 100 - term["previous"]["n"] / 3, abs=1e-6)
    order = [(-term["n"], term["lexeme"]) for term in answer["terms"]]
    assert order == sorted(order)


@pytest.mark.parametrize("path", [TERMS, DRIVERS])
def test_what_a_client_has_is_not_sent_again(fresh, path):
    comments(fresh, "2025-03-05", ["bom"], type="csat", score=5, aspect="trust")
    first = fresh.get(path, period="2025-03")
    tag = {"If-None-Match": first.headers["ETag"]}
    for _ in range(2):
        same = fresh.request("GET", f"{path}?period=2025-03", headers=tag)
        assert (same.status, same.body) == (304, b"")
    assert fresh.request("GET", f"{path}?period=2025-02", headers=tag).status == 200
    comments(fresh, "2025-03-06", ["ruim"], type="csat", score=1, aspect="trust")
    changed = fresh.request("GET", f"{path}?period=2025-03", headers=tag)
    assert changed.status == 200 and changed.json() != first.json()
    tag = {"If-None-Match": changed.headers["ETag"]}
    expect(fresh.patch("/v1/workspace", {"language": "en"}), 200)
    assert fresh.request("GET", f"{path}?period=2025-03", headers=tag).status == 200


@pytest.mark.parametrize("path, query, code, parameter", [
    (TERMS, "limit=0", "invalid_parameter", "limit"), (TERMS, "limit=201", "invalid_parameter", "limit"),
    (TERMS, "limit=x", "invalid_parameter", "limit"), (TERMS, "q=x", "unknown_parameter", "q"),
    (TERMS, "format=csv", "unknown_parameter", "format"), (DRIVERS, "limit=5", "unknown_parameter", "limit"),
    (DRIVERS, "overall=open", "invalid_parameter", "overall"), (DRIVERS, "overall=", "invalid_parameter", "overall"),
    (DRIVERS, "aspect=x", "unknown_parameter", "aspect"),
    *((path, *case) for path in (TERMS, DRIVERS) for case in (
        ("period=2025-13", "invalid_parameter", "period"), ("from=2025-03-01", "invalid_parameter", "to"),
        ("period=2025&to=2025-03-01", "unsupported_combination", "period"),
        ("segment=", "invalid_parameter", "segment"), (f"channel={'x' * 65}", "invalid_parameter", "channel"))),
])
def test_parameters_are_checked(shop, path, query, code, parameter):
    expect_problem(shop.request("GET", f"{path}?{query}"), 400, code, parameter=parameter)


# Drivers


def drivers(client, **params):
    answer = expect(client.get(DRIVERS, period="2025-03", **params), 200)
    return answer, {driver["aspect"]: driver for driver in answer["drivers"]}


def submission(number, overall, aspects, at="2025-03-10T12:00:00Z", **fields):
    """One submission: type → score of the overall answers, aspect → csat score from 1 to 5."""
    common = {"submission_id": f"sub-{number}", "answered_at": at, **fields}
    return ([sample("surveys", type=kind, score=score, **common) for kind, score in overall.items()]
            + [sample("surveys", type="csat", score=score, aspect=aspect, **common)
               for aspect, score in aspects.items()])


def test_the_published_example(fresh):
    """Newcombe 1998, table II (a): 56/70 − 48/80 = 0.2000, method 10: 0.0524 to 0.3339."""
    store(fresh, "surveys", [
        survey for n in range(150)
        for survey in submission(n, {"csat": 5 if n < 56 or 70 <= n < 118 else 1}, {"trust": 4 if n < 70 else 3})])
    answer, found = drivers(fresh)
    assert list(answer) == ["definition", "period", "filters", "data", "overall", "drivers"]
    assert (answer["definition"], answer["overall"], answer["filters"]) == ("drivers@1", "csat", {})
    assert answer["period"]["key"] == "2025-03" and answer["data"]["last"] == "2025-03-10"
    trust = found["trust"]
    assert (trust["n"], trust["satisfied"], trust["share"], trust["pairs"]) == (150, 70, 46.666667, 150)
    assert trust["where_satisfied"] == {"n": 70, "positive": 56, "share": 80}
    assert trust["where_not_satisfied"] == {"n": 80, "positive": 48, "share": 60}
    assert (trust["lift"], trust["null_reason"]) == (20, None)
    assert [round(trust["lift_interval"][end] / 100, 4) for end in ("low", "high")] == [0.0524, 0.3339]
    assert (trust["lift_interval"]["method"], trust["lift_interval"]["level"]) == ("newcombe", 0.95)
    assert trust["interval"]["method"] == "wilson"
    low, high = wilson(70, 150)
    assert (trust["interval"]["low"], trust["interval"]["high"]) == (round(100 * low, 6), round(100 * high, 6))


def test_what_has_no_lift_says_why(fresh):
    surveys = []
    for n in range(30):
        surveys += submission(n, {"nps": 9 if n % 3 else 2}, {
            "communication": 5 if n % 3 else 1, "empathy": 5, **({"trust": 1} if n else {})})
    surveys += submission("alone", {}, {"speed": 5})
    store(fresh, "surveys", surveys)
    answer, found = drivers(fresh)
    assert answer["overall"] == "nps"
    assert list(found) == ["communication", "empathy", "speed", "trust"]
    assert {name: (driver["lift"], driver["null_reason"], driver["pairs"]) for name, driver in found.items()} == {
        "communication": (100, None, 30), "empathy": (None, "zero_denominator", 30),
        "trust": (None, "no_pairs", 29), "speed": (None, "no_pairs", 0)}
    assert found["communication"]["lift_interval"]["high"] == 100
    for name in ("empathy", "trust", "speed"):
        assert found[name]["lift_interval"] is None and found[name]["interval"] is not None
    assert found["speed"]["where_satisfied"] == {"n": 0, "positive": 0, "share": None}
    assert found["trust"]["where_not_satisfied"]["n"] == 29
    assert drivers(fresh, overall="csat")[1]["communication"]["null_reason"] == "no_pairs"


def test_no_aspects(fresh):
    store(fresh, "surveys", submission(1, {"csat": 5}, {}))
    answer, found = drivers(fresh)
    assert (answer["overall"], found) == (None, {})
    assert drivers(fresh, overall="ces")[0]["overall"] == "ces"


def test_which_overall_answer_counts(fresh):
    surveys = []
    for n in range(40):
        # Later, unsolicited, unscored ones and those about an aspect do not replace the overall answer; of two,
        # the later does.
        surveys += submission(n, {"csat": 1, "nps": 9}, {"trust": 5 if n < 20 else 1})
        at = {"submission_id": f"sub-{n}", "answered_at": "2025-03-11T12:00:00Z"}
        surveys.append(sample("surveys", type="csat", score=5 if n < 20 else 1, **at))
        later = {**at, "answered_at": "2025-03-12T12:00:00Z"}
        surveys.append(sample("surveys", type="csat", score=1, solicited=False, **later))
        surveys.append(sample("surveys", type="csat", score=None, comment="?", **later))
    store(fresh, "surveys", surveys)
    answer, found = drivers(fresh)
    assert answer["overall"] == "csat", "as many pairs as of nps, and preferred"
    assert (found["trust"]["lift"], found["trust"]["pairs"]) == (100, 40)
    answer, found = drivers(fresh, overall="nps")
    assert (answer["overall"], found["trust"]["lift"]) == ("nps", 0)


@pytest.fixture(scope="module")
def random_shop(api, workspace):
    """(client, surveys): submissions with gaps, of two segments and channels, in São Paulo's days."""
    client = workspace(api, timezone="America/Sao_Paulo")
    chance = random.Random(8)
    surveys = []
    for n in range(700):
        overall = {kind: chance.randint(low, high) for kind, low, high in (("csat", 1, 5), ("nps", 0, 10), ("ces", 1, 7))
                   if chance.random() < {"csat": 0.5, "nps": 0.8, "ces": 0.3}[kind]}
        aspects = {aspect: chance.randint(1, 5) for aspect in ("communication", "empathy", "trust", "rare")
                   if chance.random() < (0.04 if aspect == "rare" else 0.6)}
        labels = {name: chance.choice(choices) for name, choices in (
            ("segment", ("a", "b", None)), ("channel", ("web", "phone", None)))}
        at = f"2025-{chance.choice(('02-28', '03-01', '03-15', '03-31', '04-01'))}T{chance.choice((1, 2, 3, 12)):02}:00:00Z"
        surveys += submission(n, overall, aspects, at, **labels)
    store(client, "surveys", surveys)
    return client, surveys


POSITIVE = {"csat": 4, "nps": 9, "ces": 5}


def from_records(surveys, kind, **labels):
    """aspect → (n, satisfied, x1, n1, x2, n2), from the records alone."""
    overall = {survey["submission_id"]: survey["score"] >= POSITIVE[kind] for survey in surveys
               if survey["type"] == kind and "aspect" not in survey}
    counts = collections.defaultdict(lambda: [0] * 6)
    for survey in surveys:
        inside = "2025-03-01T03:00:00Z" <= survey["answered_at"] < "2025-04-01T03:00:00Z"
        if "aspect" in survey and inside and all(survey[name] == value for name, value in labels.items()):
            count, satisfied = counts[survey["aspect"]], survey["score"] >= 4
            count[0] += 1
            count[1] += satisfied
            positive = overall.get(survey["submission_id"])
            if positive is not None:
                count[2 if satisfied else 4] += positive
                count[3 if satisfied else 5] += 1
    return counts


@pytest.mark.parametrize("labels", [{}, {"segment": "a"}, {"channel": "web"}, {"segment": "b", "channel": "phone"}])
@pytest.mark.parametrize("kind", ["csat", "nps", "ces", None])
def test_drivers_equal_the_records(random_shop, kind, labels):
    client, surveys = random_shop
    answer, found = drivers(client, overall=kind, **labels)
    assert answer["filters"] == labels
    assert answer["overall"] == (kind or "nps")
    expected = from_records(surveys, kind or "nps", **labels)
    assert set(found) == set(expected)
    for aspect, (n, satisfied, x1, n1, x2, n2) in expected.items():
        driver = found[aspect]
        assert (driver["n"], driver["satisfied"], driver["pairs"]) == (n, satisfied, n1 + n2)
        assert driver["share"] == pytest.approx(100 * satisfied / n, abs=1e-6)
        ends = [driver["interval"][end] for end in ("low", "high")]
        assert ends == pytest.approx([100 * end for end in wilson(satisfied, n)], abs=1e-6)
        for side, x, size in (("where_satisfied", x1, n1), ("where_not_satisfied", x2, n2)):
            assert (driver[side]["n"], driver[side]["positive"]) == (size, x)
        if n1 + n2 < 30:
            assert (driver["lift"], driver["null_reason"]) == (None, "no_pairs")
        else:
            assert driver["lift"] == pytest.approx(100 * (x1 / n1 - x2 / n2), abs=1e-6)
            ends = [driver["lift_interval"][end] for end in ("low", "high")]
            assert ends == pytest.approx([100 * end for end in newcombe(x1, n1, x2, n2)], abs=1e-6)
    lifts = [driver["lift"] for driver in answer["drivers"] if driver["lift"] is not None]
    assert lifts == sorted(lifts, reverse=True)
    assert all(driver["lift"] is None for driver in answer["drivers"][len(lifts):])


def test_other_workspaces_and_scopes(api, workspace, random_shop):
    stranger = workspace(api)
    assert drivers(stranger)[1] == {} and terms(stranger, period="2025-03")["terms"] == []
    # The same submissions, no overall answers of one's own.
    store(stranger, "surveys", [survey for n in range(40) for survey in submission(n, {}, {"trust": 5})])
    assert drivers(stranger)[1]["trust"]["pairs"] == 0
    figures = make_client(api, random_shop[0].workspace, "figures")
    assert drivers(figures)[1] == drivers(random_shop[0])[1]
    assert figures.get(TERMS).status == 403
