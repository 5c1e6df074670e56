"""GET /v1/feedback: comments by words, classes and labels, page by page or all at once."""

import contextlib
import csv
import io
import json
import random
import time

import psycopg2
import pytest

from api.checks import FIELDS, expect, expect_problem, make_client, path_of, sample

PATH = "/v1/feedback"
CLASSES = ("positive", "neutral", "negative", "unscored")


def moment(second):
    return f"2025-03-04T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


def store(client, records):
    for at in range(0, len(records), 900):
        expect(client.post_ndjson("/v1/surveys", records[at:at + 900]), 200)


def said(name, comment, second=0, **fields):
    return sample("surveys", id=name, comment=comment, answered_at=moment(second), **fields)


def walk(client, **params):
    """All items, page by page."""
    answer = expect(client.get(PATH, **params), 200)
    items = answer["items"]
    while answer["next_cursor"] is not None:
        answer = expect(client.get(PATH, cursor=answer["next_cursor"]), 200)
        assert set(answer) == {"items", "next_cursor"}
        items += answer["items"]
    return items


def ids(items):
    return [item["id"] for item in items]


def found(client, q, **params):
    """What a search finds, in order; the same in every form and by pages of whatever size."""
    names = ids(walk(client, q=q, **params))
    assert ids(walk(client, q=q, limit=1, **params)) == names
    lines = client.get(PATH, q=q, format="ndjson", **params)
    assert ids(json.loads(line) for line in lines.body.splitlines()) == names
    return names


def search(client, q):
    return sorted(found(client, q))


# Search

PORTUGUESE = {
    "reclamar": "Vou reclamar até resolverem.",
    "reclamacao": "RECLAMACAO sem resposta",
    "reclamacoes": "Minhas reclamações não foram ouvidas",
    "otimo": "Ótimo atendimento!",
    "otima": "otima entrega, muito rapida",
    "rapido": "Entregaram ra\u0301pido",  # the accent as a character of its own
    "confiavel": "Loja confiável e entregas rápidas",
    "experiencia": "experiencias ruins com a transportadora",
    "nao": "Não recebi. NAO recomendo!",
    "pos": "O pós-venda é péssimo",
}

ENGLISH = {
    "delivery": "The delivery was late",
    "deliveries": "Late deliveries, again",
    "cafe": "Great café near the office",
    "running": "They keep running late",
    "not": "This is not what I ordered",
}


@pytest.fixture(scope="module")
def portuguese(api, workspace):
    client = workspace(api)
    store(client, [said(name, text, n) for n, (name, text) in enumerate(PORTUGUESE.items())])
    return client


@pytest.fixture(scope="module")
def english(api, workspace):
    client = workspace(api, language="en")
    store(client, [said(name, text, n) for n, (name, text) in enumerate(ENGLISH.items())])
    return client


@pytest.mark.parametrize("q, names", [
    *((q, "reclamacao reclamacoes reclamar") for q in (
        "reclamação", "reclamacao", "Reclamações", "RECLAMACOES", "reclamar")),
    *((q, "otima otimo") for q in ("ótimo", "otima", "ÓTIMOS", "o\u0301timo")),
    *((q, "confiavel otima rapido") for q in ("rápido", "rapida", "RÁPIDAS")),
    *((q, "confiavel") for q in ("confiável", "confiavel", "confiáveis", "confiaveis")),
    *((q, "experiencia") for q in ("experiência", "experiencia")),
    ("entrega rápida", "confiavel otima rapido"), ('"entrega rápida"', "confiavel rapido"),
    ('"entregas rapidas"', "confiavel rapido"), ('"rápida entrega"', ""),
    ("entrega -loja", "otima rapido"), ("loja or venda", "confiavel pos"), ("pós-venda", "pos"),
    ("venda", "pos"), ("péssimo", "pos"), ("a entrega", "confiavel otima rapido"),
    ("recomendo não", "nao"), ("não recomendo", "nao"), ("xyzzy", ""),
    ("-entrega", "experiencia nao otimo pos reclamacao reclamacoes reclamar"),
    ("' & ! : * ( ) | \\ entrega", "confiavel otima rapido"),
])
def test_portuguese(portuguese, q, names):
    assert search(portuguese, q) == names.split()


@pytest.mark.parametrize("q, names", [
    ("delivery", "deliveries delivery"), ("DELIVERIES", "deliveries delivery"),
    ("cafe", "cafe"), ("CAFÉ", "cafe"), ("run", "running"), ("late -delivery", "running"),
    ('"late delivery"', "deliveries"), ("the office", "cafe"), ("reclamação", "")])
def test_english(english, q, names):
    assert search(english, q) == names.split()


