"""Generated records of every kind and condition, first as sent, then after a tenth of them was corrected.

The default run takes one zone and few records; VINCULO_TEST_ALL=1 takes all zones, every filter and label.
"""
import os
from datetime import date

import pytest

from oracle.comparer import Tally
from oracle.feed import post_batch, send
from oracle.generator import CATEGORIES, CHANNELS, SEGMENTS, Generator, spans
from oracle.measure import Settings
from oracle.sweep import sweep, sweep_cohorts, sweep_groups, sweep_scorecards, sweep_series
from oracle.truth import EVERYONE, Filter
from oracle.zones import DAY, custom

ALL = os.environ.get("VINCULO_TEST_ALL") == "1"
SEED = int(os.environ.get("VINCULO_TEST_SEED", "2026"))
ENOUGH = 300_000 if ALL else 20_000
PLACES = {
    "America/Sao_Paulo": (date(2017, 1, 1), date(2019, 6, 30)),
    "Asia/Kolkata": (date(2019, 7, 1), date(2020, 12, 31)),
    "America/Havana": (date(2018, 1, 1), date(2019, 3, 31)),
    "UTC": (date(2023, 11, 1), date(2025, 2, 28)),
}
SAMPLE = {"America/Sao_Paulo": (date(2017, 10, 1), date(2018, 3, 31))}
FILTERS = ([EVERYONE] + [Filter(s) for s in SEGMENTS] + [Filter(None, c) for c in CHANNELS] +
           [Filter("basic", "web"), Filter("pro", "phone"), Filter("São Paulo", "loja física"),
            Filter("enterprise", "whatsapp"), Filter("nowhere")])
FEW = [EVERYONE, FILTERS[1], FILTERS[5], FILTERS[9]]
OTHERWISE = Settings(gross_margin=0.35, response_window_days=3, cac_categories=[CATEGORIES[0], CATEGORIES[2]],
                     response_target_s=1800, weights={"csat": 10, "nps": 40, "first_contact_resolution": 5,
                                                      "annualised_retention": 25, "ces": 0, "speed": 20})


def ranges(made):
    """Odd ranges, some of them around the days on which the clock changes, and trailing windows."""
    starts = [(5, 17), (59, 60), (100, 163), (285, 290), (300, 330)]
    days = made.first.toordinal()
    odd = [custom(str(date.fromordinal(days + a)), str(date.fromordinal(days + b))) for a, b in starts]
    return odd + [custom(str(date.fromordinal(days + 111)), str(date.fromordinal(days + 201))),
                  custom(f"{made.end.year - 1}-{made.end.month:02}-01", f"{made.end.year}-{made.end.month:02}-01")]


def compare_everything(name, client, oracle, made, full):
    asked = spans(made)
    oracle.load(made.records(), made.zone)
    tally = Tally(name)
    if not full:
        sweep_series(tally, client, oracle, {"month": asked["month"]}, FEW)
        return tally
    if ALL:
        singles = asked["month"] + asked["quarter"] + asked["year"] + asked["week"][8:12] + asked["day"][40:50]
        sweep(tally, client, oracle, asked, singles + ranges(made), FILTERS, FEW, (FILTERS[1], FILTERS[5]))
    else:
        few = {"month": asked["month"], "week": asked["week"][2:5]}
        sweep(tally, client, oracle, few, asked["quarter"][:1] + asked["day"][44:45] + ranges(made)[2:3], FEW, FEW[:2])
    sweep_cohorts(tally, client, oracle, asked if ALL else few, FEW)
    sweep_scorecards(tally, client, oracle, [made.end, made.end - 40 * DAY], FEW if ALL else FEW[:1])
    return tally


def compare_settings(name, client, oracle, made):
    """The same records under other settings of the workspace, and back."""
    asked = {granularity: many for granularity, many in spans(made).items() if granularity in ("month", "year")}
    tally = Tally(name)
    for settings in (OTHERWISE, Settings()):
        response = client.patch("/v1/workspace", {"settings": settings.sent()})
        assert response.status == 200, response
        oracle.load(made.records(), made.zone, settings)
        sweep_series(tally, client, oracle, asked, FEW if ALL else FEW[:1])
    sweep_groups(tally, client, oracle, {"year": asked["year"]}, ())
    return tally


@pytest.fixture(scope="module")
def generated_cells():
    """Non-null cells over all zones: a thin run must not pass for a thorough one."""
    counted = {}
    yield counted
    if len(counted) == len(PLACES if ALL else SAMPLE):
        assert sum(counted.values()) >= ENOUGH


@pytest.mark.parametrize("zone", PLACES if ALL else SAMPLE)
def test_generated(open_workspace, oracle, total, generated_cells, zone):
    first, last = (PLACES if ALL else SAMPLE)[zone]
    made = Generator(SEED, zone, first, last, size=1.0 if ALL else 0.25)
    client = open_workspace(zone)
    for kind, rows in made.batches():
        post_batch(client, kind, rows)
    for kind, rows in made.batches()[::3]:
        post_batch(client, kind, rows, "unchanged")
    tally = compare_everything(f"{zone}, seed {SEED}, as sent", client, oracle, made, full=False)
    tally.finish(total)
    for method, kind, name, body, status in made.correct():
        send(client, method, kind, name, body, status)
    corrected = compare_everything(f"{zone}, seed {SEED}, corrected", client, oracle, made, full=True)
    generated_cells[zone] = tally.not_null + corrected.not_null
    corrected.finish(total)
    compare_settings(f"{zone}, seed {SEED}, settings", client, oracle, made).finish(total)
