"""Generated records of every kind and condition, first as sent, then after a tenth of them was corrected."""
import os
from datetime import date

import pytest

from oracle.comparer import Tally, compare_period, compare_series
from oracle.feed import post_batch, send
from oracle.generator import CHANNELS, SEGMENTS, Generator, spans
from oracle.truth import EVERYONE, Filter
from oracle.zones import custom

SEED = int(os.environ.get("VINCULO_ORACLE_SEED", "2026"))
ENOUGH = 20_000
PLACES = {
    "America/Sao_Paulo": (date(2017, 1, 1), date(2019, 6, 30)),
    "Asia/Kolkata": (date(2019, 7, 1), date(2020, 12, 31)),
    "America/Havana": (date(2018, 1, 1), date(2019, 3, 31)),
    "UTC": (date(2023, 11, 1), date(2025, 2, 28)),
}
FILTERS = ([EVERYONE] + [Filter(s) for s in SEGMENTS] + [Filter(None, c) for c in CHANNELS] +
           [Filter("basic", "web"), Filter("pro", "phone"), Filter("São Paulo", "loja física"),
            Filter("enterprise", "whatsapp"), Filter("nowhere")])
FEW = [EVERYONE, FILTERS[1], FILTERS[5], FILTERS[9]]


def ranges(made):
    """Odd ranges, some of them around the days on which the clock changes."""
    starts = [(5, 17), (59, 60), (100, 163), (285, 290), (300, 330)]
    return [custom(str(date.fromordinal(made.first.toordinal() + a)), str(date.fromordinal(made.first.toordinal() + b)))
            for a, b in starts]


def compare_everything(name, client, oracle, made, filters, full):
    asked = spans(made)
    if not full:
        asked = {"month": asked["month"]}
    singles = [period for granularity in ("month", "quarter", "year") for period in asked.get(granularity, ())]
    singles += (asked["week"][8:12] + asked["day"][40:50] + ranges(made)) if full else []
    oracle.load(made.records(), made.zone)
    answers = oracle.ask([period for many in asked.values() for period in many] +
                         [p for period in singles for p in (period, period.previous())], filters)
    tally = Tally(name)
    for filter_ in filters:
        for granularity, many in asked.items():
            if granularity in ("month", "quarter", "year") or filter_ in FEW:
                compare_series(tally, client, answers, granularity, many, filter_)
    for period in singles if full else ():
        for filter_ in FEW:
            compare_period(tally, client, answers, made.zone, period, filter_)
    return tally


@pytest.fixture(scope="module")
def generated_cells():
    """Non-null cells over all zones: a thin run must not pass for a thorough one."""
    counted = {}
    yield counted
    if len(counted) == len(PLACES):
        assert sum(counted.values()) >= ENOUGH


@pytest.mark.parametrize("zone", PLACES)
def test_generated(open_workspace, oracle, total, generated_cells, zone):
    first, last = PLACES[zone]
    made = Generator(SEED, zone, first, last)
    client = open_workspace(zone)
    for kind, rows in made.batches():
        post_batch(client, kind, rows)
    for kind, rows in made.batches()[::3]:
        post_batch(client, kind, rows, "unchanged")
    tally = compare_everything(f"{zone}, seed {SEED}, as sent", client, oracle, made, FEW, full=False)
    tally.finish(total)
    for method, kind, name, body, status in made.correct():
        send(client, method, kind, name, body, status)
    corrected = compare_everything(f"{zone}, seed {SEED}, corrected", client, oracle, made, FILTERS, full=True)
    generated_cells[zone] = tally.not_null + corrected.not_null
    corrected.finish(total)