@pytest.mark.parametrize("language, q", [
    ("pt", "de"), ("pt", "não"), ("pt", "nao"), ("pt", "também"), ("pt", "tambem você já"), ("en", "the"),
    ("pt", "!!!"), ("en", " "), ("pt", "-de")])
def test_stop_words_alone_find_nothing_to_search_for(portuguese, english, language, q):
    client = {"pt": portuguese, "en": english}[language]
    problem = expect_problem(client.get(PATH, q=q), 400, "invalid_parameter", parameter="q")
    assert "so common" in problem["detail"]
    for form in ("csv", "ndjson"):
        expect_problem(client.get(PATH, q=q, format=form), 400, "invalid_parameter", parameter="q")


def test_every_stop_word_of_portuguese_is_one_without_its_accents_too(api):
    with contextlib.closing(psycopg2.connect(api.database_url)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("""
                WITH given AS (SELECT unnest(%s::text[]) AS word)
                SELECT count(*), array_agg(word) FILTER (WHERE comment_lexemes('pt', word) <> ''),
                       array_agg(word) FILTER (WHERE to_tsvector('portuguese', word) <> '') FROM given""",
                           ["à às até está estamos estão há já não nós são só também você vocês éramos será "
                            "terá tínhamos estávamos seríamos teríamos houveríamos fôramos fôssemos".split()])
            count, left, unknown = cursor.fetchone()
    assert (count, left) == (25, None), unknown


def test_a_change_of_language_keeps_the_search_right(api, fresh):
    store(fresh, [said("a", "The deliveries are late", 1), said("b", "Entregas e reclamações", 2)])
    # "the" is a word in Portuguese; "deliveries" and "delivery" are not the same there.
    assert (search(fresh, "the"), search(fresh, "delivery"), search(fresh, "reclamacao")) == (["a"], [], ["b"])
    expect(fresh.patch("/v1/workspace", {"language": "en"}), 200)
    expect_problem(fresh.get(PATH, q="the"), 400, "invalid_parameter", parameter="q")
    assert (search(fresh, "delivery"), search(fresh, "reclamação")) == (["a"], [])
    assert search(fresh, "reclamações") == ["b"]
    expect(fresh.patch("/v1/workspace", {"language": "pt"}), 200)
    assert (search(fresh, "the"), search(fresh, "delivery"), search(fresh, "reclamacao")) == (["a"], [], ["b"])


def test_a_search_follows_changes(fresh):
    expect(fresh.post("/v1/surveys", said("a", "Chegou quebrado")), 201)
    assert search(fresh, "quebrada") == ["a"]
    expect(fresh.patch(path_of("surveys", "a"), {"comment": "Chegou inteiro"}), 200)
    assert (search(fresh, "quebrada"), search(fresh, "inteira")) == ([], ["a"])
    expect(fresh.patch(path_of("surveys", "a"), {"comment": None}), 200)
    assert (search(fresh, "inteira"), walk(fresh)) == ([], [])
    expect(fresh.patch(path_of("surveys", "a"), {"comment": "Chegou"}), 200)
    assert search(fresh, "chegou") == ["a"]
    assert fresh.delete(path_of("surveys", "a")).status == 204
    assert search(fresh, "chegou") == []


WORDS = ("alfa", "beta", "gama", "delta", "zeta")


@pytest.fixture(scope="module")
def many(api, workspace):
    """(client, {id: comment}): 3,500 comments, newest first, so that some words are common and some rare."""
    client = workspace(api)
    chance = random.Random(4)
    comments = {}
    for n in range(3500):
        words = [chance.choice(WORDS[:4]) for _ in range(chance.randrange(1, 5))]
        comments[f"m{n:04}"] = " ".join(words + ["zeta"] * (n % 1500 == 7))
    with contextlib.closing(psycopg2.connect(api.database_url)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO survey (workspace_id, id, type, score, scale_min, scale_max, comment, answered_at)"
                "SELECT w.id, x.id, 'nps', 9, 0, 10, x.comment, timestamptz '2025-01-01Z'"
                " - x.ord * interval '20 seconds'"
                " FROM workspace w, unnest(%s::text[], %s::text[]) WITH ORDINALITY x(id, comment, ord)"
                " WHERE w.name = %s", (list(comments), list(comments.values()), client.workspace))
    return client, comments


@pytest.mark.parametrize("q, fits", [
    ("alfa", lambda text: "alfa" in text), ("zeta", lambda text: "zeta" in text),
    ('"alfa beta"', lambda text: "alfa beta" in text), ("-alfa", lambda text: "alfa" not in text),
    ('alfa -"alfa beta"', lambda text: "alfa" in text and "alfa beta" not in text),
    ('"gama delta gama"', lambda text: "gama delta gama" in text),
    ("zeta or nada", lambda text: "zeta" in text), ("nada", lambda text: False)])
def test_common_words_and_rare_ones(many, q, fits):
    client, comments = many
    expected = [name for name, text in comments.items() if fits(text)]
    assert ids(walk(client, q=q, limit=900)) == expected
    rows = client.get(PATH, q=q, format="csv")
    assert ids(csv.DictReader(io.StringIO(rows.body.decode()))) == expected
    # Comment m0200 lies 201 × 20 seconds before the year.
    assert ids(walk(client, q=q, to="2024-12-31T22:53:00.5Z", limit=900)) == [
        name for name in expected if name >= "m0200"]
    begun = time.monotonic()
    expect(client.get(PATH, q=q, limit=10), 200)
    assert time.monotonic() - begun < 5


# Items, classes, filters


def test_items_are_the_records_and_their_class(fresh):
    stored = {
        "promoter": dict(type="nps", score=9), "passive": dict(type="nps", score=7),
        "detractor": dict(type="nps", score=6), "satisfied": dict(type="csat", score=4),
        "neither": dict(type="csat", score=3), "dissatisfied": dict(type="csat", score=2),
        "easy": dict(type="ces", score=5), "halfway": dict(type="ces", score=4),
        "hard": dict(type="ces", score=3), "reversed": dict(type="ces", score=1, direction="low_is_easy"),
        "aspect": dict(type="csat", score=5, aspect="trust"),
        "heard": dict(type="csat", score=1, solicited=False),
        "open": dict(type="open", score=None), "unscored": dict(type="nps", score=None)}
    classes = dict(zip(stored, ("positive", "neutral", "negative") * 3 + ("positive", "positive", "negative",
                                                                         "unscored", "unscored")))
    store(fresh, [said(name, f"Comentário {name}", n, **fields)
                  for n, (name, fields) in enumerate(stored.items())])
    store(fresh, [sample("surveys", id="silent", answered_at=moment(99)),
                  sample("surveys", id="invited", score=None, answered_at=None, sent_at=moment(98))])
    items = walk(fresh)
    assert ids(items) == list(reversed(stored))
    assert {item["id"]: item["score_class"] for item in items} == classes
    for item in items:
        assert set(item) == FIELDS["surveys"] | {"score_class"}
        record = expect(fresh.get(path_of("surveys", item["id"])), 200)
        assert {**record, "score_class": item["score_class"]} == item
    for name in CLASSES:
        assert ids(walk(fresh, score_class=name, limit=2)) == [
            survey for survey in reversed(stored) if classes[survey] == name]
    parts = expect(fresh.get("/v1/kpis/feedback", period="2025-03"), 200)["kpis"]["feedback"]["parts"]
    assert {name: parts[name] for name in CLASSES} == {
        name: list(classes.values()).count(name) for name in CLASSES}


def test_every_form(fresh):
    texts = ['say "so"', "a,b;c", "line\nbreak", "ção 👍", "=1+1"]
    store(fresh, [said(f"s{n}", text, n, metadata={"n": n}) for n, text in enumerate(texts)])
    items = walk(fresh)
    lines = fresh.get(PATH, format="ndjson")
    assert lines.headers["Content-Type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in lines.body.splitlines()] == items
    table = fresh.request("GET", PATH, headers={"Accept": "text/csv"})
    assert table.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))
    assert set(rows[0]) == FIELDS["surveys"] | {"score_class"}
    assert [(row["id"], row["comment"], row["score_class"]) for row in rows] == [
        (item["id"], item["comment"], "positive") for item in items]
    empty = fresh.get(PATH, format="csv", q="xyzzy")
    assert empty.body.decode().strip().split(",")[-1] == "score_class" and empty.body.count(b"\r\n") == 1


