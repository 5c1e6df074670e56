"""Cases small enough to be worked out by hand or found in print, as records and what they must give.

Both the oracle alone and the service behind its API are held to these figures.
"""
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from oracle.measure import Settings
from oracle.truth import EVERYONE, Filter
from oracle.zones import custom, period_of


@dataclass
class Case:
    name: str
    records: dict
    expected: list  # (kpi, period, filter, {field: figure}); p_value is that of the change from the period before
    zone: str = "UTC"
    settings: Settings = field(default_factory=Settings)
    digits: float = 1e-6  # how near a printed figure is to the true one


def month(key):
    return period_of("month", date.fromisoformat(key + "-01"))


def quarter(key):
    return period_of("quarter", date(int(key[:4]), int(key[-1]) * 3 - 2, 1))


def year(number):
    return period_of("year", date(number, 1, 1))


def day(key):
    return period_of("day", date.fromisoformat(key))


def scores(prefix, type_, counted, answered_at="2026-08-15T12:00:00Z", **more):
    """counted: score → how many answers."""
    return [{"id": f"{prefix}-{score}-{i}", "type": type_, "score": score, "answered_at": answered_at, **more}
            for score, count in counted.items() for i in range(count)]


def churn():
    """Issue: 100 active, 10 join, 12 cancel, of whom one joined in the period and one came back."""
    customers = [{"id": f"old-{i}", "started_at": "2026-01-10T09:00:00Z"} for i in range(100)]
    customers += [{"id": f"new-{i}", "started_at": "2026-07-05T09:00:00Z"} for i in range(10)]
    gone = [f"old-{i}" for i in range(11)] + ["new-0"]
    cancellations = [{"id": f"c-{who}", "customer_id": who, "cancelled_at": "2026-07-10T10:00:00Z"} for who in gone]
    back = [{"id": "r-1", "customer_id": "old-10", "reactivated_at": "2026-07-20T10:00:00Z"}]
    parts = {"customers_at_start": 100, "lost": 10, "lost_new": 1, "acquired": 10, "reactivated": 1,
             "cancelled": 12, "redundant": 0, "customers_at_end": 99, "lost_voluntary": 0,
             "lost_involuntary": 0, "annualised": 100 - 100 * 0.9 ** 12}
    july = month("2026-07")
    # The two roots of (0.1 − p)² = z² p(1 − p)/100, found by bisection in decimals.
    return Case("churn", {"customers": customers, "cancellations": cancellations, "reactivations": back}, [
        ("churn_rate", july, EVERYONE, {"value": 10, "n": 100, "numerator": 10, "denominator": 100,
                                        "low": 5.522914, "high": 17.436566, "p_value": None, **parts}),
        ("retention_rate", july, EVERYONE, {"value": 90, "n": 100, "numerator": 90, "denominator": 100,
                                            "low": 82.563434, "high": 94.477086, "p_value": None}),
        ("churn_rate", year(2026), EVERYONE, {"value": None, "null_reason": "zero_denominator", "n": 0,
                                              "acquired": 110, "lost_new": 11, "customers_at_end": 99}),
        ("churn_rate", month("2025-12"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("churn_rate", month("2026-08"), EVERYONE, {"value": 0, "n": 99, "low": 0}),
        ("churn_rate", custom("2026-07-10", "2026-07-20"), EVERYONE,
         {"value": 1200 / 110, "n": 110, "lost": 12, "annualised": 100 - 100 * (98 / 110) ** (12 * 30.436875 / 10)}),
    ])


def life_order():
    """Ties, redundant events, gaps and the cancellation that began the gap; a boundary belongs to what follows."""
    start = "2026-01-01T00:00:00Z"
    customers = [{"id": name, "started_at": start} for name in ("stay", "flip", "twice", "deep", "edge", "moved")]
    customers += [{"id": "brief", "started_at": "2026-03-05T00:00:00Z"},
                  {"id": "first", "started_at": "2026-03-01T00:00:00Z"}]
    cancellations = [
        {"id": "1", "customer_id": "brief", "cancelled_at": "2026-03-05T00:00:00Z", "voluntary": True},
        # At one instant a cancellation comes before a return: flip stays, and counts once in each.
        {"id": "2", "customer_id": "flip", "cancelled_at": "2026-03-10T00:00:00Z"},
        # The first of two cancellations (by id, where at once) began the gap; the other is redundant.
        {"id": "3b", "customer_id": "twice", "cancelled_at": "2026-03-12T00:00:00Z", "voluntary": True},
        {"id": "3a", "customer_id": "twice", "cancelled_at": "2026-03-12T00:00:00Z", "voluntary": False},
        # Two gaps in one period: the second, voluntary, is the one in which the period ends.
        {"id": "4", "customer_id": "deep", "cancelled_at": "2026-03-02T00:00:00Z", "voluntary": False},
        {"id": "5", "customer_id": "deep", "cancelled_at": "2026-03-20T00:00:00Z", "voluntary": True},
        {"id": "6", "customer_id": "deep", "cancelled_at": "2026-03-25T00:00:00Z", "voluntary": False},
        # A cancellation at b belongs to the period after.
        {"id": "7", "customer_id": "edge", "cancelled_at": "2026-04-01T00:00:00Z"},
        # Unset: lost, but in neither part.
        {"id": "8", "customer_id": "moved", "cancelled_at": "2026-03-31T23:59:59.999999Z"},
    ]
    reactivations = [
        {"id": "1", "customer_id": "flip", "reactivated_at": "2026-03-10T00:00:00Z"},
        {"id": "2", "customer_id": "deep", "reactivated_at": "2026-03-15T00:00:00Z"},
        {"id": "3", "customer_id": "stay", "reactivated_at": "2026-03-15T00:00:00Z"},
    ]
    return Case("life_order", dict(customers=customers, cancellations=cancellations, reactivations=reactivations), [
        ("churn_rate", month("2026-03"), EVERYONE, {
            "value": 50, "n": 6, "customers_at_start": 6, "lost": 3, "lost_new": 1, "acquired": 2,
            "reactivated": 2, "cancelled": 6, "redundant": 3, "customers_at_end": 4, "lost_voluntary": 1,
            "lost_involuntary": 1, "annualised": 100 - 100 * 0.5 ** 12}),
        ("churn_rate", month("2026-04"), EVERYONE, {"value": 25, "n": 4, "lost": 1, "cancelled": 1,
                                                    "customers_at_end": 3}),
        ("churn_rate", quarter("2026-Q1"), EVERYONE, {"value": None, "null_reason": "zero_denominator", "n": 0,
                                                      "acquired": 8, "lost_new": 4, "customers_at_end": 4}),
        ("churn_rate", day("2026-03-10"), EVERYONE, {"value": 0, "n": 7 - 1, "cancelled": 1, "reactivated": 1}),
    ])


def no_cancellations():
    return Case("no_cancellations", {
        "customers": [{"id": "a", "started_at": "2026-02-01T00:00:00Z", "segment": "x"}],
        "interactions": [{"id": "i", "opened_at": "2026-02-10T00:00:00Z", "resolved_at": "2026-02-11T00:00:00Z"}],
        "surveys": [{"id": "s", "type": "open", "comment": "ok", "answered_at": "2026-02-10T00:00:00Z"}]}, [
        ("churn_rate", month("2026-03"), EVERYONE, {"value": None, "null_reason": "no_cancellations", "n": 1}),
        ("retention_rate", month("2026-03"), EVERYONE, {"value": None, "null_reason": "no_cancellations"}),
        ("churn_rate", month("2026-01"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("churn_rate", month("2026-03"), Filter("y"), {"value": None, "null_reason": "no_data"}),
        ("first_contact_resolution", month("2026-02"), EVERYONE,
         {"value": None, "null_reason": "zero_denominator", "resolved": 1, "known": 0}),
        ("first_contact_resolution", month("2026-03"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("interactions", month("2026-01"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("interactions", month("2026-03"), EVERYONE, {"value": 0, "null_reason": None}),
        ("interactions", month("2026-02"), EVERYONE, {"value": 1, "open_at_end": 0, "resolved": 1}),
        ("feedback", month("2026-01"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("feedback", month("2026-02"), EVERYONE, {"value": 1, "unscored": 1}),
        ("feedback", month("2026-03"), EVERYONE, {"value": 0, "null_reason": None}),
        ("nps", month("2026-02"), EVERYONE, {"value": None, "null_reason": "no_data", "n": 0}),
    ])


def nps_published():
    """design.md's sample of 51 and its p-value against 60 answers (36, 14, 10) of the quarter before."""
    return Case("nps_published", {"surveys":
                scores("q3", "nps", {10: 20, 9: 12, 8: 6, 7: 7, 6: 1, 3: 4, 0: 1}) +
                scores("q2", "nps", {10: 36, 7: 14, 5: 10}, "2026-05-15T12:00:00Z") +
                scores("one", "nps", {9: 1}, "2025-01-15T12:00:00Z")}, [
        ("nps", quarter("2026-Q3"), EVERYONE, {
            "value": 50.980392, "n": 51, "numerator": 26, "denominator": 51, "promoters": 32, "passives": 13,
            "detractors": 6, "low": 29.294855, "high": 67.001442, "p_value": 0.613230}),
        ("nps", quarter("2025-Q1"), EVERYONE, {"value": 100, "n": 1, "low": -48.498649, "high": 100}),
    ])


def nps_small():
    """design.md: (2,0,0) against (0,2,0) → 0.329114; (5,0,0) against (0,5,0) → 0.023540."""
    return Case("nps_small", {"surveys":
                scores("a", "nps", {9: 2}, "2026-02-10T00:00:00Z") +
                scores("b", "nps", {8: 2}, "2026-01-10T00:00:00Z") +
                scores("c", "nps", {10: 5}, "2026-06-10T00:00:00Z") +
                scores("d", "nps", {7: 5}, "2026-05-10T00:00:00Z")}, [
        ("nps", month("2026-02"), EVERYONE, {"value": 100, "p_value": 0.329114, "significant": False}),
        ("nps", month("2026-06"), EVERYONE, {"value": 100, "p_value": 0.023540, "significant": True}),
        ("nps", month("2026-05"), EVERYONE, {"value": 0, "p_value": None, "significant": None}),
    ])


def wilson():
    """Newcombe 1998, table I, method 3 (four decimals of the percentage); and the N−1 test of design.md."""
    def two(prefix, good, of, at):
        return scores(prefix, "csat", {5: good, 1: of - good}, at)
    return Case("wilson", {"surveys":
                two("a", 81, 263, "2026-01-15T12:00:00Z") + two("b", 15, 148, "2026-02-15T12:00:00Z") +
                two("c", 0, 20, "2026-03-15T12:00:00Z") + two("d", 2, 5, "2026-05-15T12:00:00Z") +
                two("e", 5, 5, "2026-06-15T12:00:00Z") + two("f", 6, 6, "2026-07-15T12:00:00Z") +
                two("g", 4, 4, "2026-08-15T12:00:00Z")}, [
        ("csat", month("2026-01"), EVERYONE, {"value": 8100 / 263, "low": 25.5289, "high": 36.6210}),
        ("csat", month("2026-02"), EVERYONE, {"value": 1500 / 148, "low": 6.2386, "high": 16.0487}),
        ("csat", month("2026-03"), EVERYONE, {"value": 0, "low": 0, "high": 16.1125}),
        ("csat", month("2026-06"), EVERYONE, {"value": 100, "p_value": 0.049535, "significant": True}),
        ("csat", month("2026-07"), EVERYONE, {"value": 100, "p_value": 1, "significant": False}),
        ("csat", month("2026-08"), EVERYONE, {"value": 100, "p_value": None, "significant": None}),
    ], digits=1e-4)


def scales():
    """Classes and means of every csat scale and of both ces scales, turned and not."""
    at = "2026-04-02T00:00:00Z"
    surveys, expected = [], []
    for top, low, satisfied, dissatisfied in ((2, 1, 1, 1), (3, 1, 1, 1), (4, 1, 2, 2), (5, 1, 2, 2), (6, 1, 2, 2),
                                              (7, 1, 2, 2), (10, 1, 3, 3), (10, 0, 3, 3)):
        name = f"s{low}-{top}"
        surveys += scores(name, "csat", {score: 1 for score in range(low, top + 1)}, at, scale_max=top,
                          scale_min=low, segment=name)
        n = top - low + 1
        expected.append(("csat", month("2026-04"), Filter(name), {
            "n": n, "value": 100 * satisfied / n, "satisfied": satisfied, "dissatisfied": dissatisfied,
            "neutral": n - satisfied - dissatisfied, "mean_on_5": 3}))
    for top, easy in ((5, 2), (7, 3)):
        for direction in ("high_is_easy", "low_is_easy"):
            name = f"{direction}-{top}"
            surveys += scores(name, "ces", {score: 1 for score in range(1, top + 1)}, at, scale_max=top,
                              direction=direction, segment=name)
            surveys += scores(name + "x", "ces", {1: 1}, at, scale_max=top, direction=direction, segment=name)
            turned = top if direction == "low_is_easy" else 1
            mean = (top * (top + 1) / 2 + turned) / (top + 1)
            expected.append(("ces", month("2026-04"), Filter(name), {
                "n": top + 1, "easy": easy + (turned == top), "hard": easy + (turned == 1), "neutral": 1,
                "mean_5": mean if top == 5 else None, "mean_7": mean if top == 7 else None}))
    surveys += scores("aspect", "csat", {1: 1}, at, aspect="empathy")
    surveys += scores("spontaneous", "csat", {1: 1}, at, solicited=False, comment="ruim")
    expected += [("csat", month("2026-04"), EVERYONE, {"n": 48, "mean_on_5": 3}),
                 ("feedback", month("2026-04"), EVERYONE, {"value": 1, "negative": 1, "unscored": 0}),
                 ("ces", month("2026-04"), EVERYONE, {"n": 28, "neutral": 4, "mean_5": 3, "mean_7": 4})]
    return Case("scales", {"surveys": surveys}, expected)


def durations():
    """Percentile of {60 s, 9060 s}; the interval of the median from n = 6 and, at n = 12, of ranks 3 and 10."""
    def took(prefix, opened, seconds):
        start = datetime.fromisoformat(opened).replace(tzinfo=timezone.utc)
        return [{"id": f"{prefix}-{i}", "opened_at": start.isoformat(),
                 "first_response_at": (start + timedelta(seconds=s)).isoformat()} for i, s in enumerate(seconds)]
    extra = [{"id": "out", "opened_at": "2026-01-10T00:00:00Z", "direction": "outbound",
              "first_response_at": "2026-01-10T09:00:00Z", "resolved_at": "2026-01-10T09:00:00Z"},
             {"id": "bot", "opened_at": "2026-01-10T00:00:00Z", "bot": True,
              "first_response_at": "2026-01-10T00:00:01Z"},
             {"id": "shut", "opened_at": "2026-01-11T00:00:00Z", "closed_at": "2026-01-12T00:00:00Z"},
             {"id": "both", "opened_at": "2026-01-11T00:00:00Z", "closed_at": "2026-01-12T00:00:00Z",
              "resolved_at": "2026-02-01T00:00:00Z", "resolved_on_first_contact": True}]
    return Case("durations", {"interactions":
                took("two", "2026-01-10T00:00:00", (60, 9060)) + extra +
                took("five", "2026-03-10T00:00:00", (10, 20, 30, 40, 50)) +
                took("six", "2026-04-10T00:00:00", (100, 200, 300, 400, 500, 600)) +
                took("twelve", "2026-05-10T00:00:00", range(1000, 13000, 1000)) +
                took("zero", "2026-06-10T00:00:00", (0, 0, 0))}, [
        ("first_response_time", month("2026-01"), EVERYONE, {
            "value": 4560, "p50": 4560, "p90": 8160, "p95": 8610, "mean": 4560, "n": 2, "numerator": None,
            "low": None, "high": None, "waiting_at_end": 1}),
        ("first_response_time", month("2026-02"), EVERYONE, {"value": None, "null_reason": "no_data",
                                                             "waiting_at_end": 0}),
        ("first_response_time", month("2026-03"), EVERYONE, {"value": 30, "low": None, "high": None}),
        ("first_response_time", month("2026-04"), EVERYONE, {"value": 350, "low": 100, "high": 600}),
        ("first_response_time", month("2026-05"), EVERYONE, {"value": 6500, "low": 3000, "high": 10000}),
        ("first_response_time", month("2026-06"), EVERYONE, {"value": 0, "p95": 0, "mean": 0}),
        ("resolution_time", month("2026-02"), EVERYONE, {"value": 21 * 86400, "n": 1, "waiting_at_end": 2}),
        ("resolution_time", month("2026-01"), EVERYONE, {"value": None, "null_reason": "no_data",
                                                         "waiting_at_end": 3}),
        ("first_contact_resolution", month("2026-02"), EVERYONE, {"value": 100, "n": 1, "resolved": 1}),
        ("interactions", month("2026-01"), EVERYONE, {"value": 6, "opened": 6, "responded": 4, "resolved": 1,
                                                      "closed_unresolved": 1, "open_at_end": 4}),
    ])


def invitations():
    """Answered within 30 × 24 h, to the microsecond; late; open. The invitation's date decides the period."""
    sent = "2026-01-31T12:00:00Z"
    answers = {"in": "2026-03-02T12:00:00Z", "late": "2026-03-02T12:00:00.000001Z"}
    surveys = [{"id": name, "type": "nps", "score": 9, "sent_at": sent, "answered_at": at}
               for name, at in answers.items()]
    surveys += [{"id": "open", "type": "csat", "sent_at": sent},
                {"id": "aspect", "type": "csat", "aspect": "trust", "solicited": False, "score": 5, "sent_at": sent,
                 "answered_at": "2026-02-01T00:00:00Z"},
                {"id": "unsent", "type": "nps", "score": 3, "answered_at": "2026-01-15T00:00:00Z"}]
    return Case("invitations", {"surveys": surveys}, [
        ("response_rate", month("2026-01"), EVERYONE, {"value": 50, "n": 4, "numerator": 2, "sent": 4,
                                                       "answered": 2, "late": 1, "provisional": False}),
        ("response_rate", month("2026-03"), EVERYONE, {"value": None, "null_reason": "no_data"}),
        ("nps", month("2026-03"), EVERYONE, {"value": 100, "n": 2}),
        ("nps", month("2026-01"), EVERYONE, {"value": -100, "n": 1}),
    ])


def labels():
    """Own labels stay; unset ones follow: the customer's segment, the interaction's channel."""
    at = {"answered_at": "2026-01-10T00:00:00Z", "type": "csat", "score": 5}
    return Case("labels", {
        "customers": [{"id": "c", "started_at": "2026-01-01T00:00:00Z", "segment": "gold", "channel": "ads"}],
        "interactions": [{"id": "i", "customer_id": "c", "channel": "chat", "opened_at": "2026-01-02T00:00:00Z"},
                         {"id": "j", "opened_at": "2026-01-02T00:00:00Z", "segment": "gold"}],
        "surveys": [{"id": "1", "customer_id": "c", "interaction_id": "i", **at},
                    {"id": "2", "customer_id": "c", "segment": "tin", **at},
                    {"id": "3", "interaction_id": "i", **at},
                    {"id": "4", "customer_id": "nobody", "interaction_id": "none", "channel": "chat", **at}]}, [
        ("csat", month("2026-01"), EVERYONE, {"n": 4}),
        ("csat", month("2026-01"), Filter("gold"), {"n": 1}),
        ("csat", month("2026-01"), Filter("tin"), {"n": 1}),
        ("csat", month("2026-01"), Filter(None, "chat"), {"n": 3}),
        ("csat", month("2026-01"), Filter(None, "ads"), {"n": 0, "null_reason": "no_data"}),
        ("csat", month("2026-01"), Filter("gold", "chat"), {"n": 1}),
        ("interactions", month("2026-01"), Filter("gold"), {"value": 2}),
        ("interactions", month("2026-01"), Filter("gold", "chat"), {"value": 1}),
        ("interactions", month("2026-01"), Filter("tin"), {"value": 0}),
        ("churn_rate", month("2026-01"), Filter("gold", "ads"), {"acquired": 1, "null_reason": "no_cancellations"}),
        ("churn_rate", month("2026-01"), Filter("gold", "chat"), {"acquired": 0, "null_reason": "no_data"}),
    ])


def _days(name, zone, edges):
    """edges: (day, its first instant): an answer at it lies in the day, one a microsecond before does not."""
    surveys, expected = [], []
    for i, (key, begins) in enumerate(edges):
        start = datetime.fromisoformat(begins)
        for score, moment in ((10, start), (0, start - timedelta(microseconds=1))):
            surveys.append({"id": f"{i}-{score}", "type": "nps", "score": score, "answered_at": moment.isoformat()})
        expected += [("nps", day(key), EVERYONE, {"value": 100, "n": 1}),
                     ("nps", day(key).previous(), EVERYONE, {"value": -100, "n": 1})]
    return Case(name, {"surveys": surveys}, expected, zone)


def days_sao_paulo():
    """Both days have no midnight: they begin at 01:00 of summer time."""
    return _days("days_sao_paulo", "America/Sao_Paulo", [
        ("2017-10-15", "2017-10-15T03:00:00+00:00"), ("2018-11-04", "2018-11-04T03:00:00+00:00"),
        ("2018-02-18", "2018-02-18T03:00:00+00:00"), ("2018-01-10", "2018-01-10T02:00:00+00:00")])


def days_havana():
    """Of a repeated midnight the first counts."""
    return _days("days_havana", "America/Havana", [
        ("2018-11-04", "2018-11-04T04:00:00+00:00"), ("2018-03-11", "2018-03-11T05:00:00+00:00"),
        ("2018-11-08", "2018-11-08T05:00:00+00:00")])


def days_azores():
    return _days("days_azores", "Atlantic/Azores", [
        ("2018-10-28", "2018-10-28T00:00:00+00:00"), ("2018-03-25", "2018-03-25T01:00:00+00:00")])


def days_kolkata():
    return _days("days_kolkata", "Asia/Kolkata", [("2018-07-01", "2018-06-30T18:30:00+00:00")])


CASES = [make() for make in (churn, life_order, no_cancellations, nps_published, nps_small, wilson, scales,
                             durations, invitations, labels, days_sao_paulo, days_havana, days_azores,
                             days_kolkata)]
