"""The rule of health once more, from docs/health.md and the raw records alone; and its rank quality."""

import bisect
import functools
from datetime import datetime, timedelta, timezone

DAY = timedelta(days=1)
YEAR, QUARTER = 365 * DAY, 90 * DAY


@functools.lru_cache(maxsize=1 << 20)
def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def days(earlier, later):
    return (later - earlier) // DAY


def of_customer(records, kind):
    """The kind's records by customer."""
    found = {}
    for record in records.get(kind, ()):
        found.setdefault(record.get("customer_id"), []).append(record)
    return found


class World:
    """Raw records (as posted, defaults left out or not), looked at as of a moment."""

    def __init__(self, records):
        self.customers = {record["id"]: record for record in records["customers"]}
        self.by = {kind: of_customer(records, kind) for kind in records if kind != "customers"}
        self.done = {}
        for action in records.get("actions", ()):
            if action.get("status") == "done" and action.get("survey_id"):
                self.done.setdefault(action["survey_id"], []).append(instant(action["done_at"]))

    def of(self, kind, customer):
        return self.by.get(kind, {}).get(customer, ())

    @functools.lru_cache(maxsize=1 << 16)
    def changes(self, customer):
        """Moments of effective life events in order: start, gone, back, gone …"""
        events = [(instant(self.customers[customer]["started_at"]), 0, "", True)]
        events += [(instant(r["cancelled_at"]), 1, r["id"], False) for r in self.of("cancellations", customer)]
        events += [(instant(r["reactivated_at"]), 2, r["id"], True) for r in self.of("reactivations", customer)]
        state, moments = False, []
        for at, _, _, active in sorted(events):
            if active != state:
                state = active
                moments.append(at)
        return moments

    def active(self, customer, at):
        return bisect.bisect_left(self.changes(customer), at) % 2 == 1

    def health(self, customer, at):
        """(score, [codes in order]) of an active customer."""
        found = reasons(self, customer, at)
        score = 70 + sum(points for _, points in found)
        return max(0, min(100, score)), [code for code, _ in found]


def survey_class(survey):
    """1 good, 0 between, -1 bad; None without a score."""
    score, kind = survey.get("score"), survey["type"]
    if score is None:
        return None
    if kind == "nps":
        return 1 if score >= 9 else 0 if score >= 7 else -1
    if kind == "csat":
        top = survey.get("scale_max") or 5
        low = survey.get("scale_min")
        low = 1 if low is None else low
        boxes = 1 if top <= 3 else 2 if top <= 7 else 3
    else:
        top, low = survey.get("scale_max") or 7, 1
        boxes = 2 if top == 5 else 3
        if survey.get("direction") == "low_is_easy":
            score = top + 1 - score
    return 1 if score > top - boxes else -1 if score < low + boxes else 0


def own_time(survey):
    return instant(survey.get("answered_at") or survey.get("sent_at"))


def ended_before(interaction, at):
    ended = instant(interaction.get("resolved_at") or interaction.get("closed_at"))
    return ended is not None and ended < at


def reasons(world, customer, at):
    moments = [moment for moment in world.changes(customer) if moment < at]
    since, held = moments[-1], days(moments[-1], at)
    surveys = [s for s in world.of("surveys", customer) if at - YEAR <= own_time(s) < at]
    contacts = [i for i in world.of("interactions", customer) if at - YEAR <= instant(i["opened_at"]) < at]
    payments = [p for p in world.of("payments", customer) if at - YEAR <= instant(p["paid_at"]) < at]
    found = []
    points = {"nps": {-1: ("nps_detractor", -25), 0: ("nps_passive", -5), 1: ("nps_promoter", 15)},
              "csat": {-1: ("csat_dissatisfied", -15), 1: ("csat_satisfied", 5)},
              "ces": {-1: ("ces_hard", -15), 1: ("ces_easy", 5)}}
    for kind in ("nps", "csat", "ces"):
        answers = [s for s in surveys if s["type"] == kind and s.get("score") is not None
                   and s.get("aspect") is None and s.get("solicited", True)]
        if answers:
            newest = max(own_time(s) for s in answers)
            last = min((s for s in answers if own_time(s) == newest), key=lambda s: s["id"].encode())
            found.append(points[kind].get(survey_class(last)))
    low = [s for s in surveys if survey_class(s) == -1
           and not any(own_time(s) <= done < at for done in world.done.get(s["id"], ()))]
    found.append(("low_score_open", -10) if low else None)
    inbound = [i for i in contacts if i.get("direction", "inbound") == "inbound"]
    waiting = [i for i in inbound if not i.get("bot") and not ended_before(i, at)]
    open_since = [instant(i["opened_at"]) for i in waiting]
    found.append(("waiting_long", -15) if open_since and days(min(open_since), at) >= 7 else None)
    recent = [i for i in inbound if instant(i["opened_at"]) >= at - QUARTER]
    found.append(("many_contacts", -10) if len(recent) >= 3 else None)
    bought = [instant(p["paid_at"]) for p in payments if p["amount"] > 0]
    dates = sorted({moment.astimezone(timezone.utc).date() for moment in bought})
    if len(dates) >= 3:
        gap = (dates[-1] - dates[0]).days // (len(dates) - 1)
        quiet = days(max(bought), at)
        overdue = quiet >= 14 and quiet > 2 * gap
        found.append(("purchase_overdue", -20) if overdue else ("purchase_regular", 10))
    refunds = [p for p in payments if p["amount"] < 0 and instant(p["paid_at"]) >= at - QUARTER]
    found.append(("refunded", -10) if refunds else None)
    active_at = max([since] + [instant(s["answered_at"]) for s in surveys if s.get("answered_at")
                               and instant(s["answered_at"]) < at]
                    + [instant(i["opened_at"]) for i in contacts] + [instant(p["paid_at"]) for p in payments])
    found.append(("quiet", -15) if days(active_at, at) >= 180 else None)
    found.append(("came_back", -10) if len(moments) > 1 else None)
    found.append(("new", -5) if len(moments) == 1 and held < 90 else None)
    found.append(("loyal", 5) if held >= 730 else None)
    return [reason for reason in found if reason]


def auc(left, stayed):
    """Mann–Whitney: the share of pairs in which who left had the lower health; ties count half."""
    below = sorted(stayed)
    wins = sum(len(below) - bisect.bisect_right(below, score)
               + (bisect.bisect_right(below, score) - bisect.bisect_left(below, score)) / 2 for score in left)
    pairs = len(left) * len(stayed)
    return (wins / pairs if pairs else None), pairs