def test_filters(fresh):
    expect(fresh.post("/v1/customers", sample("customers", id="c", segment="gold")), 201)
    expect(fresh.post("/v1/interactions", sample("interactions", id="i", channel="phone", topic="fatura",
                                                 agent="ana")), 201)
    store(fresh, [
        said("plain", "bom", 1),
        said("followed", "bom", 2, customer_id="c", interaction_id="i"),
        said("own", "bom", 3, segment="prata", channel="web", touchpoint="loja", aspect="trust"),
        said("rated", "bom", 4, type="csat", score=1)])
    both = ["own", "followed"]
    for wanted, expected in (
            (dict(segment="gold"), ["followed"]), (dict(segment="prata"), ["own"]),
            (dict(channel="phone"), ["followed"]), (dict(channel="web"), ["own"]),
            (dict(topic="fatura"), ["followed"]), (dict(topic="x"), []), (dict(agent="ana"), ["followed"]),
            (dict(touchpoint="loja"), ["own"]), (dict(aspect="trust"), ["own"]), (dict(type="csat"), ["rated"]),
            (dict(customer_id="c"), ["followed"]), (dict(customer_id="d"), []),
            (dict(customer_id="c", agent="ana", topic="fatura", segment="gold", score_class="positive"),
             ["followed"]),
            (dict(score_class="negative"), ["rated"]), (dict(from_=moment(2), to=moment(4)), both),
            (dict(from_="2025-03-04", to="2025-03-05"), ["rated", *both, "plain"]), (dict(to="2025-03-04"), []),
            (dict(period="2025-03"), ["rated", *both, "plain"]), (dict(period="2025-W10"), ["rated", *both, "plain"]),
            (dict(period="2025-02"), []), (dict(period="last_month"), [])):
        assert ids(walk(fresh, **wanted, limit=1)) == expected, wanted
        assert found(fresh, "bom", **wanted) == expected, wanted


