"""The time zone changes while 32 clients write: nothing is lost and no reader sees a mixture.

What readers may see is known beforehand: the same records were imported into fresh workspaces of each
zone. Readers ask for 2024, writers add records of 2025, so that the answers expected stay the same.
"""

import contextlib
import datetime
import random
import threading
import time

import psycopg2
import pytest

from api.checks import expect, expect_problem, settled
from property.world import LIFE, Maker, moment_of, text_of
from support.service import cli, cli_output

ZONES = ("UTC", "America/Sao_Paulo", "Asia/Kolkata")
WRITERS = 32
READERS = 3
COUNTS = {"customers": 500, "interactions": 2000, "surveys": 4000, "cancellations": 250,
          "reactivations": 120}
PERIODS = ("2024-03", "2024-Q4", "2024", "2024-W27", "2024-07-01")
LATE = datetime.datetime(2025, 4, 1, tzinfo=datetime.timezone.utc)
LATE_DAYS = 90


class Late(Maker):
    """Records after those that readers ask for."""

    def moment(self):
        day = LATE + datetime.timedelta(days=self.random.randrange(LATE_DAYS))
        return day + datetime.timedelta(hours=self.random.randrange(24))

    def customers(self):
        return {"started_at": text_of(self.moment()), "segment": self.choose("gold", "silver", None),
                "channel": self.choose("web", "phone", None)}


def base_records(seed):
    """kind → records in which moments around the ends of months are frequent."""
    maker = Maker(seed)
    records = {}
    for kind, count in COUNTS.items():
        made = [{"id": f"{kind[0]}/{at}", **maker.record(kind)} for at in range(count)]
        if kind in LIFE:
            starts = {row["id"]: moment_of(row["started_at"]) for row in records["customers"]}
            made = [row for row in made if row["customer_id"] in starts
                    and starts[row["customer_id"]] <= moment_of(row[LIFE[kind]])]
        records[kind] = made
    return records


def open_workspace(here, name, zone):
    cli_output(here.url, "workspace", "create", name, "--timezone", zone)
    here.keys[name] = cli_output(here.url, "key", "create", "--workspace", name, "--scope", "admin")
    return settled(here.client(name, timeout_s=120))


def fill(client, records):
    for kind, rows in records.items():
        for at in range(0, len(rows), 1000):
            answer = expect(client.post_ndjson(f"/v1/{kind}", rows[at:at + 1000]), 200)
            assert answer["rejected"] == 0


def answer_of(client, period, window):
    """What a reader sees of one period: all of it but the days that have records at all."""
    answer = expect(client.get("/v1/kpis", period=period, compare="none"), 200)
    answer.pop("data")
    answer["window"] = window
    return answer


def all_figures(client):
    """Every KPI of every month, quarter and year, for all records and for one segment."""
    names = [one["kpi"] for one in expect(client.get("/v1/definitions"), 200)["definitions"]]
    return {(name, granularity, segment): expect(client.get(
        f"/v1/kpis/{name}", granularity=granularity, from_="2023-10-01", to="2025-10-01",
        segment=segment), 200)["series"]
        for name in names for granularity in ("month", "quarter", "year") for segment in (None, "gold")}


class Worker(threading.Thread):
    def __init__(self, change, number):
        super().__init__(daemon=True)
        self.change = change
        self.number = number
        self.failure = None

    def run(self):
        try:
            while not self.change.over.is_set():
                self.step()
        except BaseException as error:  # the thread's end would hide it
            self.failure = error


class Writer(Worker):
    """Posts new records, each until it is acknowledged."""

    def __init__(self, change, number):
        super().__init__(change, number)
        self.client = change.here.client()
        self.make = Late(1000 + number)
        self.count = 0
        self.customer = None
        self.acknowledged = []  # (kind, record)
        self.moments = []
        self.slowest_s = 0.0
        self.refused = 0

    def step(self):
        self.count += 1
        kinds = ["customers", "surveys", "surveys", "interactions"] + \
            ["cancellations"] * (self.customer is not None)
        kind = self.make.choose(*kinds)
        record = {"id": f"late/{self.number}/{self.count}", **self.make.record(kind)}
        if kind == "cancellations":
            record.update(customer_id=self.customer["id"], cancelled_at=text_of(
                moment_of(self.customer["started_at"]) + datetime.timedelta(hours=self.count)))
            self.customer = None
        self.send(kind, record)
        if kind == "customers":
            self.customer = record
        self.acknowledged.append((kind, record))

    def send(self, kind, record):
        while True:
            begun = time.monotonic()
            answer = self.client.post(f"/v1/{kind}", record)
            ended = time.monotonic()
            self.slowest_s = max(self.slowest_s, ended - begun)
            if answer.status in (200, 201):
                self.moments.append(ended)
                return
            expect_problem(answer, 503, "unavailable")
            self.refused += 1
            time.sleep(0.02)


class OtherProgram(Worker):
    """Inserts without asking the service, and without taking the lock first."""

    def __init__(self, change):
        super().__init__(change, "sql")
        self.make = Late(77)
        self.acknowledged = []
        self.connection = psycopg2.connect(change.here.url)

    def step(self):
        record = {"id": f"sql/{len(self.acknowledged)}", **self.make.record("interactions")}
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO interaction (workspace_id, {', '.join(record)}) SELECT id, "
                f"{', '.join(['%s'] * len(record))} FROM workspace WHERE name = 'main'",
                list(record.values()))
        self.acknowledged.append(("interactions", record))
        time.sleep(0.005)


