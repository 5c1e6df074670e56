"""The command line as a user meets it, against a real database and a running service."""

import datetime
import itertools
import os
import re
import subprocess
import time

import psycopg2
import pytest

from support.client import Client
from support.service import ROOT, binary, cli, cli_output, environment

COMMANDS = [
    "serve", "migrate", "workspace create", "workspace list", "key create", "key list",
    "key revoke", "rebuild", "demo", "version",
]
KEY = re.compile(r"vk_[A-Za-z0-9_-]{43}")
NO_DATABASE = "postgresql://nobody:planted-secret@127.0.0.1:1/nowhere?connect_timeout=2"
KNOWN_WITHIN_S = 0.1
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def url(database):
    return database()


def name():
    return f"cli{next(numbers)}"


def query(url, sql, *values):
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


def rows(done):
    """The lines of a list as dictionaries."""
    assert done.returncode == 0, done.stderr
    head, *lines = [line.split("\t") for line in done.stdout.splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


def misused(done, *expected):
    assert done.returncode == 2, done
    assert done.stdout == ""
    for text in expected:
        assert text in done.stderr


# Help and usage


def test_overview_lists_every_command():
    done = cli(NO_DATABASE, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^  vinculo (\w+(?: \w+)?)  ", done.stdout, re.MULTILINE) == COMMANDS
    assert cli(NO_DATABASE, "-h").stdout == done.stdout == cli(NO_DATABASE, "help").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_without_a_database(command):
    done = cli(NO_DATABASE, *command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: vinculo {command}")
    synopsis = done.stdout.splitlines()[0]
    listed = re.findall(r"^  (--[a-z]+)", done.stdout, re.MULTILINE)
    assert re.findall(r"--[a-z]+", synopsis) == [option for option in listed if option != "--help"]


def test_help_of_serve_lists_the_settings_of_the_source():
    source = (ROOT / "src" / "base" / "settings.c").read_text()
    settings = re.findall(r'^    (?:TEXT|INTEGER)\("(VINCULO_\w+)"', source, re.MULTILINE)
    shown = re.findall(r"^  (VINCULO_\w+)  ", cli(NO_DATABASE, "serve", "--help").stdout,
                       re.MULTILINE)
    assert len(settings) > 10
    assert shown == settings


def test_groups():
    for group in ("workspace", "key"):
        done = cli(NO_DATABASE, group, "--help")
        assert done.returncode == 0
        assert re.findall(r"^  vinculo (\w+(?: \w+)?)  ", done.stdout, re.MULTILINE) == [
            command for command in COMMANDS if command.startswith(group)]
        misused(cli(NO_DATABASE, group), "Usage")


def test_version():
    project = (ROOT / "CMakeLists.txt").read_text()
    version = re.search(r"project\(vinculo VERSION (\S+)", project)[1]
    assert cli_output(NO_DATABASE, "version") == f"vinculo {version}"


@pytest.mark.parametrize("words, expected", [
    ((), "Usage"),
    (("sing",), '"sing"'),
    (("key", "sing"), '"key sing"'),
    (("serve", "now"), '"now"'),
    (("migrate", "--fast"), "--fast is not an option"),
    (("migrate", "-x"), "-x is not an option"),
    (("workspace", "create"), "NAME is missing"),
    (("workspace", "create", "a", "b"), '"b"'),
    (("workspace", "create", "a", "--timezone"), "--timezone needs a value"),
    (("workspace", "create", "a", "--currency", "brl"), "three capital letters"),
    (("workspace", "create", "a", "--currency", "BRLX"), "three capital letters"),
    (("workspace", "create", "a", "--language", "fr"), "pt or en"),
    (("workspace", "create", ""), "1 to 64"),
    (("workspace", "create", "é" * 65), "1 to 64"),
    (("workspace", "create", "a\tb"), "control character"),
    (("workspace", "create", "a\u0085b"), "control character"),
    (("key", "create", "--scope", "read"), "--workspace is missing"),
    (("key", "create", "--workspace", "a"), "--scope is missing"),
    (("key", "create", "--workspace", "a", "--scope", "root"), "publishable"),
    (("key", "create", "--workspace", "a", "--workspace", "b", "--scope", "read"), "1 time at most"),
    (("key", "create", "--workspace", "a", "--scope", "read", "--origin", "https://example.com"),
     "figures and publishable"),
    (("key", "create", "--workspace", "a", "--scope", "figures", "--origin", "https://example.com/"),
     "without a path"),
    (("key", "create", "--workspace", "a", "--scope", "figures", "--origin", "http://*.example.com"),
     "is not an origin"),
    (("key", "create", "--workspace", "a", "--scope", "read", "--expires", "2030-01-01"), "RFC 3339"),
    (("key", "create", "--workspace", "a", "--scope", "read", "--expires", "2020-01-01T00:00:00Z"),
     "in the past"),
    (("key", "revoke", "1"), "is not a key's id"),
    (("rebuild", "--check=yes"), "--check=yes"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else None)
def test_wrong_usage_exits_2_and_says_what_is_right(words, expected):
    misused(cli(NO_DATABASE, *words), expected)


# Settings and the database


@pytest.mark.parametrize("command", ["migrate", "serve", "workspace list", "key list", "rebuild"])
def test_without_a_reachable_database(command):
    started = time.monotonic()
    done = cli(NO_DATABASE, *command.split())
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr and "planted-secret" not in done.stderr
    assert time.monotonic() - started < 30


def test_without_the_setting():
    done = cli("", "workspace", "list")
    assert done.returncode == 1
    assert "VINCULO_DATABASE_URL" in done.stderr and "postgresql://" in done.stderr


def test_every_wrong_setting_is_named():
    done = cli(NO_DATABASE, "workspace", "list",
               env={"VINCULO_WORKERS": "many", "VINCULO_LOG_LEVEL": "loud", "VINCULO_WORKER": "1"})
    assert done.returncode == 1
    for variable in ("VINCULO_WORKERS ", "VINCULO_LOG_LEVEL ", "VINCULO_WORKER "):
        assert variable in done.stderr


def test_output_that_cannot_be_written_is_a_failure(url):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([binary(), "workspace", "list"], env=environment(url), stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "standard output" in done.stderr


# Workspaces


def test_workspace_with_defaults(url):
    made = name()
    assert cli_output(url, "workspace", "create", made) == made
    (row,) = [row for row in rows(cli(url, "workspace", "list")) if row["name"] == made]
    assert (row["timezone"], row["currency"], row["language"]) == ("UTC", "BRL", "pt")
    datetime.datetime.strptime(row["created_at"], "%Y-%m-%dT%H:%M:%SZ")


def test_workspace_with_everything(url):
    made = "Loja é № " + name()
    cli_output(url, "workspace", "create", made, "--timezone", "America/Sao_Paulo",
               "--currency", "EUR", "--language", "en")
    assert query(url, "SELECT timezone, currency, language FROM workspace WHERE name = %s", made) == [
        ("America/Sao_Paulo", "EUR", "en")]


def test_an_existing_workspace_stays_as_it_is(url):
    made = name()
    cli_output(url, "workspace", "create", made)
    done = cli(url, "workspace", "create", made, "--currency", "EUR")
    assert (done.returncode, done.stdout) == (1, "")
    assert "already" in done.stderr
    assert query(url, "SELECT currency FROM workspace WHERE name = %s", made) == [("BRL",)]


@pytest.mark.parametrize("zone, expected", [
    ("Mars/Olympus", "IANA"),
    ("america/sao_paulo", '"America/Sao_Paulo" is'),
    ("right/UTC", "IANA"),
    ("posix/UTC", "IANA"),
    ("+03:00", "IANA"),
    ("BRT3", "IANA"),
    ("", "IANA"),
])
def test_time_zones_are_those_of_the_database(url, zone, expected):
    made = name()
    misused(cli(url, "workspace", "create", made, "--timezone", zone), expected)
    assert query(url, "SELECT 1 FROM workspace WHERE name = %s", made) == []


def test_a_name_that_is_not_utf8_is_refused(url):
    done = cli(url, "workspace", "create", os.fsdecode(b"a\xff"))
    assert done.returncode == 1
    assert "UTF8" in done.stderr


# Keys


def make_key(url, workspace, scope, *options):
    key = cli_output(url, "key", "create", "--workspace", workspace, "--scope", scope, *options)
    assert KEY.fullmatch(key)
    return key


def test_only_a_hash_of_a_key_is_stored(url):
    made = name()
    cli_output(url, "workspace", "create", made)
    key = make_key(url, made, "admin", "--name", "página")
    stored = query(url, "SELECT k::text FROM api_key k JOIN workspace w ON w.id = k.workspace_id "
                        "WHERE w.name = %s", made)
    assert len(stored) == 1
    assert key not in stored[0][0] and key[3:] not in stored[0][0]
    assert key not in cli(url, "key", "list").stdout


def test_key_list_shows_what_was_given(url):
    made, other = name(), name()
    cli_output(url, "workspace", "create", made)
    cli_output(url, "workspace", "create", other)
    make_key(url, other, "read")
    make_key(url, made, "write")
    make_key(url, made, "figures", "--origin", "https://example.com",
             "--origin", "https://*.example.com", "--name", "painel",
             "--expires", "2090-01-01T00:00:00-03:00")
    plain, full = rows(cli(url, "key", "list", "--workspace", made))
    assert (plain["workspace"], plain["scope"], plain["origins"], plain["expires_at"]) == (
        made, "write", "", "")
    assert (full["scope"], full["name"], full["origins"], full["expires_at"]) == (
        "figures", "painel", "https://example.com https://*.example.com", "2090-01-01T03:00:00Z")
    assert {row["workspace"] for row in rows(cli(url, "key", "list"))} >= {made, other}


def test_a_key_needs_its_workspace(url):
    done = cli(url, "key", "create", "--workspace", "nowhere", "--scope", "read")
    assert (done.returncode, done.stdout) == (1, "")
    assert '"nowhere"' in done.stderr and "vinculo workspace list" in done.stderr


def test_revoking_what_is_not_there(url):
    done = cli(url, "key", "revoke", "00000000-0000-4000-8000-000000000000")
    assert done.returncode == 1
    assert "vinculo key list" in done.stderr


# Keys on a running service


def answer(client, origin=None):
    """Status and code of a KPI request, which every scope but publishable may make."""
    got = client.request("GET", "/v1/kpis?period=2026-01", headers={"Origin": origin} if origin else {})
    return got.status, None if got.status == 200 else got.json()["code"]


def within(deadline_s, expected, ask):
    end = time.monotonic() + deadline_s
    while (seen := ask()) != expected and time.monotonic() < end:
        time.sleep(0.002)
    assert seen == expected


def test_keys_come_and_go_at_once(api):
    database_url, made = api.database_url, name()
    cli_output(database_url, "workspace", "create", made)
    for scope in ("read", "write", "admin", "figures"):
        client = Client(api.url, make_key(database_url, made, scope))
        within(KNOWN_WITHIN_S, (200, None), lambda: answer(client))
        listed = rows(cli(database_url, "key", "list", "--workspace", made))
        (key_id,) = [row["id"] for row in listed if row["scope"] == scope]
        assert cli(database_url, "key", "revoke", key_id).returncode == 0
        within(KNOWN_WITHIN_S, (401, "unauthorized"), lambda: answer(client))


def test_a_key_ends_when_it_expires(api):
    database_url, made = api.database_url, name()
    cli_output(database_url, "workspace", "create", made)
    ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    client = Client(api.url, make_key(database_url, made, "read", "--expires", ends.isoformat()))
    within(KNOWN_WITHIN_S, (200, None), lambda: answer(client))
    time.sleep(max(0.0, ends.timestamp() - time.time()) + 0.01)
    assert answer(client) == (401, "unauthorized")


def test_origins(api):
    database_url, made = api.database_url, name()
    cli_output(database_url, "workspace", "create", made)
    client = Client(api.url, make_key(
        database_url, made, "figures", "--origin", "https://example.com",
        "--origin", "https://*.shop.example", "--origin", "http://localhost:3000"))
    within(KNOWN_WITHIN_S, (200, None), lambda: answer(client))
    for origin in ("https://example.com", "https://www.shop.example", "https://a.b.shop.example",
                   "http://localhost:3000"):
        assert answer(client, origin) == (200, None), origin
    for origin in ("https://www.example.com", "http://example.com", "https://shop.example",
                   "http://www.shop.example", "https://evil.net/.shop.example",
                   "https://notshop.example", "http://localhost:3001", "null"):
        assert answer(client, origin) == (403, "origin_not_allowed"), origin
    anywhere = Client(api.url, make_key(database_url, made, "figures"))
    within(KNOWN_WITHIN_S, (200, None), lambda: answer(anywhere, "https://any.example"))


def test_what_is_no_key(api):
    for key in ("vk_", "vk_" + "A" * 43, "x", "vk_" + "A" * 5000):
        assert answer(Client(api.url, key)) == (401, "unauthorized")


# Rebuild

RECORDS = """
    INSERT INTO customer (workspace_id, id, started_at, segment)
        SELECT %(w)s, 'c' || i, timestamptz '2026-01-05Z' + i * interval '1 day', 's' || i %% 3
          FROM generate_series(1, 20) i;
    INSERT INTO cancellation (workspace_id, id, customer_id, cancelled_at)
        SELECT %(w)s, 'k' || i, 'c' || i, timestamptz '2026-02-20Z' FROM generate_series(1, 5) i;
    INSERT INTO survey (workspace_id, id, type, score, scale_min, scale_max, answered_at, customer_id)
        SELECT %(w)s, 'a' || i, 'nps', i %% 11, 0, 10,
               timestamptz '2026-01-10Z' + i * interval '1 day', 'c' || i
          FROM generate_series(1, 20) i;
    INSERT INTO interaction (workspace_id, id, opened_at, first_response_at, resolved_at, customer_id)
        SELECT %(w)s, 'i' || i, t, t + i * interval '1 minute', t + i * interval '1 hour', 'c' || i
          FROM generate_series(1, 20) i,
               LATERAL (SELECT timestamptz '2026-01-10Z' + i * interval '1 day') AS moment(t);
"""


@pytest.fixture
def filled(database):
    """URL of a database with two workspaces, 'one' (id 1) and 'two', that hold the same records."""
    url = database()
    for workspace in ("one", "two"):
        cli_output(url, "workspace", "create", workspace)
        connection = psycopg2.connect(url)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM workspace WHERE name = %s", (workspace,))
            number = cursor.fetchone()[0]
            cursor.execute(RECORDS, {"w": number})
            cursor.execute("SELECT totals_fold(%s)", (number,))
        connection.close()
    return url


def test_check_of_right_figures_whether_changes_are_folded_or_wait(filled):
    query(filled, "INSERT INTO survey (workspace_id, id, type, score, scale_min, scale_max, answered_at) "
                  "VALUES (1, 'waits', 'nps', 10, 0, 10, '2026-01-02T00:00:00Z')")
    assert query(filled, "SELECT workspace_id FROM survey_change") == [(1,)]
    done = cli(filled, "rebuild", "--check")
    assert (done.returncode, done.stdout) == (0, "2 workspaces checked, 0 differing cells\n"), done
    one = cli(filled, "rebuild", "--check", "--workspace", "one")
    assert (one.returncode, one.stdout) == (0, "1 workspace checked, 0 differing cells\n")


# Statement that spoils cells of workspace 1, table, cells that differ then.
SPOILED = [
    ("UPDATE survey_totals SET {measure} = {measure} + 1 WHERE workspace_id = 1 AND grain = 'm' "
     "AND cut = 0 AND start = '2026-01-01'", "survey_totals"),
    ("UPDATE interaction_totals SET {measure} = {measure} + 1 WHERE workspace_id = 1 "
     "AND grain = 'm' AND cut = 0 AND start = '2026-01-01'", "interaction_totals"),
    ("UPDATE life_totals SET {measure} = {measure} + 1 WHERE workspace_id = 1 AND grain = 'm' "
     "AND cut = 0 AND start = '2026-01-01'", "life_totals"),
]


def measure(url, table):
    """A column of the table that is summed."""
    return query(url, "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                      "AND atttypid = 'bigint'::regtype ORDER BY attnum LIMIT 1", table)[0][0]


@pytest.mark.parametrize("statement, table", SPOILED, ids=[table for _, table in SPOILED])
def test_check_finds_a_wrong_cell_and_rebuild_mends_it(filled, statement, table):
    column = measure(filled, table)
    query(filled, statement.format(measure=column))
    for words in ((), ("--workspace", "one")):
        done = cli(filled, "rebuild", "--check", *words)
        assert done.returncode == 1
        lines = done.stdout.splitlines()
        spoiled = int(re.fullmatch(rf"workspace one, {table}: (\d+) differing cells?:", lines[0])[1])
        assert lines[-1].endswith(f"checked, {spoiled} differing cell{'s' if spoiled > 1 else ''}")
        sides = [line.split()[0] for line in lines[1:-1]]
        assert sides == ["stored", "expected"] * spoiled
        assert column in lines[1]
    assert cli(filled, "rebuild", "--check", "--workspace", "two").returncode == 0
    assert cli_output(filled, "rebuild", "--workspace", "two") == "1 workspace rebuilt"
    assert cli(filled, "rebuild", "--check").returncode == 1
    assert cli_output(filled, "rebuild") == "2 workspaces rebuilt"
    assert cli(filled, "rebuild", "--check").returncode == 0


def test_check_lists_fifty_cells_of_a_table_and_counts_all(filled):
    query(filled, "DELETE FROM survey_totals WHERE workspace_id = 1")
    done = cli(filled, "rebuild", "--check")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    count = int(re.fullmatch(r"workspace one, survey_totals: (\d+) differing cells, the first 50:",
                             lines[0])[1])
    # 20 days in 4 cuts are more than 80 cells, all missing.
    assert count > 80
    assert [line.split()[0] for line in lines[1:-1]] == ["expected"] * 50
    assert lines[-1] == f"2 workspaces checked, {count} differing cells"


def test_a_check_changes_nothing(filled):
    query(filled, "DELETE FROM life_totals WHERE workspace_id = 1")
    assert cli(filled, "rebuild", "--check").returncode == 1
    assert query(filled, "SELECT count(*) FROM life_totals WHERE workspace_id = 1") == [(0,)]


def test_rebuild_of_an_unknown_workspace(url):
    for words in ((), ("--check",)):
        done = cli(url, "rebuild", "--workspace", "nowhere", *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert "vinculo workspace list" in done.stderr


def test_demo_gives_every_kpi_something_to_show(service):
    here = service()
    assert cli_output(here.database_url, "demo") == "demo"
    again = cli(here.database_url, "demo")
    assert (again.returncode, again.stdout) == (1, "") and "already" in again.stderr
    client = Client(here.url, cli_output(here.database_url, "key", "create", "--workspace", "demo",
                                         "--scope", "figures"))
    for period in ("last_month", "last_12_months"):
        figures = client.get("/v1/kpis", period=period).json()["kpis"]
        assert {kpi: figure["null_reason"] for kpi, figure in figures.items()} == \
            dict.fromkeys(figures)
        few = {"ltv": 2, "ltv_cac_ratio": 2, "relationship_quality": 5}  # losses of a month, parts of six
        assert all(figure["n"] > few.get(kpi, 20) for kpi, figure in figures.items()), figures
    checked = cli(here.database_url, "rebuild", "--check")
    assert checked.returncode == 0, checked.stdout