def test_a_period_is_the_workspaces(api, workspace):
    client = workspace(api, timezone="America/Sao_Paulo")
    for name, at in (("before", "2025-03-01T02:59:59Z"), ("first", "2025-03-01T03:00:00Z"),
                     ("last", "2025-04-01T02:59:59Z"), ("after", "2025-04-01T03:00:00Z")):
        store(client, [sample("surveys", id=name, comment="bom", answered_at=at)])
    assert ids(walk(client, period="2025-03", limit=1)) == ["last", "first"]


def test_cursors_hold_the_search(fresh):
    store(fresh, [said(f"s{n}", "muito bom" if n % 2 else "muito ruim", n) for n in range(20)])
    first = expect(fresh.get(PATH, q="bom", period="2025-03", limit=4), 200)
    assert ids(first["items"]) == ["s19", "s17", "s15", "s13"]
    cursor = first["next_cursor"]
    assert ids(expect(fresh.get(PATH, cursor=cursor, limit=9), 200)["items"]) == ["s11", "s9", "s7", "s5", "s3", "s1"]
    expect_problem(fresh.get(PATH, cursor=cursor, q="ruim"), 400, "unsupported_combination", parameter="q")
    expect_problem(fresh.get("/v1/surveys", cursor=cursor), 400, "bad_cursor")
    other = expect(fresh.get("/v1/surveys", limit=4), 200)["next_cursor"]
    expect_problem(fresh.get(PATH, cursor=other), 400, "bad_cursor")


@pytest.mark.parametrize("query, code, parameter", [
    ("q=", "invalid_parameter", "q"), (f"q={'x' * 201}", "invalid_parameter", "q"),
    ("score_class=", "invalid_parameter", "score_class"), ("score_class=1", "invalid_parameter", "score_class"),
    ("topic=", "invalid_parameter", "topic"), (f"agent={'x' * 65}", "invalid_parameter", "agent"),
    ("type=NPS", "invalid_parameter", "type"), ("period=2025-13", "invalid_parameter", "period"),
    ("period=", "invalid_parameter", "period"), ("period=2025&from=2025-01-01", "unsupported_combination", "period"),
    ("limit=0", "invalid_parameter", "limit"), ("from=x", "invalid_parameter", "from"),
    ("format=xml", "invalid_parameter", "format"), ("status=open", "unknown_parameter", "status"),
    ("owner=x", "unknown_parameter", "owner"), ("reason=x", "unknown_parameter", "reason"),
    ("q=a&q=b", "invalid_parameter", "q"), ("cursor=x", "bad_cursor", "cursor"),
])
def test_parameters_are_checked(shop, query, code, parameter):
    expect_problem(shop.request("GET", f"{PATH}?{query}"), 400, code, parameter=parameter)


def test_a_search_stays_in_its_workspace(api, workspace, portuguese):
    stranger = workspace(api)
    store(stranger, [said("theirs", "reclamação", 1)])
    assert search(stranger, "reclamar") == ["theirs"]
    assert search(stranger, "-entrega") == ["theirs"]
    assert "theirs" not in search(portuguese, "reclamar")
    number = stranger.workspace.removeprefix("ws")
    for q in (f"' {number}'", f'" {number}"', number, "' 1' or ' 2' or ' 3'"):
        assert search(portuguese, q) == [], q
    cursor = expect(portuguese.get(PATH, q="entrega", limit=1), 200)["next_cursor"]
    expect_problem(stranger.get(PATH, cursor=cursor), 400, "bad_cursor")


def test_only_who_may_read_sees_comments(api, shop):
    for scope, status in (("read", 200), ("write", 200), ("figures", 403), ("publishable", 403)):
        client = make_client(api, shop.workspace, scope)
        for path in (PATH, f"{PATH}/terms"):
            assert client.get(path).status == status, (path, scope)