class Reader(Worker):
    """Every answer must be that of one zone as a whole, and never of a former one again."""

    def __init__(self, change, number):
        super().__init__(change, number)
        self.client = change.here.client(timeout_s=60)
        self.random = random.Random(number)
        self.seen = []
        self.slowest_s = 0.0

    def step(self):
        period = self.random.choice(PERIODS)
        begun = time.monotonic()
        answer = answer_of(self.client, period, None)
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        zone = answer["period"]["timezone"]
        assert answer == self.change.expected[zone, period], (zone, period)
        if not self.seen or self.seen[-1][0] != zone:
            self.seen.append([zone, 0])
        self.seen[-1][1] += 1


class Change:
    """32 writers, some readers and another program at work in the workspace `main`."""

    def __init__(self, here, expected):
        self.here = here
        self.expected = expected
        self.over = threading.Event()
        self.writers = [Writer(self, number) for number in range(WRITERS)]
        self.readers = [Reader(self, number) for number in range(READERS)]
        self.other = OtherProgram(self)
        self.workers = [*self.writers, *self.readers, self.other]

    def __enter__(self):
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        for worker in self.workers:
            worker.join(60)
        self.other.connection.close()
        for worker in self.workers:
            if worker.failure is not None:
                raise worker.failure
            assert not worker.is_alive()

    def acknowledged(self):
        return [entry for writer in [*self.writers, self.other] for entry in writer.acknowledged]

    def pause_s(self, begun, ended):
        """The longest time without any acknowledgement that the change's time met."""
        moments = sorted(moment for writer in self.writers for moment in writer.moments)
        gaps = [(after - before, after) for before, after in zip(moments, moments[1:])]
        return max(length for length, after in gaps if begun < after < ended + length + 0.1)


@pytest.mark.parametrize("lock_timeout_ms", [20000, 100])
def test_a_change_of_zone_under_32_writers(site, lock_timeout_ms):
    here = site({"VINCULO_LOCK_TIMEOUT_MS": str(lock_timeout_ms)})
    base = base_records(lock_timeout_ms)
    expected = {}
    for zone in ZONES:
        fresh = open_workspace(here, f"in {zone}", zone)
        fill(fresh, base)
        expected.update({(zone, period): answer_of(fresh, period, None) for period in PERIODS})
    assert len({str(expected[zone, "2024-03"]["kpis"]) for zone in ZONES}) == len(ZONES)
    admin = here.client(timeout_s=120)
    fill(admin, base)

    told = []
    with Change(here, expected) as change:
        time.sleep(1)
        for zone in [*ZONES[1:], ZONES[0], ZONES[1]]:
            begun = time.monotonic()
            answer = patch_until_taken(admin, {"timezone": zone})
            ended = time.monotonic()
            assert expect(answer, 200)["timezone"] == zone
            # Whoever has been told sees it from there on.
            assert answer_of(admin, "2024", None) == expected[zone, "2024"]
            time.sleep(0.7)
            told.append((zone, ended - begun, change.pause_s(begun, ended)))
    report(change, told, lock_timeout_ms)

    for reader in change.readers:
        assert [zone for zone, _ in reader.seen] == [ZONES[0], *ZONES[1:], ZONES[0], ZONES[1]], \
            "each change once, in order"
    if lock_timeout_ms < 1000:
        assert sum(writer.refused for writer in change.writers) > 0
    else:
        assert sum(writer.refused for writer in change.writers) == 0
    check_nothing_lost(here, base, change)
    done = cli(here.url, "rebuild", "--check")
    assert done.returncode == 0, done.stdout
    fresh = open_workspace(here, "again", ZONES[1])
    fill(fresh, base)
    late = {kind: [record for of, record in change.acknowledged() if of == kind] for kind in COUNTS}
    for rows in late.values():
        random.Random(1).shuffle(rows)
    fill(fresh, late)
    assert all_figures(admin) == all_figures(fresh)


def patch_until_taken(admin, change):
    """Where the wait for the lock is short, the writers may be in the way for a moment."""
    end = time.monotonic() + 60
    while (answer := admin.patch("/v1/workspace", change)).status == 503 and time.monotonic() < end:
        expect_problem(answer, 503, "unavailable")
    return answer


def check_nothing_lost(here, base, change):
    for kind, rows in base.items():
        table = kind.removesuffix("s")
        stored = here.sql(f"SELECT r.id FROM {table} r JOIN workspace w ON w.id = r.workspace_id"
                          " WHERE w.name = 'main'")
        sent = [row["id"] for row in rows] + [record["id"] for of, record in change.acknowledged()
                                              if of == kind]
        assert sorted(row[0] for row in stored) == sorted(sent)


def report(change, told, lock_timeout_ms):
    writers = change.writers
    print(f"\n{sum(len(writer.moments) for writer in writers)} records acknowledged to {len(writers)} "
          f"writers, {len(change.other.acknowledged)} inserted beside the service, "
          f"{sum(count for reader in change.readers for _, count in reader.seen)} answers read; "
          f"lock timeout {lock_timeout_ms} ms: {sum(writer.refused for writer in writers)} times 503")
    for zone, seconds, pause in told:
        print(f"  to {zone}: {seconds:.2f} s, writers' pause {pause:.2f} s")
    print(f"  slowest POST {max(writer.slowest_s for writer in writers):.2f} s, "
          f"slowest GET {max(reader.slowest_s for reader in change.readers):.2f} s")
